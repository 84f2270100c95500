# Commands of the project; `make` alone lists them. Needs only Python 3.11 or newer, make and pip.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.ONESHELL:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TEST_WORKERS ?= 2
export PYTHONPATH := $(CURDIR):$(CURDIR)/gen
# Lets Python cache bytecode, so that the programs which tests start need not compile it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install dev run test bench check lint types imports proto generated attack fix gen lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# A stamp is newer than the lock that it installed, so a second `make run` installs nothing.
$(VENV)/.run.stamp: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 ..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	echo "installing the locked dependencies into $(VENV) (only the first time) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m compileall -q server gen
	touch $@

$(VENV)/.dev.stamp: requirements-dev.lock $(VENV)/.run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r requirements-dev.lock
	touch $@

install: $(VENV)/.run.stamp ## Install what running needs, into .venv
dev: $(VENV)/.dev.stamp ## Install what testing and checking need as well

run: install ## Start everything: simulator (unless TASTY_BROKER says otherwise), server, edge
	@exec $(BIN)/python -m server up

test: dev ## Run the whole test suite (PYTEST="-k quotes" narrows it)
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadscope --no-loadscope-reorder $(PYTEST)

bench: dev ## Measure the speed targets and print ratios to their baselines
	@$(BIN)/python -W ignore -m tests.bench $(BENCH)

check: lint types imports proto generated attack ## Lint, types, imports, protos, generated files, and an attack on the API description

lint: dev
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	@$(BIN)/mypy

imports: dev
	@$(BIN)/lint-imports

proto: dev
	@$(BIN)/python -m server.contract.lint

generated: dev
	@$(BIN)/python -m server.contract.generate --check
	$(BIN)/python -m server.contract.reference --check

# The default sends the same requests every time. For more, at random: make attack ATTACK="--examples 300"
ATTACK ?= --seed 3 --examples 2 --phases examples,coverage,fuzzing
attack: dev ## Attack the API description of a running gateway through Envoy (ATTACK="--examples 300")
	@$(BIN)/python -m tests.attack $(ATTACK)

fix: dev ## Format the code and fix what the linter can fix
	@$(BIN)/ruff check --fix . || true
	$(BIN)/ruff format .
	$(BIN)/python -m server.contract.lint --fix

gen: dev ## Write gen/ and docs/reference/ anew
	@$(BIN)/python -m server.contract.generate
	$(BIN)/python -m server.contract.reference

lock: ## Resolve pyproject.toml into the hashed lock files
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -c requirements.lock --group dev pyproject.toml -o requirements-dev.lock

clean: ## Remove generated files: .venv, var, caches
	@rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .vendor
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
