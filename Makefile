# Two commands on a fresh machine: `make demo` and `make test`. Everything sets itself up in .venv.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: help setup demo test kill seeds faults stories abandon fuzz naive twin bench bench-lab routers replay matrix conformance conformance-js conformance-az check format lint types golden lock real docs clean

help:
	@sed -n 's/^## //p' Makefile

## make setup      .venv with farshore in it
setup: $(VENV)/.stamp

$(VENV)/.stamp: requirements.lock tools/setup.sh
	@sh tools/setup.sh $(VENV)
	@touch $@

## make demo       the published example, to the far shore and back, in the embedded lab
demo: setup
	@rm -rf build/demo
	@$(VENV)/bin/farshore exercise --example two-circuits-two-locations --project build/demo

## make test       the tests
test: setup
	@$(PY) -m pytest -q -n 2 --dist loadgroup tests

## make kill       kill -9 in the middle of runs, then resume; KILLS=50 times
KILLS ?= 50
kill: setup
	@FARSHORE_KILLS=$(KILLS) $(PY) -m pytest -q -s tests/kill

## make seeds      the five stories under SEEDS=20 seeds of the lab: predictions near, guards in time
SEEDS ?= 20
seeds: setup
	@FARSHORE_SEEDS=$(SEEDS) $(PY) -m pytest -q -s tests/seeds

## make stories    whole stories of whole examples: the five, partial ways back, path drills, what else moves
stories: setup
	@FARSHORE_STORIES=all $(PY) -m pytest -q -n 2 --dist worksteal tests/stories tests/exercise/test_story.py \
		tests/plan/test_plan_drills.py

## make abandon    runs given up after CUTS=all moments of ten stories (an hour or two), or so many of each
CUTS ?= all
abandon: setup
	@FARSHORE_CUTS=$(CUTS) $(PY) -m pytest -q -n 2 tests/abandon

## make faults     every planted fault found, named and mended; every harmless edit left alone
faults: setup
	@FARSHORE_FAULTS=all $(PY) -m pytest -q -n 2 tests/prove/faults

## make fuzz       EXAMPLES=20000 requests that make no sense, to every operation of the lab; NEW= for always the same
EXAMPLES ?= 20000
NEW ?= 1
fuzz: setup
	@FARSHORE_FUZZ=$(EXAMPLES) FARSHORE_FUZZ_NEW=$(NEW) $(PY) -m pytest -q -n 2 tests/lab/fuzz tests/lab/resources/test_no_request_breaks_it.py

## make naive      NETWORKS=20000 small networks: the engine beside a twin that walks one packet at a time
NETWORKS ?= 20000
naive: setup
	@FARSHORE_NAIVE=$(NETWORKS) FARSHORE_MARKER_SEEDS=30 $(PY) -m pytest -q -n 2 --dist worksteal -rP tests/routing/naive \
		tests/routing/test_routing_markers.py

## make twin       the engine beside real BGP: STATES=all 200 states of each example and 100 generated estates, or a number
STATES ?= all
twin: setup
	@FARSHORE_TWIN=$(STATES) $(PY) -m pytest -q -n 2 -rP tests/twin

## make bench      seconds, memory and growth on generated estates; ROWS="'10k shared'" for some; build/bench/bench.json
ROWS ?=
bench: setup
	@$(PY) -m bench $(ROWS)

## make bench-lab  the served lab under wrk, its start, a million resources; moto's server and Azurite beside (installs both)
bench-lab: setup build/peers/.stamp
	@$(PY) -m bench.lab --peers build/peers

build/peers/.stamp: tools/peers.txt
	@mkdir -p build/peers
	@python3 -m venv build/peers/moto
	@build/peers/moto/bin/python -m pip install --quiet --disable-pip-version-check -r tools/peers.txt
	@npm install --prefix build/peers/azurite --no-fund --no-audit --silent azurite@3.37.0
	@touch $@

## make routers    a generated estate's tables as plain routers' configurations, for other verifiers: SPOKES=200
SPOKES ?= 200
routers: setup
	@rm -rf build/routers
	@$(VENV)/bin/farshore generate --spokes $(SPOKES) --machines $$(( $(SPOKES) * 20 )) --prefixes 400 --out build/routers/estate
	@$(PY) -m bench.routers build/routers/estate build/routers

## make replay     recorded exchanges with Azure sent to the lab, and scored: FILES=some.jsonl, or all there are
FILES ?=
replay: setup
	@$(PY) -m conformance replay $(FILES)

## make matrix     every scenario that makes sense, in the lab, on a small estate of each topology: SLICE=0 all, SEED=1
SLICE ?= 0
SEED ?= 1
matrix: setup
	@$(PY) -m matrix --slice $(SLICE) --seed $(SEED)

## make check      format, lint, strict types, import layers, tests: the whole truth
check: setup lint types test

lint: setup
	@$(PY) -m ruff format --check src tests tools bench conformance matrix
	@$(PY) -m ruff check src tests tools bench conformance matrix

types: setup
	@$(PY) -m mypy

## make format     write the format that check wants
format: setup
	@$(PY) -m ruff format src tests tools bench conformance matrix
	@$(PY) -m ruff check --fix src tests tools bench conformance matrix

## make real       Azure's Python clients on the lab, measured tables, recorded traffic (installs the clients)
real: .venv-real/.stamp
	@.venv-real/bin/python tools/real.py python data

## make conformance          all unmodified clients on served labs, the data as above, and the replays; counts are printed
conformance: real conformance-js conformance-az replay

## make conformance-js       Azure's JavaScript clients alone, by node's test runner (installs them by npm)
conformance-js: .venv-real/.stamp build/clients/js/.stamp
	@FARSHORE_JS=build/clients/js .venv-real/bin/python tools/real.py js

## make conformance-az       az builds the published example by its own commands (installs 0.7 GB; takes minutes)
conformance-az: .venv-real/.stamp build/clients/az/.stamp
	@FARSHORE_AZ=$(CURDIR)/build/clients/az/bin/az .venv-real/bin/python tools/real.py az

build/clients/js/.stamp: tests/real_js/package.json
	@mkdir -p build/clients/js
	@cp tests/real_js/package.json build/clients/js/
	@npm install --prefix build/clients/js --no-fund --no-audit --no-package-lock --loglevel error
	@touch $@

build/clients/az/.stamp: tools/az.txt
	@python3 -m venv build/clients/az
	@build/clients/az/bin/python -m pip install --quiet --disable-pip-version-check -r tools/az.txt
	@touch $@

.venv-real/.stamp: requirements.lock tools/setup.sh tools/real.txt
	@sh tools/setup.sh .venv-real
	@.venv-real/bin/python -m pip install --quiet --disable-pip-version-check -r tools/real.txt
	@touch $@

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
