# demo: three plants that send data: this machine, a solar and a wind park.

plants='host solar wind'
declare -A plant_uuid=(
	[host]=6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001
	[solar]=6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1002
	[wind]=6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1003
)
declare -A plant_name=([host]='Server' [solar]='Solar park' [wind]='Wind park')

# Identity, access data and configuration of each agent; then it starts.
demo_enrol() {
	local plant
	[ -x "$build/fieldgrid-ingress" ] || return 0
	for plant in $plants; do
		[ -s "$state/node/$plant/ingress.conf" ] || demo_enrol_plant "$plant"
		service_up "ingress-$plant"
	done
}

demo_enrol_plant() {
	local plant=$1 folder="$state/node/$1"
	step "Enrolling the plant \"${plant_name[$plant]}\""
	if grid_ctl node list | cut -f 2 | grep -qx "$plant"; then
		die "the node $plant is enrolled, but its files are gone: $folder" \
			"begin anew: deploy/quickstart reset"
	fi
	quietly "$state/log/enrol-$plant.log" grid_ctl node add "$plant" \
		--publish "${plant_uuid[$plant]}:${plant_name[$plant]}" --out "$folder"
	fill "$top/deploy/demo/$plant/ingress.conf" \
		"HUB=https://localhost:${setting[node-port]}" \
		"CA=$folder/ca.pem" "CERTIFICATE=$folder/node.pem" \
		"KEY=$folder/node.key" "CLIENT_ID=$(cat "$folder/client_id")" \
		"CLIENT_SECRET=$folder/client_secret" \
		"VARIABLES=$top/deploy/demo/$plant/variables.csv" \
		"LIMITS=$top/deploy/demo/$plant/limits.csv" \
		"SPOOL=$state/spool/$plant" "LONGITUDE=$(sunny_longitude)" \
		> "$folder/ingress.conf.new"
	mv "$folder/ingress.conf.new" "$folder/ingress.conf"
}

# Where it is early afternoon now.
sunny_longitude() {
	local degrees
	degrees=$(((13 - 10#$(date -u +%H)) * 15))
	[ "$degrees" -ge -180 ] || degrees=$((degrees + 360))
	printf '%d' "$degrees"
}

# A port may have changed since the agent was configured.
demo_configure() {
	local file
	for file in "$state"/node/*/ingress.conf; do
		[ ! -e "$file" ] || sed -i \
			"s|^url = .*|url = https://localhost:${setting[node-port]}|" "$file"
	done
}

# Wait for the first frames, then add what needs the variables to be known.
demo_wait() {
	local plant
	[ -x "$build/fieldgrid-ingress" ] || return 0
	[ ! -e "$state/node/complete" ] || return 0
	step "Waiting for the plants' data"
	wait_until 60 demo_arrived || die "no data arrive from the plants" \
		"see deploy/quickstart logs ingress-solar, and logs hub"
	step "Adding archives and process screens"
	for plant in $plants; do demo_complete "$plant"; done
	: > "$state/node/complete"
}

demo_arrived() {
	[ "$(printf "SELECT count(*) FROM node_position p JOIN node n ON n.id = p.node_id
		WHERE n.name IN ('host', 'solar', 'wind') AND p.last_sequence > 0" |
		psql_super fieldgrid)" = 3 ]
}

# demo_add LOG WORD...: run fieldgridctl, unless an earlier start did.
demo_add() {
	local log="$state/log/$1.log"
	shift
	grid_ctl "$@" > "$log" 2>&1 || grep -q 'already' "$log" || {
		cat "$log" >&2
		die "\"fieldgridctl $1 $2\" failed"
	}
}

demo_complete() {
	local plant=$1 uuid=${plant_uuid[$1]}
	case $plant in
	host)
		demo_add archive archive add "$uuid" LOAD "Load" \
			--variables 'cpu/*' --variables 'memory/*'
		demo_add archive archive add "$uuid" LOAD_HOUR "Load, hourly average" \
			--parent LOAD --calculation average --cycle 3600
		;;
	solar)
		demo_add archive archive add "$uuid" SITE "Site" --variables 'site/*'
		demo_add archive archive add "$uuid" POWER "Inverter power" \
			--variables 'inverter*/ac_power'
		demo_add archive archive add "$uuid" POWER_QUARTER \
			"Inverter power, quarter-hour average" \
			--parent POWER --calculation average --cycle 900
		;;
	wind)
		demo_add archive archive add "$uuid" PARK "Park" --variables 'park/*'
		demo_add archive archive add "$uuid" POWER "Turbine power" \
			--variables 'wt*/power'
		demo_add archive archive add "$uuid" POWER_QUARTER \
			"Turbine power, quarter-hour average" \
			--parent POWER --calculation average --cycle 900
		;;
	esac
	demo_add screen screen import "$uuid" plant \
		"$top/deploy/demo/$plant/screen.svg" --title "${plant_name[$plant]}"
}
