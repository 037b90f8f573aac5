#!/bin/sh
# Builds the Debian package of this checkout, in which `npm ci` has been run, and prints its path. Needs dpkg-deb and no network.
#
#   deploy/debian/build.sh [DIRECTORY]     where the package goes; the current directory unless told
#
# VERSION is that of package.json unless it is set. COMPRESSION are the options of dpkg-deb; `-Zgzip -z1` is quick and large.
set -eu

deploy=$(cd "$(dirname "$0")/.." && pwd)
output=${1:-.}
[ -d "$output" ] || {
  echo "$0: $output is not a directory" >&2
  exit 1
}
command -v dpkg-deb >/dev/null || {
  echo "$0: dpkg-deb is not installed; it is part of Debian and Ubuntu" >&2
  exit 1
}

staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT
root=$staging/root

# 2.0.0-alpha.1 comes before 2.0.0, which a tilde says.
version=${VERSION:-$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$deploy/../package.json" | sed 's/-/~/')}
architecture=$(dpkg --print-architecture)

"$deploy/runtime-tree.sh" "$root/usr/lib/srs"
install -d "$root/usr/bin"
for command in "$root"/usr/lib/srs/bin/*; do
  [ -x "$command" ] && ln -s "../lib/srs/bin/${command##*/}" "$root/usr/bin/${command##*/}"
done

install -d "$root/DEBIAN" "$root/etc/srs" "$root/etc/default" "$root/etc/init.d" "$root/etc/logrotate.d" \
  "$root/lib/systemd/system" "$root/usr/share/doc/srs" "$root/var/lib/srs/html" "$root/var/log/srs"
install -m 0644 "$deploy/debian/srs.conf" "$root/etc/srs/srs.conf"
install -m 0644 "$deploy/default/srs" "$root/etc/default/srs"
install -m 0755 "$deploy/init.d/srs" "$root/etc/init.d/srs"
install -m 0644 "$deploy/logrotate/srs" "$root/etc/logrotate.d/srs"
install -m 0644 "$deploy/systemd/srs.service" "$root/lib/systemd/system/srs.service"
install -m 0644 "$deploy/../conf/full.conf" "$deploy"/../docs/*.md "$root/usr/share/doc/srs"
gzip -9 -n -c "$deploy/../CHANGELOG.md" >"$root/usr/share/doc/srs/changelog.gz"
cat >"$root/usr/share/doc/srs/copyright" <<'COPYRIGHT'
SRS is under the MIT License. The packages that it depends on, in
/usr/lib/srs/node_modules, have their licenses beside them, Node.js among
them in node-linux-*/LICENSE.
COPYRIGHT
chmod 0644 "$root"/usr/share/doc/srs/*
install -m 0755 "$deploy/debian/postinst" "$deploy/debian/prerm" "$deploy/debian/postrm" "$root/DEBIAN"

(cd "$root" && find etc -type f | sort | sed 's|^|/|') >"$root/DEBIAN/conffiles"
(cd "$root" && find usr lib -type f -exec md5sum {} + | sort -k 2) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<CONTROL
Package: srs
Version: $version
Architecture: $architecture
Maintainer: ${MAINTAINER:-SRS packagers <root@localhost>}
Installed-Size: $(du -k -s "$root" | cut -f 1)
Depends: adduser, libc6 (>= 2.28), libgcc-s1, libstdc++6
Suggests: ffmpeg, logrotate
Section: video
Priority: optional
Description: live media server
 Takes live streams over RTMP and serves them over RTMP, HTTP-FLV and HLS, on
 all processors of the machine. Reads the configuration files of SRS 1.0.
 Brings the version of Node.js that it runs on.
CONTROL

package=$output/srs_${version}_$architecture.deb
# shellcheck disable=SC2086
dpkg-deb --root-owner-group ${COMPRESSION:--Zxz} --build "$root" "$package" >/dev/null
echo "$package"
