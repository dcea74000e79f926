// PostgreSQL and nginx away for seconds: the agent keeps on spooling, and all
// of it is in history exactly once when they are back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';

const count = 600;
let grid;
let token;
let agent;

before(async () => {
  grid = await openGrid({ own: true });
  token = await grid.token();
  agent = new Agent(grid, 'outage', {
    driver: 'csv',
    variables: 'name,type\nn,int\n',
    data: numberedCsv(count, 50),
    options: 'file = data.csv\nspeed = 1\ntimes = now',
  });
});

after(async () => {
  await agent?.close();
  await grid?.close();
});

test('an outage of database or network costs no sample', async () => {
  agent.start();
  await until(() => agent.log.includes('connected'), { what: 'the connection' });
  const arrived = async () => (await agent.tally(token, count)).rows;
  const grows = async (what) => {
    const before = agent.spooled;
    await until(() => agent.spooled > before + 1000, { what });
    assert.ok(agent.running, agent.log);
  };
  await until(async () => await arrived() > 0, { what: 'the first rows' });
  grid.stopDatabase();
  await grows('the spool to grow without the database');
  await grid.startDatabase();
  await sleep(500);
  grid.stop('nginx');
  await grows('the spool to grow without the network');
  grid.start('nginx');

  let tally;
  await until(async () => {
    tally = await agent.tally(token, count);
    return tally.missing === 0;
  }, { every: 500, what: 'all numbers' }).catch(() => {});
  assert.deepEqual(tally, { missing: 0, twice: 0, strange: 0, rows: count }, agent.log.slice(-2000));
  assert.equal(await agent.stop(), 0);
});
