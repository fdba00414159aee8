# Everything sets itself up: a virtual environment in .venv, from locked requirements.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two workers: the tests that talk to databases and fork processes want a core each.
WORKERS ?= 2
# Tests wait for disks more than for processors: their folders lie in memory where there is enough of it.
MEMORY := $(shell [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 6000000 ] 2>/dev/null && echo /dev/shm)
test check prove: export TMPDIR := $(or $(TMPDIR),$(MEMORY),/tmp)

.PHONY: demo shop test check prove bench fix lock clean

demo: $(VENV)/demo.done ## one bottle of orange juice: a year of real purchases, told as a story
	$(BIN)/volens demo demo

shop: $(VENV)/demo.done ## a small shop beside the demo's house: its customers, their baskets, one thing forgotten
	@test -d demo/house || $(BIN)/volens demo demo
	$(BIN)/python -m examples.shop.start demo

test: $(VENV)/dev.done ## everything but the long proofs
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not prove"

check: $(VENV)/dev.done ## between edits: below a minute
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not prove and not slow and not postgres and not browser and not spark"

prove: $(VENV)/dev.done ## what needs many trials or kills processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m prove -rP

bench: $(VENV)/dev.done ## ratios measured within one run
	$(BIN)/volens bench

fix: $(VENV)/dev.done ## mend what a machine can mend
	$(BIN)/ruff check --fix .

lock: $(VENV)/dev.done ## make the locks anew
	$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
		--strip-extras --extra demo -o requirements/demo.txt pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
		--strip-extras --extra demo --extra browser --extra dev -o requirements/dev.txt pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header \
		-o requirements/spark.txt requirements/spark.in

clean: ## take away what was made here
	rm -rf $(VENV) demo

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c "import sys; sys.exit('Volens needs Python 3.11 or newer: make PYTHON=python3.12 …') if sys.version_info < (3, 11) else None"
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: $(VENV)/pyvenv.cfg requirements/demo.txt pyproject.toml
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/demo.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/spark.done: $(VENV)/dev.done requirements/spark.txt ## Spark's engine; wants Java 17
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/spark.txt
	touch $@

$(VENV)/dev.done: $(VENV)/pyvenv.cfg requirements/dev.txt pyproject.toml
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	touch $@
