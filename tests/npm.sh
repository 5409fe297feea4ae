#!/bin/sh
# Installs the packages of npm that tests need, in the versions of package-lock.json, without running a script of theirs.
# Where that cannot be, those tests skip, loudly; where CI is set it is a failure.
# usage: npm.sh WHAT-NEEDS-THEM
set -eu
cd "$(dirname "$0")"

if ! command -v npm >/dev/null; then
    echo "$1: SKIPPED in part, there is no npm to install packages with" >&2
    [ -z "${CI:-}" ]
elif [ ! package-lock.json -ot node_modules/.package-lock.json ]; then
    npm ci --ignore-scripts --no-audit --no-fund
fi
