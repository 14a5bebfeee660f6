# Everything starts here. Needs Python 3.11 or newer and make; the rest is built into .venv and frontend/.
PYTHON ?= python3
PORT ?= 8000
SEED ?= 0
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
NODE_READY := frontend/node_modules/.ready
BUILT := frontend/dist/.vite/manifest.json
NPM := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" npm --prefix frontend --no-audit --no-fund --no-update-notifier
FRONTEND := $(shell find frontend/src frontend/styles frontend/build frontend/public frontend/contract/package.json \
  frontend/*.ts frontend/*.json -type f -not -path frontend/src/api/schema.ts 2>/dev/null)

# Where bytecode is never kept, each of the many processes that the tests start compiles all that it imports once more.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lint fmt contract frontend bench soak services

help: ## Show these lines
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{printf "make %-9s %s\n", $$1, $$2}'

$(READY): requirements-dev.txt scripts/bootstrap.py
	$(PYTHON) scripts/bootstrap.py $(VENV)
	@touch $@

$(NODE_READY): frontend/package-lock.json | $(READY)
	$(NPM) ci
	@touch $@

$(BUILT): $(NODE_READY) $(FRONTEND)
	$(NPM) run build

frontend: $(BUILT) ## Build the front end into frontend/dist

demo: $(READY) $(BUILT) ## Serve http://127.0.0.1:8000 (PORT) with a cohort of phantoms that is scored while you watch
	exec $(RUN) manage.py demo --port $(PORT)

test: $(READY) $(NODE_READY) ## Everything: lint, types, import rules, front end, unit, service, fault and browser tests
	exec $(RUN) -m scripts.test

lint: $(READY) $(NODE_READY) ## Style, types and import rules
	exec $(RUN) -m scripts.test lint

fmt: $(READY) $(NODE_READY) ## Format the Python and the TypeScript
	$(VENV)/bin/ruff check --fix --quiet . || true
	$(VENV)/bin/ruff format .
	$(NPM) run --silent format || true

contract: $(READY) ## Write frontend/openapi.json, from which the front end's types are generated
	$(RUN) manage.py spectacular --format openapi-json --file frontend/openapi.json --fail-on-warn

services: $(READY) ## Find or install what the tests drive: Chromium, PostgreSQL, Redis, dicom3tools, DCMTK, ffmpeg
	exec $(RUN) -m scripts.services

bench: $(READY) $(BUILT) services ## Measure (AREA=main for one area) and write benchmarks/latest.json
	exec $(RUN) -m benchmarks $(AREA)

soak: $(READY) $(BUILT) services ## The long kill runs, with their counts; go on where they were stopped
	exec $(RUN) -m scripts.soak --seed $(SEED)
