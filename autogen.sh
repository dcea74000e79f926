#!/bin/sh
# Make ./configure from configure.ac; only needed in a git checkout.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --warnings=all
