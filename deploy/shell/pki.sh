# pki: a private certificate authority and the server's certificate.

pki_ca() {
	local pki="$state/pki"
	[ ! -s "$pki/ca.pem" ] || return 0
	step "Making a private certificate authority"
	(
		umask 077
		openssl ecparam -name prime256v1 -genkey -noout -out "$pki/ca.key"
		openssl req -new -x509 -key "$pki/ca.key" -sha256 -days 3650 \
			-subj "/O=fieldgrid/CN=fieldgrid private CA $(openssl rand -hex 4)" \
			-addext 'basicConstraints=critical,CA:TRUE,pathlen:0' \
			-addext 'keyUsage=critical,keyCertSign,cRLSign' \
			-out "$pki/ca.pem"
	) 2> "$state/log/pki.log" || die "openssl failed" "see $state/log/pki.log"
	chmod 644 "$pki/ca.pem"
}

# pki_server NAME...: a certificate for these host names and addresses.
pki_server() {
	local pki="$state/pki" names='' name first=$1
	for name; do
		case $name in
		*[!0-9.]*) name="DNS:$name" ;;
		*) name="IP:$name" ;;
		esac
		case ",$names," in *",$name,"*) ;; *) names="$names${names:+,}$name" ;; esac
	done
	[ ! -s "$pki/server.pem" ] || [ "$(cat "$pki/server.names")" != "$names" ] ||
		! openssl x509 -checkend 2592000 -noout -in "$pki/server.pem" \
			> /dev/null || return 0
	step "Making the server's certificate for $first"
	(
		umask 077
		openssl ecparam -name prime256v1 -genkey -noout -out "$pki/server.key"
		openssl req -new -key "$pki/server.key" -subj "/CN=$first" |
			openssl x509 -req -CA "$pki/ca.pem" -CAkey "$pki/ca.key" \
				-set_serial "0x$(openssl rand -hex 15)" -sha256 -days 397 \
				-extfile <(
					printf 'basicConstraints=critical,CA:FALSE\n'
					printf 'keyUsage=critical,digitalSignature\n'
					printf 'extendedKeyUsage=serverAuth\n'
					printf 'subjectKeyIdentifier=hash\n'
					printf 'authorityKeyIdentifier=keyid\n'
					printf 'subjectAltName=%s\n' "$names"
				) -out "$pki/server.pem"
	) 2>> "$state/log/pki.log" || die "openssl failed" "see $state/log/pki.log"
	printf '%s\n' "$names" > "$pki/server.names"
	chmod 644 "$pki/server.pem"
}
