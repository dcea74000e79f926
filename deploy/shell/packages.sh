# packages: install what deploy/packages lists, and nothing that starts.

# packages_missing SECTION...: the packages of these sections that are not there.
packages_missing() {
	local section name command
	for section; do
		sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$top/deploy/packages" |
			awk -v wanted="[$section]" '
				/^\[/ { in_section = ($1 == wanted); next }
				in_section { print }'
	done | while read -r name command; do
		[ -n "$command" ] && command -v "$command" > /dev/null && continue
		package_installed "$name" || printf '%s\n' "$name"
	done
}

package_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

# packages_install SECTION...: as root or by sudo.
packages_install() {
	local missing
	missing=$(packages_missing "$@" | sort -u | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	command -v apt-get > /dev/null ||
		die "these packages are missing: $missing" \
			"this is no Debian: install them by hand, then use --no-packages"
	step "Installing packages: $missing"
	if [ "$(id -u)" -eq 0 ]; then
		bash "$top/deploy/shell/apt" "$missing"
	elif command -v sudo > /dev/null; then
		sudo bash "$top/deploy/shell/apt" "$missing"
	else
		die "these packages are missing and there is no sudo: $missing" \
			"as root: apt-get install --no-install-recommends $missing"
	fi || die "the packages could not be installed"
}
