# Everything that one does with a clone. Each target sets up what it needs and does nothing twice.
#
#   make PYTHON=/path/to/python3.11 …   another Python 3.11 than the one on PATH
#   make UV= …                          set up with venv and pip although uv is there
#   make demo HOME_DIR=/data/movies     keep the local platform in another folder

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3.11
# Asked, not only looked for: a shim may stand on PATH where uv is not installed.
UV ?= $(shell uv --version >/dev/null 2>&1 && command -v uv)
HOME_DIR ?= .movie_platform
BENCH_ROWS ?= 100000
PYTEST_ARGS ?=
# Tests wait for servers more than they compute, so there may be more workers than processors. Each has a local cloud.
TEST_WORKERS ?= 3
COVERAGE_TESTS ?= movie_platform_tests/unit movie_platform_tests/integration

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Airflow's pins and ours exclude each other: its tests have an environment of their own.
AIRFLOW_VENV := .venv-airflow
AIRFLOW_INSTALLED := $(AIRFLOW_VENV)/.installed

.PHONY: help demo dev test test-all coverage test-browser test-airflow screenshots check structure bench clean install lock lock-airflow airflow-dags chromium

help: ## Print this list.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 16

demo: $(INSTALLED) ## Carry three days of a real movie database from source to marts, here on this machine.
	$(BIN)/movie-platform --home "$(HOME_DIR)" demo

dev: $(INSTALLED) ## The local cloud and the Dagster UI in the foreground; Ctrl-C stops all of it.
	exec $(BIN)/movie-platform --home "$(HOME_DIR)" dev

PYTEST_SIDE_BY_SIDE := $(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder \
  movie_platform_tests/unit movie_platform_tests/integration movie_platform_tests/pipeline

test: $(INSTALLED) ## Unit, integration and pipeline tests, TEST_WORKERS files at a time (0: one after another, in one process).
	$(PYTEST_SIDE_BY_SIDE) -m "not long" $(PYTEST_ARGS)

test-all: $(INSTALLED) ## The same, and whole runs of every source and of every kind of bad bundle.
	$(PYTEST_SIDE_BY_SIDE) $(PYTEST_ARGS)

# What the test processes themselves run. The servers of the local cloud, with the Lambda function and Spark's jobs inside
# them, are processes of their own with an environment of their own: they are not measured.
coverage: $(INSTALLED) ## Share of lines and branches that unit and integration tests run (COVERAGE_TESTS=…/unit for those alone).
	@mkdir -p build/coverage
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(COVERAGE_TESTS) -m "not long" \
	  --cov --cov-report=term $(PYTEST_ARGS)
	@echo "Coverage of $(COVERAGE_TESTS): $$($(BIN)/coverage report --format=total) %"

test-browser: $(INSTALLED) chromium ## Tests that drive the Dagster UI in a real Chromium.
	$(BIN)/pytest movie_platform_tests/browser $(PYTEST_ARGS)

test-airflow: $(INSTALLED) $(AIRFLOW_INSTALLED) ## Tests of the exported DAGs in a real Airflow, whole runs on the local cloud included.
	$(AIRFLOW_VENV)/bin/pytest -c movie_platform_tests/airflow/pytest.ini movie_platform_tests/airflow $(PYTEST_ARGS)

airflow-dags: $(INSTALLED) ## Export the asset graph to deploy/airflow/dags again.
	$(BIN)/movie-platform export airflow --out deploy/airflow/dags

screenshots: $(INSTALLED) chromium ## Renew the pictures of docs/ui.md, by the same tests.
	$(BIN)/pytest movie_platform_tests/browser --screenshots docs/images $(PYTEST_ARGS)

check: $(INSTALLED) ## Format, lint, types, borders between folders, and that the lock file fits pyproject.toml.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q movie_platform_tests/unit/test_project_files.py

structure: $(INSTALLED) ## Draw docs/structure.md anew from the imports, and print the sizes of the folders.
	$(BIN)/python -m movie_platform_tests.structure

bench: $(INSTALLED) ## Measure each stage beside plain tools on the same data (BENCH_ROWS=100000).
	$(BIN)/movie-platform --home "$(HOME_DIR)" bench --rows $(BENCH_ROWS)

clean: ## Stop the local cloud and delete what the other targets made: HOME_DIR, .venv, .venv-airflow, caches.
	if [ -x $(BIN)/movie-platform ] && [ -d "$(HOME_DIR)" ]; then $(BIN)/movie-platform --home "$(HOME_DIR)" cloud down; fi
	rm -rf "$(HOME_DIR)" $(VENV) $(AIRFLOW_VENV) .pytest_cache .ruff_cache .hypothesis dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(INSTALLED) ## Set up .venv from requirements.lock; every other target does so by itself.

# Python's own question instead of a version string: an alias, a shim or a wrapper may stand behind the name.
$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "error: Python 3.11 is needed and '$(PYTHON)' is not it. Install it, or name it: make PYTHON=/path/to/python3.11 …" >&2; exit 2; }
	@echo "Setting up $(VENV) from requirements.lock with $(if $(UV),uv,venv and pip)" >&2
	@if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
	  rm -rf $(VENV); \
	  if [ -n "$(UV)" ]; then UV_PYTHON_DOWNLOADS=never $(UV) venv --quiet --python "$$(command -v $(PYTHON))" $(VENV); \
	  else $(PYTHON) -m venv $(VENV) || { \
	    rm -rf $(VENV); echo "error: '$(PYTHON) -m venv' failed. On Debian: apt-get install python3-venv" >&2; exit 2; }; fi; \
	fi
	@if [ -n "$(UV)" ]; then \
	  export VIRTUAL_ENV="$$PWD/$(VENV)"; \
	  $(UV) pip install --quiet --require-hashes -r requirements.lock; \
	  $(UV) pip install --quiet --no-deps --no-build-isolation --editable .; \
	else \
	  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-compile -r requirements.lock; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .; \
	fi
	@# Every step of a run is a process that imports all of it. pip would compile with one processor.
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib movie_platform glue_scripts
	@touch $@

