// The clock of the grid's own machine is set by an hour, to and fro, while rows
// arrive and commands are under way, and while hub and database are killed.

import { notApart } from './apart.mjs';

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { sleep, until } from '../support/grid.mjs';
import { isWhole } from './checker.mjs';
import { noClocks } from './source.mjs';
import { Survival } from './survive.mjs';
import { again } from './trouble.mjs';

const skip = notApart || noClocks || false;
const seed = Number(process.env.FIELDGRID_SEED ?? Date.now() % 1_000_000);

/** To and fro; no time of a source may follow. */
async function setClock(source, { clock, end, random }) {
  let direction = 1;
  await until(() => source.agents.every((agent) => agent.log.includes('connected to')), { what: 'the agents' });
  source.line.set('delay', 150); // so that commands are under way
  const times = await again(end - 6000, random, [1, 2], async () => {
    clock.set(3600 * direction);
    await sleep(3000 + random() * 2000);
    clock.set(0);
    direction = -direction;
  });
  return `the grid's clock by an hour, ${times} times`;
}

const scenarios = [
  { name: 'rows and commands', options: { rate: 50, line: true, commands: true }, trouble: setClock },
  { name: 'rows with the time of the plant', options: { rate: 50, times: 'now' }, trouble: async () => 'the same' },
];

let survival;
before(async () => {
  if (skip) return;
  survival = await Survival.open({ scenarios, seconds: 30, seed, apart: true, setsClock: true });
  await survival.run();
  await survival.judge();
  console.log(survival.report());
});
after(() => survival?.close());

for (const [i, { name }] of scenarios.entries()) {
  test(`${name}: nothing is refused, lost, late or twice`, { skip }, () => {
    const { tally, error, source } = survival.runs[i];
    if (error) throw error;
    assert.ok(isWhole(tally), `${JSON.stringify(tally)}\n${source.agent.log.slice(-3000)}`);
    assert.doesNotMatch(source.agent.log, /is refused/);
  });
}

test('shelving that ended while the clock was ahead stays ended', { skip }, async () => {
  const { grid, clock, runs: [{ source }] } = survival;
  let token;
  const ask = async (rest, options) => {
    const target = `/api/v1/datasources/${source.agent.id}/${rest}`;
    let reply = await grid.request(target, { token, ...options });
    if (reply.status === 401) { // a token is of its hour
      token = await grid.token({ actions: 'ReadAll,AcknowledgeAlarms' });
      reply = await grid.request(target, { token, ...options });
    }
    assert.equal(reply.status, 200, reply.text);
    return reply.json;
  };
  const [{ id }] = (await ask('alarms/query', { body: { limit: 1 } })).alarms;
  const state = async () => (await ask(`alarms/${id}`)).state;
  const ends = () => Number(grid.sql("SELECT count(*) FROM event WHERE kind = 'alarm.unshelved'")[0][0]);
  await ask(`alarms/${id}`, { method: 'PATCH', body: { shelve: { reason: 'a test', minutes: 30 } } });
  assert.equal(await state(), 'Shelved');
  clock.set(3600);
  await until(async () => await state() !== 'Shelved', { what: 'the end of shelving' });
  await until(() => ends() === 1, { what: 'its event' });
  clock.set(0);
  assert.notEqual(await state(), 'Shelved');
  assert.equal(ends(), 1);
});

test('a selection ends after its time, whatever the clock says', { skip }, async () => {
  const { grid, clock, runs: [{ source: { commander } }] } = survival;
  const actions = 'ReadAll,WriteVariables';
  const target = `/api/v1/datasources/${commander.agent.id}/selections`;
  const select = (token, expires_ms) => grid.request(target, { method: 'POST', token, body: { variable: 'set', expires_ms } });
  const [one, other] = [await grid.token({ actions }), await grid.token({ actions })];
  clock.set(3600);
  const ahead = await grid.token({ actions });
  clock.set(0);
  assert.equal((await select(one, 8000)).status, 201);
  const begun = performance.now();
  clock.set(3600);
  assert.equal((await select(ahead, 1000)).status, 409, 'an hour later by the clock');
  clock.set(0);
  assert.equal((await select(other, 1000)).status, 409);
  await until(async () => (await select(other, 1000)).status === 201, { what: 'the end of the selection' });
  assert.ok(performance.now() - begun > 7900);
});
