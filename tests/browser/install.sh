#!/bin/sh
# Installs what the browser tests need: Chromium and its driver from Debian's packages, and axe-core from npm. Where that
# cannot be, the tests skip, loudly; where CI is set it is a failure.
set -eu
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    ./packages.sh "browser tests" chromium chromium-driver
fi
if ! command -v npm >/dev/null; then
    echo "browser tests: SKIPPED in part, there is no npm to install axe-core with" >&2
    [ -z "${CI:-}" ]
elif [ ! package-lock.json -ot node_modules/.package-lock.json ]; then
    npm ci --no-audit --no-fund
fi
