# Every target sets up .venv by itself. TORCH replaces the pinned build of PyTorch, for example
#   make demo TORCH="torch==2.13.0 --extra-index-url https://download.pytorch.org/whl/cu130"
PYTHON ?= python3
VENV ?= .venv
CORES ?= 2
CONFIG ?= config/config.yaml
TORCH ?=
BIN := $(VENV)/bin
# A file's tests on one worker, so that what they share is made once; in the order of collection, the longest first.
# (--dist loadgroup does nothing with pytest 9: pytest-xdist 3.8 renames tests, which their ids no longer follow.)
PYTEST := $(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder
# A name of its own: a recipe line with $(MAKE) in it is run by make -n too.
LINT = $(MAKE) --no-print-directory lint
# One BLAS thread per parallel job.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
# Bytecode is cached at first use, whatever the environment says: without it every process compiles what it imports.
export PYTHONDONTWRITEBYTECODE =

.PHONY: env demo plan test test-slurm test-storage test-package test-browser test-faults soak fuzz lint audit bench docs site study replication clean

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) tools/install.py $(VENV) $(if $(TORCH),"$(TORCH)")
	touch $@

env: $(VENV)/.installed ## the environment alone

demo: $(VENV)/.installed ## train the embedded models and draw their timelines
	$(BIN)/snakemake --cores $(CORES) --configfile $(CONFIG)
	@cat $$($(BIN)/python -c "import yaml; print(yaml.safe_load(open('$(CONFIG)')).get('results', 'results'))")/summary.txt

plan: $(VENV)/.installed ## what a run would fetch: make plan CONFIG=config/pythia.yaml
	$(BIN)/snakemake --cores 1 --quiet --configfile $(CONFIG) -- plan

# What style has to say comes at the end: its seconds fill those in which a worker waits.
test: $(VENV)/.installed ## style and the tests, side by side
	@$(LINT) >$(VENV)/lint.txt 2>&1 & style=$$!; \
	$(PYTEST) -m "not slurm and not storage and not faults and not soak and not fuzz and not package and not browser"; \
	status=$$?; wait $$style || status=1; cat $(VENV)/lint.txt; exit $$status

test-slurm: $(VENV)/.installed ## the SLURM profile on a SLURM that the test starts itself (needs its packages and root)
	$(BIN)/python -m pytest tests/slurm

test-storage: $(VENV)/.installed ## workers that share no file system (needs rsync)
	$(BIN)/python -m pytest -m storage tests/storage

test-package: $(VENV)/.installed ## the wheel where there is no checkout, a model of one's own, each Python that is there
	$(BIN)/python -m pytest -m package tests/package

test-browser: $(VENV)/.installed ## the atlas in a headless Chromium: slider, clicks, keys, exports
	$(BIN)/python -m pytest -m browser tests/atlas

test-faults: $(VENV)/.installed ## kills, full disks and dead nodes; afterwards every table is that of an undisturbed run
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile -m faults tests/faults tests/workflow --durations 0

soak: $(VENV)/.installed ## 100 kills at random moments
	$(BIN)/python -m pytest -m soak tests/faults

fuzz: $(VENV)/.installed ## ten minutes of random files for the readers of checkpoints
	$(BIN)/python -m pytest -m fuzz tests/hostile

lint: $(VENV)/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

audit: ## known vulnerabilities of the locked packages, where their database can be reached
	$(PYTHON) -m venv $(VENV)-audit
	if $(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1; \
	then $(VENV)-audit/bin/python -m tools.audit requirements.lock requirements-docs.lock; \
	else echo "not audited: pip-audit cannot be installed here" >&2; fi

bench: $(VENV)/.installed ## side by side with the peers
	$(BIN)/python -m benchmarks.influence
	$(BIN)/python -m benchmarks.spectra
	$(BIN)/python -m benchmarks.regimes
	$(BIN)/python -m benchmarks.dag
	$(BIN)/python -m benchmarks.results_loading
	$(BIN)/python -m benchmarks.checksums results
	$(BIN)/python -m benchmarks.atlas results

docs: $(VENV)/.installed ## rewrite the tables of config/README.md and results/README.md
	$(BIN)/python docs/make_tables.py

$(VENV)/.documentation: requirements-docs.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-docs.lock
	touch $@

site: $(VENV)/.documentation ## the documentation as a site in site/, every link and anchor checked
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@ls site/assets/stylesheets/main.*.css >/dev/null # the theme is part of it

study: $(VENV)/.installed ## four layers, three seeds, two controls, everything measured: about an hour on two cores
	$(BIN)/snakemake --cores $(CORES) --configfile config/study.yaml
	$(BIN)/python docs/make_study.py

replication: $(VENV)/.installed ## the seed studies' conventions beside ours, into docs/replication.md
	$(BIN)/snakemake --cores $(CORES) --configfile config/config.yaml config/seed-papers.yaml -- replication
	$(BIN)/python docs/make_replication.py

clean: ## remove the environment and all results
	rm -rf $(VENV) $(VENV)-audit site .snakemake cache results/*/ results/summary.* results/usable.txt results/atlas.html \
		results/config.yaml results/.known.json
