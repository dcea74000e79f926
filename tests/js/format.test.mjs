import assert from 'node:assert/strict';
import test from 'node:test';
import { formatAge, formatNumber, formatOffset, formatSpan, formatTime, formatValue, formatWithUnit,
	formatZone, fromLocalField, toLocalField, zoneOffset } from '../../static/js/format.js';

const float = { type: 'float', decimals: 1, unit: 'kW' };

test('a number has the decimals of its variable and never a negative zero', () => {
	assert.equal(formatNumber(1234.56, 1, 'en'), '1,234.6');
	assert.equal(formatNumber(-0.04, 1, 'en'), '0.0');
	assert.equal(formatNumber(-0.06, 1, 'en'), '-0.1');
	assert.equal(formatNumber(1234.5, 1, 'de'), '1.234,5');
	assert.equal(formatNumber(Infinity, 1), '∞');
	assert.equal(formatNumber(1.5e18, 1), '1.5e+18');
});

test('a value is shown by its type', () => {
	assert.equal(formatValue(float, 2.25, 'en'), '2.3');
	assert.equal(formatValue({ type: 'bool' }, true), 'on');
	assert.equal(formatValue({ type: 'bool' }, 0), 'off');
	assert.equal(formatValue({ type: 'string' }, '12'), '12');
	assert.equal(formatValue(float, null), '–');
	assert.equal(formatWithUnit(float, 2, 'en'), '2.0 kW');
	assert.equal(formatWithUnit(float, null, 'en'), '–');
});

test('an int64 keeps every digit', () => {
	assert.equal(formatValue({ type: 'int' }, '9223372036854775807', 'en'), '9,223,372,036,854,775,807');
	assert.equal(formatValue({ type: 'int' }, -42, 'en'), '-42');
});

test('ages and spans are short', () => {
	assert.equal(formatAge(-300), 'now');
	assert.equal(formatAge(4200), '4 s');
	assert.equal(formatAge(125_000), '2 min');
	assert.equal(formatAge(NaN), '–');
	assert.equal(formatSpan(3600), '3.6 s');
	assert.equal(formatSpan(3_600_000), '1 h');
	assert.equal(formatSpan(500), '500 ms');
});

test('times are shown in the zone that is printed', () => {
	const time = Date.UTC(2026, 6, 1, 22, 5, 9);

	assert.equal(formatTime(time, 'UTC'), '2026-07-01 22:05:09');
	assert.equal(formatTime(time, 'Europe/Vienna'), '2026-07-02 00:05:09');
	assert.equal(zoneOffset(time, 'Asia/Kolkata'), 19_800_000);
	assert.equal(formatOffset(-12_600_000), '-03:30');
	assert.equal(formatZone(time, 'Europe/Vienna'), 'Europe/Vienna, UTC+02:00');
	assert.equal(formatZone(time, 'UTC'), 'UTC');
});

test('what is typed is understood in the zone, also around the clock change', () => {
	const zone = 'Europe/Vienna';

	for (const time of [Date.UTC(2026, 0, 5, 3), Date.UTC(2026, 6, 5, 3), Date.UTC(2026, 9, 25, 5)])
		assert.equal(fromLocalField(toLocalField(time, zone), zone), time);
	// 02:30 happens twice on 2026-10-25: the first one, in summer time
	assert.equal(fromLocalField('2026-10-25T02:30', zone), Date.UTC(2026, 9, 25, 0, 30));
	// 02:30 does not happen on 2026-03-29: an hour later
	assert.equal(fromLocalField('2026-03-29T02:30', zone), Date.UTC(2026, 2, 29, 1, 30));
	assert.ok(Number.isNaN(fromLocalField('yesterday', zone)));
});
