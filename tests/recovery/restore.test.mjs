// After a restore of the database mirrors go on: what both have stays, and what
// the database lost but a mirror has stays there.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { Egress, egressNode } from '../support/egress.mjs';
import { openGrid, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';
import { fromDump, toPointInTime } from '../support/restore.mjs';

let grid;
const open = [];

before(async () => { grid = await openGrid({ own: true }); });

after(async () => {
  for (const one of open.reverse()) await one.close();
  await grid?.close();
});

function keep(one) {
  open.push(one);
  return one;
}

function mirror(plant) {
  const node = keep(egressNode(grid, [plant.id]));
  return keep(new Egress(grid, { mirror: `datasource,variables\n${plant.id},*\n`, node }));
}

const ways = {
  'from a dump': () => fromDump,
  'to a point in time': () => toPointInTime(grid),
};

for (const name of Object.keys(ways)) {
  test(`after a restore ${name} mirrors go on without a gap and without doubles`, async () => {
    const way = await ways[name]();
    const sender = keep(new Plant(grid, 'Restored'));
    await sender.announce([{ name: 'n', type: 'int' }]);
    const id = randomUUID();
    const start = Date.now();
    const change = (kind, more) => ({
      id, variable: 'n', limit: 'high', kind, time: start, came: start, reactivations: 0, value: 7, text: 'too much', ...more,
    });
    const send = (value, alarms = []) => sender.send({ n: [[start + value * 10, value]] },
      [{ time: start + value, kind: 'process.note', text: `of ${value}` }], { alarms });
    const values = (egress) => egress.records('values').map((one) => one.value);
    const notes = (egress) => egress.records('events').filter((one) => one.kind === 'process.note').map((one) => one.text);
    const changes = (egress) => egress.records('alarms').map((one) => Boolean(one.clearedTime));
    const has = (egress, count) => until(() => values(egress).length >= count && notes(egress).length >= count,
      { what: `${count} values and events` });

    const ahead = mirror(sender).start(); // has what came after the dump
    const behind = mirror(sender).start(); // was off when the dump was made
    for (const egress of [ahead, behind]) await egress.begun();
    // Numbers of transactions that a new cluster is far from.
    grid.sql('DO $$ BEGIN FOR i IN 1..3000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$');
    for (const value of [1, 2]) await send(value);
    await send(3, [change('came')]);
    await has(ahead, 3);
    await has(behind, 3);
    await until(() => changes(behind).length === 1, { what: 'the alarm' });
    await behind.kill();
    await send(4);
    await has(ahead, 4);
    const kept = way.keep(grid);
    await send(5); // nobody has this but the mirror
    await has(ahead, 5);
    await way.restore(grid, kept);
    assert.deepEqual(grid.sql('SELECT count(*) > 1, max(base) > 3000 FROM feed_era'), [['t', 't']]);
    await until(() => sender.beat(), { what: 'the hub' });
    await send(6, [change('went', { time: start + 2000, went: start + 2000 })]);
    behind.start();
    await has(ahead, 6);
    await has(behind, 5);
    for (const egress of [ahead, behind]) await until(() => changes(egress).length === 2, { what: 'the end of the alarm' });
    await send(7);
    await has(ahead, 7);
    await has(behind, 6);
    assert.deepEqual(values(ahead), [1, 2, 3, 4, 5, 6, 7], ahead.log);
    assert.deepEqual(notes(ahead), [1, 2, 3, 4, 5, 6, 7].map((value) => `of ${value}`));
    assert.deepEqual(values(behind), [1, 2, 3, 4, 6, 7], behind.log);
    assert.deepEqual(notes(behind), [1, 2, 3, 4, 6, 7].map((value) => `of ${value}`));
    for (const egress of [ahead, behind]) {
      assert.deepEqual(changes(egress), [false, true]);
      assert.equal(egress.records('events').filter((one) => one.kind === 'feed.restored').length, 3, 'told for values, alarms, events');
    }
  });
}
