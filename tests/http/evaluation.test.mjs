// Limits of variables that no agent evaluates: the hub does, from the frames
// that other systems post, each frame once however often the hub is killed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openGrid, sleep, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

let grid;

before(async () => { grid = await openGrid({ own: true }); });
after(async () => grid?.close());

/** "columns" of table alarm_limit, in the words of SQL. */
function addLimit(plant, variable, name, given) {
  const columns = { reactivates: false, ...given };
  grid.sql(`INSERT INTO alarm_limit (datasource_id, variable_id, name, origin, ${Object.keys(columns).join(', ')})
    SELECT d.id, v.id, '${name}', 2, ${Object.values(columns).join(', ')}
    FROM datasource d JOIN variable v ON v.datasource_id = d.id
    WHERE d.uuid = '${plant.id}' AND v.name = '${variable}'`);
}

/** [came ms, went ms or 0, flags, text] of a limit. */
const alarmsOf = (plant, limit) => grid.sql(`SELECT a.came_us / 1000, coalesce(a.went_us / 1000, 0), a.flags, a.text
  FROM alarm a JOIN datasource d ON d.id = a.datasource_id
  WHERE d.uuid = '${plant.id}' AND a.limit_name = '${limit}' ORDER BY a.came_us, a.id`)
  .map(([came, went, flags, text]) => [Number(came), Number(went), Number(flags), text]);

/** The hub follows the plant's frames. */
const followed = (plant) => until(() => grid.sql(`SELECT 1 FROM alarm_position p
  JOIN node_datasource n USING (node_id) JOIN datasource d ON d.id = n.datasource_id
  JOIN alarm_evaluation e ON e.datasource_id = d.id WHERE d.uuid = '${plant.id}'`).length > 0,
{ what: 'the evaluator' });

const send = (plant, series) => until(() => plant.send(series).then(() => true), { what: 'a frame', every: 300 });

test('frames of other systems raise alarms at the hub', async () => {
  const plant = new Plant(grid, 'Evaluated');
  try {
    await plant.announce([{ name: 'level', type: 'float', unit: 'm' }, { name: 'off', type: 'bool' }]);
    addLimit(plant, 'level', 'high', { condition: 1, value: 10, hysteresis: 2, text: "'{value} {unit}'" });
    addLimit(plant, 'level', 'slow', { condition: 1, value: 10, on_delay_ms: 5000, off_delay_ms: 700, suppressed_by: "'off'" });
    await followed(plant);
    const t = Date.now() - 60_000;
    await plant.send({ off: [[t, true]], level: [[t, 5], [t + 1000, 11], [t + 2000, 9], [t + 3000, 7.9], [t + 4000, 12]] });
    await plant.send({ level: [[t + 5000, 0, 1 << 18], [t + 9500, 12.5], [t + 10_000, 3]] });
    await until(() => alarmsOf(plant, 'slow').some(([, went]) => went), { what: 'the alarms' });
    assert.deepEqual(alarmsOf(plant, 'high'), [[t + 1000, t + 3000, 0, '11.00 m'], [t + 4000, t + 10_000, 0, '12.00 m']]);
    // Suppressed by design; the off-delay ended by the clock alone.
    assert.deepEqual(alarmsOf(plant, 'slow'), [[t + 9000, t + 10_700, 4, 'slow']]);
    // Each step is an event, written once.
    assert.deepEqual(grid.sql(`SELECT e.kind, count(*) FROM event e JOIN datasource d ON d.id = e.datasource_id
      WHERE d.uuid = '${plant.id}' AND e.kind LIKE 'alarm.%' GROUP BY 1 ORDER BY 1`),
    [['alarm.came', '3'], ['alarm.went', '3']]);
  } finally {
    plant.close();
  }
});

test('a limit that is taken away lets its alarm go', async () => {
  const plant = new Plant(grid, 'Taken away');
  try {
    await plant.announce([{ name: 'n', type: 'int' }]);
    addLimit(plant, 'n', 'bit', { condition: 6, value: 2 });
    addLimit(plant, 'n', 'off', { condition: 1, value: 1, enabled: false });
    await followed(plant);
    await plant.send({ n: [[Date.now(), 4]] });
    await until(() => alarmsOf(plant, 'bit').length === 1, { what: 'the alarm' });
    grid.kill('hub'); // the state outlives the hub
    grid.sql(`DELETE FROM alarm_limit l USING datasource d WHERE d.id = l.datasource_id AND d.uuid = '${plant.id}'`);
    await until(() => alarmsOf(plant, 'bit')[0][1] > 0, { what: 'the alarm to go' });
    assert.deepEqual(alarmsOf(plant, 'off'), []);
    await until(() => grid.sql(`SELECT 1 FROM alarm_evaluation e JOIN datasource d ON d.id = e.datasource_id
      WHERE d.uuid = '${plant.id}'`).length === 0, { what: 'its state to be forgotten' });
  } finally {
    plant.close();
  }
});

test('a hub that is killed at any moment evaluates each frame once', async () => {
  const plant = new Plant(grid, 'Killed hub');
  try {
    await plant.announce([{ name: 'n', type: 'float' }]);
    addLimit(plant, 'n', 'high', { condition: 1, value: 6.5 });
    addLimit(plant, 'n', 'late', { condition: 1, value: 4.5, on_delay_ms: 30 });
    await followed(plant);
    const start = Date.now() - 600_000;
    const at = (i) => start + i * 10;
    const frames = 120;
    let kills = 0;
    for (let frame = 0; frame < frames; frame += 1) {
      const rows = Array.from({ length: 5 }, (_, k) => [at(frame * 5 + k), (frame * 5 + k) % 10]);
      await send(plant, { n: rows });
      if (frame % 12 === 5) {
        await sleep(Math.random() * 300);
        kills += grid.kill('hub').length;
      }
    }
    assert.ok(kills >= 8, `${kills} kills`);
    const rounds = frames / 2;
    const isWhole = (list) => list.length >= rounds && list.filter(([, went]) => went).length >= rounds - 1;
    await until(() => ['high', 'late'].every((limit) => isWhole(alarmsOf(plant, limit))), { what: 'all alarms' });
    const want = (from, delay) => Array.from({ length: rounds }, (_, k) => [at(k * 10 + from) + delay, k < rounds - 1 ? at(k * 10 + 10) : 0]);
    const got = (limit) => alarmsOf(plant, limit).map(([came, went]) => [came, went]);
    assert.deepEqual(got('high'), want(7, 0));
    assert.deepEqual(got('late'), want(5, 30));
  } finally {
    plant.close();
  }
});
