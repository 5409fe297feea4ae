#!/bin/sh
# Installs packages of Debian that tests need, where this is root or has sudo. Where that cannot be, those tests skip,
# loudly; where CI is set it is a failure.
# usage: packages.sh WHAT-NEEDS-THEM PACKAGE…
set -eu
what=$1
shift

missing=
for package in "$@"; do
    case $(dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null) in
    *"ok installed") ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    reason="there is no apt-get to install them"
elif [ "$(id -u)" = 0 ]; then
    apt-get update --quiet --quiet && apt-get install --yes --quiet --no-install-recommends $missing && exit 0
    reason="apt-get did not install them"
elif sudo --non-interactive true 2>/dev/null; then
    sudo apt-get update --quiet --quiet && sudo apt-get install --yes --quiet --no-install-recommends $missing && exit 0
    reason="apt-get did not install them"
else
    reason="this is neither root nor has sudo"
fi
echo "$what: SKIPPED in part or whole, these packages are missing and $reason:$missing" >&2
[ -z "${CI:-}" ]
