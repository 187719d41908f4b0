# make serve   train three small networks, once, and serve them and their ensemble
# make test    check the code and run every test that needs nothing but Python packages
# make bench   measure the server against its engine and a bare echo; bench-peers, against other servers
# make help    every target

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help serve test test-training test-serving parity lint format protos bench bench-peers bench-training fashion-mnist ladder augmentation clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile; grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*##/ /' | column -t -s '#'

serve: .venv/training  ## train three small networks, once, and serve them
	$(BIN)/python -m training.first_light
	$(BIN)/tencrop serve --engine-threads 1

# Two processes: a server that is waited for leaves its core to networks that are trained.
test: .venv/dev .venv/clients lint  ## check the code and run the tests
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-training test-serving

# Of training, the directories beside the networks run with the others: so both end at about the same time.
test-training: .venv/dev  ## of these, the tests of networks and their training
	$(BIN)/python -m pytest tests/training/architectures tests/training/test_*.py

test-serving: .venv/dev .venv/clients  ## and all others
	$(BIN)/python -m pytest tests --ignore=tests/training/architectures --ignore-glob='tests/training/test_*.py'

parity: .venv/parity  ## hold our networks against torchvision's; installs torch, some gigabytes
	$(BIN)/python -m pytest -m torchvision tests/training/architectures/parity

lint: .venv/dev  ## style, types and imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy serving tencrop.py
	$(BIN)/lint-imports

format: .venv/dev  ## rewrite the code in its style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

protos: .venv/dev  ## generate the Python code of the protos
	PYTHON=$(BIN)/python sh protos/generate.sh

bench: .venv/dev  ## measure serving, and rewrite tests/benchmarks/README.md
	$(BIN)/python -m tests.benchmarks.serving

bench-peers: .venv/dev  ## measure serving beside other servers, each installed below .bench; some gigabytes
	$(BIN)/python -m tests.benchmarks.peers

bench-training: .venv/dev  ## measure training, and rewrite its table in tests/benchmarks/README.md
	$(BIN)/python -m tests.benchmarks.training

fashion-mnist: .venv/training  ## train seven LeNet-5 on Fashion-MNIST and rewrite the table in training/README.md
	$(BIN)/python -m training.tables

ladder: .venv/training  ## train seven families on Fashion-MNIST and rewrite their tables in training/README.md
	$(BIN)/python -m training.ladder

augmentation: .venv/training  ## draw docs/augmentation.png
	$(BIN)/python -m training.augmentation.figure

clean:  ## remove the environment, what was trained, and caches
	rm -rf .venv models runs pictures build *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +

# Clients of other servers, whose pins conflict with ours, for the tests in tests/contract.
.venv/clients: constraints-clients.txt
	$(PYTHON) -m venv $@
	@$@/bin/python -m pip install --quiet --disable-pip-version-check -c $< 'tritonclient[grpc,http]' kserve
	touch $@

# One stamp an extra: the environment is made again where what it was made from has changed.
.venv/training .venv/dev .venv/parity: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv; the first time this takes some minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(@F)]'
	touch $@
