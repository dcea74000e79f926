# pki: the private certificate authority and the server's certificate.

# pki_server NAME...: a certificate for these host names and addresses, when
# there is none for them that is good for another month.
pki_server() {
	local pki="$state/pki"
	[ ! -s "$pki/server.pem" ] || [ "$(cat "$pki/server.names")" != "$*" ] ||
		! openssl x509 -checkend 2592000 -noout -in "$pki/server.pem" \
			> /dev/null || return 0
	step "Making the server's certificate for $1"
	quietly "$state/log/pki.log" grid_ctl keys server "$@"
	printf '%s\n' "$*" > "$pki/server.names"
}
