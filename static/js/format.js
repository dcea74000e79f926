// format: values, ages, times and zones as a person reads them. Pure.

export const NONE = '–';

const numberFormats = new Map();

function numberFormat(decimals, locale) {
	const key = `${locale ?? ''}|${decimals}`;
	let format = numberFormats.get(key);

	if (format === undefined) {
		format = new Intl.NumberFormat(locale, {
			minimumFractionDigits: decimals,
			maximumFractionDigits: decimals,
		});
		numberFormats.set(key, format);
	}
	return format;
}

// Beyond 1e15 grouping stops helping: write powers of ten.
export function formatNumber(value, decimals = 2, locale = undefined) {
	if (!Number.isFinite(value))
		return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
	if (Math.abs(value) >= 1e15)
		return value.toExponential(Math.min(decimals, 6));
	// Never "-0.00"; signDisplay "negative" is too new for some browsers.
	if (Math.abs(value) < 0.5 / 10 ** decimals)
		return numberFormat(decimals, locale).format(0);
	return numberFormat(decimals, locale).format(value);
}

// An int64 beyond 2^53 arrives as a string and must keep every digit.
function formatInteger(value, locale) {
	if (typeof value === 'string' && /^-?\d+$/.test(value))
		return numberFormat(0, locale).format(BigInt(value));
	return formatNumber(Number(value), 0, locale);
}

// "variable" gives type and decimals; a value of null is "none yet".
export function formatValue(variable, value, locale = undefined) {
	if (value === null || value === undefined)
		return NONE;
	if (variable.type === 'bool' || typeof value === 'boolean')
		return value === true || value === 1 ? 'on' : 'off';
	if (variable.type === 'string')
		return String(value);
	if (variable.type === 'int' || typeof value === 'string')
		return formatInteger(value, locale);
	return formatNumber(Number(value), variable.decimals ?? 2, locale);
}

export function formatWithUnit(variable, value, locale = undefined) {
	const text = formatValue(variable, value, locale);

	return variable.unit && text !== NONE ? `${text} ${variable.unit}` : text;
}

const AGE_STEPS = [
	[60_000, 1000, 's'],
	[3_600_000, 60_000, 'min'],
	[172_800_000, 3_600_000, 'h'],
	[Infinity, 86_400_000, 'd'],
];

// A clock a little behind gives small negative ages: those are "now".
export function formatAge(age_ms) {
	if (!Number.isFinite(age_ms))
		return NONE;
	if (age_ms < 1000)
		return 'now';
	for (const [below, divisor, unit] of AGE_STEPS)
		if (age_ms < below)
			return `${Math.floor(age_ms / divisor)} ${unit}`;
	return NONE;
}

export function formatSpan(span_ms) {
	if (span_ms < 1000)
		return `${Math.round(span_ms)} ms`;
	for (const [below, divisor, unit] of AGE_STEPS)
		if (span_ms < below) {
			const count = span_ms / divisor;
			const rounded = count < 10 ? Math.round(count * 10) / 10 : Math.round(count);

			return `${rounded} ${unit}`;
		}
	return NONE;
}

const partFormats = new Map();

function partFormat(zone) {
	let format = partFormats.get(zone);

	if (format === undefined) {
		format = new Intl.DateTimeFormat('en-GB', {
			timeZone: zone,
			hourCycle: 'h23',
			year: 'numeric', month: '2-digit', day: '2-digit',
			hour: '2-digit', minute: '2-digit', second: '2-digit',
		});
		partFormats.set(zone, format);
	}
	return format;
}

// The wall clock of a zone at a point in time, as strings.
export function zoneParts(time_ms, zone) {
	const parts = { millisecond: String(((time_ms % 1000) + 1000) % 1000 | 0).padStart(3, '0') };

	for (const { type, value } of partFormat(zone).formatToParts(time_ms))
		parts[type] = value;
	parts.year = parts.year.padStart(4, '0');
	return parts;
}

export function formatDate(time_ms, zone) {
	const p = zoneParts(time_ms, zone);

	return `${p.year}-${p.month}-${p.day}`;
}

export function formatDateTime(time_ms, zone) {
	return `${formatDate(time_ms, zone)} ${formatClock(time_ms, zone)}`;
}

export function formatClock(time_ms, zone, withMilliseconds = false) {
	const p = zoneParts(time_ms, zone);
	const text = `${p.hour}:${p.minute}:${p.second}`;

	return withMilliseconds ? `${text}.${p.millisecond}` : text;
}

export function formatTime(time_ms, zone) {
	return `${formatDate(time_ms, zone)} ${formatClock(time_ms, zone)}`;
}

// Offset of a zone from UTC in ms at a point in time.
export function zoneOffset(time_ms, zone) {
	const p = zoneParts(time_ms, zone);
	const wall = Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);

	return wall - Math.floor(time_ms / 1000) * 1000;
}

export function formatOffset(offset_ms) {
	const minutes = Math.abs(Math.round(offset_ms / 60_000));
	const hours = String(Math.floor(minutes / 60)).padStart(2, '0');

	return `${offset_ms < 0 ? '-' : '+'}${hours}:${String(minutes % 60).padStart(2, '0')}`;
}

export function formatZone(time_ms, zone) {
	return zone === 'UTC' ? 'UTC' : `${zone}, UTC${formatOffset(zoneOffset(time_ms, zone))}`;
}

// "2026-11-21T03:00:00" as a datetime-local field wants it.
export function toLocalField(time_ms, zone) {
	return `${formatDate(time_ms, zone)}T${formatClock(time_ms, zone)}`;
}

// The point in time at which the wall clock of "zone" shows "text", or NaN.
// In the hour that is repeated in autumn the first one is taken; a time that
// spring skips moves ahead by the skipped hour.
export function fromLocalField(text, zone) {
	const m = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,3})?)?$/.exec(text.trim());

	if (m === null)
		return NaN;
	const wall = Date.UTC(m[1], m[2] - 1, m[3], m[4], m[5], m[6] ?? 0) + Number(m[7] ?? 0) * 1000;
	const before = wall - zoneOffset(wall - 86_400_000, zone);
	const after = wall - zoneOffset(wall + 86_400_000, zone);

	if (before + zoneOffset(before, zone) === wall)
		return before;
	return after + zoneOffset(after, zone) === wall ? after : before;
}
