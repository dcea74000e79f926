#!/bin/bash
# slapd.sh: private directories for tests: OpenLDAP's slapd with TLS.
#
#   slapd.sh start [plain|ad] [DIR]   make it and start it, print its folder
#   slapd.sh up DIR                   start it again after "down"
#   slapd.sh down DIR                 end it
#   slapd.sh stop DIR                 end it and remove the folder
#
# "plain" is dc=grid,dc=test, which refuses everything in clear; "ad" is
# dc=corp,dc=test, which has attributes of Active Directory and, as that does,
# says yes to a name with an empty password. Both listen on 127.0.0.1 and on
# 127.0.0.2, which their certificate does not name. The folder has "ports"
# (two words: LDAP and LDAPS), ca.pem, and other.pem of another authority. The
# service account is cn=svc,ou=services,SUFFIX, "service pass phrase"; people
# have "the pass phrase of NAME". Ends with 77 when there is no slapd.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin
modules=/usr/lib/ldap
schemas=/etc/ldap/schema

command -v slapd > /dev/null || {
	echo "slapd.sh: no slapd; on Debian: apt-get install slapd" >&2
	exit 77
}

# --- certificates ----------------------------------------------------------------

authority() { # NAME
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-days 30 -subj "/CN=Directory test $1" -keyout "$1.key" -out "$1.pem" \
		2> /dev/null
}

certificates() {
	authority ca
	authority other
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj /CN=directory.test -keyout server.key -out server.csr 2> /dev/null
	printf 'subjectAltName=DNS:directory.test,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' \
		> server.ext
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial \
		-days 30 -extfile server.ext -out server.pem 2> /dev/null
}

# --- configuration ----------------------------------------------------------------