# The lock names everything that is needed. pip must not look for it again: it would ask for the package behind
# `fastapi[…]==…` without its pin, and refuse it. The tests import a small part of it, so nothing is compiled here.
$(AIRFLOW_INSTALLED): requirements-airflow.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "error: Python 3.11 is needed and '$(PYTHON)' is not it: make PYTHON=/path/to/python3.11 …" >&2; exit 2; }
	@echo "Setting up $(AIRFLOW_VENV) from requirements-airflow.lock with $(if $(UV),uv,venv and pip)" >&2
	@rm -rf $(AIRFLOW_VENV)
	@if [ -n "$(UV)" ]; then \
	  UV_PYTHON_DOWNLOADS=never $(UV) venv --quiet --python "$$(command -v $(PYTHON))" $(AIRFLOW_VENV); \
	  VIRTUAL_ENV="$$PWD/$(AIRFLOW_VENV)" $(UV) pip install --quiet --require-hashes -r requirements-airflow.lock; \
	else \
	  $(PYTHON) -m venv $(AIRFLOW_VENV); \
	  $(AIRFLOW_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile -r requirements-airflow.lock; \
	fi
	@touch $@

lock-airflow: ## Renew requirements-airflow.lock from deploy/airflow/requirements.in (needs uv).
	@[ -n "$(UV)" ] || { echo "error: the lock file is made with uv: https://docs.astral.sh/uv" >&2; exit 2; }
	$(UV) pip compile --quiet --python-version 3.11 --no-strip-extras --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --output-file requirements-airflow.lock deploy/airflow/requirements.in

lock: ## Renew requirements.lock from pyproject.toml (needs uv).
	@[ -n "$(UV)" ] || { echo "error: the lock file is made with uv: https://docs.astral.sh/uv" >&2; exit 2; }
	$(UV) pip compile --quiet --python-version 3.11 --all-extras --no-strip-extras --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --output-file requirements.lock pyproject.toml

chromium:
	@if command -v chromium >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Installing Debian's chromium for the browser tests" >&2; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else \
	  echo "error: the browser tests need 'chromium' on PATH. On Debian: sudo apt-get install chromium" >&2; exit 2; \
	fi
