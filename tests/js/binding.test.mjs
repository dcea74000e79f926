import assert from 'node:assert/strict';
import test from 'node:test';
import { levelBox, levelOf, mapValue, parseFormat, parseMap, parseWhen } from '../../static/js/binding.js';

test('conditions', () => {
	const fits = (text, value) => parseWhen(text)(value);

	assert.equal(fits('>0', 1), true);
	assert.equal(fits('>0', 0), false);
	assert.equal(fits('>0', null), false);
	assert.equal(fits('<=-0.83', -1), true);
	assert.equal(fits('!=0', 2), true);
	assert.equal(fits('10..20', 20), true);
	assert.equal(fits('10..20', 20.1), false);
	assert.equal(fits('3', 3), true);
	assert.equal(fits('true', true), true);
	assert.equal(fits('false', true), false);
	assert.equal(fits('*', 'x'), true);
	assert.equal(fits('open', 'open'), true);
});

test('maps take the first that fits', () => {
	const map = parseMap('0:idle 1:run >=90:fault >=80:warn *:off');

	assert.equal(mapValue(map, 0), 'idle');
	assert.equal(mapValue(map, 95), 'fault');
	assert.equal(mapValue(map, 85), 'warn');
	assert.equal(mapValue(map, 5), 'off');
	assert.equal(mapValue(map, null), undefined);
	assert.equal(mapValue(parseMap('0:idle'), 7), undefined);
});

test('formats', () => {
	const show = (format, value, unit = 'kW') => parseFormat(format)({ value, unit, type: 'float', decimals: 2 });

	assert.equal(show(undefined, 1.239), '1.24');
	assert.equal(show('0.0', 1.26), '1.3');
	assert.equal(show('0 unit', 3.2), '3 kW');
	assert.equal(show('0.0*0.001 MW', 12345), '12.3 MW');
	assert.equal(show('0:stopped 2:in_service', 2), 'in service');
	assert.equal(show('0:stopped', 9), '9.00');
	assert.equal(show('0.0', 'text'), '–');
});

test('levels stay within their bar', () => {
	assert.equal(levelOf(50, 0, 200), 0.25);
	assert.equal(levelOf(500, 0, 200), 1);
	assert.equal(levelOf(-5, 0, 200), 0);
	assert.equal(levelOf('x', 0, 200), null);
	assert.equal(levelOf(1, 5, 5), null);
	assert.deepEqual(levelBox({ x: 0, y: 10, width: 10, height: 100 }, 0.25), { x: 0, y: 85, width: 10, height: 25 });
	assert.deepEqual(levelBox({ x: 0, y: 10, width: 100, height: 10 }, 0.25), { x: 0, y: 10, width: 25, height: 10 });
});
