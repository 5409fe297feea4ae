#!/bin/sh
# Installs what the browser tests need: Chromium and its driver from Debian's packages, and axe-core from npm. Where that
# cannot be, the tests skip, loudly; where CI is set it is a failure.
set -eu
cd "$(dirname "$0")/.."

if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then
    ./packages.sh "browser tests" chromium chromium-driver
fi
./npm.sh "browser tests"
