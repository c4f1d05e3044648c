# Every command a person needs; `make help` lists them.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
MODEL_DIR ?= models/dns-risk/2
# The version that `make gate` compares MODEL_DIR with.
BASELINE ?= models/dns-risk/2
# Labelled data for train and evaluate: $(DNS_RISK_SHARED)/data.
DNS_RISK_SHARED ?= ../shared
# What make load sends; see docs/load-testing.md.
PROFILE ?= steady
# Test files at a time; they wait for servers more than they compute.
WORKERS ?= 2
export DNS_RISK_SHARED

.DEFAULT_GOAL := help
.PHONY: help run test check lint format train evaluate explain-check figures gate track bench bench-resolver load images manifests canary-demo chaos fuzz soak golden clean

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# The stamp names its extra: `make test` after `make run` adds what tests need, a second run adds nothing.
$(VENV)/.installed-%: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing '.[$*]' into $(VENV): minutes once, nothing from then on."
	@$(BIN)/python -m pip install --quiet --editable '.[$*]'
	@touch $@

DEV := $(VENV)/.installed-dev
# `dev` holds all of `run`.
RUN := $(firstword $(wildcard $(DEV)) $(VENV)/.installed-run)

run: $(RUN)  ## start predictor, transformer and explainer, print a request to try; Ctrl-C stops both
	@$(BIN)/python -m inference_services.local

test: $(DEV)  ## every test, with real servers and real clients
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

check: lint  ## lint and fast tests: before every commit
	$(BIN)/python -m pytest -m "not slow"

lint: $(DEV)  ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)  ## let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

train: $(DEV)  ## run the pipeline on $(DNS_RISK_SHARED)/data: train, judge and package into MODEL_DIR
	$(BIN)/python -m training train --output $(MODEL_DIR)

evaluate: $(DEV)  ## served scores against the baselines of the same run: report.html and .json in MODEL_DIR
	$(BIN)/python -m training evaluate --model_dir $(MODEL_DIR)

explain-check: $(DEV)  ## are explanations of the model in MODEL_DIR true, stable and quick?
	$(BIN)/python -m training explain-check --model_dir $(MODEL_DIR)

figures: $(DEV)  ## README's figures of quality from the report in MODEL_DIR
	$(BIN)/python -m training figures --model_dir $(MODEL_DIR) --readme README.md

gate: $(DEV)  ## may MODEL_DIR take the place of BASELINE?
	$(BIN)/python -m training gate $(MODEL_DIR) $(BASELINE)

track: $(DEV)  ## keep the version in MODEL_DIR in the registry
	$(BIN)/python -m training track $(MODEL_DIR)

bench: $(DEV)  ## speed, as ratios of one run
	$(BIN)/python -m load_tests.bench_features
	$(BIN)/python -m load_tests.bench_predictor --model_dir $(MODEL_DIR)

bench-resolver: $(DEV)  ## what the resolver sidecar takes, and what it costs resolvers that are installed
	$(BIN)/python -m load_tests.bench_resolver

load: $(DEV)  ## resolvers' traffic against running services: PROFILE=steady, burst, ramp-to-knee, soak, canary
	$(BIN)/python -m load_tests.load $(PROFILE)

images: $(DEV)  ## build the five images with docker, podman or buildah
	$(BIN)/python -m inference_services.images build

manifests: $(DEV)  ## render every overlay and training job, check them against schemas and rules
	$(BIN)/python -m inference_services.manifests

canary-demo: $(DEV)  ## good and bad canaries behind a real proxy, judged by a real Prometheus
	$(BIN)/python -m tests.canary_demo

chaos: $(DEV)  ## inject faults into real services under load, count what callers saw
	$(BIN)/python -m tests.chaos

fuzz: $(DEV)  ## malformed requests over every way in
	$(BIN)/python -m tests.chaos.fuzz

soak: $(DEV)  ## half an hour of traffic, memory fitted by a line
	$(BIN)/python -m tests.chaos.soak

golden: $(DEV)  ## write golden files and README answers anew, after a change that is meant to move them
	$(BIN)/python -m tests.golden
	$(BIN)/python -m tests.end_to_end.renew_readme

clean:  ## remove the environment, caches and the local graph store; the model stays
	rm -rf $(VENV) graph-store build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
