# Everything that a target needs, it sets up by itself: Python packages in .venv, Asterisk and Redis in .stack.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# The stamp bears Python's version: a newer Python on the machine means a new .venv.
READY := $(VENV)/.ready-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
STACK := $(PY) -m service.stack
SPEECH := $(PY) -m service.stack.speech
ifdef NODES
export ORBIT_NODES := $(NODES)
endif
ifdef PROCESSES
export ORBIT_PROCESSES := $(PROCESSES)
endif

.DEFAULT_GOAL := help
.PHONY: help run up upgrade reload down status logs demo lint types test prepared fast stories chaos soak bench test-compose check clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: $(READY) ## Set everything up and run it in the foreground; Ctrl-C stops it
	@$(SPEECH)
	@exec $(STACK) run

up: $(READY) ## The same in the background; NODES=2 PROCESSES=2 for two Asterisk nodes and two processes
	@$(SPEECH)
	@$(STACK) up

upgrade: $(READY) ## Replace the processes of the running service one by one; calls go on
	@$(STACK) upgrade

reload: $(READY) ## Let Asterisk take up new certificates and an edited configuration; calls go on
	@$(STACK) reload

down: $(READY) ## Stop what runs
	@$(STACK) down

status: $(READY) ## Show what runs
	@$(STACK) status

logs: $(READY) ## Follow the logs of all parts
	@exec $(STACK) logs

demo: $(READY) ## Place a call to the sandbox, show its timeline and its recording
	@$(STACK) demo

lint: $(READY) ## Check the style
	$(PY) -m ruff check .

types: $(READY) ## Check the types
	$(PY) -m mypy

test: fast stories ## Run all tests, on a stack of their own; `make -j2 test` runs two parts side by side

prepared: $(READY)
	@$(SPEECH)
	@$(STACK) tree --baresip

fast: prepared
	$(PY) -m pytest tests/unit tests/contract

stories: prepared
	$(PY) -m pytest tests/stories

chaos: $(READY) ## Lose one part after another under calls, compare SIP, records and webhooks; ONLY=fault,… for some
	@$(STACK) tree
	@exec $(PY) -m tests.chaos $(if $(ONLY),--only $(ONLY))

soak: $(READY) ## Place 10,000 calls, and look for what they leave behind
	@$(STACK) tree
	@exec $(PY) -m bench.soak

bench: $(READY) ## Measure the service against Asterisk's own limit, write docs/benchmarks.md; ONLY=part,… for some
	@$(STACK) tree
	@exec $(PY) -m bench $(if $(ONLY),--only $(ONLY))

test-compose: $(READY) ## Try compose.yaml with a container engine
	tests/compose/run

check: lint types fast ## Check style and types, run the fast tests

clean: ## Stop what runs here, remove .stack and .venv
	@if [ -e .stack/home/lock ] && [ -x $(PY) ]; then env -u ORBIT_HOME $(STACK) down; fi
	rm -rf .stack $(VENV)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed (PYTHON=… names another one)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "  python    installing python3-venv with apt-get ..."; \
	    apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	  else \
	    echo "python3-venv is missing; run as root: apt-get update && apt-get install -y python3-venv" >&2; exit 1; \
	  fi
	@echo "  python    installing the packages of constraints.txt in $(VENV) ..."; begun=$$(date +%s); \
	  { [ -e $@ ] || $(PYTHON) -m venv --clear $(VENV); } && \
	  $(PY) -m pip install -qq -c constraints.txt -e '.[dev,speech]' && touch $@ && \
	  echo "  python    $$(( $$(date +%s) - begun )) s"
