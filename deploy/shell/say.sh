# say: how the scripts talk to a person.

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }

# die TEXT [HINT...]: what is wrong, then what to do about it.
die() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	shift
	for hint; do printf '    %s\n' "$hint" >&2; done
	exit 1
}

# misuse TEXT: the command line is wrong.
misuse() {
	printf "%s: %s; see --help\n" "${0##*/}" "$1" >&2
	exit 2
}

# random_password: 20 letters and digits that nobody mistakes for each other.
random_password() {
	LC_ALL=C tr -dc 'abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789' \
		< /dev/urandom | head -c 20 || :
}

# quietly LOG COMMAND...: run it; when it fails show the end of its log.
quietly() {
	local log=$1
	shift
	mkdir -p "${log%/*}"
	"$@" > "$log" 2>&1 || {
		tail -n 30 "$log" >&2
		die "\"$*\" failed" "the whole log: $log"
	}
}

# wait_until SECONDS COMMAND...: try it five times a second.
wait_until() {
	local left=$(($1 * 5))
	shift
	until "$@" > /dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 0.2
	done
}
