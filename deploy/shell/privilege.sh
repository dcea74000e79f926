# privilege: nothing of the grid runs as root.
#
# Root drops to the owner of the checkout, or to an unprivileged user that
# exists already when root owns it. A checkout that this user cannot reach
# (below /root, say) is shown to the grid at its own path in a private mount
# namespace, so that no permission of the machine has to change.

# grid_user: the name of the user that everything runs as.
grid_user() {
	local owner candidate
	if [ "$(id -u)" -ne 0 ]; then
		id -un
		return
	fi
	owner=$(stat -c %U "$top")
	for candidate in "$owner" www-data nobody; do
		[ "$candidate" != root ] && [ "$candidate" != UNKNOWN ] || continue
		id "$candidate" > /dev/null 2>&1 || continue
		printf '%s\n' "$candidate"
		return
	done
	die "there is no unprivileged user to run the grid as" \
		"give the checkout to one: chown -R USER $top"
}

# builder COMMAND...: run it as whoever owns the checkout.
as_owner() {
	local owner
	owner=$(stat -c %U "$top")
	if [ "$(id -u)" -eq 0 ] && [ "$owner" != root ] &&
		[ "$owner" != UNKNOWN ]; then
		setpriv --reuid="$owner" --regid="$(id -g "$owner")" \
			--init-groups env HOME="$(getent passwd "$owner" | cut -d: -f6)" "$@"
	else
		"$@"
	fi
}

drop_to() {
	local user=$1
	shift
	setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups \
		--inh-caps=-all env HOME="$state" USER="$user" LOGNAME="$user" "$@"
}

# first_closed PATH USER: the first folder on the way to PATH that USER cannot
# pass; nothing when the way is open.
first_closed() {
	local way='' part
	local IFS=/
	# shellcheck disable=SC2086 # split at the slashes
	set -- "$2" ${1#/}
	local user=$1
	shift
	for part; do
		way="$way/$part"
		drop_to "$user" test -x "$way" && continue
		printf '%s\n' "$way"
		return
	done
}

# need_namespace FOLDER: die when it cannot be shown to the grid's user.
need_namespace() {
	unshare --mount --propagation private true 2> /dev/null ||
		die "user $(grid_user) cannot reach $1, and this machine allows no mount namespace" \
			"move the checkout to a place that others may enter, /srv for example"
}

# check_reach: before anything is installed or built.
check_reach() {
	local closed
	[ "$(id -u)" -eq 0 ] || return 0
	closed=$(first_closed "$top" "$(grid_user)")
	[ -z "$closed" ] || need_namespace "$closed"
}

# as_grid COMMAND...: run it as the grid's user, where it can reach the checkout.
as_grid() {
	local user closed_top closed_state
	user=$(grid_user)
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
		return
	fi
	closed_top=$(first_closed "$top" "$user")
	closed_state=$(first_closed "$state" "$user")
	if [ -z "$closed_top$closed_state" ]; then
		drop_to "$user" "$@"
		return
	fi
	[ "$closed_top" != "$top" ] ||
		die "user $user may not enter $top" "chmod o+rx '$top'"
	need_namespace "${closed_top:-$closed_state}"
	unshare --mount --propagation private bash "$top/deploy/shell/passable" \
		"$closed_top" "$top" "$closed_state" "$state" \
		setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups \
		--inh-caps=-all env HOME="$state" USER="$user" LOGNAME="$user" "$@"
}
