# Every target sets up what it needs in .venv: a machine with Python 3.11+, make and git is enough.
# Variables: PYTHON (the interpreter .venv is made from), WORKERS (processes of pytest), ARGS (passed on to pytest).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
PY := $(VENV)/bin/python
LOWEST := .venv-lowest
CORE_TESTS := tests/measures tests/episodes tests/objects tests/dbt tests/reports tests/project/test_imports.py
WORKERS ?= 2
ARGS ?=
# Every worker of pytest has a core to itself. Where a test wants two threads all the same, they sleep while they wait for
# each other: torch's would spin, on the core that another test is using.
QUIETLY := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive

# The first that runs and is new enough; 3.11 first, because constraints.txt is taken there. (A pyenv shim may exist
# and still not run.)
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3 python; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$python; break; fi; done)

# --no-compile: byte code is written when a module is first imported, which spares the 8,000 files nobody imports.
# Hence the unexport: with that variable set, every process would compile torch anew.
PIP_INSTALL := $(PY) -m pip install --no-compile --no-input --disable-pip-version-check --quiet --constraint constraints.txt
unexport PYTHONDONTWRITEBYTECODE

# openpi-client is the other side of a test of how pictures are resized. It asks for numpy < 2, which its picture tools do not
# need, so it is installed without what it asks for, and stands in no extra.

# pip unpacks with one core, and torch is two fifths of it all: one pip takes torch, and beside it one the next largest.
# Whether they succeed is not asked: the install that follows does what is left to do, and tells what goes wrong.
LARGE := duckdb opencv-python-headless polars pyarrow scipy transformers vl-convert-python
UNPACK_LARGE = $(PIP_INSTALL) --no-deps torch 2>/dev/null & $(PIP_INSTALL) $(LARGE) 2>/dev/null || true; wait

# Installs a Debian package where that is possible without asking anyone, and never fails; $(1) package, $(2) what it is for.
define apt_install
	sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
	if command -v apt-get >/dev/null && { [ -z "$$sudo" ] || $$sudo true 2>/dev/null; }; then \
		echo "Installing Debian's $(1): $(2)."; \
		export DEBIAN_FRONTEND=noninteractive; \
		$$sudo apt-get install -qq -y $(1) >/dev/null 2>&1 \
			|| { $$sudo apt-get update -qq && $$sudo apt-get install -qq -y $(1) >/dev/null; } || true; \
	fi
endef

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{ printf "  make %-15s %s\n", $$1, $$2 }'

.PHONY: demo
demo: $(VENV)/.demo-stamp ## From a fresh clone to a report: run the bundled policy, build the warehouse, write site/
	$(PY) -m ingest run --no-load
	$(PY) -m ingest publish
	$(PY) -m reports
	@echo "Open file://$(CURDIR)/site/index.html"

.PHONY: test
test: browser lint ## Lint, then every test (ARGS="-k name" narrows the tests)
	$(QUIETLY) $(PY) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev-stamp ## ruff, mypy and sqlfluff, side by side; changes nothing
	@$(MAKE) --jobs=$(WORKERS) --output-sync=target lint-python lint-sql

.PHONY: lint-python
lint-python: $(VENV)/.dev-stamp ## ruff and mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

.PHONY: lint-sql
lint-sql: $(VENV)/.dev-stamp ## sqlfluff
	$(VENV)/bin/sqlfluff lint --disable-progress-bar $(wildcard models sql reports/queries)

.PHONY: format
format: $(VENV)/.dev-stamp ## Let ruff rewrite what it can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

.PHONY: bench
bench: $(VENV)/.dev-stamp ## Run the benchmarks and print their figures
	$(PY) -m benchmarks

.PHONY: world
world: $(VENV)/.sim-stamp ## Make the demo's weights and episodes again (38 minutes on 2 idle cores)
	$(PY) -m ingest.demo.make_world

