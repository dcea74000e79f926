// fieldgrid-egress: the mirror has what the source has, once and in order,
// whatever is killed; and only what its node may read.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { Egress, egressNode } from '../support/egress.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';

let grid;
let token;
const open = [];

before(async () => {
  grid = await openGrid({ own: true });
  token = await grid.token();
});

after(async () => {
  for (const one of open.reverse()) await one.close();
  await grid?.close();
});

function keep(one) {
  open.push(one);
  return one;
}

/** A plant that sends the numbers 1..count as "n", "rate" a second. */
function plant(name, count, rate, setup = {}) {
  return keep(new Agent(grid, name, {
    driver: 'csv', variables: 'name,type\nn,int\n', data: numberedCsv(count, rate),
    options: 'file = data.csv\nspeed = 1\ntimes = now\nat_end = wait', ...setup,
  }));
}

/** A mirror of plants, under a prefix each. */
function mirror(plants, setup = {}) {
  const node = keep(egressNode(grid, plants.map((one) => one.id), setup.rights));
  const rows = plants.map((one, index) => `${one.id},*,site${index}/`);
  return keep(new Egress(grid, {
    mirror: `datasource,variables,prefix\n${rows.join('\n')}\n`, node, ...setup,
  }));
}

const hash = (lines) => createHash('sha256').update(lines.join('\n')).digest('hex');

/** What history has of "n", as the mirror would write it. */
async function source(agent) {
  const rows = await agent.history(token, 'n');
  return rows.map(([time, value]) => `${new Date(time).toISOString()} ${value}`);
}

const mirrored = (egress, name) => egress.records('values')
  .filter((one) => one.variable === name)
  .map((one) => `${new Date(one.time).toISOString()} ${one.value}`);

async function assertEqual(egress, agent, name, count) {
  await until(() => mirrored(egress, name).length >= count,
    { seconds: 60, every: 200, what: `${count} values of ${name}` }).catch(() => {});
  const there = await source(agent);
  const here = mirrored(egress, name);
  assert.equal(there.length, count, agent.log.slice(-1500));
  assert.equal(here.length, there.length, egress.log.slice(-1500));
  assert.equal(hash(here), hash(there));
}

test('a mirror begins now, and has every value of two plants once', async () => {
  const one = plant('one', 400, 100);
  const other = plant('other', 300, 100);
  const egress = mirror([one, other]).start();
  await until(() => egress.log.includes('connected'), { what: 'the egress' });
  await until(() => fs.existsSync(path.join(egress.folder, 'state/position')), { what: 'its position' });
  one.start();
  other.start();
  await assertEqual(egress, one, 'site0/n', 400);
  await assertEqual(egress, other, 'site1/n', 300);
  const [first] = egress.records('values');
  assert.deepEqual(Object.keys(first), ['time', 'datasource', 'variable', 'value', 'status']);
  assert.equal(await egress.stop(), 0);
});

test('kills of egress, hub and PostgreSQL and packing leave no gap and nothing twice', async () => {
  const agent = plant('kills', 3000, 150);
  const egress = mirror([agent], { options: 'folder = data\nrotate_mib = 1' });
  egress.supervise();
  await until(() => fs.existsSync(path.join(egress.folder, 'state/position')), { what: 'its position' });
  agent.supervise();
  const end = Date.now() + 16_000;
  for (let round = 0; Date.now() < end; round += 1) {
    await sleep(300 + (round * 137) % 500);
    if (egress.running) egress.strike();
    if (round % 6 === 2) grid.kill('hub');
    if (round % 11 === 6) grid.kill('postgresql');
    if (round % 9 === 4) agent.strike();
  }
  await assertEqual(egress, agent, 'site0/n', 3000);
  assert.ok(egress.starts > 10, `${egress.starts} starts`);
});
