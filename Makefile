# Everything a checkout needs, from a machine with Python 3.11, make and a network.
#
#   make demo    the playground: simulated Discord in the browser, a real agent, real game servers
#   make tour    the same story as a transcript; exits 1 if a step fails
#   make test    the tests           make check   lint, types, import rules, conventions
#   make soak    kill -9 at every single await of the commands that change something; five minutes of chaos
#   make bench   the benchmarks      make lock    resolve the pinned requirements again
#   make clean   remove the virtual environment and every cache

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python -m
# Not wished for: pip's advice to upgrade it, and its warning that root should use a virtual environment (it does).
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: demo tour test soak check bench lock clean

demo: venv-demo
	@$(VENV)/bin/gamekeeper demo

tour: venv-demo
	@$(VENV)/bin/gamekeeper tour

test: venv-dev
	$(RUN) pytest -n 2 $(ARGS)

soak: venv-dev
	EVERY_AWAIT=1 $(RUN) pytest --timeout 900 tests/faults/test_commands.py $(ARGS)
	SOAK=1 CHAOS_KILL_POSTGRES=1 $(RUN) pytest -s tests/faults/test_chaos.py $(ARGS)

check: venv-dev
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(VENV)/bin/basedpyright
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) pytest -q tests/test_codebase.py tests/test_surface.py

bench: venv-dev
	$(RUN) benchmarks $(ARGS)

# --universal: one file for every platform and Python we support. No index address gets into it.
compile = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

lock: venv-dev
	$(compile) pyproject.toml -o requirements.lock
	$(compile) --extra bot pyproject.toml -o requirements-bot.lock
	$(compile) --extra demo pyproject.toml -o requirements-demo.lock
	$(compile) --extra dev pyproject.toml -o requirements-dev.lock
	$(compile) --group build -o requirements-build.lock

clean:
	rm -rf $(VENV) $(VENV).lock .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The script knows by itself whether there is anything to do: file times say nothing after a clone, a move or a checkout.
venv-%:
	@PYTHON="$(PYTHON)" sh .ci/venv $(VENV) $*
