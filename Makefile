# Two commands for newcomers: `make demo` and `make test`. Each builds .venv by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The second limit, behind pytest's `timeout`: a process whose test has hung for so long prints its stacks and is ended
# from outside of Python. It gets no successor: pytest-xdist may wait for ever for one that goes on with its files.
NO_HANG := -o faulthandler_timeout=420 -o faulthandler_exit_on_timeout=true --max-worker-restart 0

.PHONY: demo test test-slow gauntlet lint bench bench-start bench-sweep bench-linear gpu-check reproduce clean

demo: $(VENV)/.installed
	$(BIN)/lstmlab -m cell=rnn,lstm,peephole_lstm,gru experiment=demo

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not slow and not gpu" -n 2 --dist loadfile $(NO_HANG)

test-slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m slow

# Half an hour, shared by the ten tests.
gauntlet: $(VENV)/.installed-dev
	GAUNTLET_MINUTES=$${GAUNTLET_MINUTES:-3} $(BIN)/python -m pytest -m slow tests/gauntlet -s

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench-sweep: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet hydra-joblib-launcher
	$(BIN)/python scripts/bench_sweep.py
	$(BIN)/python scripts/bench_sweep.py --members

bench: $(VENV)/.installed-dev
	$(BIN)/python scripts/bench.py

bench-start: $(VENV)/.installed-dev
	$(BIN)/python scripts/bench_start.py

bench-linear: $(VENV)/.installed-dev
	$(BIN)/python scripts/bench_linear.py

# On a machine without network it runs as it is, without make: scripts/gpu_check.sh
gpu-check: $(VENV)/.installed-dev
	scripts/gpu_check.sh $(TINY)

# ROW=NAME, or several names; DIR=FOLDER for data that are not part of the package; RECORD=1 records the row instead.
SEEDS ?= 3
LEVEL ?= 0.95
reproduce: $(VENV)/.installed-dev
	$(BIN)/python scripts/reproduce.py $(ROW) --seeds $(SEEDS) --level $(LEVEL) $(if $(DIR),--dir '$(DIR)') \
	  $(if $(RECORD),--record)

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "lstmlab needs Python 3.11 or newer; say which with: make PYTHON=python3.12 demo"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
