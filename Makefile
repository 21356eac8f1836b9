# `make run` and `make test` are all that is needed; both install what is missing.
CACHE ?= $(if $(VEDETTE_CACHE),$(VEDETTE_CACHE),$(HOME)/.cache/vedette)
# One folder per checkout: cargo tells sources apart by their times, and two checkouts would mix.
export CARGO_TARGET_DIR ?= $(CACHE)/target-$(firstword $(shell printf '%s' '$(CURDIR)' | cksum))
export PATH := $(HOME)/.cargo/bin:$(PATH)
DATA ?= ./data
LISTEN ?= 127.0.0.1:9000

.PHONY: run test check release bench bench-shapes bench-store bench-symbols parity crash api-conformance openapi setup setup-test web-deps ui clean

run: setup ui
	cargo build --release -p app
	exec $(CARGO_TARGET_DIR)/release/vedette serve --data-dir $(DATA) --listen $(LISTEN)

# The optimised binary with its UI inside.
release: setup ui
	cargo build --release -p app
	@echo "built $(CARGO_TARGET_DIR)/release/vedette"

# Everything: style, tidiness, licences, Rust on SQLite and PostgreSQL, UI, browser.
test: setup setup-test
	cargo fmt --all --check
	cargo run -q -p xtask -- tidy
	cargo run -q -p xtask -- licences
	$(MAKE) --no-print-directory ui
	cargo clippy -q --workspace --all-targets -- -D warnings
	cd web && npm run --silent check && npm run --silent test
	cargo test -q --workspace
	cd web && npm run --silent e2e

# The quick part, for daily work.
check:
	cargo fmt --all --check
	cargo run -q -p xtask -- tidy
	cargo clippy -q --workspace --all-targets -- -D warnings
	cd web && npm run --silent check

# Figures for docs/benchmarks.md.
bench: setup ui
	cargo build --release -p app -p xtask
	$(CARGO_TARGET_DIR)/release/xtask bench $(CARGO_TARGET_DIR)/release/vedette

# The same for other loads: compressed, small, large, all issues new, one issue, 1,000 projects, a burst.
bench-shapes: setup ui
	cargo build --release -p app -p xtask
	$(CARGO_TARGET_DIR)/release/xtask bench $(CARGO_TARGET_DIR)/release/vedette shapes

# What source maps cost: 1,000 of 1 MB, the same again, and one of 100 MB.
bench-symbols: setup ui
	cargo build --release -p app -p xtask
	$(CARGO_TARGET_DIR)/release/xtask bench $(CARGO_TARGET_DIR)/release/vedette symbols

# Questions to a full store, in the folder STORE: it is filled with EVENTS events if it is not there.
STORE ?= ../vedette-store
EVENTS ?= 10000000
bench-store: setup ui
	cargo build --release -p app -p xtask
	@[ -d $(STORE)/data ] || cargo run --release -p app --example store -- $(STORE)/data $(EVENTS)
	$(CARGO_TARGET_DIR)/release/xtask bench $(CARGO_TARGET_DIR)/release/vedette store $(STORE)

# Grouping against cases with known answers: those in PARITY, a folder that has dev/*.jsonl and compare.py, and
# the repository's own.
PARITY ?= ../shared/grouping
parity: setup
	cargo build -q -p app
	@if [ -d $(PARITY) ]; then scripts/parity.py $(CARGO_TARGET_DIR)/debug/vedette $(PARITY); \
		else echo "no folder $(PARITY); only the repository's own cases"; fi
	cargo test -q -p processing

# A thousand kills at random moments, with files damaged as a power cut may; `make test` runs fifty.
crash: setup setup-test
	CRASH_ROUNDS=1000 cargo test -q -p app --test it crash -- --nocapture

# The web API against the description in API_DESCRIPTION, or ../shared/reference; `make test` runs it too.
api-conformance: setup
	cargo test -q -p app --test it conformance -- --nocapture --test-threads 1

# Writes openapi.json anew from the routes and what they answer, and the UI's types from it. What it said before is
# kept; empty it first (`echo {} > openapi.json`) to forget answers that are no longer given.
openapi: setup web-deps
	UPDATE_OPENAPI=1 cargo test -q -p app --test it conformance
	cd web && npm run --silent gen:api

setup:
	@scripts/setup.sh build

setup-test:
	@scripts/setup.sh test

web-deps: web/node_modules/.package-lock.json

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

UI_SOURCES := $(shell find web/src web/index.html web/vite.config.ts web/public -type f -not -name schema.d.ts 2>/dev/null)

ui: web/dist/index.html

web/dist/index.html: web/node_modules/.package-lock.json $(UI_SOURCES)
	cd web && npm run --silent build
	@# The second, as its macro takes the files in and cargo does not know of new ones.
	@touch $@ crates/api/src/ui.rs

clean:
	rm -rf web/dist web/node_modules $(DATA)
