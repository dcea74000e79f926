# config: files from templates and from the example configurations.

# fill FILE NAME=VALUE...: FILE with each @NAME@ replaced.
fill() {
	local file=$1 text pair
	shift
	text=$(cat "$file")
	for pair; do
		text=${text//"@${pair%%=*}@"/"${pair#*=}"}
	done
	printf '%s\n' "$text"
}

# configure_ini EXAMPLE SECTION.KEY=VALUE...: the example with these values;
# keys that the example does not have are left out.
configure_ini() {
	local example=$1
	shift
	awk '
		BEGIN {
			for (i = 2; i < ARGC; i++) {
				at = index(ARGV[i], "=")
				value[substr(ARGV[i], 1, at - 1)] = substr(ARGV[i], at + 1)
				delete ARGV[i]
			}
		}
		/^[ \t]*\[/ {
			section = $0
			gsub(/^[ \t]*\[|\][ \t]*$/, "", section)
		}
		/^[#; \t]*[a-z0-9_]+[ \t]*=/ {
			key = $0
			sub(/[ \t]*=.*/, "", key)
			gsub(/^[#; \t]+/, "", key)
			name = section "." key
			if (name in done) next
			if (name in value) {
				print key " = " value[name]
				done[name] = 1
				next
			}
		}
		{ print }' "$example" "$@"
}

# The configuration of every program, from its example.
config_services() {
	local name conf
	for name in hub api identity controller web keeper fieldgridctl; do
		[ -r "$top/deploy/conf/$name.conf" ] || continue
		conf=$name
		[ "$name" != fieldgridctl ] || conf=owner
		configure_ini "$top/deploy/conf/$name.conf" \
			"database.host=$state/run" \
			"database.port=5432" \
			"database.name=fieldgrid" \
			"database.user=fieldgrid_$conf" \
			"database.password_file=$(secret_file "$conf")" \
			"identity.issuer=$url" \
			"paths.data=$top" \
			"paths.pki=$state/pki" \
			"paths.seal_key=$state/secret/seal.key" \
			"paths.ca_seal=$state/secret/authority.seal" \
			"authority.seal_file=$state/secret/authority.seal" \
			"keys.seal_file=$state/secret/seal.key" \
			"logout.ca_file=$state/pki/ca.pem" \
			"paths.audit_key=$state/secret/audit.key" \
			"audit.key_file=$state/secret/audit.key" \
			"audit.public_key=$state/secret/audit.key.pub" \
			"audit.checkpoint_file=$state/audit/checkpoints" \
			"authority.bundle=$state/pki/ca.pem" \
			"hub.live_socket=$state/run/live.sock" \
			"api.openapi=$top/fcgi/openapi.json" \
			"api.templates=$top/templates" \
			"api.manifest=$build/static/dist/manifest.json" \
			"api.templates=$top/templates" \
			"api.manifest=$build/static/dist/manifest.json" \
			"identity.node_url=https://${setting[host]}:${setting[node-port]}" \
			"login.slots_file=$state/run/hash.lock" \
			"directories.slots_file=$state/run/directory.lock" \
			"providers.slots_file=$state/run/provider.lock" \
			"login.passwords=$build/static/vendor/data/passwords.txt" \
			"paths.passwords=$build/static/vendor/data/passwords.txt" \
			"identity.templates=$top/templates" \
			"identity.manifest=$build/static/dist/manifest.json" \
			"web.templates=$top/templates" \
			"web.manifest=$build/static/dist/manifest.json" \
			> "$state/etc/$name.conf"
	done
}

config_nginx() {
	local pairs=(
		"STATE=$state" "RUN=$state/run" "LIVE=$state/run/live.sock"
		"NGINX=$state/etc/nginx"
		"STATIC=$build/static/dist" "ACCESS_LOG=/dev/stderr" "ERROR_LOG=stderr"
		"SERVER_CERTIFICATE=$state/pki/server.pem"
		"SERVER_KEY=$state/pki/server.key" "CLIENT_CA=$state/pki/ca.pem"
		"LOGIN_RATE=${setting[login-rate]}r/s" "TOKEN_RATE=${setting[token-rate]}r/s"
		"HTTPS_PORT=${setting[https-port]}" "NODE_PORT=${setting[node-port]}"
		"API_PORT=${setting[api-port]}"
		"IDENTITY_PORT=${setting[identity-port]}"
	)
	write_nginx "$top/deploy/nginx" "$state/etc/nginx" \
		"$state/etc/fieldgrid.nginx.conf" "${pairs[@]}"
	fill "$top/deploy/nginx/nginx.conf" "${pairs[@]}" > "$state/etc/nginx.conf"
}

# write_nginx TEMPLATES FOLDER SITE NAME=VALUE...: the site and its snippets.
write_nginx() {
	local from=$1 to=$2 site=$3 file
	shift 3
	mkdir -p "$to/snippets"
	for file in "$from"/snippets/*.conf; do
		fill "$file" "$@" > "$to/snippets/${file##*/}"
	done
	cp "$from"/*.html "$to/"
	fill "$from/fieldgrid.conf" "$@" |
		if [ -e /proc/net/if_inet6 ]; then cat; else sed '/# ipv6$/d'; fi > "$site"
}
