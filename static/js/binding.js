// binding: the small language of the data-fg-* attributes. Pure.
//
//   when    ">0"  "<=5"  "!=2"  "10..20"  "3"  "true"  "*"
//   map     "0:idle 1:run 2:fault >90:warn *:off"   first that fits wins
//   format  "0.00"  "0.0*0.001 MW"  "0 unit"  or a map "0:stopped 1:running"

import { formatNumber, formatValue, NONE } from './format.js';
import { toNumber } from './series.js';

const COMPARE = {
	'<': (value, limit) => value < limit,
	'<=': (value, limit) => value <= limit,
	'>': (value, limit) => value > limit,
	'>=': (value, limit) => value >= limit,
	'=': (value, limit) => value === limit,
	'!=': (value, limit) => value !== limit,
};

// A test of a value. Text that is no number is compared as text.
export function parseWhen(text) {
	const range = /^(-?[\d.]+)\.\.(-?[\d.]+)$/.exec(text);

	if (text === '*')
		return () => true;
	if (range !== null)
		return (value) => inRange(toNumber(value), Number(range[1]), Number(range[2]));
	const [, operator, operand] = /^(<=|>=|!=|<|>|=)?(.*)$/s.exec(text);
	const compare = COMPARE[operator ?? '='];
	const limit = operand === 'true' ? 1 : operand === 'false' ? 0 : toNumber(operand);

	if (limit === null)
		return (value) => compare(String(value), operand);
	return (value) => toNumber(value) !== null && compare(toNumber(value), limit);
}

function inRange(value, low, high) {
	return value !== null && value >= low && value <= high;
}

// [{test, result}]; an underscore in a result stands for a space.
export function parseMap(text) {
	return text.trim().split(/\s+/).filter((pair) => pair.includes(':')).map((pair) => {
		const colon = pair.indexOf(':');

		return { test: parseWhen(pair.slice(0, colon)), result: pair.slice(colon + 1) };
	});
}

export function mapValue(map, value) {
	if (value === null || value === undefined)
		return undefined;
	return map.find(({ test }) => test(value))?.result;
}

function formatByMap(map) {
	return (entry) => mapValue(map, entry.value)?.replaceAll('_', ' ')
		?? formatValue(entry, entry.value);
}

function formatByPattern([, zeros, factor, suffix]) {
	const decimals = zeros.includes('.') ? zeros.length - zeros.indexOf('.') - 1 : 0;

	return (entry) => {
		const number = toNumber(entry.value);
		const unit = suffix.replace(/\bunit\b/, entry.unit ?? '');

		return number === null ? NONE : formatNumber(number * Number(factor ?? 1), decimals) + unit;
	};
}

// A function from an entry of the stream to the text that is shown.
export function parseFormat(text) {
	const pattern = /^(0(?:\.0+)?)(?:\*([\d.eE-]+))?(.*)$/s.exec(text ?? '');

	if (!text)
		return (entry) => formatValue(entry, entry.value);
	if (/^\S+:\S/.test(text))
		return formatByMap(parseMap(text));
	if (pattern !== null)
		return formatByPattern(pattern);
	return (entry) => formatValue(entry, entry.value);
}

// How full, 0 to 1; null when it cannot be said.
export function levelOf(value, minimum, maximum) {
	const number = toNumber(value);

	if (number === null || !(maximum > minimum))
		return null;
	return Math.min(1, Math.max(0, (number - minimum) / (maximum - minimum)));
}

// The part of a bar that is filled; a wide bar fills from the left, a high
// one from the bottom.
export function levelBox({ x, y, width, height }, fraction) {
	if (width > height)
		return { x, y, width: width * fraction, height };
	return { x, y: y + height * (1 - fraction), width, height: height * fraction };
}
