# service: the grid's processes, each kept running by runit's runsv.
#
# multiwatch keeps the workers of one FastCGI socket; it holds the socket, so
# that requests queue while a worker is born again. What multiwatch does not
# have is a pause between attempts, control of one service, and rotated logs:
# these come from runsv and svlogd.

# service_define NAME COMMAND-LINE [STOP-SIGNAL [FOLDER]]: write its run
# scripts. The command line is shell text; FOLDER is where its processes work
# when that is not their own working folder.
service_define() {
	local name=$1 command=$2 signal=${3:-} folder="$state/service/$1"
	local home="$state/home/$1"
	mkdir -p "$folder/log" "$folder/control" "$state/log/$name" "$home"
	printf 's1000000\nn5\n' > "$state/log/$name/config"
	install_script "$folder/log/run" <<-EOT
		#!/bin/sh
		exec svlogd -tt $(quoted "$state/log/$name")
	EOT
	install_script "$folder/run" <<-EOT
		#!/bin/sh
		exec 2>&1
		cd $(quoted "$home") || exit 1
		sh $(quoted "$top/deploy/shell/sweep") $(quoted "$home") $(quoted "${4:-$home}")
		exec setpriv --pdeathsig ${signal:-TERM} $command
	EOT
	rm -f "$folder/control/t"
	[ -z "$signal" ] || install_script "$folder/control/t" <<-EOT
		#!/bin/sh
		kill -$signal "\$(cat $(quoted "$folder/supervise/pid"))"
	EOT
	: > "$folder/down"
}

# fastcgi_define NAME WORKERS PROGRAM-LINE: a service on run/NAME.sock.
fastcgi_define() {
	service_define "$1" "spawn-fcgi -s $(quoted "$state/run/$1.sock") -M 0600 \
-n -- $(command -v multiwatch) -f $2 -r 8 -t 500 -s TERM -- \
$(command -v setpriv) --pdeathsig TERM $3"
}

install_script() {
	cat > "$1.new" && chmod 755 "$1.new" && mv "$1.new" "$1"
}

# quoted TEXT: for use in shell text.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

supervisor_running() {
	local pid
	pid=$(cat "$state/run/supervisor.pid" 2> /dev/null) && [ -n "$pid" ] &&
		[ "$(cat "/proc/$pid/comm" 2> /dev/null)" = runsvdir ] &&
		grep -qFz "$state/service" "/proc/$pid/cmdline"
}

supervisor_start() {
	supervisor_running && return
	setsid runsvdir -P "$state/service" < /dev/null \
		> "$state/log/supervisor.log" 2>&1 &
	printf '%s\n' "$!" > "$state/run/supervisor.pid"
	disown
}

service_names() { ls "$state/service" 2> /dev/null; }

# service_up NAME...: start these and let them start again with the supervisor.
service_up() {
	local name
	for name; do
		rm -f "$state/service/$name/down"
		# Again until runsv listens: its pipes come one after the other.
		wait_until 15 sv up "$state/service/$name" ||
			die "the supervisor does not start $name" \
				"see $state/log/supervisor.log"
	done
}

service_pid() { cat "$state/service/$1/supervise/pid" 2> /dev/null; }

# All services in an order that loses nothing: agents, nginx, services,
# database; then the supervisor.
supervisor_stop() {
	local name pid first='' last=''
	for name in $(service_names); do
		case $name in
		ingress-*) first="$first $name" ;;
		postgresql) last=$name ;;
		*) first="$first $name" ;;
		esac
	done
	for name in $first $last; do
		[ -p "$state/service/$name/supervise/control" ] || continue
		: > "$state/service/$name/down"
		[ "$name" != postgresql ] || wait_down $first
		sv down "$state/service/$name" > /dev/null 2>&1 || :
	done
	wait_down $last
	pid=$(cat "$state/run/supervisor.pid" 2> /dev/null) || return 0
	supervisor_running && kill -HUP "$pid"
	wait_until 10 eval '! supervisor_running' || kill -KILL "$pid"
	wait_until 20 supervisors_ended || say "Some supervisors have not ended."
	rm -f "$state/run/supervisor.pid"
}

# runsvdir does not wait for its runsv; each of them writes into its folder
# until it ends, and holds the lock there for as long.
supervisors_ended() {
	local lock
	for lock in "$state"/service/*/supervise/lock; do
		[ ! -e "$lock" ] || flock -n "$lock" true || return 1
	done
}

# wait_down NAME...: until they have ended; after 20 s they are killed.
wait_down() {
	local name
	for name; do
		[ -e "$state/service/$name/supervise/ok" ] || continue
		sv -w 20 force-stop "$state/service/$name" > /dev/null 2>&1 || :
	done
}
