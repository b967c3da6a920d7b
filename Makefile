# Every target installs what it needs: python3 (3.11 or newer), make and git are enough to begin.
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
export UV_PYTHON_DOWNLOADS := never
# uv does not go without a cache: where the home folder takes none, it is in this checkout.
ifndef UV_CACHE_DIR
ifneq ($(shell place="$${XDG_CACHE_HOME:-$$HOME/.cache}/uv"; mkdir -p "$$place" 2>/dev/null && [ -w "$$place" ] && echo written),written)
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
endif
endif
# Where it is set, every process would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE
# A hook or `git rebase --exec` exports its repository, and these variables beat `git -C`.
unexport GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS GIT_DIR GIT_GRAFT_FILE GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_INTERNAL_SUPER_PREFIX GIT_NAMESPACE GIT_NO_REPLACE_OBJECTS GIT_OBJECT_DIRECTORY GIT_PREFIX GIT_QUARANTINE_PATH GIT_REPLACE_REF_BASE GIT_SHALLOW_FILE GIT_WORK_TREE
export NO_MKDOCS_2_WARNING := 1
export DISABLE_MKDOCS_2_WARNING := true
ORDER ?= order-1
SAMPLE ?= 30000
SEED ?= 1
TIMES ?= 1
# What a build waits for: the tests of what a release deploys. A second build beside it runs all others that need no browser,
# on x86, for which alone PyPI has a MongoDB server.
CHECKED := tests/unit tests/templates
UNCHECKED := tests $(CHECKED:%=--ignore=%)
# What is deployed, and so what the coverage that an approver sees is of.
DEPLOYED := environments templates lambdas
# A rehearsal's build proves a part of the money path (PART=shortened), and its evidence says so.
IN_SHORT = $(filter shortened,$(PART))
PROVED = $(if $(IN_SHORT),-o norecursedirs=.hypothesis tests/integration/data_api/test_happy_order.py tests/integration/data_api/test_races.py tests/proofs/test_in_short.py,$(UNCHECKED) --numprocesses=$(PROCESSORS) --dist=loadfile --no-loadscope-reorder)
# A release's build has eight, a branch's four; each process imports all tests, so more of them would only import.
PROCESSORS = $(shell $(PYTHON) -c 'import os; print(max(2, min(8, os.cpu_count() or 2)))')
# From 3.12 on, Python's own monitoring costs coverage next to nothing, where tracing costs half as much again as the tests.
MEASURING = $(shell $(BIN)/python -c 'import sys; print("COVERAGE_CORE=sysmon" * (sys.version_info >= (3, 12)))')
# Tests wait as much as they reckon, so three share two processors.
WORKERS := 3
# What tests expect of environments is what sample files say: the checkout's own are an adopter's, and linted.
SAMPLED := -p tests.sample_environments
EVERY_TEST := $(BIN)/pytest $(SAMPLED) --numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

.PHONY: embedded-compat embedded-tests help install commands rehearsal rehearsal-bad test coverage check money-path lint audit checkov mutants template-mutants pictures permissions hostile format up down synth package docs build bench proofs crash-matrix drill clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@rm -rf .venv
	@[ -n "$(UV)" ] && $(UV) venv --quiet --python $(PYTHON) .venv && ln -s $(UV) $@ || $(MAKE) --no-print-directory .venv/from-nothing

