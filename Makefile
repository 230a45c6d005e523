# Everything a checkout needs, from a machine with Python 3.11, make and a network.
#
#   make demo    the playground: simulated Discord in the browser, a real agent, real game servers
#   make tour    the same story as a transcript; exits 1 if a step fails
#   make test    the tests           make check   lint, types, import rules, conventions
#   make bench   the benchmarks      make lock    resolve the pinned requirements again
#   make clean   remove the virtual environment and every cache

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python -m
# Not wished for: pip's advice to upgrade it, and its warning that root should use a virtual environment (it does).
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: demo tour test check bench lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/demo.installed
	@$(VENV)/bin/gamekeeper demo

tour: $(VENV)/demo.installed
	@$(VENV)/bin/gamekeeper tour

test: $(VENV)/dev.installed
	$(RUN) pytest -n 2 $(ARGS)

check: $(VENV)/dev.installed
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(VENV)/bin/basedpyright
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) pytest -q tests/test_codebase.py tests/test_surface.py

bench: $(VENV)/dev.installed
	$(RUN) benchmarks $(ARGS)

# --universal: one file for every platform and Python we support. No index address gets into it.
compile = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

lock: $(VENV)/dev.installed
	$(compile) pyproject.toml -o requirements.lock
	$(compile) --extra bot pyproject.toml -o requirements-bot.lock
	$(compile) --extra demo pyproject.toml -o requirements-demo.lock
	$(compile) --extra dev pyproject.toml -o requirements-dev.lock
	$(compile) --group build -o requirements-build.lock

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment. A stamp is a copy of the lock file that was installed, so two runs at once do the work once:
# the second waits for the first, sees that nothing is left to do, and goes on.
$(VENV)/%.installed: requirements-%.lock requirements-build.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/venv $(VENV) $*
