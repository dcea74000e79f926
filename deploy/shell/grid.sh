# grid: the steps from nothing to a running grid, and its commands.

ports='https-port node-port api-port identity-port'
settings="$ports host login-rate token-rate"
declare -A default=([https-port]=9443 [node-port]=9410 [api-port]=9400
	[identity-port]=9430 [host]=localhost [login-rate]=5
	[token-rate]=50)
declare -A setting=()

# What the command line says, else what this grid was started with, else the
# default.
grid_settings() {
	local name value
	for name in $settings; do setting[$name]=${default[$name]}; done
	if [ -r "$state/etc/settings" ]; then
		while IFS='=' read -r name value; do
			setting[$name]=$value
		done < "$state/etc/settings"
	fi
	for name in $settings; do
		value=${option[$name]:-${setting[$name]}}
		case $name in
		*-port)
			[[ $value =~ ^[0-9]{1,5}$ ]] && [ "$value" -ge 1 ] && [ "$value" -le 65535 ] ||
				misuse "--$name $value: not a port number"
			;;
		login-rate | token-rate)
			[[ $value =~ ^[1-9][0-9]{0,4}$ ]] || misuse "--$name $value: not a number"
			;;
		host)
			[[ $value =~ ^[A-Za-z0-9.-]{1,253}$ ]] ||
				misuse "--host $value: not a host name"
			;;
		esac
		setting[$name]=$value
	done
	url="https://${setting[host]}:${setting[https-port]}"
	[ "${setting[https-port]}" != 443 ] || url="https://${setting[host]}"
}

# --- as the caller: packages, build, folders -------------------------------------

grid_prepare() {
	grid_check_paths
	if supervisor_running; then
		say "This grid runs already."
		return
	fi
	grid_check_ports
	check_reach
	[ "$install" = no ] || packages_install build run
	[ "$make" = no ] || grid_build
	[ -x "$build/fieldgridctl" ] ||
		die "there are no programs in $build" "leave out --no-build, or make them first"
	grid_folders
}

grid_check_paths() {
	local socket="$state/run/.s.PGSQL.5432.lock"
	[ "${#socket}" -le 107 ] || die "the path $state is too long for sockets" \
		"choose a shorter one with --state DIR"
	case $state in
	*[\"\\\$\'\{\}\;\@]* | *$'\n'*)
		die "the path $state has a letter that configuration files cannot hold" \
			"choose another one with --state DIR"
		;;
	esac
	case $top in
	*[[:space:]]*)
		[ "$make" = no ] || die "autotools cannot build in a path with spaces: $top" \
			"move the checkout; only --state may have spaces"
		;;
	esac
}

grid_check_ports() {
	local name port seen=' '
	for name in $ports; do
		port=${setting[$name]}
		case $seen in *" $port "*) misuse "--$name $port: used twice" ;; esac
		seen="$seen$port "
		! port_taken "$port" || die "port $port is taken by another program" \
			"choose another one with --$name N"
		[ "$port" -ge "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" ] ||
			die "port $port is for root only, and nothing here runs as root" \
				"choose another one with --$name N"
	done
}

port_taken() {
	local hex
	hex=$(printf '%04X' "$1")
	grep -qsE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F:]+ 0A " /proc/net/tcp /proc/net/tcp6
}

grid_build() {
	step "Building (the log is $state/log/build.log)"
	mkdir -p "$state/log"
	[ "$(id -u)" -ne 0 ] || chown "$(stat -c %u "$top")" "$state" "$state/log"
	as_owner bash -euc '
		cd "$1"
		[ -x configure ] && [ configure -nt configure.ac ] || ./autogen.sh
		cd "$2"
		[ -e config.status ] || "$1/configure"
		npm_config_cache=$3 make -j"$(nproc)"' \
		build "$top" "$build" "$state/npm" > "$state/log/build.log" 2>&1 || {
		tail -n 30 "$state/log/build.log" >&2
		die "the build failed" "the whole log: $state/log/build.log"
	}
}

grid_folders() {
	local user
	(
		umask 022
		mkdir -p "$state"/{audit,etc,log,nginx,pki,run,secret,service,work,node,spool}
	)
	chmod 711 "$state"
	chmod 700 "$state"/{audit,secret,node,spool}
	if [ "$(id -u)" -eq 0 ]; then
		user=$(grid_user)
		chown -R "$user:" "$state"
	fi
}

# Run ourselves again as the unprivileged user.
grid_enter() {
	local name arguments=()
	for name in $settings; do arguments+=("--$name" "${setting[$name]}"); done
	[ "$demo" = yes ] || arguments+=(--no-demo)
	as_grid bash "$top/deploy/quickstart" "$1" --inside --state "$state" \
		--build "$build" "${arguments[@]}"
}

# --- as the unprivileged user ------------------------------------------------------

grid_start() {
	umask 027
	cd "$state"
	supervisor_running || grid_configure
	[ -e "$state/run/started" ] || grid_run
	grid_ready
	[ "$demo" = no ] || demo_enrol
	[ "$demo" = no ] || demo_wait
	grid_print
}

grid_configure() {
	local name
	rm -f "$state/run/started"
	for name in $settings; do
		printf '%s=%s\n' "$name" "${setting[$name]}"
	done > "$state/etc/settings"
	database_init
	config_services
	quietly "$state/log/keys.log" grid_ctl keys init
	# shellcheck disable=SC2046 # names without spaces
	pki_server "${setting[host]}" localhost 127.0.0.1 \
		$(hostname 2> /dev/null | grep -E '^[A-Za-z0-9.-]+$')
	config_nginx
	demo_configure
	grid_services
}

