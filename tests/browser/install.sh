#!/bin/sh
# Installs what the browser tests need: Chromium and its driver from Debian's packages, where this is root or has
# sudo, and axe-core from npm. Where that cannot be, the tests skip, loudly; where CI is set it is a failure.
set -eu
cd "$(dirname "$0")/.."

missing() {
    echo "browser tests: SKIPPED in part or whole, $1" >&2
    [ -z "${CI:-}" ]
}

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    if ! command -v apt-get >/dev/null; then
        missing "there is no chromium and chromedriver here, and no apt-get to install them"
    elif [ "$(id -u)" = 0 ]; then
        apt-get update --quiet && apt-get install --yes --quiet --no-install-recommends chromium chromium-driver
    elif sudo --non-interactive true 2>/dev/null; then
        sudo apt-get update --quiet
        sudo apt-get install --yes --quiet --no-install-recommends chromium chromium-driver
    else
        missing "chromium and chromium-driver are not installed, and this is neither root nor has sudo"
    fi
fi

if ! command -v npm >/dev/null; then
    missing "there is no npm to install axe-core with"
elif [ ! package-lock.json -ot node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund
fi
