import assert from 'node:assert/strict';
import test from 'node:test';
import { indexAt, Series, toNumber } from '../../static/js/series.js';
import { runsOf, sparkPaths } from '../../static/js/spark.js';

function raw(times, values) {
	return Series.fromHistory({ form: 'raw', type: 'float', time: times, value: values }, 1000, 10);
}

test('values become numbers only when they are', () => {
	assert.equal(toNumber('9007199254740993'), 9007199254740992);
	assert.equal(toNumber(true), 1);
	assert.equal(toNumber(''), null);
	assert.equal(toNumber('abc'), null);
	assert.equal(toNumber(NaN), null);
});

test('the index of a time is that of the last one not after it', () => {
	assert.equal(indexAt([10, 20, 30], 9), -1);
	assert.equal(indexAt([10, 20, 30], 20), 1);
	assert.equal(indexAt([10, 20, 30], 99), 2);
	assert.equal(indexAt([], 1), -1);
});

test('live samples go on where history ends, and never twice', () => {
	const series = raw([10, 20], [1, 2]);

	assert.equal(series.add(20, 5), false);
	assert.equal(series.add(15, 5), false);
	assert.equal(series.add(30, 5), true);
	assert.deepEqual(series.last, [1, 2, 5]);
});

test('in an envelope a live spike stays in its bucket', () => {
	const series = Series.fromHistory({ form: 'envelope', bucket: 0.1, type: 'float', time: [0, 100],
		minimum: [1, 1], maximum: [2, 2], last: [1, 2] }, 1000, 10);

	series.add(150, 99);
	series.add(160, 3);
	assert.deepEqual([series.length, series.maximum[1], series.minimum[1], series.last[1]], [2, 99, 1, 3]);
	series.add(200, 4);
	assert.equal(series.length, 3);
	assert.deepEqual(series.extent(0, 1000), [1, 99]);
});

test('a break is drawn as a gap and not repeated', () => {
	const series = raw([10, 20], [1, 2]);

	series.breakAt(15);
	series.breakAt(40);
	series.add(50, 3);
	assert.deepEqual(series.time, [10, 20, 21, 50]);
	assert.deepEqual(runsOf(series.last), [[0, 1], [3, 3]]);
});

test('trimming keeps the one sample from which the line comes', () => {
	const series = raw([10, 20, 30], [1, 2, 3]);

	series.trim(25);
	assert.deepEqual(series.time, [20, 30]);
	series.trim(5);
	assert.deepEqual(series.time, [20, 30]);
});

test('a cursor finds the nearest sample, or the one that held', () => {
	const series = raw([10, 20, 30], [1, 2, 3]);

	assert.equal(series.nearest(24).value, 2);
	assert.equal(series.nearest(26).value, 3);
	assert.equal(series.at(29).value, 2);
	assert.equal(series.nearest(1), null);
	assert.equal(series.nearest(9, 2).value, 1);
	assert.equal(raw([], []).nearest(5), null);
});

test('text is kept, but not drawn', () => {
	const series = Series.fromHistory({ form: 'raw', type: 'string', time: [10], value: ['1'] }, 1000, 10);

	series.add(20, 'two');
	assert.equal(series.extent(0, 100), null);
	assert.equal(series.at(20).value, 'two');
});

test('a sparkline has a gap where nothing is known', () => {
	const series = raw([0, 25, 50, 75, 100], [0, 10, null, 10, 0]);
	const { line, band, extent } = sparkPaths(series, { from: 0, to: 100, width: 100, height: 14 });

	assert.equal(line, 'M0 12L25 2M75 2L100 12');
	assert.equal(band, '');
	assert.deepEqual(extent, [0, 10]);
	const held = sparkPaths(raw([0, 50], [0, 10]), { from: 0, to: 100, width: 100, height: 14, held: true, stepped: true });

	assert.equal(held.line, 'M0 12H50V2H100');
	assert.equal(sparkPaths(raw([], []), { from: 0, to: 1, width: 1, height: 1 }).line, '');
});
