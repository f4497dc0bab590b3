# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Names for the sessions of noxfile.py. Needs make and Python 3.11 or newer; all else is installed into .venv and .cache.

NOX := sh tests/tools/nox.sh
JOBS ?= auto
GATES ?=
TARGETS ?=
PYTEST ?=
MODULE ?= model

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-all test-kill units e2e integration sandbox lint sanity matrix coverage mutation bench docs build
.PHONY: sessions clean distclean

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
	    printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: ## four orders, one per provider, from pending to a served certificate
	@$(NOX) -s demo

test: ## the tests to run before each commit
	@$(NOX) -j $(JOBS) -t test

test-all: ## all tests
	@$(NOX) -j $(JOBS) -t test-all

test-kill: ## deployments killed at every system call, and renewals at every task
	@$(NOX) -s test-kill

units: ## unit tests; PYTEST='-k name' selects
	@$(NOX) -s units -- $(PYTEST)

e2e: ## tests with real ansible runs; PYTEST='-k name' selects
	@$(NOX) -s e2e -- $(PYTEST)

integration: ## integration tests with ansible-test; TARGETS='order_wait' selects
	@$(NOX) -s integration -- $(TARGETS)

sandbox: ## start the sandbox: the four providers on this machine, until Ctrl-C
	@$(NOX) -s sandbox -- $(SANDBOX)

lint: ## all quality gates; GATES='ruff mypy' selects, make sessions names them
	@$(NOX) -j $(JOBS) $(if $(GATES),-s $(GATES),-t lint)

sanity: ## ansible-test sanity with the oldest and the newest ansible-core
	@$(NOX) -j $(JOBS) -t lint -k sanity

matrix: ## unit and integration tests on every supported ansible-core and Python; GATES='units 3.8' selects
	@$(NOX) -t matrix -- $(GATES)

coverage: ## lines and branches covered by units and integration targets, as a table
	@$(NOX) -s coverage

mutation: ## what the unit tests of a module notice; MODULE='model --survivors' selects, and shows what not
	@$(NOX) -s mutation -- $(MODULE)

bench: ## measure; BENCH='name' selects
	@$(NOX) -s bench -- $(BENCH)

docs: ## the documentation site, in build/docs
	@$(NOX) -s docs

build: ## the collection tarball, in build
	@$(NOX) -s build

sessions: ## all sessions of nox
	@$(NOX) --list

clean: ## remove what was made, except .venv
	rm -rf .cache .ansible build tests/output benchmarks/results changelogs/.plugin-cache.yaml
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv too
	rm -rf .venv
