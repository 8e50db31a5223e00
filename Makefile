# Needs nothing but make, bash and Python 3.11 or newer; the rest goes into .venv.
#   PYTHON=/path/to/python3.12   the Python that makes .venv
#   ARGS="..."                   passed on to what the target runs
VENV ?= .venv
ARGS ?=
export PYTHON
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check prove bench clean

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "make %-8s %s\n", $$1, $$2 }'

demo: $(VENV)/.stamp-all ## a shop with a REST API, on SQLite
	@$(BIN)/holdall demo --dir demo $(ARGS)

test: $(VENV)/.stamp-dev ## the whole test suite; ARGS="tests/unit -x" for a part of it
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.stamp-dev ## style, types and import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright --warnings --pythonpath $(BIN)/python
	$(BIN)/lint-imports

prove: $(VENV)/.stamp-dev ## the proofs to their full figures, hours; ARGS="--rows 11 --seconds 60" for less
	@$(BIN)/python -m proofs $(ARGS)

bench: $(VENV)/.stamp-bench ## speed against hand-written code and peers; ARGS="--json FILE"
	@$(BIN)/python -m bench $(ARGS)

clean: ## removes what the other targets made; demo/ is yours and stays
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests bench examples -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# A stamp says that what pyproject.toml asked for is installed, so a second call costs nothing.
$(VENV)/.stamp-all: pyproject.toml tools/venv
	@tools/venv $(VENV)
	@echo "Installing Holdall into $(VENV)"
	@$(PIP) -e '.[all]'
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml tools/venv
	@tools/venv $(VENV)
	@echo "Installing Holdall with its tests and checks into $(VENV)"
	@$(PIP) -e '.[all]' --group dev
	@touch $@

$(VENV)/.stamp-bench: pyproject.toml tools/venv
	@tools/venv $(VENV)
	@echo "Installing Holdall with the peers it is measured against into $(VENV)"
	@$(PIP) -e '.[all]' --group bench
	@touch $@