.PHONY: planted-report
planted-report: $(VENV)/.demo-stamp ## Run the studies whose right answers are known and write site-planted/ (about 5 minutes)
	for study in studies/planted/*.yaml; do $(PY) -m ingest run --no-load --study "$$study" --lake lake-planted; done
	$(PY) -m ingest publish --lake lake-planted --warehouse warehouse-planted.duckdb
	$(PY) -m reports --warehouse warehouse-planted.duckdb --lake lake-planted --run planted-shortcut --out site-planted
	@echo "Open file://$(CURDIR)/site-planted/planted.html"

.PHONY: planted
planted: $(VENV)/.sim-stamp ## Train the policies with a planted truth again (about an hour on 2 idle cores)
	$(PY) -m ingest.demo.planted.make

.PHONY: dictionary
dictionary: $(VENV)/.dev-stamp ## Write the generated pages of docs/: data dictionary, study file, queries
	$(PY) -m sql.data_dictionary
	$(PY) -m ingest.study_reference
	$(PY) -m sql.query_catalogue

.PHONY: check-examples
check-examples: $(VENV)/.demo-stamp ## Compare the examples in sql/queries with the demo's warehouse, after make demo
	$(PY) -m sql.query_examples

.PHONY: docs
docs: $(VENV)/.demo-stamp ## dbt's documentation of the warehouse (lineage, columns, tests) as one page, after a publish
	@test -f "$${GAZEHOUSE_WAREHOUSE:-warehouse.duckdb}" || { echo "make: there is no warehouse yet; run make demo, or python -m ingest publish" >&2; exit 2; }
	DBT_PROFILES_DIR=. $(VENV)/bin/dbt docs generate --static
	@echo "Open file://$(CURDIR)/build/dbt/static_index.html"

.PHONY: clean
clean: ## Remove what can be made again in minutes: warehouse, site, build files, caches; the lake stays
	rm -rf site site-planted build dist target logs warehouse*.duckdb* *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path './.venv*' -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: test-lowest
test-lowest: $(LOWEST)/.stamp ## The tests of the core with the lowest versions it allows, and without torch
	@if $(LOWEST)/bin/python -c 'import torch' 2>/dev/null; then echo "make: torch is in $(LOWEST), which is to do without; remove the folder" >&2; exit 2; fi
	$(LOWEST)/bin/python -c 'import ingest, measures, reports, sql'
	$(LOWEST)/bin/python -m ingest --help >/dev/null
	$(QUIETLY) $(LOWEST)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile -m 'not browser' $(CORE_TESTS) $(ARGS)

.PHONY: clean-all
clean-all: clean ## Remove the lake and .venv as well
	rm -rf lake lake-planted $(VENV) $(LOWEST)

# ---------------------------------------------------------------------------------------------------- set-up

$(VENV)/bin/pip:
	@if [ -z "$(PYTHON)" ]; then \
		echo "make: no Python 3.11 or newer found. Install one, or name it: make PYTHON=/path/to/python3.11 demo" >&2; exit 2; fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' >/dev/null 2>&1; then $(call apt_install,python3-venv,$(PYTHON) cannot make virtual environments without it); fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' >/dev/null 2>&1; then \
		echo "make: $(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 2; fi
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo-stamp: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing what the demo needs into $(VENV) (1 to 3 minutes)."
	@$(UNPACK_LARGE)
	$(PIP_INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.dev-stamp: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing what the demo and the tests need into $(VENV) (1 to 4 minutes)."
	@$(UNPACK_LARGE)
	$(PIP_INSTALL) --editable '.[dev]'
	$(PIP_INSTALL) --no-deps openpi-client
	@touch $(VENV)/.demo-stamp $(VENV)/.sim-stamp $@

$(LOWEST)/.stamp: pyproject.toml constraints-lowest.txt
	@echo "Installing the lowest versions that the core allows into $(LOWEST)."
	@if [ -z "$(PYTHON)" ]; then echo "make: no Python 3.11 or newer found; name one: make PYTHON=/path/to/python3.11 test-lowest" >&2; exit 2; fi
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --no-compile --no-input --disable-pip-version-check --quiet \
		--constraint constraints-lowest.txt --editable . pytest pytest-xdist hypothesis statsmodels
	$(LOWEST)/bin/python -m pip install --no-input --disable-pip-version-check --quiet --no-deps --constraint constraints.txt openpi-client
	@touch $@

$(VENV)/.sim-stamp: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing what re-creating the demo needs into $(VENV)."
	$(PIP_INSTALL) --editable '.[sim]'
	@touch $(VENV)/.demo-stamp $@

.PHONY: browser
browser:
	@if ! command -v chromium >/dev/null; then $(call apt_install,chromium,the tests look at the pages in it); fi
	@if ! command -v chromium >/dev/null; then \
		echo "make: the tests look at the pages in Chromium, and no command 'chromium' was found. Install it" >&2; \
		echo "      (Debian: apt-get install chromium), or leave those tests out: make test-fast" >&2; exit 2; fi

.PHONY: test-fast
test-fast: $(VENV)/.dev-stamp ## The tests that need neither a browser nor more than 10 seconds each
	$(QUIETLY) $(PY) -m pytest --numprocesses $(WORKERS) --dist loadfile -m 'not slow and not browser' $(ARGS)
