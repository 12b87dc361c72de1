#!/bin/sh
# Makes the notebooks, index.md, trovi.json and the site from snippets/ and docs/.  --check: fails when any is stale.
set -eu
cd "$(dirname "$0")"
[ -x .venv/bin/python ] || ./lab --help >/dev/null # makes the environment
exec .venv/bin/python -m labkit.book "$@"
