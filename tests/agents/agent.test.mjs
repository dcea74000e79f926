// The ingress agent against the real hub, through nginx.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { build, openGrid, sleep, top, until } from '../support/grid.mjs';

const numbers = { driver: 'csv', variables: 'name,type\nn,int\n' };
const exactly = (count) => ({ missing: 0, twice: 0, strange: 0, rows: count });

let grid;
let token;
const agents = [];

function makeAgent(name, setup) {
  const agent = new Agent(grid, name, setup);
  agents.push(agent);
  return agent;
}

before(async () => {
  grid = await openGrid();
  token = await grid.token();
});

after(async () => {
  for (const agent of agents) await agent.close();
  await grid?.close();
});

async function arrives(agent, count) {
  let last;
  await until(async () => {
    last = await agent.tally(token, count);
    return last.missing === 0;
  }, { every: 300, what: 'all numbers' }).catch(() => {});
  assert.deepEqual(last, exactly(count), agent.log.slice(-2000));
}

test('an agent brings every value of a file into history, and ends', async () => {
  const agent = makeAgent('file', {
    ...numbers, data: numberedCsv(5000, 10), options: 'file = data.csv\nspeed = 0\nat_end = stop',
  });
  assert.equal(await agent.start().end(), 0, agent.log);
  await arrives(agent, 5000);
});

test('kill -9 of the agent loses and repeats nothing', async () => {
  const agent = makeAgent('killed', {
    ...numbers, data: numberedCsv(800, 100), options: 'file = data.csv\nspeed = 1',
  });
  for (let i = 0; i < 14; i += 1) {
    agent.start();
    await sleep(150 + Math.random() * 600);
    await agent.kill();
  }
  agent.start();
  await arrives(agent, 800);
  assert.equal(await agent.stop(), 0);
});

test('values of every type arrive as they are', async () => {
  const agent = makeAgent('types', {
    driver: 'csv',
    variables: 'name,type,scale,maximum\nf,float,0.5,10\ni,int,,\nb,bool,,\ns,string,,\n',
    data: 'time,f,i,b,s\n2026-02-03T04:05:06.789Z,3,9007199254740993,yes,"ä ""1"", b"\n'
      + '2026-02-03T04:05:07Z,30,-5,no,\n',
    options: 'file = data.csv\nspeed = 0\nat_end = stop',
  });
  assert.equal(await agent.start().end(), 0, agent.log);
  const f = await agent.history(token, 'f');
  assert.deepEqual(f.map(([time, value]) => [Date.parse(time), value]), [
    [Date.parse('2026-02-03T04:05:06.789Z'), '1.5'], [Date.parse('2026-02-03T04:05:07Z'), '15']]);
  assert.deepEqual((await agent.history(token, 'i')).map(([, v]) => v), ['9007199254740993', '-5']);
  assert.equal((await agent.history(token, 's')).length, 2);
});

test('a simulated plant is live, light on memory, and stops cleanly', async () => {
  const agent = makeAgent('wind', {
    driver: 'sim',
    variables: fs.readFileSync(path.join(top, 'deploy/demo/wind/variables.csv'), 'utf8'),
    options: 'model = wind\nseed = 3',
  });
  agent.start();
  const reply = await until(async () => {
    const answer = await grid.request(`/api/v1/datasources/${agent.id}/variables/query`, {
      token,
      body: { nameFilter: { variableNames: ['*'] }, fields: ['name', 'value', 'lastUpdateTime'] },
    });
    return answer.status === 200 && answer.text.includes('wt10/state') && answer;
  }, { what: 'live values' });
  assert.match(reply.text, /park\/message/);
  assert.ok(agent.memory < 20, `${agent.memory} MiB`);
  assert.equal(await agent.stop(), 0, agent.log);
});

test('a value the hub refuses for good is set aside and holds nothing up', async () => {
  const agent = makeAgent('refused', {
    ...numbers,
    data: `${numberedCsv(50, 10)}1990-01-01T00:00:00Z,51\n`,
    agent: 'frame_samples = 1',
    options: 'file = data.csv\nspeed = 0',
  });
  agent.start();
  const refused = path.join(agent.spool, 'refused');
  await until(() => fs.existsSync(refused) && fs.readdirSync(refused).some((file) => file.endsWith('.reason')), { what: 'the refusal' });
  fs.appendFileSync(path.join(agent.folder, 'data.csv'), '2026-03-01T00:00:00Z,52\n');
  await until(async () => (await agent.history(token, 'n')).some(([, value]) => value === '52'),
    { what: 'what came after' });
  const files = fs.readdirSync(path.join(agent.spool, 'refused'));
  const reason = files.find((file) => file.endsWith('.reason'));
  assert.match(fs.readFileSync(path.join(agent.spool, 'refused', reason), 'utf8'), /TimeOutOfRange/);
  await agent.stop();
});

test('a changed type is refused, told, and holds nothing else up', async () => {
  const setup = { driver: 'sim', options: 'model = wind', agent: 'period_ms = 100' };
  const agent = makeAgent('type', {
    ...setup, variables: 'name,type\npark/power,float\npark/running,int\n',
  });
  agent.start();
  await until(() => agent.log.includes('connected'), { what: 'the connection' });
  assert.equal(await agent.stop(), 0);
  agent.write('variables.csv', 'name,type\npark/power,float\npark/running,float\n');
  const since = Date.now();
  agent.start();
  await until(async () => (await agent.history(token, 'park/power'))
    .some(([time]) => Date.parse(time) > since), { what: 'samples of the others' });
  await until(() => /declaration_refused/.test(agent.log), { what: 'what is told' });
  assert.equal(await agent.stop(), 0);
});

