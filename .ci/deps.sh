#!/usr/bin/env bash
# Installs what the tests use beside Go, where it is missing: a MariaDB server
# (the program alone, no service is started), Chromium, curl, and nginx, which is
# only put into .cache. Where that can't be done it says so and goes on: the tests that
# need them are skipped by name, or fail when CI=true.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/sbin # where Debian has servers, and users don't

has() { command -v "$@" >/dev/null; }

packages=()
if [ -z "${GUESTLIST_TEST_MYSQL_DSN:-}" ] && ! has mariadbd && ! has mysqld; then
	# The client's part has a program that mariadb-install-db calls.
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
	[ -t 0 ] || as_root+=(-n) # nobody is there to type a password
fi
if ! has apt-get || { [ ${#as_root[@]} -gt 0 ] && ! has sudo; }; then
	echo "Missing for the tests: ${packages[*]:-} $nginx (names of Debian packages). What needs them is skipped, or fails when CI=true." >&2
	exit 0
fi

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null; }

# Debian's nginx comes with a service that starts by itself, so that its program is
# taken out of the package. The libraries it needs came with git and MariaDB.
unpack_nginx() {
	local dir
	dir=$(mktemp -d)
	(cd "$dir" && apt-get -q download nginx && dpkg-deb --extract nginx_*.deb .) &&
		install -D "$dir/usr/sbin/nginx" .cache/nginx
	rm -rf "$dir"
	[ -x .cache/nginx ]
}

echo "Missing for the tests, to be installed by apt-get: ${packages[*]:-} $nginx"
if ! { apt update && { [ ${#packages[@]} -eq 0 ] || apt install -y --no-install-recommends "${packages[@]}"; }; }; then
	echo "Could not be installed. What needs them is skipped, or fails when CI=true." >&2
fi
if [ -n "$nginx" ] && ! unpack_nginx; then
	echo "nginx could not be had. What needs it is skipped, or fails when CI=true." >&2
fi
