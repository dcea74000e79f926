// The checker itself: does it see each thing that may go wrong, and only that?

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isWhole, judgeMirroredAlarms, judgeMirroredEvents, judgeRows, spoiled } from './checker.mjs';
import { judgeCommands } from './commander.mjs';
import { padding } from './source.mjs';

const begin = Date.UTC(2026, 0, 1);
const source = { count: 5, begin, times: 'original', padBytes: 20, time: (n) => begin + n * 1000 };
const rowsOf = (numbers) => numbers.map((n) => [new Date(source.time(n)).toISOString(), String(n)]);
const sound = { arrived: 5, missing: 0, twice: 0, strange: 0, disordered: 0, mistimed: 0 };

test('rows that are missing, twice, strange, late or in disorder are counted', () => {
  const judged = (numbers) => judgeRows(source, rowsOf(numbers));
  assert.deepEqual(judged([1, 2, 3, 4, 5]), sound);
  assert.deepEqual(judged([1, 2, 4, 5]), { ...sound, arrived: 4, missing: 1 });
  assert.deepEqual(judged([1, 2, 3, 3, 4, 5]), { ...sound, arrived: 6, twice: 1 });
  assert.deepEqual(judged([1, 2, 3, 4, 5, 6]), { ...sound, arrived: 6, strange: 1 });
  assert.deepEqual(judged([1, 3, 2, 4, 5]), { ...sound, disordered: 1 });
  const late = rowsOf([1, 2, 3, 4, 5]);
  late[2][0] = new Date(source.time(3) + 1).toISOString();
  assert.deepEqual(judgeRows(source, late), { ...sound, mistimed: 1 });
});

test('texts that are not those of their row are counted', () => {
  const rows = [1, 2, 3, 4, 5].map((n) => [new Date(source.time(n)).toISOString(), padding(n, 20)]);
  assert.equal(spoiled(source, rows), 0);
  assert.equal(spoiled(source, rows.slice(0, 4)), 1);
  assert.equal(spoiled(source, [rows[0], rows[2], ...rows.slice(2)]), 1);
});

test('alarms and events that the mirror has otherwise are counted', () => {
  const came = { id: 'a', state: 'came', activeMs: 1 };
  const went = { id: 'a', state: 'went', activeMs: 9 };
  assert.equal(judgeMirroredAlarms([went], [came, went]), 0);
  assert.equal(judgeMirroredAlarms([went], [came]), 1, 'an old state');
  assert.equal(judgeMirroredAlarms([went], [came, went, went]), 1, 'twice');
  assert.equal(judgeMirroredAlarms([went], []), 1, 'not there');
  assert.equal(judgeMirroredAlarms([], [came]), 1, 'from nowhere');
  const event = { id: 1, text: 'one' };
  assert.equal(judgeMirroredEvents([event], [event]), 0);
  assert.equal(judgeMirroredEvents([event], [event, event]), 1, 'twice');
  assert.equal(judgeMirroredEvents([event], [{ ...event, text: 'other' }]), 1, 'changed');
  assert.equal(judgeMirroredEvents([event], []), 1, 'not there');
  assert.equal(judgeMirroredEvents([], [event]), 1, 'from nowhere');
});

test('commands that were done twice, late or otherwise than was told are counted', () => {
  const one = { value: 7, sentAt: begin, status: 200, id: 'c', state: 'confirmed', record: { created: new Date(begin).toISOString() } };
  const write = { value: 7, at: begin + 100 };
  const whole = { commands: 1, confirmed: 1, writtenTwice: 0, late: 0, commandsWrong: 0 };
  const judged = (change, writes) => judgeCommands([{ ...one, ...change }], writes);
  assert.deepEqual(judged({}, [write]), whole);
  assert.deepEqual(judged({}, [write, write]), { ...whole, writtenTwice: 1, commandsWrong: 1 });
  assert.deepEqual(judged({}, [{ ...write, at: begin + 6000 }]), { ...whole, late: 1 });
  assert.deepEqual(judged({}, []), { ...whole, commandsWrong: 1 }, 'confirmed, and never done');
  const waited = { record: { created: new Date(begin + 4000).toISOString() } };
  assert.deepEqual(judged(waited, [{ ...write, at: begin + 5000 }]), whole, 'the hub had it later');
  const none = { ...whole, confirmed: 0 };
  assert.deepEqual(judged({ status: 503, state: 'failed' }, [write]), { ...none, commandsWrong: 1 }, 'surely not done');
  assert.deepEqual(judged({ status: 504, state: 'expired' }, [write]), none, 'nobody knew');
  assert.deepEqual(judged({ status: 504, state: 'sent' }, []), { ...none, commandsWrong: 1 }, 'without an end');
});

test('a tally is whole when nothing is wrong and something was there', () => {
  const tally = { ...sound, alarms: 2, mirrored: 5, sha256: 'x', unequal: 0 };
  assert.ok(isWhole(tally));
  for (const name of ['missing', 'twice', 'strange', 'disordered', 'mistimed', 'unequal'])
    assert.ok(!isWhole({ ...tally, [name]: 1 }), name);
  for (const name of ['arrived', 'alarms', 'mirrored']) assert.ok(!isWhole({ ...tally, [name]: 0 }), name);
  assert.ok(!isWhole({ ...tally, confirmed: 0 }), 'confirmed');
});
