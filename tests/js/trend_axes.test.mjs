import assert from 'node:assert/strict';
import test from 'node:test';
import { assignScales, joinExtents, padRange, timeTicks } from '../../static/js/trend_axes.js';

test('variables of one unit share a scale; the first two scales have an axis', () => {
	const scales = assignScales([{ unit: 'kW' }, { unit: 'm/s' }, { unit: 'kW' }, { unit: '°C' }, { unit: '', type: 'bool' }]);

	assert.deepEqual(scales.map(({ key }) => key), ['y0', 'y1', 'y0', 'y2', 'y3']);
	assert.deepEqual(scales.map(({ side }) => side), ['left', 'right', 'left', null, null]);
});

test('ranges have air, also around a constant', () => {
	assert.deepEqual(padRange(null), [0, 1]);
	assert.deepEqual(padRange([0, 0]), [-1, 1]);
	assert.deepEqual(padRange([0, 100]), [-6, 106]);
	assert.deepEqual(joinExtents([[1, 2], null, [-1, 0]]), [-1, 2]);
	assert.equal(joinExtents([null]), null);
});

test('ticks print the date once a day, in the zone', () => {
	const hour = 3_600_000;
	const start = Date.UTC(2026, 10, 20, 22);

	assert.deepEqual(timeTicks([start, start + hour, start + 2 * hour], hour, 'Europe/Vienna'),
		['23:00\n2026-11-20', '00:00\n2026-11-21', '01:00']);
	assert.deepEqual(timeTicks([start], 86_400_000, 'UTC'), ['11-20\n2026']);
	assert.deepEqual(timeTicks([start + 250], 250, 'UTC'), ['22:00:00.250\n2026-11-20']);
});
