# Khách Quen: everything a contributor or an owner types. `make` alone lists it.

PY ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python

unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.venv/bytecode

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench trials lock

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: .venv/.ready ## make the runtime environment in .venv

run: .venv/.ready ## start the demo: bot, simulator, chat page, a small shop's data
	@echo "Preparing the sample shop …"
	@$(BIN)/khachquen demo

test: .venv/.ready-dev ## run all tests, on SQLite and on a real PostgreSQL
	@$(BIN)/python -m pytest --numprocesses 3 --dist worksteal $(ARGS)

lint: .venv/.ready-dev ## check format, rules and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@! grep -nE '(https?|file)://' requirements.lock requirements-dev.lock

bench: .venv/.ready-dev .venv/installed/.ready ## measure against two bare bots (takes long; see benchmarks/README.md)
	@$(BIN)/python -m benchmarks.run $(ARGS)

trials: .venv/.ready-dev ## the long trials: kill -9 everywhere, many processes, a simulated day, a shift, the guides
	@$(BIN)/python -m tests.trials $(ARGS)

lock: .venv/.ready ## resolve the dependencies anew; needs a package registry
	$(BIN)/uv lock --upgrade --quiet
	$(BIN)/uv export --frozen --quiet --no-emit-project --no-dev -o requirements.lock
	$(BIN)/uv export --frozen --quiet --no-emit-project --all-extras --all-groups -o requirements-dev.lock

$(BIN)/uv:
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed; name one: make PY=python3.12 …' >&2; exit 1; }
	@test -x $(BIN)/pip || $(PY) -m venv --clear .venv || \
		{ echo 'No virtual environment could be made; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@echo 'Setting up .venv …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.ready: requirements.lock pyproject.toml | $(BIN)/uv
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps --editable .
	@touch $@

.venv/installed/.ready: requirements.lock .venv/.ready
	@$(BIN)/python -m venv --clear --without-pip .venv/installed
	@$(BIN)/uv pip install --quiet --python .venv/installed/bin/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python .venv/installed/bin/python --no-deps --editable .
	@touch $@

.venv/.ready-dev: requirements-dev.lock .venv/.ready
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
