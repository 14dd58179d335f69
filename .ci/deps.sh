#!/usr/bin/env bash
# Installs the programs the tests need besides Go, if they're missing: MariaDB (only the
# program, without a service), Chromium, curl, Node, Python, their libraries for JWTs,
# Stytch's SDK and openid-client for Node, and nginx; the last three go into .cache. With the argument
# "peers" also HAProxy, into .cache, Apache with mod_auth_openidc, without a service, and oidc-agent. If that
# fails it says so and continues; the tests that need them are skipped, or fail with CI=true.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/sbin # Debian's servers, not in every user's PATH

has() { command -v "$@" >/dev/null; }

packages=()
if [ -z "${GUESTLIST_TEST_MYSQL_DSN:-}" ] && ! has mariadbd && ! has mysqld; then
	# mariadb-install-db calls a program from the client package.
	packages+=(mariadb-server-core mariadb-client-core)
fi
if ! has chromium && ! has chromium-browser && ! has google-chrome && ! has google-chrome-stable; then
	packages+=(chromium)
fi
has curl || packages+=(curl)
# For the samples in docs/identity.md.
/usr/bin/python3 -c 'import jwt, cryptography' 2>/dev/null || packages+=(python3-jwt python3-cryptography)
has node || packages+=(nodejs)
[ -d /usr/share/nodejs/jose ] || packages+=(node-jose)
unpacked=() # instead of installed, because the packages start a service
if ! has nginx && [ ! -x .cache/nginx ]; then
	unpacked+=(nginx)
fi
if [ "${1:-}" = peers ] && ! has haproxy && [ ! -x .cache/haproxy/haproxy ]; then
	unpacked+=(haproxy)
fi
if [ "${1:-}" = peers ]; then
	# apache2 would start a service; apache2-bin is the program alone.
	has apache2 && [ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || packages+=(apache2-bin libapache2-mod-auth-openidc)
	has oidc-agent || packages+=(oidc-agent-cli)
fi

# Installs a package for Node and what it needs into a directory of .cache, in the versions of a lock file.
# Not by Debian's npm, which would install five hundred packages.
node_package() {
	local name=$1 dir=.cache/$2 locked=$3
	[ -d "$dir/node_modules/$name" ] && return
	mkdir -p "$dir"
	cp "$locked"/package*.json "$dir/"
	if ! has npm || ! npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel error; then
		echo "Could not get $name for Node; it needs npm. Tests that need it are skipped, or fail with CI=true." >&2
	fi
}
node_package stytch node internal/stytchlocal/testdata/node
node_package openid-client openid-client test/relyingparties/testdata/node
if [ ${#packages[@]} -eq 0 ] && [ ${#unpacked[@]} -eq 0 ]; then
	exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	as_root=(sudo)
	[ -t 0 ] || as_root+=(-n) # no terminal to type a password
fi
if ! has apt-get || { [ ${#as_root[@]} -gt 0 ] && ! has sudo; }; then
	echo "Missing for the tests: ${packages[*]:-} ${unpacked[*]:-} (Debian packages). Tests that need them are skipped, or fail with CI=true." >&2
	exit 0
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null; }

# Extracts packages into a new directory and prints it.
unpack() {
	local dir package
	dir=$(mktemp -d)
	(cd "$dir" && apt-get -q download "$@" >&2) || return
	for package in "$dir"/*.deb; do
		dpkg-deb --extract "$package" "$dir" || return
	done
	echo "$dir"
}

# git and MariaDB already brought the libraries nginx needs.
unpack_nginx() {
	local dir
	dir=$(unpack nginx) && install -D "$dir/usr/sbin/nginx" .cache/nginx
	rm -rf "$dir"
	[ -x .cache/nginx ]
}

# HAProxy's libraries go next to it; .cache/haproxy/haproxy finds them.
unpack_haproxy() {
	local dir
	mkdir -p .cache/haproxy
	dir=$(unpack haproxy liblua5.3-0 libopentracing1 libopentracing-c-wrapper0) &&
		find "$dir/usr/lib" -name 'lib*.so*' -exec cp -P {} .cache/haproxy/ \; &&
		install "$dir/usr/sbin/haproxy" .cache/haproxy/program &&
		printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$PWD/.cache/haproxy" "$PWD/.cache/haproxy/program" >.cache/haproxy/haproxy &&
		chmod +x .cache/haproxy/haproxy
	rm -rf "$dir"
	[ -x .cache/haproxy/haproxy ]
}

echo "Installing with apt-get for the tests: ${packages[*]:-} ${unpacked[*]:-}"
if ! { apt update && { [ ${#packages[@]} -eq 0 ] || apt install -y --no-install-recommends "${packages[@]}"; }; }; then
	echo "Installation failed. Tests that need these programs are skipped, or fail with CI=true." >&2
fi
for name in "${unpacked[@]}"; do
	if ! "unpack_$name"; then
		echo "Could not get $name. Tests that need it are skipped, or fail with CI=true." >&2
	fi
done