# A uv that is there already (UV=/path/to/uv) spares fetching one; rehearsed builds are told of this checkout's.
.PHONY: .venv/from-nothing
.venv/from-nothing:
	@$(PYTHON) -m venv .venv || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && rm -rf .venv && apt-get install -qy python3-venv && $(PYTHON) -m venv .venv; } || { rm -rf .venv; echo "python3 cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Python 3.11 reads these files in the locale's encoding: relative, they hold no letter of this folder's name.
# Each is replaced, never written into: it is a hard link into uv's cache, which other environments are made from.
RELATIVE_PATHS = here=$$(pwd); for link in .venv/lib/python*/site-packages/*.pth; do IFS= read -r folder < "$$link" || true; case $$folder in "$$here"/*) printf '../../../..%s\n' "$${folder\#"$$here"}" > "$$link.new" && mv "$$link.new" "$$link";; esac; done

# The embedded AWS's public module is imported from its source: what its server pins is no dependency of ours.
.venv/installed: .venv/bin/uv pyproject.toml uv.lock lambdas/pyproject.toml lambdas/payment_data/pyproject.toml environments/embedded/uv.lock tests/awscli/uv.lock
	@$(BIN)/uv sync --quiet --frozen
	@$(RELATIVE_PATHS)
	@for site in .venv/lib/python*/site-packages; do echo ../../../../environments/embedded/src > "$$site/embedded_aws.pth"; done
	@UV_PROJECT_ENVIRONMENT="$$(pwd)"/.cache/embedded-aws $(BIN)/uv sync --quiet --frozen --no-install-project --extra mongodb --project environments/embedded
	@UV_PROJECT_ENVIRONMENT=.cache/lambda-runtime $(BIN)/uv sync --quiet --frozen --only-group lambda-runtime
	@touch $@

# The small builds of a pipeline run `payments` alone: no linter, no test, no site to build, no embedded AWS.
# What is installed beyond that stays, so that a checkout with everything keeps it.
.venv/commands: .venv/bin/uv pyproject.toml uv.lock lambdas/pyproject.toml lambdas/payment_data/pyproject.toml
	@$(BIN)/uv sync --quiet --frozen --no-default-groups --group commands --inexact
	@$(RELATIVE_PATHS)
	@touch $@

commands: .venv/commands ## Install what the payments command needs, and nothing else

.cache/awscli/installed: .venv/installed tests/awscli/uv.lock
	@UV_PROJECT_ENVIRONMENT="$$(pwd)"/.cache/awscli $(BIN)/uv sync --quiet --frozen --project tests/awscli
	@touch $@

install: .venv/installed ## Install everything into .venv and .cache (other targets do it by themselves)

.cache/card-gateway/installed: .venv/installed environments/embedded/src/embedded_aws/card_gateway/uv.lock
	@UV_PROJECT_ENVIRONMENT="$$(pwd)"/.cache/card-gateway $(BIN)/uv sync --quiet --frozen --project environments/embedded/src/embedded_aws/card_gateway
	@touch $@

rehearsal: install .cache/card-gateway/installed ## Promote a commit to prod by the real pipelines, here (FRESH=1 reuses nothing, FULL=1 proves the whole money path, HOLD=1 waits for you, ONE_ACCOUNT=1, DATABASE=scram)
	@$(BIN)/payments rehearse $(if $(FRESH),--fresh) $(if $(FULL),--full) $(if $(HOLD),--hold) $(if $(ONE_ACCOUNT),--one-account) $(if $(DATABASE),--database $(DATABASE))

rehearsal-bad: install .cache/card-gateway/installed ## Promote commits that fail, and see production stay as it was (TIMES=20)
	@$(BIN)/payments rehearse-bad --times $(TIMES)

# Linters use one processor, one after the other, so they run beside the tests, and what they say comes last.
LINT_BESIDE := mkdir -p reports; $(MAKE) --no-print-directory lint > reports/lint.txt 2>&1 & linting=$$!;
LINT_SAYS := tested=$$?; wait $$linting; linted=$$?; cat reports/lint.txt; exit $$((tested + linted))

# A browser is fetched while tests that need none run; where it may not be fetched, tests say so.
test: install .cache/awscli/installed .cache/card-gateway/installed ## Run the linters and every test that does not take minutes (FRESH=1 opens unchanged pages of the docs, too)
	@$(LINT_BESIDE) $(BIN)/python -m tests.site.chromium; $(EVERY_TEST) --junitxml=reports/tests.xml; $(LINT_SAYS)

# Apart from `make test`, since measuring takes half as long again.
coverage: install .cache/awscli/installed .cache/card-gateway/installed ## Run what make test runs, and measure what it covers
	@$(EVERY_TEST) --cov --cov-branch --cov-report=term:skip-covered --cov-report=html:reports/coverage

check: install ## Run what a build runs: the linters, and the tests of what a release deploys that need no database
	@$(LINT_BESIDE) $(MEASURING) $(BIN)/pytest $(SAMPLED) $(CHECKED) --numprocesses=$(PROCESSORS) --dist=loadfile $(DEPLOYED:%=--cov=%) --cov-report=term:skip-covered --cov-report=xml:reports/coverage.xml --junitxml=reports/tests.xml; $(LINT_SAYS)

money-path: install $(if $(IN_SHORT),,.cache/awscli/installed .cache/card-gateway/installed) ## Run what a build proves with a real MongoDB: every single fault, every mutant, the tests that `make check` leaves out
	@mkdir -p reports; $(if $(IN_SHORT),,CRASH_MATRIX=whole) $(BIN)/pytest $(SAMPLED) -p tests.in_a_build $(PROVED) --junitxml=reports/money-path.xml

lint: install ## Check style, types, imports, templates and workflow definitions
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --cache-dir $${PAYMENTS_CACHE:-.cache}/mypy
	@PYTHONPATH=.:lambdas $(BIN)/lint-imports --no-logo
	@$(BIN)/payments lint

.cache/checkov/installed: .venv/installed tests/checkov/uv.lock
	@UV_PROJECT_ENVIRONMENT="$$(pwd)"/.cache/checkov $(BIN)/uv sync --quiet --frozen --project tests/checkov
	@touch $@

audit: package .cache/awscli/installed .cache/card-gateway/installed .cache/checkov/installed ## Check dependencies, licences, secrets, code and templates; needs the network to ask for advisories
	@$(BIN)/payments audit

checkov: install .cache/checkov/installed ## Let checkov read every template
	@$(BIN)/payments audit templates

mutants: install ## Change the code a little, 60 times a room, and list what its tests do not notice (ROOM=templates, SEED=1)
	@$(BIN)/python -m tests.mutants $(ROOM) --seed $(SEED)

template-mutants: install ## Drop or change every part of every template, and list what nobody notices (SAMPLE=500, PUBLISH=1); goes on where it was stopped
	@PYTHONPATH=.:lambdas $(BIN)/python -m tests.template_mutants --sample $(SAMPLE) --seed $(SEED) $(if $(PUBLISH),--publish)

embedded-tests: install ## Run all of the embedded AWS's own tests in its own environment (make test leaves the long ones out)
	@cd environments/embedded && UV="$(CURDIR)/$(BIN)/uv" ../../.cache/embedded-aws/bin/python -m pytest -p no:cacheprovider

embedded-compat: install ## Say what other versions of MiniStack break (MINISTACK="1.5.32 1.5.30")
	@$(BIN)/python environments/embedded/tests/compat.py $(BIN)/uv $(MINISTACK)

pictures: install ## Take the docs' pictures of the console anew; needs Chromium
	@$(BIN)/python -m tests.console.pictures

permissions: install .cache/card-gateway/installed ## Promote two releases; see that no permission is dead or missing, and nothing secret is told
	@$(BIN)/pytest tests/least_privilege tests/rehearsal/least_privilege -o norecursedirs=.hypothesis -p no:randomly

hostile: install .cache/card-gateway/installed ## Let a hostile branch try everything while a release waits (PUBLISH=1 for the threat model, PLACES=5 for more places)
	@$(BIN)/python -m tests.site.chromium; $(if $(PUBLISH),PUBLISH=1) $(BIN)/pytest tests/hostile tests/hostile/attack -o norecursedirs=.hypothesis -p no:randomly

format: install ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

up: install .cache/card-gateway/installed ## Start the embedded AWS and keep it running
	@$(BIN)/payments up

down: install ## Stop the embedded AWS
	@$(BIN)/payments down

synth: install ## Write the CloudFormation templates to dist/templates
	@$(BIN)/payments synth

package: install ## Build one reproducible zip per Lambda into dist/packages
	@$(BIN)/payments package

docs: install ## Build the docs site into site
	@$(BIN)/payments docs build

# Most of them wait for a program or the network, one after the other.
build: ## Make what a build makes of a source that was checked: templates, packages, the audit, the docs
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target synth package audit docs

bench: install ## Measure orders per second, latency, memory, package size and cold start
	@$(BIN)/pytest tests/benchmarks -o norecursedirs=.hypothesis -v -p no:randomly

proofs: install .cache/awscli/installed .cache/card-gateway/installed ## Prove the money path (faults, mutants, properties, kill -9) and a promotion from commit to production
	@$(BIN)/python -m tests.site.chromium; CRASH_MATRIX=whole $(BIN)/pytest tests/crash_matrix tests/properties tests/integration/reconciliation tests/proofs -o norecursedirs=.hypothesis --numprocesses=2 --dist=loadfile

crash-matrix: install ## Inject pairs of faults (SAMPLE=30000 SEED=1; SAMPLE=all for every pair; PUBLISH=1 for the docs); goes on where it was stopped
	@PYTHONPATH=lambdas $(BIN)/python -m tests.crash_matrix --sample $(SAMPLE) --seed $(SEED) $(if $(PUBLISH),--publish)

drill: TIMES = 3
drill: install .cache/awscli/installed .cache/card-gateway/installed ## Make disasters and mend them by the runbooks (DRILL=stack-deleted TIMES=3)
	@TIMES=$(TIMES) $(BIN)/pytest tests/drills -o norecursedirs=.hypothesis -s -p no:randomly --tb=short $(if $(DRILL),-k $(subst -,_,$(DRILL)))

clean: ## Remove everything that was built or installed
	@[ ! -x $(BIN)/payments ] || $(BIN)/payments down
	@rm -rf .venv .cache dist site reports .embedded
