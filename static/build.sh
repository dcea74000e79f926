#!/bin/sh
# build: what nginx serves below /static/, with hashed names, into OUT/dist.
# Does nothing when nothing has changed since.
#
#   build.sh SOURCE OUT [NODE]
set -eu

source=$1
out=$2
node=${3:-node}

mkdir -p "$out"
sh "$source/vendor.sh" "$source" "$out/vendor"
if [ -f "$out/dist/manifest.json" ] && [ -z "$(find "$source/js" \
	"$source/css" "$source/symbols" "$source/hash.mjs" "$out/vendor" \
	-newer "$out/dist/manifest.json" -print | head -n 1)" ]; then
	exit 0
fi
# Pages and services of the build before may still ask for its files: they
# stay for one build, older ones go.
if [ -f "$out/dist/manifest.json" ]; then
	find "$out/dist" -type f ! -name manifest.json | while read -r file; do
		grep -q -F "\"/static/${file#"$out"/dist/}\"" \
			"$out/dist/manifest.json" || rm -f "$file"
	done
fi
"$node" "$source/hash.mjs" --source "$source" --vendor "$out/vendor" \
	--out "$out/dist" --keep-old
touch "$out/dist/manifest.json"
