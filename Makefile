# Everything that is done to Scrip is a target here; CI runs the same ones (.ci/run).
# Works with GNU Make 3.81 or newer, so that macOS needs no other.

.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.scrip-installed

# What a person may add: DEMO_ARGS=--months=18, TEST_ARGS=tests/unit, BENCH_ARGS=…
DEMO_ARGS ?=
TEST_ARGS ?=
BENCH_ARGS ?=
LOCK_ARGS ?=
OLD ?=

PROTOS := $(wildcard proto/scrip/*/*.proto)
PROTO_IMAGE := build/scrip.binpb
PROTO_RELEASED := proto/released.binpb
MIGRATIONS := gateway/books/migrations
PURE := currency gateway.domain gateway.engine

CHECK_STEPS := \
	check-format \
	check-ruff \
	check-mypy \
	check-pyright \
	check-imports \
	check-proto-format \
	check-proto-lint \
	check-proto-drift \
	check-proto-breaking \
	check-sql \
	check-settings \
	check-tidy

LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet \
	$(LOCK_ARGS)

.PHONY: help demo test coverage check $(CHECK_STEPS) format protos proto-release \
	settings-reference bench bench-compare bench-redis bench-holds lock clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[.a-z-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

# --- Use ----------------------------------------------------------------------------

demo: $(STAMP) ## Start everything and let tills trade (DEMO_ONCE=1 ends after it)
	@$(BIN)/scrip demo $(DEMO_ARGS)

bench: $(STAMP) ## Measure the gateway against the limit of this machine
	@$(BIN)/python -m loadtests.bench $(BENCH_ARGS)

bench-compare: $(STAMP) ## Measure Redeem beside an old commit (OLD=…, or the first issue's)
	@$(BIN)/python -m loadtests.compare $(if $(OLD),--old=$(OLD)) $(BENCH_ARGS)

bench-redis: $(STAMP) ## Kill Redis under load, and measure what tills notice
	@$(BIN)/python -m loadtests.redis_outage $(BENCH_ARGS)

bench-holds: $(STAMP) ## Let 100,000 holds end beside sales, and measure when they do
	@$(BIN)/python -m loadtests.holds $(BENCH_ARGS)

# --- Tests --------------------------------------------------------------------------

test: $(STAMP) ## Run all tests (TEST_ARGS=tests/unit for some)
	@$(BIN)/pytest $(TEST_ARGS)

coverage: $(STAMP) ## Show that unit and property tests reach every branch of decisions
	@$(BIN)/pytest tests/unit tests/property $(PURE:%=--cov=%) --cov-branch \
		--cov-report=term-missing --cov-fail-under=100

# --- Checks -------------------------------------------------------------------------

check: $(STAMP) ## Run every check below, and list those that failed
	@failed=; \
	for step in $(CHECK_STEPS); do \
		echo "--- $$step"; \
		$(MAKE) --no-print-directory $$step || failed="$$failed $$step"; \
	done; \
	if [ -n "$$failed" ]; then echo "check: failed:$$failed" >&2; exit 1; fi; \
	echo "check: all clean"

check-format: $(STAMP) ## Is the Python formatted?
	@$(BIN)/ruff format --check

check-ruff: $(STAMP) ## Does ruff find fault with the Python?
	@$(BIN)/ruff check

check-mypy: $(STAMP) ## Do the types fit (mypy, strict)?
	@$(BIN)/mypy

check-pyright: $(STAMP) ## Is all SQL literal (basedpyright on the books)?
	@$(BIN)/basedpyright

check-imports: $(STAMP) ## Do imports keep their direction?
	@$(BIN)/lint-imports

check-proto-format: $(STAMP) ## Are the protos formatted?
	@$(BIN)/buf format --diff --exit-code proto

check-proto-lint: $(PROTO_IMAGE) ## Does buf find fault with the protos?
	@$(BIN)/buf lint $(PROTO_IMAGE) --config buf.yaml --path scrip

check-proto-drift: $(STAMP) ## Is the generated code what the protos say?
	@$(BIN)/python scripts/gen_protos.py --check

check-proto-breaking: $(PROTO_IMAGE) ## Do the protos keep what was released?
	@if [ -f $(PROTO_RELEASED) ]; then \
		$(BIN)/buf breaking $(PROTO_IMAGE) --against $(PROTO_RELEASED) \
			--config buf.yaml --path scrip; \
	else \
		echo "nothing is released yet: $(PROTO_RELEASED) comes with make proto-release"; \
	fi

check-sql: $(STAMP) ## Does squawk find fault with the migrations?
	@$(BIN)/squawk --config .squawk.toml $(MIGRATIONS)/*.sql

check-settings: $(STAMP) ## Is docs/reference/settings.md what the settings say?
	@$(BIN)/python -m gateway.runtime.settings_reference --check

check-tidy: $(STAMP) ## Are sizes, names, docstrings and queries in order?
	@$(BIN)/pytest -q --no-header tests/architecture

# --- Change -------------------------------------------------------------------------

format: $(STAMP) ## Format the Python and the protos, and fix what ruff can fix
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix
	@$(BIN)/buf format --write proto

protos: $(STAMP) ## Generate proto/gen from the protos
	@$(BIN)/python scripts/gen_protos.py

proto-release: $(PROTO_IMAGE) ## Keep today's contract as what must not break
	@$(BIN)/buf build $(PROTO_IMAGE) --exclude-source-info --output $(PROTO_RELEASED)

settings-reference: $(STAMP) ## Write docs/reference/settings.md from the settings
	@$(BIN)/python -m gateway.runtime.settings_reference

lock: $(STAMP) ## Pin what pyproject.toml asks for (LOCK_ARGS=--upgrade for newer)
	@$(LOCK) --extra dev --output-file requirements/dev.txt
	@$(LOCK) --constraint requirements/dev.txt --output-file requirements/run.txt
	@if grep -n '://' requirements/*.txt; then \
		echo "lock: no address may stand in requirements/" >&2; exit 1; \
	fi

clean: ## Remove what was built, the environment too
	@rm -rf $(VENV) build dist htmlcov .coverage .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- Made on the way ----------------------------------------------------------------

.venv: $(STAMP) ## Make the environment (PYTHON=python3.12 picks the interpreter)

# The stamp is touched last, so an install that broke off is begun again.
$(STAMP): requirements/dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { \
		echo "Scrip needs Python 3.11 or newer; there is no $(PYTHON): make PYTHON=… names one" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Scrip needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=… names another" >&2; \
		exit 1; }
	@echo "installing into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $@

$(PROTO_IMAGE): $(PROTOS) scripts/gen_protos.py $(STAMP)
	@$(BIN)/python scripts/gen_protos.py --image $@
