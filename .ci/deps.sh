#!/usr/bin/env bash
# Installs the programs the tests need besides Go, if they're missing: MariaDB (only the
# program, without a service), Chromium, curl, and nginx, which goes into .cache. If that
# fails it says so and continues; the tests that need them are skipped, or fail with
# CI=true.
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
nginx=
if ! has nginx && [ ! -x .cache/nginx ]; then
	nginx=nginx
fi
if [ ${#packages[@]} -eq 0 ] && [ -z "$nginx" ]; then
	exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	as_root=(sudo)
	[ -t 0 ] || as_root+=(-n) # no terminal to type a password
fi
if ! has apt-get || { [ ${#as_root[@]} -gt 0 ] && ! has sudo; }; then
	echo "Missing for the tests: ${packages[*]:-} $nginx (Debian packages). Tests that need them are skipped, or fail with CI=true." >&2
	exit 0
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null; }

# Extracts nginx from its package instead of installing it, because the package starts a
# service. git and MariaDB already brought the libraries it needs.
unpack_nginx() {
	local dir
	dir=$(mktemp -d)
	(cd "$dir" && apt-get -q download nginx && dpkg-deb --extract nginx_*.deb .) &&
		install -D "$dir/usr/sbin/nginx" .cache/nginx
	rm -rf "$dir"
	[ -x .cache/nginx ]
}

echo "Installing with apt-get for the tests: ${packages[*]:-} $nginx"
if ! { apt update && { [ ${#packages[@]} -eq 0 ] || apt install -y --no-install-recommends "${packages[@]}"; }; }; then
	echo "Installation failed. Tests that need these programs are skipped, or fail with CI=true." >&2
fi
if [ -n "$nginx" ] && ! unpack_nginx; then
	echo "Could not get nginx. Tests that need it are skipped, or fail with CI=true." >&2
fi
