# GNU make. The first target is the default; `make help` lists what there is.

PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

# The locks name every package with its hash, so nothing is resolved here: not even the build backend.
INSTALL := $(PIP) install --quiet --no-deps

# What is installed already: the project with what it needs to run, and the developers' tools on top.
RUNTIME := $(VENV)/.runtime
PROJECT := $(VENV)/.project
DEV := $(VENV)/.dev

GENERATED := src/server/doorward_server/policy src/server/doorward_server/extauthz \
	src/server/doorward_server/gateway/openapi.json docs/reference/api.md \
	src/clients/python/doorward/v1 src/clients/go/doorward/v1 src/clients/typescript/src/gen \
	src/clients/java/src/main/java/dev/doorward/v1

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: up
up: $(PROJECT) ## Install what is needed and run api, check, web and Envoy on this machine
	@$(BIN)/doorward up

.PHONY: demo
demo: $(PROJECT) ## Walk the whole journey on free ports in a temporary home
	@$(BIN)/python examples/demo.py

.PHONY: install
install: $(PROJECT) $(DEV) ## Make .venv with everything a developer needs

.PHONY: test
test: $(PROJECT) $(DEV) ## Run all the tests (ARGS= goes to pytest)
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

.PHONY: fuzz
fuzz: $(PROJECT) $(DEV) ## Fuzz each target for SECONDS (default 300), or TARGET alone
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),300) $(TARGET)

.PHONY: chaos
chaos: $(PROJECT) $(DEV) ## Faults under load, for longer than in the tests (CHAOS_SECONDS=, CHAOS_ROUNDS=, CHAOS_SEED=)
	CHAOS_SECONDS=$${CHAOS_SECONDS:-10} CHAOS_ROUNDS=$${CHAOS_ROUNDS:-10} \
	CHAOS_STRIDE=1 CHAOS_HEALTHY_WITHIN=$${CHAOS_HEALTHY_WITHIN:-5} $(BIN)/python -m pytest tests/chaos \
		--timeout 1800 --log-cli-level=INFO $(ARGS)

.PHONY: bench
bench: $(PROJECT) $(DEV) ## Measure what Doorward costs (ARGS='--only check' for a part)
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: check
check: lint types contract drift ## Every check but the tests

.PHONY: lint
lint: $(PROJECT) $(DEV) ## Formatting, lint rules, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo

.PHONY: types
types: $(PROJECT) $(DEV) ## mypy --strict
	$(BIN)/mypy

.PHONY: contract
contract: $(PROJECT) $(DEV) ## buf lint, and buf breaking against main (or BASE=commit)
	$(BIN)/python tools/google_protos.py
	$(BIN)/buf lint
	$(BIN)/python tools/breaking.py $(BASE)

.PHONY: generate
generate: $(PROJECT) $(DEV) ## Make from protos/ again what comes from it: code of all languages, the OpenAPI document
	$(BIN)/python tools/google_protos.py
	$(BIN)/python -m tools.generate
	$(BIN)/python -m tools.openapi
	$(BIN)/python -m tools.api_reference

.PHONY: drift
drift: generate ## Fail when the committed generated code is not what protos/ gives
	$(BIN)/python tools/drift.py $(GENERATED)

.PHONY: format
format: $(PROJECT) $(DEV) ## Format, and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: lock
lock: ## Resolve the dependencies again, within pyproject.toml (ARGS=--upgrade for the newest)
	@test -x $(BIN)/uv || { $(MAKE) $(BIN)/python && $(PIP) install --quiet uv; }
	$(LOCK) --extra all --group build --output-file requirements.txt $(ARGS) pyproject.toml
	$(LOCK) --extra all --group dev --constraints requirements.txt --output-file requirements-dev.txt $(ARGS) pyproject.toml
	$(LOCK) --group apps --constraints requirements-dev.txt --output-file requirements-apps.txt $(ARGS) pyproject.toml
	$(LOCK) --extra cli --extra keyring --group client-test --resolution lowest-direct --output-file $(CLIENT_LOCKS)/oldest.txt $(ARGS) pyproject.toml
	$(LOCK) --extra cli --extra keyring --group client-test --group neighbours --output-file $(CLIENT_LOCKS)/newest.txt $(ARGS) pyproject.toml

# For every platform and Python from 3.11. No index is written down: each machine uses its own.
CLIENT_LOCKS := tests/sdk/python/versions
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock'

.PHONY: apps
apps: $(DEV) ## Install the real apps that tests/browser uses; without them those tests are skipped
	$(INSTALL) --requirement requirements-apps.txt

.PHONY: docs
docs: $(PROJECT) $(DEV) ## Make the documentation's site in site/; whatever is doubtful is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html"

.PHONY: clean
clean: ## Remove .venv, caches and build output (never .doorward)
	rm -rf $(VENV) .protos .tools build dist site .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests tools benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer, or name one: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) -V) is too old: Doorward needs 3.11 or newer; name another: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt | $(BIN)/python
	$(INSTALL) --requirement requirements.txt
	@touch $@

$(PROJECT): pyproject.toml | $(RUNTIME)
	$(INSTALL) --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.txt | $(RUNTIME)
	$(INSTALL) --requirement requirements-dev.txt
	@touch $@
