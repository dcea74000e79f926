#!/bin/sh
# cluster.sh: a private PostgreSQL for tests, with the schema in it.
#
#   cluster.sh start [DIR]   make it, print the folder of its socket
#   cluster.sh stop DIR      stop it and remove the folder
#   cluster.sh kill DIR      SIGKILL the server, for fault tests
#   cluster.sh up DIR        start it again after "kill"
#
# The server listens on a unix socket only, port 5432, and trusts everybody who
# can reach it. Database "fieldgrid" has the schema and the services' roles;
# database "postgres" is empty. DURABLE=yes leaves fsync on. SCHEMA=no makes no
# database. Run as root it becomes user "postgres".
set -eu

here=$(cd "$(dirname "$0")" && pwd)
sql=${FIELDGRID_SQL:-$here/../../sql}
roles="hub api identity controller web keeper"

bin=$(pg_config --bindir 2>/dev/null || true)
[ -x "$bin/initdb" ] || bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
[ -x "$bin/initdb" ] || {
	echo "cluster.sh: no initdb; on Debian: apt-get install postgresql" >&2
	exit 77
}

as_server()
{
	if [ "$(id -u)" = 0 ]; then
		# postgres may not enter the folder that root works in.
		(cd / && exec setpriv --reuid=postgres --regid=postgres \
			--init-groups "$@")
	else
		"$@"
	fi
}

# query DATABASE USER, statements on standard input
query()
{
	"$bin/psql" -X -q -o /dev/null -v ON_ERROR_STOP=1 -h "$dir" -d "$1" -U "$2"
}

launch()
{
	as_server "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 30 start \
		>/dev/null || {
		tail -5 "$dir/log" >&2
		exit 1
	}
}

configure()
{
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$dir'"
		echo "max_connections = 60"
		echo "shared_buffers = 64MB"
		echo "max_wal_size = 512MB"
		echo "timezone = UTC"
		echo "log_timezone = UTC"
		[ "${DURABLE:-no}" = yes ] || {
			echo "fsync = off"
			echo "full_page_writes = off"
		}
	} | as_server tee -a "$dir/data/postgresql.conf" >/dev/null
}

create()
{
	{
		echo "CREATE ROLE fieldgrid_owner LOGIN;"
		for role in $roles; do
			echo "CREATE ROLE fieldgrid_$role LOGIN;"
		done
		echo "CREATE DATABASE fieldgrid OWNER fieldgrid_owner;"
	} | query postgres postgres
	echo "ALTER SCHEMA public OWNER TO fieldgrid_owner;" |
		query fieldgrid postgres
	for file in "$sql"/0*.sql "$sql"/roles.sql; do
		{
			echo "BEGIN;"
			cat "$file"
			echo "COMMIT;"
		} | query fieldgrid fieldgrid_owner
	done
}

start()
{
	if [ -n "${1:-}" ]; then
		mkdir -p "$1"
		dir=$(cd "$1" && pwd)
	else
		dir=$(mktemp -d "${TMPDIR:-/tmp}/fieldgrid-pg.XXXXXX")
	fi
	chmod 711 "$dir"
	[ "$(id -u)" != 0 ] || chown postgres "$dir"
	as_server "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 \
		--locale=C.UTF-8 --no-sync >"$dir.initdb" 2>&1 || {
		cat "$dir.initdb" >&2
		exit 1
	}
	rm -f "$dir.initdb"
	configure
	launch
	[ "${SCHEMA:-yes}" = no ] || create
	echo "$dir"
}

stop()
{
	as_server "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop \
		>/dev/null 2>&1 || true
	rm -rf "$dir"
}

# Children end by themselves when the postmaster is gone; a dead postmaster
# that nobody has reaped yet would still pass for a running one.
kill_server()
{
	pid=$(head -1 "$dir/data/postmaster.pid")
	kill -KILL "$pid"
	sleep 0.3
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		grep -q '^State:[[:space:]]*[^Z[:space:]]' "/proc/$pid/status" \
			2>/dev/null || break
		sleep 0.1
	done
	rm -f "$dir/data/postmaster.pid" "$dir"/.s.PGSQL.5432*
}

case ${1:-} in
start)
	start "${2:-}"
	;;
stop | kill | up)
	dir=$(cd "$2" && pwd)
	case $1 in
	stop) stop ;;
	kill) kill_server ;;
	up) launch ;;
	esac
	;;
*)
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