# The programs that there are, each with its workers.
grid_services() {
	local name
	rm -rf "$state/service"
	service_define postgresql "$(quoted "$(postgresql_bin)/postgres") \
-D $(quoted "$state/postgresql")" INT "$state/postgresql"
	fastcgi_workers hub 1
	fastcgi_workers api 3
	fastcgi_workers identity 6
	fastcgi_workers controller 2
	fastcgi_workers web 2
	[ ! -x "$build/fieldgrid-keeper" ] || service_define keeper \
		"$(quoted "$build/fieldgrid-keeper") --config $(quoted "$state/etc/keeper.conf")"
	service_define nginx "nginx -e stderr -c $(quoted "$state/etc/nginx.conf")"
	for name in $plants; do
		[ -x "$build/fieldgrid-ingress" ] || break
		[ "$demo" = yes ] || [ -e "$state/node/$name/ingress.conf" ] || continue
		ingress_define "$name"
	done
}

fastcgi_workers() {
	[ ! -x "$build/fieldgrid-$1" ] || fastcgi_define "$1" "$2" \
		"$(quoted "$build/fieldgrid-$1") --config $(quoted "$state/etc/$1.conf")"
}

ingress_define() {
	service_define "ingress-$1" "$(quoted "$build/fieldgrid-ingress") \
--config $(quoted "$state/node/$1/ingress.conf")"
}

grid_run() {
	local name
	step "Starting PostgreSQL"
	supervisor_start
	service_up postgresql
	wait_until 60 database_ready || die "PostgreSQL does not start" \
		"see deploy/quickstart logs postgresql"
	database_roles
	step "Bringing the database up to date"
	quietly "$state/log/migrate.log" grid_ctl migrate
	quietly "$state/log/keys.log" grid_ctl ca renew --due
	quietly "$state/log/keys.log" grid_ctl keys rotate --due
	quietly "$state/log/nginx-test.log" nginx -t -e stderr -c "$state/etc/nginx.conf"
	step "Starting the services and nginx"
	for name in $(service_names); do
		case $name in
		ingress-*) [ -e "$state/node/${name#ingress-}/ingress.conf" ] || continue ;;
		esac
		service_up "$name"
	done
	: > "$state/run/started"
}

grid_ctl() {
	"$build/fieldgridctl" --config "$state/etc/fieldgridctl.conf" "$@"
}

grid_ready() {
	wait_until 30 grid_answers ||
		die "nginx does not answer on $url" "see deploy/quickstart logs nginx"
	grid_user_account
}

grid_answers() {
	curl --silent --output /dev/null --max-time 2 --cacert "$state/pki/ca.pem" \
		"https://127.0.0.1:${setting[https-port]}/.well-known/openid-configuration"
}

# The first administrator, with a random password.
grid_user_account() {
	local file="$state/secret/admin.password"
	[ ! -s "$file" ] || return 0
	step "Creating the user admin"
	(umask 077 && random_password > "$file.new")
	if grid_ctl user list | grep -q '^admin	'; then
		quietly "$state/log/user.log" grid_ctl user password admin \
			--password-file "$file.new"
	else
		quietly "$state/log/user.log" grid_ctl user add admin --administrator \
			--password-file "$file.new"
	fi
	mv "$file.new" "$file"
	# The API's own documentation page logs in as this client.
	grid_ctl client list | grep -q '^fieldgrid-docs	' ||
		quietly "$state/log/user.log" grid_ctl client add fieldgrid-docs --trusted \
			--name 'API documentation' --public --grant authorization_code \
			--scope openid --scope profile --scope iiotServicesAPI \
			--scope dataStorageAPI --scope API.read --scope API.write \
			--redirect-uri "$url/api/docs/oauth2-redirect.html"
}

grid_print() {
	local command='deploy/quickstart'
	[ "$state" = "$top/var" ] || command="$command --state $(quoted "$state")"
	cat <<-TEXT

		fieldgrid runs: $url/
		    user      admin
		    password  $(cat "$state/secret/admin.password" )

		The browser does not know the private authority $state/pki/ca.pem: import it,
		or accept the warning. Next: $command status | logs | stop | reset
	TEXT
}

grid_status() {
	local name
	if ! supervisor_running; then
		say "Not running ($state)."
		exit 1
	fi
	for name in $(service_names); do
		sv status "$state/service/$name" | sed -e "s|$state/service/||" -e 's/; run: log:.*//'
	done
	say "$url/"
}

grid_logs() {
	[ -d "$state/log" ] || die "there are no logs below $state"
	if [ -n "$1" ]; then
		[ -d "$state/log/$1" ] || die "there is no log of \"$1\"" \
			"there are: $(cd "$state/log" && ls -d -- */ | tr -d / | tr '\n' ' ')"
		tail -n 50 -F "$state/log/$1/current"
	else
		tail -n 15 "$state"/log/*/current
	fi
}

grid_reset() {
	[ -d "$state" ] || return 0
	[ -d "$state/etc" ] && [ -d "$state/run" ] && [ -d "$state/secret" ] ||
		die "$state does not look like the state of a grid; nothing was deleted"
	supervisor_stop
	rm -rf -- "$state"
}
