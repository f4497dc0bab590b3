# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Needs make and Python 3.11 or newer; each target makes the virtual environment that it needs under .venv or .cache.

RUN := sh tests/tools/run.sh
GATES ?=
TARGETS ?=
PYTEST ?= -n 2 -q
MODULE ?= waiting

.DEFAULT_GOAL := help
.PHONY: help demo test units e2e integration sandbox lint sanity matrix coverage mutation bench docs build clean distclean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
	    printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: ## four orders, one per provider, from pending to a served certificate
	@$(RUN) tests/demo/run

test: units e2e integration ## all tests

units: ## unit tests; PYTEST='-k name' selects
	@$(RUN) python -m pytest tests/unit $(PYTEST)

e2e: ## tests with real ansible runs; PYTEST='-k name' selects
	@$(RUN) python -m pytest tests/e2e $(PYTEST)

integration: ## integration tests with ansible-test; TARGETS='order_wait' selects
	@$(RUN) python tests/tools/ansible_test.py integration $(TARGETS)

sandbox: ## start the sandbox: the four providers on this machine, until Ctrl-C
	@$(RUN) python tests/sandbox $(SANDBOX)

lint: ## all quality gates; GATES='ruff mypy' selects, GATES=--list names them
	@$(RUN) python tests/tools/gates.py lint $(GATES)

sanity: ## ansible-test sanity with the oldest and the newest ansible-core
	@$(RUN) python tests/tools/gates.py sanity $(GATES)

matrix: ## unit and integration tests on every supported ansible-core and Python
	@$(RUN) python tests/tools/gates.py matrix $(GATES)

coverage: ## lines and branches covered by all tests, as a table
	@$(RUN) --with coverage python tests/tools/covered.py

mutation: ## what the unit tests of a module notice; MODULE='waiting --survivors' selects, and shows what not
	@$(RUN) --with mutation python tests/tools/mutation.py $(MODULE)

bench: ## measure; BENCH='name' selects
	@$(RUN) --with bench benchmarks/run $(BENCH)

docs: ## the documentation site, in build/docs
	@$(RUN) --with docs python tests/tools/docs.py

build: ## the collection tarball, in build
	@mkdir -p build
	@$(RUN) ansible-galaxy collection build --force --output-path build

clean: ## remove what was made, except .venv
	rm -rf .cache .ansible build tests/output benchmarks/results changelogs/.plugin-cache.yaml
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv too
	rm -rf .venv
