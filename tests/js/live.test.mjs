import assert from 'node:assert/strict';
import test from 'node:test';
import { keyOf, retryDelay } from '../../static/js/live.js';

test('tries grow apart, with jitter and a limit', () => {
	assert.equal(retryDelay(0, 0), 150);
	assert.equal(retryDelay(0, 1), 300);
	assert.equal(retryDelay(2, 1), 1200);
	assert.equal(retryDelay(50, 1), 4000);
	assert.equal(retryDelay(50, 0), 2000);
});

test('a variable is known by its plant and its name', () => {
	assert.notEqual(keyOf('a', 'b:c'), keyOf('a', 'c:b'));
});
