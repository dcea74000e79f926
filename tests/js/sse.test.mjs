import assert from 'node:assert/strict';
import test from 'node:test';
import { EventParser } from '../../static/js/sse.js';

const TEXT = ': a comment\n\nevent: snapshot\nid: b-1\ndata: {"a":1}\n\nevent: beat\ndata: x\ndata: y\n\n';
const EVENTS = [{ event: 'snapshot', data: '{"a":1}' }, { event: 'beat', data: 'x\ny' }];

test('events are the same however the bytes are cut', () => {
	for (let size = 1; size <= TEXT.length; size++) {
		const parser = new EventParser();
		const events = [];

		for (let i = 0; i < TEXT.length; i += size)
			events.push(...parser.push(TEXT.slice(i, i + size)));
		assert.deepEqual(events, EVENTS);
		assert.equal(parser.lastId, 'b-1');
	}
});

test('carriage returns end lines too', () => {
	const parser = new EventParser();

	assert.deepEqual(parser.push(TEXT.replaceAll('\n', '\r\n')), EVENTS);
});

test('an event that is not complete is kept back', () => {
	const parser = new EventParser();

	assert.deepEqual(parser.push('event: values\ndata: 1\n'), []);
	assert.deepEqual(parser.push('\n'), [{ event: 'values', data: '1' }]);
});
