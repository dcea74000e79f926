// trend_state: what the trend page shows, as its address says it. Pure.
//
//   ?v=<datasource>:<name>&v=…&range=1h            ends now and moves on
//   ?v=…&from=<ISO 8601>&to=<ISO 8601>             stands still
//   &zone=Europe/Vienna &a=<ISO> &b=<ISO>          zone and cursors

export const RANGES = ['5m', '15m', '1h', '6h', '24h', '7d', '30d'];
export const VARIABLES_MAX = 8;
export const SPAN_MIN_MS = 100;
export const SPAN_MAX_MS = 10 * 365 * 86_400_000;

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

// "90m" in ms, or null.
export function parseRange(text) {
	const match = /^(\d{1,6})([smhd])$/.exec(text ?? '');
	const span = match === null ? 0 : Number(match[1]) * UNITS[match[2]];

	return span >= SPAN_MIN_MS && span <= SPAN_MAX_MS ? span : null;
}

// The shortest text of a span that is whole in some unit.
export function rangeText(span_ms) {
	for (const unit of ['d', 'h', 'm', 's'])
		if (span_ms % UNITS[unit] === 0 && (unit !== 'd' || span_ms > UNITS.d))
			return `${span_ms / UNITS[unit]}${unit}`;
	return `${Math.max(1, Math.round(span_ms / 1000))}s`;
}

function parseVariable(text) {
	const datasource = text.slice(0, 36).toLowerCase();
	const name = text.slice(37);

	return UUID.test(datasource) && text[36] === ':' && name !== '' ? { datasource, name } : null;
}

function parseTime(text) {
	const time = Date.parse(text ?? '');

	return Number.isFinite(time) ? time : null;
}

export function validZone(zone) {
	try {
		new Intl.DateTimeFormat('en', { timeZone: zone });
		return true;
	} catch {
		return false;
	}
}

// {variables, range} or {variables, from, to}, with zone and cursors; what
// makes no sense is left out.
export function parseState(search, defaultZone = 'UTC') {
	const query = new URLSearchParams(search);
	const variables = [];

	for (const text of query.getAll('v')) {
		const variable = parseVariable(text);

		if (variable !== null && variables.length < VARIABLES_MAX
			&& !variables.some((other) => sameVariable(other, variable)))
			variables.push(variable);
	}
	const zone = query.get('zone');
	const state = { variables, zone: zone && validZone(zone) ? zone : defaultZone,
		cursors: [parseTime(query.get('a')), parseTime(query.get('b'))] };
	const from = parseTime(query.get('from'));
	const to = parseTime(query.get('to'));

	if (from !== null && to !== null && to - from >= SPAN_MIN_MS && to - from <= SPAN_MAX_MS)
		return { ...state, from, to };
	return { ...state, range: parseRange(query.get('range')) ?? UNITS.h };
}

export function sameVariable(left, right) {
	return left.datasource === right.datasource && left.name === right.name;
}

// Variables are written by hand: %2F and %3A would only hide their names.
export function formatState(state, defaultZone = 'UTC') {
	const iso = (time) => new Date(time).toISOString();
	const parts = state.variables.map(({ datasource, name }) => `v=${datasource}:`
		+ encodeURIComponent(name).replaceAll('%2F', '/').replaceAll('%3A', ':'));

	if (state.range !== undefined)
		parts.push(`range=${rangeText(state.range)}`);
	else
		parts.push(`from=${iso(state.from)}`, `to=${iso(state.to)}`);
	if (state.zone !== defaultZone)
		parts.push(`zone=${state.zone}`);
	['a', 'b'].forEach((name, i) => {
		if (state.cursors[i] !== null)
			parts.push(`${name}=${iso(state.cursors[i])}`);
	});
	return `?${parts.join('&')}`;
}

// The window [from, to] of a state at a time.
export function windowOf(state, now) {
	return state.range !== undefined ? [now - state.range, now] : [state.from, state.to];
}

// A window moved or zoomed; it keeps within what can be asked for.
export function zoomWindow([from, to], factor, centre = (from + to) / 2) {
	const span = Math.min(SPAN_MAX_MS, Math.max(SPAN_MIN_MS, (to - from) * factor));
	const share = (centre - from) / (to - from);

	return [Math.round(centre - span * share), Math.round(centre + span * (1 - share))];
}

export function panWindow([from, to], share) {
	const step = Math.round((to - from) * share);

	return [from + step, to + step];
}
