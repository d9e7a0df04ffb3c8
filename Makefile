# Everything the project does, as one-word commands. `make help` lists them.
# Needs a Rust toolchain, Python >= 3.11 with pip and make; everything else comes into .venv and target/.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV   ?= .venv
GROUP  ?= dev
PORT   ?= 8000

BIN := $(VENV)/bin
PY  := $(BIN)/python
# Absolute, as cargo and maturin run from several directories; the same for every cargo call, or PyO3 rebuilds.
export PYO3_PYTHON := $(abspath $(PY))
export PATH := $(abspath $(BIN)):$(PATH)
export CARGO_TERM_PROGRESS_WHEN ?= never

RUST_SOURCES := $(shell find crates -name '*.rs' -o -name '*.toml') Cargo.toml Cargo.lock
PY_CODE := python tests tools examples bench
CORE := --workspace --exclude plectrum-py
VENV_STAMP := $(VENV)/.installed-$(GROUP)
STAGE = @printf '\n\033[1m── %s\033[0m\n'

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

# ── Environment ────────────────────────────────────────────────────────────────────────────────────────────────

$(PY):
	$(STAGE) 'Python environment in $(VENV)'
	@interpreter=$$(tools/find-python $(PYTHON)) && $$interpreter -m venv $(VENV) && $(PY) -m pip install -q --upgrade 'pip>=25.1'

$(VENV_STAMP): pyproject.toml | $(PY)
	$(STAGE) 'Python packages ($(GROUP))'
	@$(PY) -m pip install -q --upgrade 'pip>=25.1'
	@$(PY) -m pip install -q --group $(GROUP)
	@touch $@

.PHONY: venv
venv: $(VENV_STAMP) ## make the Python environment

# The extension: one file per profile. `maturin develop` also installs the package (editable) with its scripts.
$(VENV)/.built-%: $(RUST_SOURCES) $(VENV_STAMP)
	$(STAGE) 'Building the extension ($* profile)'
	@[ $(BIN)/plectrum -nt pyproject.toml ] && reuse=--skip-install || reuse=; \
	VIRTUAL_ENV=$(abspath $(VENV)) PIP_QUIET=1 $(BIN)/maturin develop --group $(GROUP) --profile $* $$reuse
	@rm -f $(VENV)/.built-*; touch $@

.PHONY: dev
dev: $(VENV)/.built-fast ## build the extension, optimized and quick to link, into .venv
	@$(BIN)/plectrum --version

.PHONY: dev-debug
dev-debug: $(VENV)/.built-dev ## the same without optimization: what `make test` uses

# ── Run ────────────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: demo
demo: ## build, start PostgreSQL, seed examples/shop and serve it on port 8000
	@$(MAKE) GROUP=runtime VENV=$(VENV) demo-built

.PHONY: demo-built
demo-built: $(VENV)/.built-fast
	@exec $(PY) -m tools.postgres -- $(PY) examples/shop/manage.py demo --port $(PORT)

.PHONY: postgres
postgres: $(VENV_STAMP) ## run PostgreSQL (data in .plectrum/pg) until Ctrl-C
	@exec $(PY) -m tools.postgres

# ── Check ──────────────────────────────────────────────────────────────────────────────────────────────────────

.PHONY: test
test: ## everything: formatting, lints, types, Rust, Python, documents, on real PostgreSQL and SQLite
	@start=$$SECONDS; $(MAKE) lint types test-rust test-python test-docs && printf '\n\033[32mAll passed in %d s\033[0m\n' $$((SECONDS - start))

.PHONY: lint
lint: lint-rust lint-python ## formatting and lints, findings are errors

.PHONY: lint-rust
lint-rust: $(VENV_STAMP)
	$(STAGE) 'cargo fmt, clippy'
	@cargo fmt --all --check
	@cargo clippy --quiet --workspace --all-targets --locked -- -D warnings

.PHONY: lint-python
lint-python: $(VENV_STAMP)
	$(STAGE) 'ruff'
	@$(BIN)/ruff check --quiet $(PY_CODE)
	@$(BIN)/ruff format --check --quiet $(PY_CODE)

.PHONY: types
types: $(VENV)/.built-dev ## mypy, pyright and stubtest
	$(STAGE) 'mypy --strict'
	@$(BIN)/mypy python/plectrum tools tests/typing examples/shop/shop
	$(STAGE) 'pyright, strict'
	@$(BIN)/pyright --warnings
	$(STAGE) 'stubtest: plectrum._core against its stub'
	@$(BIN)/stubtest plectrum._core

.PHONY: test-rust
test-rust: $(VENV_STAMP)
	$(STAGE) 'Rust tests'
	@$(PY) -m tools.postgres --throw-away -- $(MAKE) test-rust-inner

.PHONY: test-rust-inner
test-rust-inner:
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run $(CORE) --locked --no-fail-fast --show-progress none --status-level fail --final-status-level slow; \
	else cargo test --quiet $(CORE) --all-targets --locked; fi
	@cargo test --quiet $(CORE) --doc --locked

.PHONY: test-python
test-python: $(VENV)/.built-dev
	$(STAGE) 'Python tests on PostgreSQL'
	@$(PY) -m pytest -q -n auto --dist worksteal --ignore=tests/docs
	$(STAGE) 'Python tests on SQLite'
	@PLECTRUM_TEST_ENGINE=sqlite $(PY) -m pytest -q -n auto --dist worksteal --ignore=tests/docs

.PHONY: test-docs
test-docs: $(VENV)/.built-dev
	$(STAGE) 'Code blocks of README and docs'
	@$(PY) -m pytest -q tests/docs

.PHONY: test-matrix
test-matrix: ## Python tests on the oldest and the newest Python and Django found
	@tools/test-matrix

.PHONY: test-free-threaded
test-free-threaded: ## Python tests on a free-threaded Python, python3.14t or FREE=/path/to/one
	@tools/test-free-threaded

.PHONY: soak
soak: $(VENV)/.built-fast ## two million requests; fails where memory grows
	@$(PY) -m tools.soak

# ── Measure, package, tidy ─────────────────────────────────────────────────────────────────────────────────────

.PHONY: bench
bench: ## measure against hand-written Rust, write bench/RESULTS.md
	@bench/run

.PHONY: bench-gate
ifdef BASE
bench-gate: $(VENV_STAMP) ## BASE=<rev>: fail where this revision is slower; without: where a ratio is worse than the baseline
	@$(PY) -m bench.compare $(BASE) $(BENCH_OPTIONS)
else
bench-gate:
	@bench/run gate
endif

.PHONY: wheel
wheel: $(VENV_STAMP) ## release wheel in dist/
	@$(BIN)/maturin build --release --locked --out dist

.PHONY: fmt
fmt: $(VENV_STAMP) ## format all code
	@cargo fmt --all
	@$(BIN)/ruff check --quiet --fix-only $(PY_CODE)
	@$(BIN)/ruff format --quiet $(PY_CODE)

.PHONY: clean
clean: ## remove what was built, the environment and the demo's data
	rm -rf $(VENV) target dist .plectrum .mypy_cache .ruff_cache .pytest_cache .hypothesis python/plectrum/_core*.so
