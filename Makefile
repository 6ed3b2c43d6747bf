# Every target makes .venv when it is missing and says what it is doing.
PYTHON ?= python3
VENV := .venv
PEERS := .peers
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint format bench crashtest eval teach clean browser
.DEFAULT_GOAL := help

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@echo "==> Making $(VENV) and installing Pregonero into it (a minute or two, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Pregonero needs Python 3.11 or newer; try: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## three phones on a page, and one announcement that reaches them (ARGS=--once for the short form)
	@$(BIN)/pregonero demo $(ARGS)

browser:
	@if ! command -v chromium >/dev/null || ! command -v chromedriver >/dev/null; then \
		echo "==> Installing Debian's chromium and chromium-driver (the page test drives a real browser)"; \
		SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$SUDO apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$SUDO apt-get install -y -qq chromium chromium-driver fonts-noto-color-emoji >/dev/null; \
	fi

test: $(STAMP) browser ## the whole suite, with a real browser for the page (ARGS='-k name' for a part)
	@echo "==> Running the tests"
	@$(BIN)/python -m pytest -n 3 --dist worksteal $(ARGS)

lint: $(STAMP) ## formatter, linter and strict types
	@echo "==> Formatter"
	@$(BIN)/ruff format --check .
	@echo "==> Linter"
	@$(BIN)/ruff check .
	@echo "==> Types"
	@$(BIN)/mypy

format: $(STAMP) ## put the code into the house's shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

$(PEERS)/.installed: benchmarks/peers/requirements.txt benchmarks/peers/package.json benchmarks/peers/install.sh
	@echo "==> Getting what Pregonero is measured beside into $(PEERS): Python's, Node's and Debian's (two minutes, once)"
	@sh benchmarks/peers/install.sh $(PEERS) $(PYTHON)

bench: $(STAMP) $(PEERS)/.installed ## messages a second, memory and cost beside the peers, on this machine (ARGS=--quick for three minutes)
	@$(BIN)/python -m benchmarks $(ARGS)

crashtest: $(STAMP) ## kill the service a thousand times, anywhere, and compare each row with the vendors' ledger
	@$(BIN)/python -m tests.crash $(ARGS)

eval: $(STAMP) ## how well the bot understands people: every sample, phrase and crisis, with every miss
	@$(BIN)/python -m evaluation

teach: $(STAMP) ## learn anew from the examples in teaching/ and evaluation/ what people mean
	@$(BIN)/python -W ignore -m teaching

clean: ## forget the environment and the caches
	@rm -rf $(VENV) $(PEERS) .mypy_cache .ruff_cache .pytest_cache .hypothesis
