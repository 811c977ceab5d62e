# Two commands on a fresh machine: `make demo` and `make test`. Everything sets itself up in .venv.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help setup demo test check format lint types golden lock docs clean

help:
	@sed -n 's/^## //p' Makefile

## make setup      .venv with farshore in it
setup: $(VENV)/.stamp

$(VENV)/.stamp: requirements.lock tools/setup.sh
	@sh tools/setup.sh $(VENV)
	@touch $@

## make demo       the published example, to the far shore and back, in the embedded lab
demo: setup
	@$(VENV)/bin/farshore exercise --example two-circuits-two-locations

## make test       the tests
test: setup
	@$(PY) -m pytest -q -n 2 tests

## make check      format, lint, strict types, import layers, tests: the whole truth
check: setup lint types test

lint: setup
	@$(PY) -m ruff format --check src tests tools
	@$(PY) -m ruff check src tests tools

types: setup
	@$(PY) -m mypy

## make format     write the format that check wants
format: setup
	@$(PY) -m ruff format src tests tools
	@$(PY) -m ruff check --fix src tests tools

## make golden     rewrite the answers of the transcripts; review the diff
golden: setup
	@FARSHORE_GOLDEN=write $(PY) -m pytest -q tests/test_scenarios.py

## make docs       rewrite the pages of docs/reference that are made from the code
docs: setup
	@$(PY) tools/make_docs.py

## make lock       recompile requirements.lock (hash-pinned, no index address; needs uv)
lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -o requirements.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
