# Needs Python 3.11 or newer, and make. Everything else is fetched into .venv from the hashed lock files in
# requirements/, or by `make parts`. Running a target again does only what changed.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Which Python makes .venv: `make PYTHON=/usr/bin/python3.12 test`; otherwise the first that is new enough.
PYTHONS := $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# OPA and Regal that `make parts` built are found here, after whatever the machine has on its PATH.
export PATH := $(PATH):$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/countersign/bin

# How many processes share the tests, folder by folder. They mostly wait for programs they started: three keep two
# cores busy.
WORKERS ?= 3

CODE := gateway tests
POLICIES := policies

.PHONY: help demo test check lint types rego parts bench lock clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/.runtime ## See an agent fail to move money on one signature, with a simulated PayPal
	@$(BIN)/countersign demo

# Every gate runs even when an earlier one failed. pytest is the last, so that its closing line ends the output.
test: parts ## Run everything: lint, types, policies, tests
	@failed=; \
	for gate in lint types rego; do $(MAKE) $$gate || failed="$$failed $$gate"; done; \
	$(BIN)/pytest --numprocesses $(WORKERS) || failed="$$failed pytest"; \
	if [ -n "$$failed" ]; then echo "make test: failed:$$failed" >&2; exit 1; fi

check: lint types rego ## Run what needs no running program: lint, types, policies

lint: $(VENV)/.test
	@echo "== ruff"
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --quiet --check $(CODE) || { echo "ruff format would change these files"; exit 1; }

types: $(VENV)/.test
	@echo "== mypy"
	@$(BIN)/mypy $(CODE)

rego: parts
	@echo "== opa, regal"
	@if ! command -v opa >/dev/null || ! command -v regal >/dev/null; then \
	  echo "opa or regal is missing (see above): the policies were not checked"; test "$$CI" != true; exit; fi; \
	failed=; \
	opa fmt --fail --list $(POLICIES)/gateway $(POLICIES)/checks || failed="$$failed fmt"; \
	opa check --strict --schema $(POLICIES)/schemas --capabilities $(POLICIES)/capabilities.json \
	  --ignore '*_test.rego' gateway:$(POLICIES)/gateway || failed="$$failed check"; \
	for tree in gateway:$(POLICIES)/gateway $(POLICIES)/checks; do \
	  opa test $$tree || failed="$$failed test"; \
	  opa test --coverage --threshold 100 $$tree >/dev/null || failed="$$failed coverage"; \
	done; \
	regal lint $(POLICIES)/gateway $(POLICIES)/checks || failed="$$failed lint"; \
	$(BIN)/countersign policy --folder $(POLICIES)/gateway check || failed="$$failed conventions"; \
	test -z "$$failed" || { echo "policies: failed:$$failed"; exit 1; }

parts: $(VENV)/.test ## Get the programs that tests run against: OPA, Regal, Redis
	@$(BIN)/python -m tests.support.install

bench: parts ## Measure what a call costs: direct, through the gateway, through SDK-built proxies
	@$(BIN)/python -m tests.bench --gate 'gateway+opa<=3.0xstar-raw@16' --gate 'gateway+opa<=0.2xsdk-proxy@16' \
	  --gate 'handshake+opa<=2.5xgateway+opa-uds'

lock: $(VENV)/.test ## Resolve the dependencies of pyproject.toml anew into requirements/
	@$(PIP) install uv
	@compile() { $(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --upgrade --custom-compile-command 'make lock' "$$@"; }; set -e; \
	printf 'hatchling>=1.27\neditables\n' | compile - --output-file requirements/build.txt; \
	compile pyproject.toml --output-file requirements/runtime.txt; \
	compile pyproject.toml --extra test --extra lint --constraint requirements/runtime.txt \
	  --output-file requirements/test.txt; \
	for name in frameworks crewai; do compile requirements/$$name.in --output-file requirements/$$name.txt; done
	@grep -c == requirements/*.txt

clean: ## Remove .venv, caches and built bundles
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build bundles/dist
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@for python in $(PYTHONS); do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  $$python -c 'import ensurepip, venv' 2>/dev/null || { name=$$($$python -c \
	    'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	    echo "$$python has no venv module. On Debian and Ubuntu: apt-get install $$name" >&2; exit 1; }; \
	  echo "making $(VENV) with $$($$python --version)"; \
	  $$python -m venv --clear $(VENV); exit; \
	done; \
	echo "Countersign needs Python 3.11 or newer; tried: $(PYTHONS). Name one: make PYTHON=/path/to/python" >&2; \
	exit 1

define install
@echo "installing $$(grep -c == $(1)) locked packages ($(1)) ..."
@$(PIP) install --require-hashes --requirement $(1)
endef

# The project itself is installed with the locked build tools: nothing unlocked is ever downloaded.
$(VENV)/.runtime: requirements/build.txt requirements/runtime.txt pyproject.toml $(BIN)/python
	$(call install,requirements/build.txt)
	$(call install,requirements/runtime.txt)
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.runtime
	$(call install,requirements/test.txt)
	@touch $@