test('a dead address is passed over', async () => {
  const agent = makeAgent('addresses', {
    ...numbers, data: numberedCsv(20, 10), options: 'file = data.csv\nspeed = 0\nat_end = stop',
    urls: `https://localhost:9 ${grid.nodeUrl}`,
  });
  assert.equal(await agent.start().end(), 0, agent.log);
  await arrives(agent, 20);
});

test('a spool belongs to one agent', async () => {
  const agent = makeAgent('locked', {
    ...numbers, data: numberedCsv(20, 10), options: 'file = data.csv\nspeed = 1',
  });
  agent.start();
  await until(() => agent.log.includes('connected'), { what: 'the connection' });
  const second = await agent.call();
  assert.equal(second.code, 1);
  assert.match(second.stderr, /another agent uses this spool/);
  await agent.stop();
});

test('numbers that clash with another spool stop the agent with clear words', async () => {
  const setup = {
    ...numbers, data: numberedCsv(30, 10), options: 'file = data.csv\nspeed = 0\nat_end = stop',
  };
  const agent = makeAgent('clash', setup);
  assert.equal(await agent.start().end(), 0, agent.log);
  // More is spooled while the hub is out of reach ...
  const { spooled } = agent;
  agent.configure({ ...setup, options: 'file = data.csv\nspeed = 0', urls: 'https://localhost:9' });
  fs.appendFileSync(path.join(agent.folder, 'data.csv'), '2026-03-01T00:00:00Z,31\n');
  agent.start();
  await until(() => agent.spooled > spooled, { what: 'the row in the spool' });
  await agent.stop();
  // ... and a second spool of the same node takes those numbers.
  const other = makeAgent('clash', { ...setup, node: agent });
  assert.equal(await other.start().end(), 0, other.log);
  agent.configure(setup);
  assert.equal(await agent.start().end(), 78, agent.log);
  assert.match(agent.log, /move that folder away to begin a new spool/);
});

test('bad input is refused at the start with its place', async () => {
  const agent = makeAgent('bad', { ...numbers, data: 'time,n\n', options: 'file = data.csv' });
  const check = async (pattern) => {
    const result = await agent.call('--check-config');
    assert.equal(result.code, 78, result.stderr);
    assert.match(result.stderr, pattern);
  };
  assert.equal((await agent.call('--check-config')).code, 0);
  agent.write('variables.csv', 'name;type\nn;integer\n');
  await check(/variables\.csv:2:3: type .*integer.*must be bool, float, int or string/);
  agent.write('variables.csv', 'name,type,address\nm,int,other\n');
  await check(/variables\.csv:2:7: .*data\.csv has no column .*other/);
  agent.write('variables.csv', numbers.variables);
  agent.configure({ ...numbers, options: 'file = data.csv\nfiel = x' });
  await check(/ingress\.conf:\d+: unknown key .*fiel/);
  agent.configure({ ...numbers, driver: 'opc', options: '' });
  await check(/unknown (section|key)|driver = opc/);
});

test('--dump prints samples without a hub', async () => {
  const agent = makeAgent('dump', {
    driver: 'host',
    variables: fs.readFileSync(path.join(top, 'deploy/demo/host/variables.csv'), 'utf8'),
  });
  const result = await agent.call('--dump', '2');
  assert.equal(result.code, 0, result.stderr);
  for (const name of ['cpu/load1', 'cpu/usage', 'memory/used', 'disk/root/used', 'net/total/rx']) {
    assert.match(result.stdout, new RegExp(`\t${name}\t`));
  }
});

test('the agent does not link libpq', async () => {
  const { execFileSync } = await import('node:child_process');
  const libraries = execFileSync('ldd', [path.join(build, 'fieldgrid-ingress')], { encoding: 'utf8' });
  assert.doesNotMatch(libraries, /libpq/);
  assert.match(libraries, /libcurl/);
});

const dataFolder = process.env.FIELDGRID_DATA ?? path.resolve(top, '../shared/data');
const series = path.join(dataFolder, 'pv_multisite/TAEFC1044741.csv');

test('a real series is back-filled bit by bit', { skip: !fs.existsSync(series) && 'no series' }, async () => {
  const agent = makeAgent('pv', {
    driver: 'csv',
    variables: 'name,address,type,unit\npv/power,ac_power,float,kW\n',
    options: `file = ${series}\nname_column = meas_name\nvalue_column = meas_val_f\n`
      + 'time_column = ts\nspeed = 0\nat_end = stop',
  });
  const rows = fs.readFileSync(series, 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
  assert.equal(await agent.start().end(), 0, agent.log);
  const history = await agent.history(token, 'pv/power', '2014-01-01T00:00:00Z', '2020-01-01T00:00:00Z');
  const wanted = new Map(rows.map(([, , ts, , value]) => [Date.parse(`${ts.replace(' ', 'T')}Z`), Number(value)]));
  assert.equal(history.length, wanted.size);
  for (const [time, value] of history) assert.equal(Number(value), wanted.get(Date.parse(time)), time);
});
