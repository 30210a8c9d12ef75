# `make demo` and `make test` work as the first command in a fresh clone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types docs evidence examples kernels clean

demo: $(VENV)/.package
	$(BIN)/python examples/demo.py

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.lint
	$(BIN)/mypy

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

# The table of evidence that the theory pages show: a run of the whole ledger, kept with the sources.
evidence: $(VENV)/.package
	rm -rf docs/_build/evidence && mkdir -p docs/_build/evidence
	$(BIN)/arneq theory run --games 520 --seed 0 --workers 2 --out docs/_build/evidence
	cp docs/_build/evidence/table.csv docs/theory/evidence.csv

examples: $(VENV)/.package
	@for script in examples/*.py; do echo "== $$script"; $(BIN)/python $$script > /dev/null || exit 1; done

# numba does not notice that a kernel changed which another kernel calls: `make kernels` forgets them all.
kernels:
	find arneq_exact -name '*.nb[ic]' -delete

clean: kernels
	rm -rf $(VENV) demo docs/_build build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(VENV)/.package: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.test $(VENV)/.lint $(VENV)/.docs: $(VENV)/.%: $(VENV)/.package
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@
