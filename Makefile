# Everything runs in .venv, which each target makes and fills if need be.
# Only Python 3.10+ and make must be there: `make demo` shows the main job, `make test` passes the tests.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: demo test lint matrix docs dist format clean

demo: $(INSTALLED)
	$(BIN)/leco demo --output leco-demo

test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# All of both on every Python of 3.10 to 3.13 that is there; TORCH_INDEX=URL names an index with PyTorch for processors.
matrix: $(INSTALLED)
	.ci/matrix

# The site, in site/: open site/index.html. Warnings end it.
docs: $(INSTALLED)
	$(BIN)/python -m pages
	$(BIN)/zensical build --strict --clean

# Wheel and sdist, checked, and tried in empty environments.
dist: $(INSTALLED)
	.ci/dist

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(VENV)-3.* dist leco-demo site

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed, not %d.%d: make PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 10) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
