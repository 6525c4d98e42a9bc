# The whole command line of the repository. `make` lists the targets.
#
# .venv is rebuilt only when requirements.txt is newer than the stamp inside it, so every target may depend on it.

PYTHON ?= python3.11
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
# What checks the templates is heavy, and wants other releases of what the project itself uses.
CHECKS := .venv-templates
CHECKS_STAMP := $(CHECKS)/.installed
MODELS ?= models
CLASSIFIERS ?= classifiers
# More options for `serve`, as `python -m serving_config start --help` lists them.
START ?=
# Empty = the published data set over HTTPS; or a directory, a file, `sample`.
DATA ?= $(WOT_DATA_DIR)
ENCODER ?=
RECIPE ?= default

# Four at a time even on two cores: many wait for a server to start. Neighbours stay together, as they share servers, and
# who has nothing left takes from the others.
PARALLEL := --numprocesses 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help serve train test test-fast coverage image-test lint templates format lock clean

help: ## List the targets (this text)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1mmake %-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): requirements.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is needed (tensorflow-text 2.20 has no wheel for newer ones); or set PYTHON=..." >&2; exit 1; }
	@echo "==> environment in $(VENV) (about 3 GB, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# A complete lock, installed as it stands: hashes checked, nothing resolved.
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.txt
	@touch $@

serve: $(STAMP) ## Train a quick model if there is none, start model server and gateway, ask one example
	@$(BIN)/python -m export list --models $(MODELS)/intent --quiet || { \
		$(BIN)/python -m training fit --recipe quick --data sample --output $(CLASSIFIERS)/quick && \
		$(BIN)/python -m export publish --classifier $(CLASSIFIERS)/quick --models $(MODELS)/intent; }
	@exec $(BIN)/python -m serving_config start --models $(MODELS) --example $(START)

train: $(STAMP) ## Train on the full data set and publish the next version (RECIPE=default or reference)
	@$(BIN)/python -m training fit --recipe $(RECIPE) $(if $(DATA),--data $(DATA)) $(if $(ENCODER),--encoder $(ENCODER)) --output $(CLASSIFIERS)/$(RECIPE)
	@$(BIN)/python -m export publish --classifier $(CLASSIFIERS)/$(RECIPE) --models $(MODELS)/intent

test: $(STAMP) ## Run all tests, several at a time (about twenty minutes on two cores)
	@$(BIN)/python -m pytest $(PARALLEL)

test-fast: $(STAMP) ## Run the tests that need no trained model and no browser (about three minutes); for the edit loop
	@$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

coverage: $(STAMP) ## Run all tests, and show which lines none of them runs; child processes are counted too
	@$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered --cov-report=html

image-test: $(STAMP) ## Install the image into a throw-away Debian root, and run its units there (root, debootstrap, systemd-nspawn)
	@INTENT_IMAGE_TEST=1 $(BIN)/python -m pytest --timeout 1800 tests/cloudformation/test_throwaway_root.py

lint: $(STAMP) ## Lint, format check, types, and the shipped configuration
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m serving_config check

$(CHECKS_STAMP): cloudformation/requirements-checks.txt cloudformation/guard/package-lock.json
	@echo "==> checkers of the templates in $(CHECKS) (about 350 MB, once)"
	@test -x $(CHECKS)/bin/python || $(PYTHON) -m venv $(CHECKS)
	@$(CHECKS)/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps -r cloudformation/requirements-checks.txt
	@if command -v npm >/dev/null; then \
		mkdir -p $(CHECKS)/guard && cp cloudformation/guard/package.json cloudformation/guard/package-lock.json cloudformation/guard/.npmrc $(CHECKS)/guard/ && \
		cd $(CHECKS)/guard && npm ci --silent --ignore-scripts --no-audit --no-fund; \
	else echo "npm is not installed; going on without cfn-guard" >&2; fi
	@touch $@

templates: $(STAMP) $(CHECKS_STAMP) ## Check templates, rollout arithmetic and scripts: cfn-lint, checkov, cfn-guard, shellcheck
	@$(BIN)/python -m cloudformation check

format: $(STAMP) ## Format the code and apply the linter's safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(STAMP) ## Compile requirements.in to the pinned requirements.txt, the gateway's thin set from it, the image's, and the checkers'
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--override requirements-overrides.txt --output-file requirements.txt requirements.in
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--constraints requirements.txt --output-file gateway/requirements.txt gateway/requirements.in
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--constraints requirements.txt --output-file gateway/requirements-tracing.txt gateway/requirements-tracing.in
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--output-file cloudformation/requirements-checks.txt cloudformation/requirements-checks.in
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--constraints requirements.txt --output-file cloudformation/image/requirements.txt cloudformation/image/requirements.in

clean: ## Remove the environments and the caches; models and classifiers stay
	@rm -rf $(VENV) $(CHECKS) run htmlcov .coverage* .mypy_cache .pytest_cache .ruff_cache
