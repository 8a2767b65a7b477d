# `make up` shows this machine in a browser; `make test` proves the project. Neither needs root.
PYTHON ?= python3
VENV := .venv
BIOME := tests/dashboard/node_modules/.bin/biome
PIP_INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: up test test-all fuzz format generate docs clean
.DELETE_ON_ERROR:

up: $(VENV)/run.stamp
	@$(VENV)/bin/fleetglass up $(ARGS)

test: $(VENV)/test.stamp
	@scripts/test $(ARGS)

test-all: $(VENV)/test.stamp
	@scripts/test-all $(ARGS)

fuzz: $(VENV)/test.stamp
	@$(VENV)/bin/python -m pytest -m hypothesis --hypothesis-profile fuzz --timeout 0 $(ARGS)

format: $(VENV)/test.stamp
	@$(VENV)/bin/ruff check --fix --quiet
	@$(VENV)/bin/ruff format
	@if [ -x $(BIOME) ]; then $(BIOME) check --write; \
	else echo "The JavaScript is not formatted: it needs Biome; run scripts/install-npm-packages" >&2; fi

generate: $(VENV)/test.stamp
	@PYTHONPATH=scripts $(VENV)/bin/python -m generate

docs: generate
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict
	@echo "The documentation is at site/index.html; open it as a file, or serve the folder."

clean:
	rm -rf $(VENV) .venv-home-assistant .venv-audit tests/*/node_modules dist site .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fleetglass: got Python %d.%d, expected 3.11 or later; name one with make PYTHON=..." % sys.version_info[:2])'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "fleetglass: no virtual environment could be made; on Debian: apt install python3-venv" >&2; exit 1; }

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP_INSTALL) --require-hashes -r requirements/run.txt
	@$(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: requirements/test.txt $(VENV)/run.stamp
	@echo "Installing what the tests need (once) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements/test.txt
	@touch $@
