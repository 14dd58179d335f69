# `make` lists the commands.

# Tool versions, pinned here. The tools aren't in go.mod, because sqlc alone would add a
# hundred modules. Its first build takes a minute or two; without cgo it needs no C
# compiler.
SQLC        = CGO_ENABLED=0 go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GORELEASER  = github.com/goreleaser/goreleaser/v2@v2.15.1
LIGHTHOUSE  = lighthouse@12.8.2

.PHONY: help run test race peers faults fuzz bench scaling lighthouse release fixture generate lint check

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on http://localhost:8080, with the local Stytch unless .env says otherwise
	go run .

test: ## run every test; on Debian, install missing test programs (MariaDB, Chromium, nginx and others) first
	@.ci/deps.sh
	go test -timeout 30m ./...

race: ## run every test under the race detector; needs a C compiler and takes five times as long
	go test -race -timeout 60m ./...

peers: ## run Guestlist behind real proxies, sign in to real tools, and run the OpenID tests against other providers; ten minutes the first time
	@.ci/deps.sh peers
	go run ./tools/peers
	GUESTLIST_TEST_PEERS=1 go test -timeout 30m ./test/peers ./test/openid ./test/relyingparties

faults: ## run two instances under load while things break, for ten minutes; as root also with a full disk
	GUESTLIST_FAULTS=long go test -count=1 -timeout 60m -v -run TestFaults ./test/faults

# A number of runs rather than a time, because Go may fail a correct target at the end
# of a time: https://go.dev/issue/75804.
FUZZTIME = 50000x

fuzz: ## fuzz every target, FUZZTIME=50000x times each
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[++n] = $$1 } $$1 == "ok" { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r pkg name; do echo "$$name, in $$pkg"; go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$pkg" || exit 1; done

BENCH =

bench: ## measure speed, memory and start in about seven minutes, and write docs/internals/performance.md; BENCH=-full adds a million people
	go run ./tools/bench $(BENCH)

scaling: ## measure how costs grow in about 15 minutes, and write docs/internals/scaling.md
	go run ./tools/bench scaling

lighthouse: ## run Lighthouse on two pages, desktop and mobile, and fail below 100; needs npm and Chromium
	@npm install --prefix .cache/lighthouse --no-audit --no-fund --no-save --loglevel error $(LIGHTHOUSE)
	go build -o .cache/guestlist .
	node .ci/lighthouse.mjs

TARGETS =

release: ## build for six systems into dist/, twice each, with checksums and SBOMs; TARGETS=linux/amd64 for one
	GOBIN=$(CURDIR)/.cache CGO_ENABLED=0 go install $(GORELEASER)
	GORELEASER=$(CURDIR)/.cache/goreleaser tools/release/release.sh $(TARGETS)

fixture: ## save a database of this release for the upgrade tests, once per release
	GUESTLIST_TEST_FIXTURE=write go test -count=1 -run TestUpgradeFixture_Write ./test/e2e

generate: ## generate Go code from queries/ and schema/, and compress assets
	$(SQLC) generate
	go run ./tools/pack

lint: ## check formatting, vet (also for other systems), staticcheck, generated code, and queries on both engines
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "run gofmt -w on: $$unformatted"; exit 1; }
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...
	$(STATICCHECK) ./...
	$(SQLC) diff
	$(SQLC) compile -f .ci/sqlc-sqlite.yaml

check: lint test peers ## run everything CI runs
