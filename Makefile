# smart-boiler-plugin: `make demo`, `make serve`, `make test`. Needs Python 3.10 to 3.12, git and make.
# PYTHON=/path/to/python, PORT=5001 and FOLDER=/some/folder change what the targets use.

PORT ?= 5000
FOLDER ?= .smart-boiler
BENCH ?= planning
PIN := .venv/.complete
RUN := exec .venv/bin/python
LOCK := .venv/bin/uv pip compile --quiet --system-certs --universal --python-version 3.10 --no-header \
	--extra embedded --extra mqtt --extra dev
# a file of tests in one process, and the files in the order of tests/conftest.py
ON_ALL_CORES := -n logical --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: install install-deps install-smart-boiler-plugin install-for-dev freeze-deps upgrade-deps help demo serve test test-long test-host test-install screenshots fuzz benchmark simulate docs dist lint format catalogues lock clean

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## / {split($$1, name, " "); printf "make %-15s %s\n", name[1], $$2}' $(MAKEFILE_LIST)

demo: $(PIN)  ## Run the six steps of a boiler business on this machine, then end everything
	@$(RUN) -m smart_boiler_plugin.demo --port $(PORT) --folder "$(FOLDER)"

serve: $(PIN)  ## Keep the demo's server running until Ctrl-C
	@$(RUN) -m smart_boiler_plugin.demo --serve --port $(PORT) --folder "$(FOLDER)"

test: $(PIN)  ## Run all tests, on all cores (ARGS="-k name" chooses; ARGS=-n0 for one process)
	@$(RUN) -m pytest $(ON_ALL_CORES) $(ARGS)

fuzz: $(PIN)  ## Send the API 2,000 and more random requests (a few minutes)
	@FUZZ_EXAMPLES=150 .venv/bin/python -m pytest -s tests/host/test_openapi.py $(ARGS)

test-long: $(PIN)  ## Run the tests that take minutes: the same ones on many more random cases
	@$(RUN) -m pytest $(ON_ALL_CORES) -m long $(ARGS)

test-host: $(PIN)  ## Run FlexMeasures' own tests (ui, api, planning) with the plugin loaded (a quarter of an hour)
	@host=$$(.venv/bin/python -c 'import importlib.util as u; print(u.find_spec("flexmeasures").submodule_search_locations[0])') && \
		$(RUN) -m pytest $(ON_ALL_CORES) -c tests/hosts_own/pytest.ini --rootdir "$$host" -p no:cacheprovider \
		"$$host/ui/tests" "$$host/api" "$$host/data/models/planning/tests" $(ARGS)

screenshots: $(PIN)  ## Make the pictures of the pages in docs/ anew (needs a Chromium and npm, as tests/browser)
	@$(RUN) -m pytest -q -n0 tests/browser/screenshots.py tests/browser/screenshots_household.py $(ARGS)

docs: $(PIN)  ## Make docs/settings.md and docs/api.md of the code, check all links, and run all shell blocks (two minutes)
	@.venv/bin/python -m scripts.docs
	@$(RUN) -m pytest -q -n0 -m long tests/system/test_docs.py

dist: $(PIN)  ## Build a wheel and a source distribution into dist/, and check them
	@rm -rf build dist
	@.venv/bin/python -m build --no-isolation --outdir dist . >/dev/null
	@.venv/bin/twine check --strict dist/*

test-install: dist  ## Install the wheel into a new environment without the lock, start FlexMeasures and take on a customer
	@scripts/test-install

benchmark: $(PIN)  ## Compare the CPU time of a plan with that of the host's own scheduler (BENCH=fleet, reports, readings, set_points_out, bridge, learning, onboarding, set_points, start, status: of those; believing: boilers with faults)
	@$(RUN) -m benchmarks.$(BENCH) $(ARGS)

simulate: $(PIN)  ## Compare thermostats, timers, plans, set-points and foresight on weeks of real prices (ARGS="--quick")
	@$(RUN) -m benchmarks.simulate $(ARGS)

lint: $(PIN)  ## Check format, style, types, and who imports whom
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

format: $(PIN)  ## Format the code and mend what can be mended
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

TEXTS := smart_boiler_plugin/translations
catalogues: $(PIN)  ## Bring the texts in other languages up to date with the code, and compile them
	@.venv/bin/pybabel -q extract -F pyproject.toml --no-location --omit-header -o $(TEXTS)/smart_boiler.pot .
	@.venv/bin/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -D smart_boiler \
		-i $(TEXTS)/smart_boiler.pot -d $(TEXTS)
	@.venv/bin/pybabel -q compile -D smart_boiler -d $(TEXTS)

# as FlexMeasures' plugin template calls them; uv, which is in the lock, does what pip-tools does there
install install-deps install-smart-boiler-plugin: $(PIN)  ## Make .venv with the locked dependencies and this checkout

install-for-dev: install  ## The same, and let git run the checks of make lint before each commit
	@.venv/bin/pre-commit install

freeze-deps: $(PIN)  ## Lock what setup.cfg needs, and change no version that is locked already
	@$(LOCK) setup.cfg --output-file requirements.lock

upgrade-deps: lock test  ## Bring the locked dependencies up to date, and run all tests

lock: $(PIN)  ## Bring the locked dependencies up to date with setup.cfg
	@$(LOCK) --upgrade setup.cfg --output-file requirements.lock

clean:  ## Remove the virtual environment and the demo's folder
	rm -rf .venv "$(FOLDER)"

$(PIN): requirements.lock setup.cfg scripts/make-venv
	@scripts/make-venv
