# Every target does its own set-up. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export DOTNET_NOLOGO = 1
export DOTNET_CLI_TELEMETRY_OPTOUT = 1

.PHONY: help setup build images image demo test unit cluster modern faults soak rbac-check run crds charts lint bench clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'

setup: ## installs Debian packages and builds Kubernetes once, for test and demo (root; about 5 minutes the first time)
	@tests/TestBed/setup.sh

build: ## builds everything
	@dotnet build RagOperator.sln -v quiet --nologo

images: build ## packs the container images that test and demo run
	@tests/TestBed/images.sh

image: ## builds the operator's container image with ENGINE (docker); IMAGE names it, PLATFORM (linux/arm64), SDK and BASE (by digest) say of what
	@$(or $(ENGINE),docker) build $(addprefix --platform=,$(PLATFORM)) $(addprefix --build-arg=SDK=,$(SDK)) $(addprefix --build-arg=BASE=,$(BASE)) --tag $(or $(IMAGE),rag-operator:dev) .

demo: ## the main job, live, on a cluster of its own (CLUSTER=current: on your current one)
	@tests/demo.sh

test: setup images ## all tests; ends with "N passed, N failed, N skipped"
	@tests/run.sh all

unit: build ## the tests that need no cluster
	@tests/run.sh unit

cluster: setup images ## the tests on the real cluster
	@tests/run.sh cluster

modern: setup build ## the CRD on Debian's newest API server for extensions (not part of the tests; built once, root; run it when the CRD changes)
	@tests/modern.sh

faults: setup images ## every fault at every place (hours); ends with a table
	@tests/faults.sh

soak: setup images ## 200 services in rollouts with random faults for 20 minutes (SOAK_MINUTES, SOAK_OBJECTS)
	@tests/run.sh soak

rbac-check: setup build ## takes each right off the chart's roles in turn and sees it refused and missed (not part of the tests; half an hour)
	@tests/rbac-check.sh

run: build ## runs the operator here, against the current kubeconfig (metric sources: see docs/configuration.md)
	@dotnet run --no-build --project src/RagOperator.Operator -- $(ARGS)

crds: ## generates crds/, their copies in charts/ and config/, and docs/api.md from the types
	@dotnet run --project src/RagOperator.Generator -- crds
	@dotnet run --project src/RagOperator.Generator -- docs

charts: setup build ## writes again what is made of the chart: config/, docs/values.md, the tests' golden files
	@UPDATE_GOLDEN=1 dotnet test tests/RagOperator.Chart.Tests --no-build --nologo -v quiet

lint: ## format, analyzers, and whether what is generated is current
	@dotnet format RagOperator.sln --verify-no-changes --severity warn
	@dotnet build RagOperator.sln -v quiet --nologo
	@dotnet run --no-build --project src/RagOperator.Generator -- check

bench: ## figures: decisions, hashes, wrong rollbacks at low traffic
	@dotnet run -c Release --project tests/RagOperator.Bench

clean: ## removes what was built here
	@rm -rf artifacts
