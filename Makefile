# `make test` runs every test; `make check` everything else that must hold.

VENV := .venv

.PHONY: check fmt clippy docs deny pins template test test-one-process simulate test-browser screenshots test-aws bench bench-lambda lighthouse arm64 demo stack stack-down clean
# In the order in which they stand, which is from cheap to dear.
.NOTPARALLEL:

check: fmt clippy docs deny

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --locked -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked

# What comes in with dependencies, by deny.toml. cargo-deny is installed where it is missing. Advisories need their
# database; where it cannot be fetched the rest is still held.
deny:
	.ci/cargo-deny.sh
	cargo deny --locked check bans licenses sources
	@if cargo deny fetch db; then cargo deny --locked check advisories; \
	else echo "deny: advisories SKIPPED, their database cannot be fetched here"; fi

# What validates the OpenAPI document and tests the API against it, and what checks, builds, deploys and emulates the
# stack on AWS: every package in one version, known by its hash.
$(VENV)/.installed: requirements.txt tests/requirements.txt
	python3 -m venv $(VENV)
	# Nothing is left for pip to choose: the files are whole, which is checked after.
	$(VENV)/bin/pip install --quiet --no-deps --require-hashes \
		--requirement requirements.txt --requirement tests/requirements.txt
	$(VENV)/bin/pip check
	touch $@

# Those versions anew, of what the .in files name: first of both together, so that they share one environment.
UV := uv==0.13.9
PINS := $(VENV)-pins
COMPILE := $(PINS)/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
	--no-emit-index-url --no-emit-find-links
pins:
	python3 -m venv $(PINS)
	$(PINS)/bin/pip install --quiet $(UV)
	$(COMPILE) requirements.in tests/requirements.in --output-file $(PINS)/both.txt
	$(COMPILE) --generate-hashes --constraint $(PINS)/both.txt requirements.in --output-file requirements.txt
	$(COMPILE) --generate-hashes --constraint $(PINS)/both.txt tests/requirements.in --output-file tests/requirements.txt
	rm -rf $(PINS)

test: test-one-process test-browser test-aws

# Always the whole workspace: what is selected decides the features of the dependencies, and so they are built once.
TEST := cargo test --locked --workspace

test-one-process: $(VENV)/.installed
	$(TEST) --lib --bins
	$(TEST) --doc
	# The JVM and Clojure that formulas are held against.
	tests/packages.sh "formulas against Clojure" clojure openjdk-17-jre-headless
	$(TEST) --test formulas
	$(TEST) --test memory-contract
	$(TEST) --test simulation
	$(TEST) --test sqlite-contract --test stored
	# promtool, which metrics and the queries of the dashboard are held against.
	tests/packages.sh "metrics against promtool" prometheus
	# The OpenID provider that people sign in at.
	tests/npm.sh "sign-in by OpenID Connect"
	# They mostly wait: for retries that are due, for receivers that stall.
	$(TEST) --test journeys -- --test-threads 16

# Deliveries under faults, for a minute of new seeds. A seed that breaks a rule is printed with its shortest trace.
simulate:
	cargo run --release --locked --package loanhook-simulator -- --seconds 60

# The loan's page in a real browser.
test-browser:
	tests/browser/install.sh
	$(TEST) --test browser -- --test-threads 2

# The pictures of the README, anew.
screenshots:
	tests/browser/install.sh
	$(TEST) --test browser -- --ignored --exact screenshots::screenshots

template: $(VENV)/.installed
	$(VENV)/bin/cfn-lint infra/template.yaml
	$(VENV)/bin/python infra/lint.py
	SAM_CLI_TELEMETRY=0 $(VENV)/bin/sam validate --lint --region us-east-1
	$(TEST) --test stack

# The engine for AWS, alone and behind HTTP, its contract again on emulators of others, then the same journeys over the
# deployed template: each on emulators that are there for as long.
# Tests of an emulator mostly wait for it.
test-aws: THREADS := RUST_TEST_THREADS=6
test-aws: template
	$(THREADS) $(VENV)/bin/python infra/stack.py run $(TEST) --test aws-contract --test lambda-http
	tests/npm.sh "other emulators"
	$(THREADS) $(VENV)/bin/python infra/stack.py other-emulators $(TEST) --test aws-contract
	tests/browser/install.sh
	$(VENV)/bin/python infra/stack.py journeys

# What one process can do; a quarter of an hour on a machine that does nothing else. Its figures are docs/benchmarks.md's.
# The server is the one that users build; the bench is a program of its own.
bench:
	cargo build --release --locked
	cargo run --release --locked --package bench-load -- --write

FUNCTIONS := --package loanhook-intake-function --package loanhook-delivery-function \
	--package loanhook-history-function --package loanhook-resend-function --package loanhook-subscriptions-function \
	--package loanhook-sweep-function --package loanhook-reports-function

# The functions as they are deployed. Cargo itself is the compiler: they run on this machine, so there is no older libc
# to link for, and the binaries are otherwise those of `cargo lambda build --profile functions`.
bench-lambda:
	cargo build --profile functions --locked $(FUNCTIONS) --package empty
	cargo run --release --locked --package bench-lambda -- "$${CARGO_TARGET_DIR:-target}/functions"

# The console on a phone and a desktop, judged by Lighthouse in the local Chromium: each score is 95 or more. A minute or two on a
# machine that does nothing else.
lighthouse:
	tests/browser/install.sh
	cd benches/lighthouse && npm ci --ignore-scripts --no-audit --no-fund
	cargo build --release --locked
	python3 benches/lighthouse/run.py "$${CARGO_TARGET_DIR:-target}/release/loanhook"

# The functions for arm64, by the README's own command, then each started once by an emulator of that processor (qemu) on
# the runtime API of the bench. Not part of `make test`: the build takes long.
ARM64_LIBRARIES := /usr/aarch64-linux-gnu
arm64: $(VENV)/.installed
	tests/packages.sh "the functions for arm64" qemu-user libc6-arm64-cross libgcc-s1-arm64-cross
	PATH="$$PWD/$(VENV)/bin:$$PATH" cargo lambda build --profile functions --arm64 --locked --lambda-dir target/lambda \
		$(FUNCTIONS)
	cargo run --locked --package bench-lambda -- --once target/lambda \
		"$$(command -v qemu-aarch64)" -L $(ARM64_LIBRARIES)

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
