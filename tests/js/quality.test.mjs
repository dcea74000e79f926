import assert from 'node:assert/strict';
import test from 'node:test';
import { qualityOf, qualityText, statusBit, statusIsBad, statusWords } from '../../static/js/quality.js';

const INVALID = 2 ** 18;
const OFF = 2 ** 20;
const good = { value: 1, status: 2 ** 17 };

test('bits beyond 32 are read, from numbers and from text', () => {
	assert.equal(statusBit(2 ** 47 + 2 ** 18, 47), true);
	assert.equal(statusBit(2 ** 47, 18), false);
	assert.equal(statusBit('9223372036854775808', 63), true);
});

test('INVALID and OFF are bad, others are not', () => {
	assert.equal(statusIsBad(INVALID), true);
	assert.equal(statusIsBad(OFF), true);
	assert.equal(statusIsBad(2 ** 17 + 2 ** 27), false);
	assert.deepEqual(statusWords(2 ** 27 + OFF), ['switched off', 'substituted by hand']);
});

test('a value is good only with a plant and a connection', () => {
	assert.equal(qualityOf(good), 'good');
	assert.equal(qualityOf(good, { connected: false }), 'stale');
	assert.equal(qualityOf(good, { online: false }), 'stale');
	assert.equal(qualityOf({ value: 1, status: INVALID }, { connected: false }), 'bad');
	assert.equal(qualityOf({ value: null, status: 0 }), 'nodata');
	assert.equal(qualityOf(undefined), 'nodata');
	assert.equal(qualityOf({ value: 0, status: 0 }), 'good');
	assert.equal(qualityOf({ value: false, status: 0 }), 'good');
});

test('the words say why', () => {
	assert.equal(qualityText({ value: 1, status: INVALID }, { online: false }), 'bad, invalid, the plant is offline');
	assert.equal(qualityText(good, { connected: false }), 'stale, connection lost');
});
