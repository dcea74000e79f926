// trend_axes: which variable is drawn on which scale, and how ticks of time
// and the range of a scale are chosen. Pure.

import { formatDate, formatClock, zoneParts } from './format.js';

// One scale for each unit; the first two have an axis, left and right.
// Bools have a scale of their own. "kinds" are entries with unit and type.
export function assignScales(kinds) {
	const scales = [];

	return kinds.map(({ unit, type }) => {
		const key = type === 'bool' ? 'on/off' : `unit ${unit ?? ''}`;
		let index = scales.indexOf(key);

		if (index < 0)
			index = scales.push(key) - 1;
		return { key: `y${index}`, unit: unit ?? '', side: ['left', 'right'][index] ?? null };
	});
}

// Room above and below, so that a line never hides on the frame; a constant
// gets a range around it.
export function padRange(extent) {
	if (extent === null)
		return [0, 1];
	const [low, high] = extent;
	const room = high - low;

	if (room === 0) {
		const half = low === 0 ? 1 : Math.abs(low) * 0.05;

		return [low - half, high + half];
	}
	return [low - room * 0.06, high + room * 0.06];
}

export function joinExtents(extents) {
	const known = extents.filter((extent) => extent !== null);

	return known.length === 0 ? null
		: [Math.min(...known.map(([low]) => low)), Math.max(...known.map(([, high]) => high))];
}

// Tick texts for times that are "step" apart: the clock as fine as needed,
// the date below it at the first tick and at each new day.
export function timeTicks(times, step_ms, zone) {
	let day = '';

	return times.map((time) => {
		const date = formatDate(time, zone);
		const clock = step_ms >= 86_400_000 ? '' : step_ms < 1000 ? formatClock(time, zone, true)
			: step_ms < 60_000 ? formatClock(time, zone) : formatClock(time, zone).slice(0, 5);
		const text = clock === '' ? date.slice(5) : clock;
		const newDay = date !== day;

		day = date;
		return newDay ? `${text}\n${clock === '' ? zoneParts(time, zone).year : date}` : text;
	});
}
