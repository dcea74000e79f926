import assert from 'node:assert/strict';
import test from 'node:test';
import { formatState, panWindow, parseRange, parseState, rangeText, VARIABLES_MAX, windowOf,
	zoomWindow } from '../../static/js/trend_state.js';

const ID = '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1003';

test('an address survives being read and written', () => {
	for (const search of [
		`?v=${ID}:park/power&range=1h`,
		`?v=${ID}:a%20b%26c&v=${ID}:park/wind_speed&from=2026-11-21T00:00:00.000Z&to=2026-11-21T06:00:00.000Z`,
		`?v=${ID}:x&range=7d&zone=Europe/Vienna&a=2026-11-21T00:00:00.000Z&b=2026-11-21T01:00:00.000Z`,
	])
		assert.equal(formatState(parseState(search)), search);
});

test('what makes no sense is left out', () => {
	const state = parseState(`?v=nonsense&v=${ID}:&v=${ID}:a&v=${ID}:a&range=99x&zone=Mars/Base&a=soon`, 'UTC');

	assert.deepEqual(state, { variables: [{ datasource: ID, name: 'a' }], zone: 'UTC', cursors: [null, null],
		range: 3_600_000 });
	assert.equal(parseState('?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z').range, 3_600_000);
});

test('there are not more variables than colours', () => {
	const search = `?${Array.from({ length: 20 }, (_, i) => `v=${ID}:v${i}`).join('&')}`;

	assert.equal(parseState(search).variables.length, VARIABLES_MAX);
});

test('ranges', () => {
	assert.equal(parseRange('90m'), 5_400_000);
	assert.equal(parseRange('0s'), null);
	assert.equal(parseRange('99999d'), null);
	assert.equal(rangeText(86_400_000), '24h');
	assert.equal(rangeText(7 * 86_400_000), '7d');
	assert.equal(rangeText(5_400_000), '90m');
	assert.equal(rangeText(1500), '2s');
});

test('windows zoom around a point and move', () => {
	assert.deepEqual(windowOf({ range: 100 }, 1000), [900, 1000]);
	assert.deepEqual(zoomWindow([0, 1000], 0.5), [250, 750]);
	assert.deepEqual(zoomWindow([0, 1000], 0.5, 0), [0, 500]);
	assert.deepEqual(zoomWindow([0, 1000], 2, 1000), [-1000, 1000]);
	assert.deepEqual(panWindow([0, 1000], -0.5), [-500, 500]);
	const [from, to] = zoomWindow([0, 1000], 0.0001);

	assert.equal(to - from, 100);
});
