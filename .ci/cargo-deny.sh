#!/bin/sh
# Installs cargo-deny in the version that `make check` is held by, unless it is there: to ~/.cargo/bin, where no
# `cargo clean` takes it away. It is built without optimization, which takes two minutes instead of five, once.
set -eu
version=0.20.2
[ "$(cargo deny --version 2>/dev/null)" = "cargo-deny $version" ] && exit 0
exec cargo install --debug --locked --version "$version" cargo-deny
