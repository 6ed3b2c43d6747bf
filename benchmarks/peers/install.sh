#!/bin/sh
# What `make bench` puts beside what it measures, all of it into .peers/: Python's and Node's libraries, and
# Debian's programs, unpacked and not installed, so that it needs no rights and starts no service.
# What cannot be had (no network, no Node) is told here, and its row says that it was not measured.
here=$(dirname "$0")
mkdir -p "$1"
peers=$(cd "$1" && pwd)
python=$2
debs=$peers/archives

told() { echo "==> $1 could not be had: what needs it will not be measured"; }

"$python" -m venv "$peers" || exit 1
"$peers/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" || told "Python's libraries"

cp "$here/package.json" "$peers/"
npm install --prefix "$peers" --no-package-lock --no-audit --no-fund --silent || told "Node's libraries"

missing=
for one in nginx:nginx-light redis-server:redis-server bearerbox:kannel; do
	PATH=$PATH:/usr/sbin command -v "${one%%:*}" >/dev/null || missing="$missing ${one#*:}"
done
if [ -n "$missing" ]; then
	mkdir -p "$debs/partial" "$peers/lists/partial" "$peers/debian"
	apt() { apt-get -qq -y -o Debug::NoLocking=1 -o Dir::Cache="$peers" -o Dir::Cache::archives="$debs" -o Dir::State::lists="$peers/lists" "$@"; }
	# shellcheck disable=SC2086 - one word for each package
	apt update && apt --download-only --no-install-recommends install $missing >/dev/null || told "Debian's$missing"
	for deb in "$debs"/*.deb; do
		[ -e "$deb" ] && dpkg-deb --extract "$deb" "$peers/debian"
	done
	rm -rf "$debs" "$peers/lists"
fi
touch "$peers/.installed"
