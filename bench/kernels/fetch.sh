#!/bin/bash
# Fetches a Debian kernel source package with apt alone and unpacks it; the system's own apt state stays as it is.
#   fetch.sh DEST SUITE PACKAGE      fetch.sh /var/tmp/k bullseye linux-source-5.10   ->   DEST/linux-source-5.10/
# The mirror is the one that this Debian uses; it must carry the suite.
set -euo pipefail
dest=${1:?folder} suite=${2:?suite} package=${3:?package}
mkdir -p "$dest"
dest=$(cd "$dest" && pwd)
[ -e "$dest/$package/Makefile" ] && exit 0
if ! ls "$dest/$package"_*.deb >/dev/null 2>&1; then
	own=$dest/apt-$suite
	mkdir -p "$own"/{lists/partial,cache/archives/partial,etc}
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	uri=$(apt-get indextargets --format '$(SITE) $(CODENAME)' 2>/dev/null | awk -v c="$codename" '$2 == c { print $1; exit }')
	: "${uri:?this apt has no package lists: run apt-get update first}"
	cat >"$own/etc/$suite.sources" <<-EOF
		Types: deb
		URIs: $uri
		Suites: $suite
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	EOF
	: >"$own/status"
	options=(-o "Dir::Etc::sourcelist=$own/etc/$suite.sources" -o Dir::Etc::sourceparts=-
		-o "Dir::State::lists=$own/lists" -o "Dir::State::status=$own/status" -o "Dir::Cache=$own/cache"
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Check-Valid-Until=false)
	apt-get "${options[@]}" -q update
	(cd "$dest" && apt-get "${options[@]}" -q download "$package")
fi
tmp=$dest/unpack-$package
mkdir -p "$tmp"
dpkg-deb --fsys-tarfile "$dest/$package"_*.deb | tar x -C "$tmp"
tar xJf "$tmp/usr/src/$package.tar.xz" -C "$dest"
rm -rf "$tmp"
