#!/bin/sh
# Makes the whole file system of the image in an empty directory, from an installed checkout (npm ci): the server with its Node, the few
# libraries of the system that they load, a user, a configuration, and nothing else - no shell, no package manager. Needs no
# network and no root.
#
#   deploy/docker/build-root.sh TARGET
set -eu

[ $# -eq 1 ] || {
  echo "Usage: $0 TARGET" >&2
  exit 2
}
deploy=$(cd "$(dirname "$0")/.." && pwd)
target=$1
mkdir -p "$target"
target=$(cd "$target" && pwd)
[ -z "$(ls -A "$target")" ] || {
  echo "$0: $target must be empty" >&2
  exit 1
}

"$deploy/runtime-tree.sh" "$target/srs"
# The launchers need a shell; in the image Node is started by its name.
node=$(readlink -f "$target/srs/node_modules/.bin/node")
mkdir -p "$target/usr/bin"
ln -s "/srs/${node#"$target/srs/"}" "$target/usr/bin/node"
rm -r "$target/srs/bin"

# Node, and what it loads that is not JavaScript.
binaries=$(find "$target/srs" -type f \( -name '*.node' -o -path "$node" \))
for binary in $binaries; do
  ldd "$binary" 2>/dev/null | sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p'
done | sort -u | while read -r library; do
  mkdir -p "$target$(dirname "$library")"
  cp -L "$library" "$target$library"
done

# The C library asks these for the names of hosts and users.
for library in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
  path=$(ldconfig -p 2>/dev/null | sed -n "s/.*$library .*=> //p" | head -n 1)
  [ -z "$path" ] && continue
  mkdir -p "$target$(dirname "$path")"
  cp -L "$path" "$target$path"
done

mkdir -p "$target/etc/srs" "$target/tmp" "$target/data/html"
echo 'hosts: files dns' >"$target/etc/nsswitch.conf"
printf 'root:x:0:0:root:/:/sbin/nologin\nsrs:x:10001:10001:SRS:/data:/sbin/nologin\n' >"$target/etc/passwd"
printf 'root:x:0:\nsrs:x:10001:\n' >"$target/etc/group"
cp "$deploy/docker/srs.conf" "$target/etc/srs/srs.conf"
# Written to by whoever the image is run as.
chmod 1777 "$target/tmp" "$target/data" "$target/data/html"
chmod -R go+rX "$target/etc" "$target/usr"
