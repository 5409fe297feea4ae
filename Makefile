# `make test` runs every test but those of AWS, which are `make test-aws`; `make check` everything else that must hold.

VENV := .venv

.PHONY: check fmt clippy docs deny template test test-aws demo stack stack-down clean

check: fmt clippy docs deny

fmt:
	cargo fmt --all --check

# Once all of it, the functions too; once as a function builds it: without the engine for one process.
clippy:
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --lib --no-default-features --features aws --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --document-private-items --locked
	RUSTDOCFLAGS="-D warnings" cargo doc --lib --no-deps --document-private-items --no-default-features --features aws --locked

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

# What checks, builds, deploys and emulates the stack on AWS, beside that.
$(VENV)/.installed-aws: requirements.txt $(VENV)/.installed
	$(VENV)/bin/pip install --quiet --requirement requirements.txt --requirement tests/requirements.txt
	touch $@

test: $(VENV)/.installed
	cargo test --locked --lib --bins
	cargo test --locked --test contract
	cargo test --locked --test formulas
	# They mostly wait: for retries that are due, for receivers that stall.
	cargo test --locked --test journeys -- --test-threads 16

template: $(VENV)/.installed-aws
	$(VENV)/bin/cfn-lint infra/template.yaml
	SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam validate --lint --region us-east-1

# The engine for AWS on an emulator that is there for as long as it takes, and the template.
test-aws: template
	cargo test --locked --lib --features aws aws::
	$(VENV)/bin/python infra/stack.py run cargo test --locked --features aws --test contract aws::
	cargo test --locked --test stack

demo:
	cargo run --release --locked -- demo

# The functions on an emulator of AWS on this machine, or at AWS_ENDPOINT_URL where that is set.
stack: $(VENV)/.installed-aws
	@$(VENV)/bin/python infra/stack.py up

stack-down: $(VENV)/.installed-aws
	@$(VENV)/bin/python infra/stack.py down

clean:
	cargo clean
	rm -rf $(VENV)