ad_schema() {
	cat <<-'END'
		attributetype ( 1.2.840.113556.1.4.221 NAME 'sAMAccountName'
		  EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch
		  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
		attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl'
		  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
		attributetype ( 1.2.840.113556.1.4.98 NAME 'primaryGroupID'
		  EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
		attributetype ( 1.2.840.113556.1.4.146 NAME 'objectSid'
		  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
		attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID'
		  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
		attributetype ( 1.2.840.113556.1.4.1301 NAME 'tokenGroups'
		  EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
		objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY
		  MAY ( sAMAccountName $ userAccountControl $ primaryGroupID $ objectSid $
		  objectGUID $ tokenGroups $ displayName $ mail $ userPassword ) )
		objectclass ( 1.2.840.113556.1.5.8 NAME 'group' SUP top STRUCTURAL
		  MUST cn MAY ( member $ objectSid $ objectGUID $ sAMAccountName ) )
	END
}

configuration() { # KIND SUFFIX
	cat <<-END
		modulepath $modules
		moduleload back_mdb
		include $schemas/core.schema
		include $schemas/cosine.schema
		include $schemas/inetorgperson.schema
		pidfile $folder/pid
		TLSCACertificateFile $folder/ca.pem
		TLSCertificateFile $folder/server.pem
		TLSCertificateKeyFile $folder/server.key
		TLSProtocolMin 3.3
		sizelimit size.soft=500 size.hard=500 size.prtotal=unlimited
	END
	if [ "$1" = ad ]; then
		ad_schema
		echo 'allow bind_anon_dn bind_anon_cred'
	else
		echo 'security simple_bind=128'
		echo 'disallow bind_anon'
	fi
	cat <<-END
		database mdb
		suffix "$2"
		rootdn "cn=admin,$2"
		rootpw admin
		directory $folder/db
		maxsize 67108864
		dbnosync
		index objectClass,uid,member,entryUUID eq
		access to attrs=userPassword by self write by anonymous auth by * none
		access to * by dn.exact="cn=svc,ou=services,$2" read by self read by * none
	END
}

# --- people and groups --------------------------------------------------------------

base() { # SUFFIX
	local name
	printf 'dn: %s\nobjectClass: domain\ndc: %s\n\n' "$1" \
		"$(sed 's/^dc=\([^,]*\),.*/\1/' <<< "$1")"
	for name in people groups services; do
		printf 'dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n' \
			"$name" "$1" "$name"
	done
	printf 'dn: cn=svc,ou=services,%s\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: svc\nuserPassword: service pass phrase\n\n' "$1"
}

person() { # DN-PART UID FULL-NAME
	printf 'dn: %s,ou=people,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: %s\nmail: %s@grid.test\nuserPassword: the pass phrase of %s\n\n' \
		"$1" "$suffix" "$2" "$3" "${3##* }" "${2%%[^a-z]*}" "$2"
}

group() { # NAME MEMBER-DN...
	printf 'dn: cn=%s,ou=groups,%s\nobjectClass: groupOfNames\ncn: %s\n' "$1" "$suffix" "$1"
	shift
	printf "member: %s,$suffix\n" "$@"
	echo
}

plain_people() {
	local number
	person uid=alice alice 'Alice Ahlers'
	# shellcheck disable=SC1003
	person 'cn=Bob (Ops)\2C Jr' 'bob*(x)' 'Bob (Ops), Jr'
	person uid=carol carol 'Carol Cramer'
	person uid=dave dave 'Dave Dietz'
	person uid=many many 'Many Groups'
	person uid=deep deep 'Deep Down'
	person uid=twin twin 'Twin One'
	person 'cn=Other Twin' twin 'Twin Two'
	person uid=admin admin 'Not The Administrator'
	printf 'dn: ou=elsewhere,%s\nobjectClass: referral\nobjectClass: extensibleObject\nou: elsewhere\nref: ldap://127.0.0.1:1/ou=elsewhere,%s\n\n' \
		"$suffix" "$suffix"
	for number in $(seq 1201 2400); do
		person "uid=u$number" "u$number" "User $number"
	done
	group operators uid=alice,ou=people 'cn=Bob (Ops)\2C Jr,ou=people'
	group all-staff cn=operators,ou=groups
	group company cn=all-staff,ou=groups uid=carol,ou=people
	group circle-a cn=circle-b,ou=groups uid=dave,ou=people
	group circle-b cn=circle-a,ou=groups
	group level1 uid=deep,ou=people
	for number in $(seq 2 13); do
		group "level$number" "cn=level$((number - 1)),ou=groups"
	done
	for number in $(seq 1 501); do
		group "many$number" uid=many,ou=people
	done
}

# Base64 of bytes in hexadecimal.
bytes() {
	# shellcheck disable=SC2059 # it is made of escapes
	printf "$(sed 's/../\\x&/g' <<< "$1")" | base64
}

# A security identifier of this domain: S-1-5-21-1-2-3-RID.
sid() {
	bytes "$(printf '010500000000000515000000010000000200000003000000%02x%02x0000' \
		$(($1 & 255)) $(($1 >> 8)))"
}

ad_person() { # NAME RID ACCOUNT-CONTROL GROUP-RID...
	local rid
	printf 'dn: cn=%s,ou=people,%s\nobjectClass: inetOrgPerson\nobjectClass: user\ncn: %s\nsn: %s\nsAMAccountName: %s\ndisplayName: The person %s\nmail: %s@corp.test\nuserPassword: the pass phrase of %s\nprimaryGroupID: 513\nuserAccountControl: %s\n' \
		"$1" "$suffix" "$1" "$1" "$1" "$1" "$1" "$1" "$3"
	printf 'objectSid:: %s\n' "$(sid "$2")"
	printf 'objectGUID:: %s\n' "$(bytes "$(printf '%032x' "$2")")"
	for rid in "${@:4}"; do
		printf 'tokenGroups:: %s\n' "$(sid "$rid")"
	done
	echo
}

ad_group() { # NAME RID MEMBER-DN...
	printf 'dn: cn=%s,ou=groups,%s\nobjectClass: group\ncn: %s\nsAMAccountName: %s\nobjectSid:: %s\n' \
		"$1" "$suffix" "$1" "$1" "$(sid "$2")"
	[ $# -lt 3 ] || printf "member: %s,$suffix\n" "${@:3}"
	echo
}

ad_people() {
	ad_person dora 1101 512 513 1201 1202
	ad_person erik 1102 514 513
	ad_person frida 1103 512
	ad_group 'Domain Users' 513
	ad_group 'Plant Operators' 1201 cn=dora,ou=people
	ad_group 'Plant People' 1202 'cn=Plant Operators,ou=groups'
}

# --- running ------------------------------------------------------------------------

free_ports() {
	node -e '
		const servers = [1, 2].map(() => require("net").createServer());
		let left = servers.length;
		for (const server of servers) server.listen(0, "0.0.0.0", () => {
			if (--left) return;
			console.log(servers.map((one) => one.address().port).join(" "));
			servers.forEach((one) => one.close());
		});'
}

up() {
	local ldap ldaps try
	read -r ldap ldaps < "$folder/ports"
	slapd -h "ldap://127.0.0.1:$ldap ldap://127.0.0.2:$ldap ldaps://127.0.0.1:$ldaps ldaps://127.0.0.2:$ldaps" \
		-f "$folder/slapd.conf" -d 0 > "$folder/log" 2>&1 &
	for try in $(seq 1 100); do
		(: < "/dev/tcp/127.0.0.1/$ldaps") 2> /dev/null && return
		sleep 0.1
	done
	cat "$folder/log" >&2
	exit 1
}

down() {
	local pid try
	pid=$(cat "$folder/pid" 2> /dev/null) || return 0
	kill "$pid" 2> /dev/null || return 0
	for try in $(seq 1 100); do
		[ -e "/proc/$pid" ] || return 0
		sleep 0.05
	done
	kill -KILL "$pid"
}

start() { # KIND [DIR]
	folder=${2:-$(mktemp -d "${TMPDIR:-/tmp}/fieldgrid-slapd.XXXXXX")}
	suffix=dc=grid,dc=test
	[ "$1" = plain ] || suffix=dc=corp,dc=test
	mkdir -p "$folder/db"
	cd "$folder"
	certificates
	configuration "$1" "$suffix" > slapd.conf
	{ base "$suffix" && "$1_people"; } > people.ldif
	slapadd -q -f slapd.conf -l people.ldif > slapadd.log 2>&1 || {
		cat slapadd.log >&2
		exit 1
	}
	free_ports > ports
	up
	printf '%s\n' "$folder"
}

case ${1:-} in
start) start "${2:-plain}" "${3:-}" ;;
up | down | stop)
	folder=$2
	case $1 in
	up) up ;;
	down) down ;;
	stop) down && rm -rf "$folder" ;;
	esac
	;;
*)
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
