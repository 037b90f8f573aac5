# Sets $node to a Node that runs this project. Sourced by the launchers, with $root set.
node=$root/node_modules/.bin/node
if [ ! -x "$node" ]; then
  node=$(command -v node || true)
  if [ -z "$node" ]; then
    echo "srs: Node.js 24.18 or newer is needed and none was found; run 'npm ci' in $root" >&2
    exit 127
  fi
  if ! "$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 24 || (a === 24 && b >= 18) ? 0 : 1)'; then
    echo "srs: Node.js $("$node" --version) is too old, 24.18 or newer is needed; run 'npm ci' in $root" >&2
    exit 127
  fi
fi
