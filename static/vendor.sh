#!/bin/sh
# vendor: fetch the pinned npm packages once and keep the files that are
# served. Nothing is fetched when they are there already.
#
#   vendor.sh SOURCE OUT    SOURCE has package.json and package-lock.json
set -eu

source=$1
out=$2
version=$(cksum < "$source/package-lock.json")

is_current()
{
	[ -f "$1/version" ] && [ "$(cat "$1/version")" = "$version" ]
}

if is_current "$out"; then
	exit 0
fi
work=$out.new
rm -rf "$work"
mkdir -p "$work"
if is_current "$source/vendor"; then # a release archive brings them along
	cp -R "$source/vendor/." "$work"
	chmod -R u+w "$work"
else
	command -v npm > /dev/null || {
		echo "npm is missing; on Debian: apt-get install npm" >&2
		exit 1
	}
	cp "$source/package.json" "$source/package-lock.json" "$work"
	(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund \
		--no-update-notifier --loglevel=error)
	modules=$work/node_modules
	mkdir "$work/uplot" "$work/swagger-ui"
	cp "$modules/uplot/dist/uPlot.iife.min.js" \
		"$modules/uplot/dist/uPlot.min.css" \
		"$modules/uplot/LICENSE" "$work/uplot"
	cp "$modules/swagger-ui-dist/swagger-ui-bundle.js" \
		"$modules/swagger-ui-dist/swagger-ui.css" \
		"$modules/swagger-ui-dist/LICENSE" \
		"$modules/swagger-ui-dist/NOTICE" "$work/swagger-ui"
	mkdir "$work/data"
	"${NODE:-node}" "$source/passwords.mjs" \
		"$modules/@zxcvbn-ts/language-common/src/passwords.json" \
		> "$work/data/passwords.txt"
	cp "$modules/@zxcvbn-ts/language-common/LICENSE.txt" \
		"$work/data/passwords.LICENSE"
	rm -rf "$modules" "$work/package.json" "$work/package-lock.json"
	echo "$version" > "$work/version"
fi
rm -rf "$out"
mv "$work" "$out"
