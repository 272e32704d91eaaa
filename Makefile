# make test   everything .ci/run checks           make demo   see the main job work
# make soak   kills and races, 100 rounds         make bench  against docker and notary

CARGO ?= cargo
INTEROP = --features interop --test interop
.PHONY: test lint unit interop doc audit demo soak bench peers

# The tests come last, so that the output ends with their result.
test: lint doc audit unit interop

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- --deny warnings

doc:
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --workspace --no-deps

# Licences, banned and doubled crates, sources. Building cargo-deny takes minutes,
# so it is checked where it is installed: cargo install --locked cargo-deny
audit:
	@if $(CARGO) deny --version >/dev/null 2>&1; \
	then $(CARGO) deny check --config .deny.toml licenses bans sources; \
	else echo 'audit: skipped, cargo-deny is not installed'; fi

unit:
	$(CARGO) test --workspace

interop: peers
	$(CARGO) test $(INTEROP)

soak: peers
	TRUST_SOAK_ROUNDS=100 $(CARGO) test $(INTEROP) nothing_lost

demo: peers
	$(CARGO) build --release --bin trust
	PATH="$(CURDIR)/target/release:$$PATH" examples/demo.sh

bench:
	scripts/install-peers --bench
	$(CARGO) bench

peers:
	scripts/install-peers
