# The whole command line of the repository. `make` lists the targets.
#
# .venv is rebuilt only when requirements.txt is newer than the stamp inside it, so every target may depend on it.

PYTHON ?= python3.11
VENV := .venv
STAMP := $(VENV)/.installed
BIN := $(VENV)/bin
MODELS ?= models
CLASSIFIERS ?= classifiers
# More options for `serve`, as `python -m serving_config start --help` lists them.
START ?=
# Empty = the published data set over HTTPS; or a directory, a file, `sample`.
DATA ?= $(WOT_DATA_DIR)
ENCODER ?=

.DEFAULT_GOAL := help
.PHONY: help serve train test lint check format lock clean

help: ## List the targets (this text)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1mmake %-8s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

train: $(STAMP) ## Train by the reference recipe on the full data set and publish the next version
	@$(BIN)/python -m training fit --recipe reference $(if $(DATA),--data $(DATA)) $(if $(ENCODER),--encoder $(ENCODER)) --output $(CLASSIFIERS)/reference
	@$(BIN)/python -m export publish --classifier $(CLASSIFIERS)/reference --models $(MODELS)/intent

test: $(STAMP) ## Run all tests (about eleven minutes on two cores)
	@$(BIN)/python -m pytest

lint: $(STAMP) ## Lint, format check, types, and the shipped configuration
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m serving_config check

format: $(STAMP) ## Format the code and apply the linter's safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: $(STAMP) ## Compile requirements.in to the pinned requirements.txt, and the gateway's thin set from it
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--override requirements-overrides.txt --output-file requirements.txt requirements.in
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--constraints requirements.txt --output-file gateway/requirements.txt gateway/requirements.in
	@$(BIN)/uv pip compile --quiet --no-header --generate-hashes --python-version 3.11 \
		--constraints requirements.txt --output-file gateway/requirements-tracing.txt gateway/requirements-tracing.in

clean: ## Remove the environment and the caches; models and classifiers stay
	@rm -rf $(VENV) run .mypy_cache .pytest_cache .ruff_cache
