#!/usr/bin/env bash
# Builds a release of the committed source into dist/VERSION. Everything is built twice, in clones
# whose paths differ in length, the second time without the build cache. The release fails if the
# two differ. Arguments such as linux/arm64 restrict it to these systems.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if [ -n "$(git status --porcelain)" ]; then
	echo "A release contains committed changes only: commit or stash what 'git status' shows." >&2
	exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
goreleaser=${GORELEASER:?names a GoReleaser program, see the Makefile}

# The machine's settings must not influence the result, whether they come from the environment or
# from 'go env -w'. Only where modules are found may differ.
GOMODCACHE=$(go env GOMODCACHE)
GOPROXY=$(go env GOPROXY)
export GOMODCACHE GOPROXY GOENV=off GOFLAGS= GOWORK=off GOEXPERIMENT= GOFIPS140=off GOAMD64=v1 GOARM64=v8.0 CGO_ENABLED=0

commit=$(git rev-parse HEAD)
first=$work/first
second=$work/another/place
for clone in "$first" "$second"; do
	git clone --quiet --no-checkout --config core.autocrlf=false . "$clone"
	git -C "$clone" checkout --quiet --detach "$commit"
done

config=$work/goreleaser.yaml
targets=
if [ $# -gt 0 ]; then
	targets="s/ targets: .*/ targets: [$(echo "$*" | sed 's,/,_,g; s/ /, /g')]/"
fi
sed "$targets" "$first/tools/release/goreleaser.yaml" >"$config"

(cd "$first" && go build -o "$work/guestlist" .)
version=$(go version -m "$work/guestlist" | awk '$1 == "mod" { print $3 }')
export VERSION=${version#v}

(cd "$first" && REBUILD='' "$goreleaser" release --snapshot --clean --config "$config")
(cd "$second" && REBUILD=-a "$goreleaser" release --snapshot --clean --config "$config")
if ! diff "$first/dist/SHA256SUMS" "$second/dist/SHA256SUMS" >&2; then
	echo "Two builds of the same commit differ: something outside of the source gets into them." >&2
	exit 1
fi

rm -rf "dist/$version"
mkdir -p "dist/$version"
shopt -s nullglob # a restricted release may have archives of one kind only
cp "$first"/dist/{*.tar.gz,*.zip,*/*.cdx.json,SHA256SUMS} "dist/$version"
echo "dist/$version"
