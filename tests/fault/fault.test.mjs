// The test that matters most: three agents send numbered samples while agent,
// hub, PostgreSQL and nginx are killed with SIGKILL again and again; afterwards
// every number is in history exactly once.
//
// FIELDGRID_SEED repeats a run's schedule; FIELDGRID_FAULT_SECONDS its length.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { build, openGrid, sleep, until } from '../support/grid.mjs';

const seconds = Number(process.env.FIELDGRID_FAULT_SECONDS ?? 60);
const seed = Number(process.env.FIELDGRID_SEED ?? Date.now() % 1_000_000);
const rates = [20, 50, 100]; // numbers a second of each agent
const kills = { agent: 15, hub: 7, postgresql: 4, nginx: 6 }; // in 60 s

let grid;
let token;
let agents = [];

/** A small generator of evenly spread numbers in 0..1 (mulberry32). */
function generator(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** [[ms, victim], …] in order. */
function plan(random) {
  return Object.entries(kills)
    .flatMap(([victim, count]) => Array.from(
      { length: Math.max(1, Math.round(count * seconds / 60)) },
      () => [1000 + random() * (seconds - 2) * 1000, victim]))
    .sort(([a], [b]) => a - b);
}

function strike(victim, random, done) {
  if (victim !== 'agent') {
    if (grid.kill(victim).length > 0) done[victim] += 1;
    return;
  }
  const agent = agents[Math.floor(random() * agents.length)];
  if (!agent.running) return; // it is just being restarted
  agent.strike();
  done.agent += 1;
}

function printTable(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i]).length)));
  for (const row of rows) {
    console.log(`${row.map((cell, i) => String(cell).padStart(widths[i])).join('  ')}`);
  }
}

async function settle(agent, count) {
  let last;
  await until(async () => {
    last = await agent.tally(token, count);
    return last.missing === 0;
  }, { seconds: 90, every: 500, what: `all numbers of ${agent.name}` }).catch(() => {});
  return last;
}

before(async () => {
  grid = await openGrid({ own: true });
  token = await grid.token();
  agents = rates.map((rate, i) => new Agent(grid, `fault ${i + 1}`, {
    driver: 'csv',
    variables: 'name,type\nn,int\n',
    data: numberedCsv(rate * seconds, rate),
    options: 'file = data.csv\nspeed = 1\ntimes = now',
  }));
});

after(async () => {
  for (const agent of agents) await agent.close();
  await grid?.close();
});

test(`every number is in history exactly once after ${seconds} s of SIGKILLs`, async () => {
  const random = generator(seed);
  const done = { agent: 0, hub: 0, postgresql: 0, nginx: 0 };
  const begin = Date.now();

  console.log(`seed ${seed}`);
  for (const agent of agents) agent.supervise();
  for (const [at, victim] of plan(random)) {
    await sleep(Math.max(0, begin + at - Date.now()));
    strike(victim, random, done);
  }
  await sleep(Math.max(0, begin + seconds * 1000 - Date.now()));

  const rows = [['agent', 'numbers', 'arrived', 'missing', 'twice', 'strange', 'starts']];
  const tallies = [];
  for (const [i, agent] of agents.entries()) {
    const count = rates[i] * seconds;
    const tally = await settle(agent, count);
    tallies.push([agent, count, tally]);
    rows.push([i + 1, count, tally?.rows, tally?.missing, tally?.twice, tally?.strange, agent.starts]);
  }
  printTable(rows);
  printTable([['killed', ...Object.keys(done)], ['times', ...Object.values(done)]]);

  for (const [agent, count, tally] of tallies) {
    assert.deepEqual(tally, { missing: 0, twice: 0, strange: 0, rows: count }, agent.log.slice(-3000));
  }
  for (const [victim, times] of Object.entries(done)) assert.ok(times > 0, `${victim} was never killed`);
});

test('and still after the keeper has packed the frames', async () => {
  execFileSync(path.join(build, 'fieldgrid-keeper'),
    ['--config', path.join(grid.state, 'etc/keeper.conf'), '--pack-now'], { stdio: 'ignore' });
  for (const [i, agent] of agents.entries()) {
    const count = rates[i] * seconds;
    assert.deepEqual(await agent.tally(token, count), { missing: 0, twice: 0, strange: 0, rows: count });
  }
});
