# `make test` runs every test; `make check` everything else that must hold.

VENV := .venv

.PHONY: check fmt clippy docs deny test demo clean

check: fmt clippy docs deny

fmt:
	cargo fmt --all --check

# Once as it is built, once as a function will build it: without the engine for one process.
clippy:
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --lib --no-default-features --features aws --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked

# Advisories need their database; where it cannot be fetched the rest is still held.
deny:
	@if cargo deny --version >/dev/null 2>&1; then \
		cargo deny --locked check bans licenses sources || exit 1; \
		if cargo deny fetch db >/dev/null 2>&1; then cargo deny --locked check advisories; \
		else echo "deny: advisories SKIPPED, their database cannot be fetched here"; fi; \
	else echo "deny: SKIPPED, cargo-deny is not installed (cargo install --locked cargo-deny)"; fi

# What validates the OpenAPI document and tests the API against it.
$(VENV)/.installed: tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement tests/requirements.txt
	touch $@

test: $(VENV)/.installed
	cargo test --locked --lib --bins
	cargo test --locked --test contract
	# They mostly wait: for retries that are due, for receivers that stall.
	cargo test --locked --test journeys -- --test-threads 16

demo:
	cargo run --release --locked -- demo

clean:
	cargo clean
	rm -rf $(VENV)
