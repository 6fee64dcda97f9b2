# Every target does its own set-up, in a virtual environment inside this checkout.
# Needed beforehand: Python 3.11 or newer, make, a package index. No root, no Docker.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo up down test again check bench campaign lock clean

help:  ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Ferry needs Python 3.11 or newer: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25'  # older ones misread extras under --require-hashes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

setup: $(READY)  ## the virtual environment alone

demo: $(READY)  ## see the main job run, on a local stand-in for Healthie
	$(BIN)/ferry demo

up: $(READY)  ## Prefect's server with its dashboard, a worker and a stand-in for Healthie, in the background
	$(BIN)/ferry up

down:  ## stop what `make up` started
	$(BIN)/ferry down

test: $(READY)  ## every test
	$(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder tests/worker tests/faults tests/flows tests  # what waits most, first

again: $(READY)  ## the tests that failed last, alone; if they were many, it stays a failure
	$(BIN)/python -m tests.again

check: $(READY)  ## ruff, strict types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/basedpyright
	$(BIN)/lint-imports

bench: $(READY)  ## the README's figures, measured here and now
	$(BIN)/python -m benchmarks

campaign: $(READY)  ## the fault tests and property tests at full size (about an hour)
	FERRY_CAMPAIGN=full $(BIN)/pytest -q tests/faults tests/worker tests/flows tests/connectors/changes tests/connectors/sql tests/connectors/csv tests/connectors/mongodb \
		tests/agent/test_hostile_*.py

lock:  ## resolve the dependencies anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--group dev --extra mssql pyproject.toml -o requirements.lock

clean:  ## remove what was made here
	rm -rf .venv .ferry build *.egg-info
