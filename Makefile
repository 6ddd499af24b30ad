# Every target sets up .venv by itself. TORCH replaces the pinned build of PyTorch,
# e.g. make demo TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130"
PYTHON ?= python3
VENV ?= .venv
CORES ?= 2
TORCH ?=
BIN := $(VENV)/bin
# One BLAS thread per parallel job; every job sets its own count where it wants more.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1

.PHONY: demo test lint bench clean
$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(if $(TORCH),$(BIN)/python -m pip install --quiet $(TORCH))
	$(if $(TORCH),grep -v '^torch==' requirements.lock >$(VENV)/wanted.lock,cp requirements.lock $(VENV)/wanted.lock)
	$(BIN)/python -m pip install --quiet -r $(VENV)/wanted.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

env: $(VENV)/.installed ## the environment alone

demo: $(VENV)/.installed ## train the embedded models and draw their timelines
	$(BIN)/snakemake --cores $(CORES)

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

test: $(VENV)/.installed lint
	$(BIN)/python -m pytest -n $(CORES)

bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .snakemake results/*/
