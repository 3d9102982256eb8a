# make run: set-up, then gta2city on the miniature, then its table; make figures: what its rounds did, drawn, and a viewer.
# make verify: whether every result of make run fits what made it, its data and this code.
# make test: set-up, then the tests; make test-all: the slow ones too; make lint: linters and type checker.
# make test-slurm: on a Slurm of its own; make test-faults: kills, full disks and other faults.
# make datumaro: an environment for the test of labels through CVAT's importer, which needs older packages than this one.
# make test-fuzz: every reader of files, given ten thousand damaged ones.
# make check-data ROOT=FOLDER: how a folder is recognised, and its defects.
# make reproduce: gta2city over three seeds, with an oracle. make bench: the selection engine and the papers' network, timed.
# make manual: the schema of the config and the tables of its manual, from the settings classes.
PYTHON ?= python3
VENV := .venv
# The stamp carries a digest of the requirements: the environment is updated only when they change.
STAMP := $(VENV)/installed-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.PHONY: setup run figures verify check-data test test-all test-slurm test-faults test-fuzz datumaro lint format manual reproduce bench

setup: $(STAMP)

$(STAMP):
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,export,networks,slurm,tensorboard]'
	rm -f $(VENV)/installed-*
	touch $@

run: setup
	$(RUN) snakemake --cores all --quiet reason host -- results/gta2city/miou.json results/gta2city/pseudo_labels.png
	@cat results/gta2city/miou.txt
	@echo
	@echo "Next: look at results/gta2city/pseudo_labels.png; README.md explains the folders next to it. make figures draws more."

figures: setup
	$(RUN) snakemake --cores all --quiet reason host -- results/gta2city/figures.md results/gta2city/esl-round2/viewer.html
	@echo "Look at results/gta2city/figures.md, or at the PNGs that it shows; open results/gta2city/esl-round2/viewer.html in a browser."

verify: setup
	$(RUN) python -m esl.stages.verify results/gta2city --data --threads 2
	@$(RUN) snakemake --cores 1 --dry-run -- results/gta2city/miou.json 2>&1 | grep "Nothing to be done" || \
		{ echo "results/gta2city was made by other code or settings than these; make run makes again what has changed"; exit 1; }

check-data: setup
	@test -n "$(ROOT)" || { echo "say which folder: make check-data ROOT=/data/gta5"; exit 1; }
	$(RUN) python -m esl.stages.doctor --root "$(ROOT)"

reproduce: setup
	$(RUN) snakemake --cores all --quiet reason host --configfile config/reproduce.yaml -- results/gta2city/reproduce.md
	@cat results/gta2city/reproduce.md

bench: setup
	$(RUN) python -m performance
	$(RUN) python -m performance.network

test: setup
	$(RUN) pytest -m "not slow and not slurm and not faults and not fuzz"

test-all: setup
	$(RUN) pytest -m "not slurm and not faults and not fuzz"

test-slurm: setup
	$(RUN) pytest -m slurm --numprocesses 0 tests/slurm

test-faults: setup
	$(RUN) pytest -m faults --numprocesses 0 --capture no tests/faults

test-fuzz: setup
	$(RUN) pytest -m fuzz --numprocesses 0 --capture no tests/fuzz

datumaro:
	test -x $(VENV)-datumaro/bin/python || $(PYTHON) -m venv $(VENV)-datumaro
	$(VENV)-datumaro/bin/pip install --quiet --disable-pip-version-check datumaro==1.13.12

lint: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) snakefmt --check workflow
	$(RUN) snakemake --lint

format: setup
	$(RUN) ruff check --fix .
	$(RUN) ruff format .
	$(RUN) snakefmt workflow

manual: setup
	$(RUN) PYTHONPATH=workflow:. python -m planning.manual
