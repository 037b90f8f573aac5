#!/bin/sh
# Copies what a server needs to run, and nothing else, from an installed checkout (npm ci) to a directory: the launchers, the packages
# without their tests, what they depend on, and the pinned Node. Needs no network.
#
#   deploy/runtime-tree.sh TARGET
set -eu

[ $# -eq 1 ] || {
  echo "Usage: $0 TARGET" >&2
  exit 2
}
source=$(cd "$(dirname "$0")/.." && pwd)
target=$1
case $target in /*) ;; *) target=$PWD/$target ;; esac
if [ -e "$target" ] && [ -n "$(ls -A "$target")" ]; then
  echo "$0: $target must be empty" >&2
  exit 1
fi
[ -x "$source/node_modules/.bin/node" ] || {
  echo "$0: $source/node_modules has no Node; run 'npm ci' there" >&2
  exit 1
}
cd "$source"

# $1: what, as a path in the checkout; the rest: what to leave out of it
copy() {
  from=$1
  shift
  mkdir -p "$target/$(dirname "$from")"
  tar -cf - "$@" "$from" | tar -xf - -C "$target"
}

mkdir -p "$target"
copy package.json
copy README.md
copy CHANGELOG.md
copy bin
copy conf
for package in packages/*; do
  copy "$package" --exclude=node_modules --exclude='*.test.ts' --exclude='*test-support.ts' --exclude='*test-child.ts'
done

# Only what is not for development alone, and only what is for this kind of machine: npm has installed nothing else.
list=$(npm ls --all --omit=dev --parseable 2>/dev/null) || {
  echo "$0: the dependencies in node_modules are not what package-lock.json says; run 'npm ci' in $source" >&2
  exit 1
}
echo "$list" | sed -n "s|^$source/||p" | sort -u | while read -r path; do
  case $path in
    packages/*) continue ;;
    # The headers of Node are for compilers.
    node_modules/node-*) copy "$path" --exclude=include --exclude=share --exclude='*.md' ;;
    # That Node is for the GNU C library, and so is what it loads.
    *) copy "$path" --exclude='*musl*' --exclude='.*.yml' --exclude="$path/node_modules" --exclude='*.d.ts' --exclude='*.d.cts' --exclude='*.d.mts' --exclude='*.map' --exclude="$path/test" ;;
  esac
done
mkdir -p "$target/node_modules/.bin"
cp -P node_modules/.bin/node "$target/node_modules/.bin/node"

# Who installs may have been stricter than who runs may read.
chmod -R u+rwX,go+rX,go-w "$target"
# Nobody starts the programs that come with the dependencies.
find "$target/node_modules" -type f -perm /111 ! -path '*/node-linux-*/bin/node' -exec chmod -x {} +

# A tree that cannot say its version lacks something.
"$target/bin/srs" -v 2>/dev/null || {
  echo "$0: $target/bin/srs does not run:" >&2
  "$target/bin/srs" -v
}
