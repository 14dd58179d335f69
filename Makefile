# One command each. `make` alone lists them.

# The tools, pinned here and nowhere else. They are run by version and are not in
# go.mod, for sqlc alone would bring a hundred modules into it. Its first build
# takes a minute or two; without cgo it needs no C compiler.
SQLC        = CGO_ENABLED=0 go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
STATICCHECK = go run honnef.co/go/tools/cmd/staticcheck@v0.8.2
LIGHTHOUSE  = lighthouse@12.8.2

.PHONY: help run test race faults fuzz bench scaling lighthouse release fixture generate lint check

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## serve on http://localhost:8080, with the local stand-in unless .env says otherwise
	go run .

test: ## every test; on Debian installs the test database and browser first if missing
	@.ci/deps.sh
	go test -timeout 30m ./...

race: ## every test again under the race detector: needs a C compiler, takes five times as long
	go test -race -timeout 60m ./...

faults: ## two instances under load while things break, for ten minutes; as root also a full disk
	GUESTLIST_FAULTS=long go test -count=1 -timeout 60m -v -run TestFaults ./test/faults

# A number of tries, because at the end of a time Go may fail a target that is
# fine: https://go.dev/issue/75804.
FUZZTIME = 50000x

fuzz: ## look for input that breaks a promise, FUZZTIME=50000x, so many tries, for each target
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[++n] = $$1 } $$1 == "ok" { for (i = 1; i <= n; i++) print $$2, names[i]; n = 0 }' | \
	while read -r pkg name; do echo "$$name, in $$pkg"; go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$pkg" || exit 1; done

BENCH =

bench: ## measure speed, memory and start, and write docs/internals/performance.md, in some seven minutes; BENCH=-full also at a million people
	go run ./tools/bench $(BENCH)

scaling: ## measure how cost grows with people, sessions and instances, and write docs/internals/scaling.md, in a quarter of an hour
	go run ./tools/bench scaling

lighthouse: ## have Lighthouse judge two pages, desktop and mobile: 100 or it fails; needs npm and Chromium
	@npm install --prefix .cache/lighthouse --no-audit --no-fund --no-save --loglevel error $(LIGHTHOUSE)
	go build -o .cache/guestlist .
	node .ci/lighthouse.mjs

TARGETS =

release: ## build for six systems into dist/, each twice, with checksums and SBOMs; TARGETS=linux/amd64 one
	go run ./tools/release $(TARGETS)

fixture: ## keep a database as this release makes it, for the tests of later ones: once a release
	GUESTLIST_TEST_FIXTURE=write go test -count=1 -run TestWriteTheFixture .

generate: ## write the Go code for queries/ and schema/ anew, and compress what browsers fetch
	$(SQLC) generate
	go run ./tools/pack

lint: ## format, vet also for other systems, staticcheck, generated code up to date, queries fit both engines
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "run gofmt -w on: $$unformatted"; exit 1; }
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...
	$(STATICCHECK) ./...
	$(SQLC) diff
	$(SQLC) compile -f .ci/sqlc-sqlite.yaml

check: lint test ## all that CI does
