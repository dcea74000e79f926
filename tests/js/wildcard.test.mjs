import assert from 'node:assert/strict';
import test from 'node:test';
import { compareKeys, compareNames } from '../../static/js/order.js';
import { wildcardTest } from '../../static/js/wildcard.js';

test('plain words are found anywhere, wildcards fit the whole name', () => {
	assert.equal(wildcardTest('POWER')('wt01/power'), true);
	assert.equal(wildcardTest('wt0?/power')('wt01/power'), true);
	assert.equal(wildcardTest('wt*')('park/wt'), false);
	assert.equal(wildcardTest('wt01 pow')('wt01/power'), true);
	assert.equal(wildcardTest('wt01 gear')('wt01/power'), false);
	assert.equal(wildcardTest('')('x'), true);
	assert.equal(wildcardTest('a.b')('axb'), false);
	assert.equal(wildcardTest('kw')('wt01/power', 'kW good'), true);
});

test('many stars do not take for ever', () => {
	assert.equal(wildcardTest(`${'*a'.repeat(1)}${'*'.repeat(400)}b`)('a'.repeat(2000)), false);
});

test('numbers in names sort as numbers', () => {
	assert.deepEqual(['inverter10', 'inverter2', 'Inverter1'].sort(compareNames), ['Inverter1', 'inverter2', 'inverter10']);
	assert.deepEqual([10, 'b', 9, 'a'].sort(compareKeys), [9, 10, 'a', 'b']);
});
