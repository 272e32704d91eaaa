# make test   everything .ci/run checks           make demo   see the main job work
# make soak   kills, races, changed bytes at length  make bench  against docker and notary

CARGO ?= cargo
# Built here, in some three minutes, where it is not installed.
DENY := $(or $(shell command -v cargo-deny),target/tools/bin/cargo-deny)
INTEROP = --features interop --test interop
.PHONY: test lint unit interop doc audit advisories demo soak bench peers

# The tests come last, so that the output ends with their result.
test: lint doc audit unit interop

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- --deny warnings

doc:
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --workspace --no-deps

# Licences, banned and doubled crates, sources; no advisory database, so no network beyond crates.io.
audit: $(DENY)
	$(DENY) --all-features check licenses bans sources

# Known vulnerabilities: needs the RustSec database from the network, so it is not part of test.
advisories: $(DENY)
	$(DENY) --all-features check advisories

target/tools/bin/cargo-deny:
	$(CARGO) install --locked --root target/tools cargo-deny@0.20.2

unit:
	$(CARGO) test --workspace

interop: peers
	$(CARGO) test -p trust-store --features interop
	$(CARGO) test $(INTEROP)

soak: peers
	TRUST_SOAK_CASES=5000 $(CARGO) test --test it mutations
	TRUST_SOAK_CASES=200000 $(CARGO) test --test it nothing_unsigned_passes
	PROPTEST_CASES=20000 $(CARGO) test --lib -- gate:: policy::
	TRUST_SOAK_ROUNDS=100 $(CARGO) test $(INTEROP) nothing_lost
	TRUST_SOAK_KILLS=200 $(CARGO) test --test it killed_at_any_point
	TRUST_SOAK_FAULTS=1 $(CARGO) test $(INTEROP) interrupted
	TRUST_SOAK_KILLS=200 TRUST_SOAK_PUBLISHES=500 $(CARGO) test $(INTEROP) server_store

demo: peers
	$(CARGO) build --release --bin trust
	PATH="$(CURDIR)/target/release:$$PATH" examples/demo.sh

bench:
	scripts/install-peers --bench
	$(CARGO) bench --bench in_process
	$(CARGO) build --release --bin trust
	PATH="$(CURDIR)/target/release:$$PATH" benches/commands.sh
	PATH="$(CURDIR)/target/release:$$PATH" benches/server.sh
	PATH="$(CURDIR)/target/release:$$PATH" benches/gate.sh
	PATH="$(CURDIR)/target/release:$$PATH" benches/gate_authz.sh

peers:
	scripts/install-peers
