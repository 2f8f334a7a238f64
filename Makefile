# What a contributor runs. `make` alone lists the targets.
.DEFAULT_GOAL := help
STORE ?= sqlite
FUZZ_TIME ?= 30s
ROUNDS ?= 12

.PHONY: help test test-store test-all test-e2e failover check lint bench fuzz release

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

test: ## the quick tests of the root module, in about 25 seconds once compiled
	go test -short ./...

test-store: ## install servers, test one backend: STORE=sqlite, postgres, redis, cache, memory or seal
	.ci/packages
	go test ./store/$(STORE)/...

test-all: ## install servers, run every test of every module, in under 5 minutes
	.ci/packages
	go test -tags e2e work

test-e2e: ## install servers, run the tests with proxies, poolers and generated clients
	.ci/packages
	go test -tags e2e ./internal/e2e/...

failover: ## install servers, count what failovers lose: ROUNDS=12 of each store, 15 seconds each
	.ci/packages
	cd internal/e2e/failover && go test -tags e2e,failover -count=1 -timeout 0 -run TestNothingIsLost . -rounds $(ROUNDS)

check: ## everything that CI runs, on what is committed, in under 20 minutes
	.ci/run

lint: ## the linters alone
	.ci/lint

bench: ## compare the speed with peers, and fail if a target is missed
	go run ./internal/e2e/bench
	go run ./internal/e2e/gate/speed
	go run ./internal/e2e/service/speed

fuzz: ## run each fuzz target for a while: FUZZ_TIME=30s
	.ci/fuzz $(FUZZ_TIME)

release: ## commit and tag a release of all modules: make release VERSION=v0.1.0; pushes nothing
	.ci/release $(VERSION)
