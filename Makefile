# `make test` runs every test; `make check` everything else that must hold.

VENV := .venv

.PHONY: check fmt clippy docs deny template test test-one-process test-browser screenshots test-aws bench bench-lambda demo stack stack-down clean
# In the order in which they stand, which is from cheap to dear.
.NOTPARALLEL:

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

# What validates the OpenAPI document and tests the API against it, and what checks, builds, deploys and emulates the
# stack on AWS.
$(VENV)/.installed: requirements.txt tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement requirements.txt --requirement tests/requirements.txt
	touch $@

test: test-one-process test-browser test-aws

test-one-process: $(VENV)/.installed
	cargo test --locked --lib --bins
	# The JVM and Clojure that formulas are held against.
	tests/packages.sh "formulas against Clojure" clojure openjdk-17-jre-headless
	cargo test --locked --test formulas
	cargo test --locked --test contract
	# The library that sets a program's clock.
	tests/packages.sh "journeys of a clock that is set" faketime
	# They mostly wait: for retries that are due, for receivers that stall.
	cargo test --locked --test journeys -- --test-threads 16

# The loan's page in a real browser.
test-browser:
	tests/browser/install.sh
	cargo test --locked --test browser -- --test-threads 2

# The pictures of the README, anew.
screenshots:
	tests/browser/install.sh
	cargo test --locked --test browser -- --ignored --exact drawn::screenshots

template: $(VENV)/.installed
	$(VENV)/bin/cfn-lint infra/template.yaml
	SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam validate --lint --region us-east-1
	cargo test --locked --test stack

# The engine for AWS, then the same journeys over the deployed template, each on an emulator that is there for as long.
test-aws: template
	cargo test --locked --lib --features aws aws::
	$(VENV)/bin/python infra/stack.py run cargo test --locked --features aws --test contract aws::
	tests/browser/install.sh
	$(VENV)/bin/python infra/stack.py journeys

# What one process can do; a quarter of an hour on a machine that does nothing else. Its figures are docs/benchmarks.md's.
bench:
	cargo bench --locked --bench load -- --write

FUNCTIONS := --package intake --package delivery --package history --package resend --package subscriptions

# The functions as they are deployed. Cargo itself is the compiler: they run on this machine, so there is no older libc
# to link for, and the binaries are otherwise those of `cargo lambda build --profile functions`.
bench-lambda:
	cargo build --profile functions --locked $(FUNCTIONS) --package empty
	cargo run --release --locked --package bench-lambda -- "$${CARGO_TARGET_DIR:-target}/functions"

demo:
	cargo run --release --locked -- demo

# The functions on an emulator of AWS on this machine, or at AWS_ENDPOINT_URL where that is set.
stack: $(VENV)/.installed
	@$(VENV)/bin/python infra/stack.py up

stack-down: $(VENV)/.installed
	@$(VENV)/bin/python infra/stack.py down

clean:
	cargo clean
	rm -rf $(VENV) tests/node_modules
