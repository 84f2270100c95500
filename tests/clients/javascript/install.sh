#!/usr/bin/env bash
# Installs the JavaScript clients that tests/clients runs: exact versions, nothing built, no lock
# file (it would name a registry's host). Safe to call again; quick when all is there.
set -euo pipefail
cd "$(dirname "$0")"
command -v npm >/dev/null || { echo "npm is missing: the JavaScript clients stay untested" >&2; exit 1; }
exec npm install --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error
