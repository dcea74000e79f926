# database: a private PostgreSQL cluster below the state folder.

roles='hub api identity controller web keeper'

postgresql_bin() {
	local folder best=
	for folder in /usr/lib/postgresql/*/bin; do
		[ -x "$folder/initdb" ] && best=$folder
	done
	[ -n "$best" ] || die "PostgreSQL is not installed" \
		"apt-get install --no-install-recommends postgresql-15"
	printf '%s\n' "$best"
}

# secret_file NAME: a file with a random password, made when missing.
secret_file() {
	local file="$state/secret/$1.password"
	[ -s "$file" ] || (umask 077 && random_password > "$file.new" &&
		mv "$file.new" "$file")
	printf '%s\n' "$file"
}

# shellcheck disable=SC2016 # the $ belong to PostgreSQL's configuration
database_init() {
	local bin data="$state/postgresql"
	bin=$(postgresql_bin)
	[ ! -s "$data/PG_VERSION" ] || return 0
	step "Making a private PostgreSQL cluster"
	rm -rf "$data"
	quietly "$state/log/initdb.log" "$bin/initdb" --pgdata="$data" \
		--username=postgres --pwfile="$(secret_file postgres)" \
		--auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
	printf 'local all all scram-sha-256\n' > "$data/pg_hba.conf"
	cat >> "$data/postgresql.conf" <<-CONF

		# --- fieldgrid: below here; this machine only, by socket only
		listen_addresses = ''
		unix_socket_directories = '"$state/run"'
		unix_socket_permissions = 0700
		max_connections = 100
		shared_buffers = 128MB
		effective_cache_size = 512MB
		work_mem = 8MB
		maintenance_work_mem = 64MB
		max_wal_size = 1GB
		checkpoint_completion_target = 0.9
		wal_compression = on
		jit = off
		log_line_prefix = '%q%u '
		log_timezone = 'UTC'
		timezone = 'UTC'
		restart_after_crash = on
	CONF
}

# psql_super DATABASE: run the SQL of standard input as the superuser.
psql_super() {
	PGPASSWORD=$(cat "$state/secret/postgres.password") \
		psql --no-psqlrc --quiet --tuples-only --no-align \
		--set ON_ERROR_STOP=1 --host "$state/run" --username postgres \
		--dbname "$1"
}

database_ready() {
	"$(postgresql_bin)/pg_isready" -q -h "$state/run" -U postgres
}

# The roles with their passwords, and the empty database.
database_roles() {
	local role
	{
		for role in owner $roles; do
			printf 'SELECT %s WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)\\gexec\n' \
				"'CREATE ROLE fieldgrid_$role LOGIN'" "'fieldgrid_$role'"
			printf "ALTER ROLE fieldgrid_%s PASSWORD '%s';\n" "$role" \
				"$(cat "$(secret_file "$role")")"
		done
		printf 'SELECT %s WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = %s)\\gexec\n' \
			"'CREATE DATABASE fieldgrid OWNER fieldgrid_owner'" "'fieldgrid'"
		printf 'REVOKE ALL ON DATABASE fieldgrid FROM PUBLIC;\n'
		for role in $roles; do
			printf 'GRANT CONNECT ON DATABASE fieldgrid TO fieldgrid_%s;\n' "$role"
		done
	} | psql_super postgres > "$state/log/roles.log" 2>&1 ||
		die "the database roles could not be made" "see $state/log/roles.log"
	psql_super fieldgrid <<-SQL
		ALTER SCHEMA public OWNER TO fieldgrid_owner;
		REVOKE CREATE ON SCHEMA public FROM PUBLIC;
	SQL
}
