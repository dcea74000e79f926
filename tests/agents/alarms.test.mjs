// Alarms from the agent to the grid: with their times over an outage, each
// once however often the agent is killed, and by limits from either side.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';

let grid;
let token;

before(async () => {
  grid = await openGrid({ own: true });
  token = await grid.token();
});

after(async () => grid?.close());

/** Rows "time,n,m" of a saw: n counts 0 to 9 again and again. */
function sawCsv(count, rate) {
  const from = Date.parse('2026-01-01T00:00:00Z');
  const rows = ['time,n'];
  for (let i = 0; i < count; i += 1) {
    rows.push(`${new Date(from + Math.round(i * 1000 / rate)).toISOString()},${i % 10}`);
  }
  return `${rows.join('\n')}\n`;
}

const limitsCsv = `variable,name,condition,value,hysteresis,on_delay_ms,text,priority
n,high,greater,6.5,,,"{value} above {limit}",1
n,late,greater,4.5,,90,,2
`;

function newAgent(name, setup) {
  const agent = new Agent(grid, name, setup);
  if (setup.limits) {
    agent.write('limits.csv', setup.limits);
    fs.appendFileSync(path.join(agent.folder, 'ingress.conf'), '[alarms]\nlimits = limits.csv\n');
  }
  return agent;
}

/** What the grid has of the agent's alarms, by limit and time. */
function alarmsOf(agent, limit) {
  return grid.sql(`SELECT a.came_us, coalesce(a.went_us, 0), a.reactivations, a.text, a.flags, a.priority
    FROM alarm a JOIN datasource d ON d.id = a.datasource_id
    WHERE d.uuid = '${agent.id}' AND a.limit_name = '${limit}' ORDER BY a.came_us`)
    .map(([came, went, count, text, flags, priority]) => ({
      came: Number(came), went: Number(went), count: Number(count), text, flags: Number(flags), priority: Number(priority),
    }));
}

/** [µs, number] of history. */
async function samplesOf(agent) {
  return (await agent.history(token, 'n')).map(([time, value]) => [Date.parse(time) * 1000, Number(value)]);
}

/** Alarms that the samples must have raised. */
function expected(samples, limit, delay = 0) {
  const alarms = [];
  let begin = null;
  let alarm = null;
  for (const [time, value] of samples) {
    if (begin !== null && alarm === null && time - begin >= delay) {
      alarm = { came: begin + delay, went: 0 };
      alarms.push(alarm);
    }
    if (value > limit) begin ??= time;
    else {
      if (alarm) alarm.went = time;
      begin = alarm = null;
    }
    if (begin !== null && alarm === null && delay === 0) {
      alarm = { came: time, went: 0 };
      alarms.push(alarm);
    }
  }
  return alarms;
}

const times = (alarms) => alarms.map(({ came, went }) => `${came} ${went}`);

async function compare(agent, count) {
  let samples;
  await until(async () => {
    samples = await samplesOf(agent);
    return samples.length >= count;
  }, { every: 500, what: `${count} samples` });
  assert.equal(samples.length, count, 'samples');
  const high = expected(samples, 6.5);
  const late = expected(samples, 4.5, 90_000);
  assert.ok(high.length > 10 && late.length > 10);
  for (const [limit, wanted] of [['high', high], ['late', late]]) {
    const isWhole = (list) => list.length >= wanted.length && list.filter(({ went }) => went).length >= wanted.filter(({ went }) => went).length;
    await until(() => isWhole(alarmsOf(agent, limit)), { what: `the alarms of ${limit}` });
  }
  assert.deepEqual(times(alarmsOf(agent, 'high')), times(high));
  assert.deepEqual(times(alarmsOf(agent, 'late')), times(late));
  return high;
}

test('alarms that are raised while cut off arrive with their times', async () => {
  const count = 400;
  const agent = newAgent('alarms', {
    driver: 'csv', variables: 'name,type,decimals\nn,float,0\n', data: sawCsv(count, 40),
    options: 'file = data.csv\nspeed = 1\ntimes = now', limits: limitsCsv,
  });
  try {
    agent.start();
    await until(() => agent.log.includes('connected'), { what: 'the connection' });
    await until(() => alarmsOf(agent, 'high').length > 1, { what: 'the first alarms' });
    grid.stop('nginx');
    const before_ = alarmsOf(agent, 'high').length;
    await sleep(3000);
    assert.equal(alarmsOf(agent, 'high').length, before_, 'nothing came through');
    grid.start('nginx');
    const high = await compare(agent, count);
    assert.ok(high.length >= 35);
    const [first] = alarmsOf(agent, 'high');
    assert.deepEqual([first.text, first.priority, first.flags], ['7 above 6.5', 1, 0]);
    assert.equal(await agent.stop(), 0);
  } finally {
    await agent.close();
  }
});

test('an agent that is killed at any moment raises no alarm twice and loses none', async () => {
  const count = 900;
  const agent = newAgent('killed alarms', {
    driver: 'csv', variables: 'name,type\nn,float\n', data: sawCsv(count, 40),
    options: 'file = data.csv\nspeed = 1', agent: 'period_ms = 20', limits: limitsCsv,
  });
  try {
    agent.supervise();
    const end = Date.now() + 18_000;
    let kills = 0;
    while (Date.now() < end) {
      await sleep(100 + Math.random() * 900);
      if (agent.running) {
        agent.strike();
        kills += 1;
      }
    }
    assert.ok(kills > 10, `${kills} kills`);
    await compare(agent, count);
    const kept = fs.readdirSync(agent.spool).filter((name) => /^alarms\.\d$/.test(name));
    assert.deepEqual(kept.sort(), ['alarms.0', 'alarms.1']);
  } finally {
    await agent.close();
  }
});

test('limits of the grid are fetched, and count while the agent is cut off', async () => {
  const agent = newAgent('fetched limits', {
    driver: 'csv', variables: 'name,type\nn,float\n', data: sawCsv(1200, 40),
    options: 'file = data.csv\nspeed = 1\ntimes = now', limits: limitsCsv,
  });
  const place = `/api/v1/datasources/${agent.id}/alarms/query`;
  const state = () => grid.sql(`SELECT l.origin, l.name FROM alarm_limit l JOIN datasource d
    ON d.id = l.datasource_id WHERE d.uuid = '${agent.id}' ORDER BY l.name`).map((row) => row.join(' '));
  try {
    agent.start();
    await until(() => agent.log.includes('connected'), { what: 'the connection' });
    assert.deepEqual(state(), ['1 high', '1 late']);
    grid.sql(`INSERT INTO alarm_limit (datasource_id, variable_id, name, origin, condition, value, reactivates)
      SELECT d.id, v.id, wanted, 2, 2, 1.5, wanted = 'again' FROM datasource d JOIN variable v ON v.datasource_id = d.id
      , unnest(ARRAY['low', 'again']) AS wanted WHERE d.uuid = '${agent.id}' AND v.name = 'n'`);
    await until(() => alarmsOf(agent, 'low').length > 1, { what: 'alarms of the new limit' });
    // Nobody has seen it: it comes again. Somebody has: the next one is another.
    await until(() => alarmsOf(agent, 'again')[0].count > 1, { what: 'a reactivation' });
    assert.equal(alarmsOf(agent, 'again').length, 1);
    const [{ id }] = (await grid.request(place, { token, body: { text: '*', states: ['UnacknowledgedActive', 'ReturnedUnacknowledged'], limit: 100 } }))
      .json.alarms.filter(({ limit }) => limit === 'again');
    const seen = await grid.request(`${place.replace('query', id)}`, { token: await grid.token({ actions: 'ReadAll,AcknowledgeAlarms' }), method: 'PATCH', body: { acknowledge: true } });
    assert.equal(seen.status, 200, seen.text);
    await until(() => (alarmsOf(agent, 'again')[1]?.count ?? 0) > 1, { what: 'another alarm, and its reactivation' });
    const [first, second] = alarmsOf(agent, 'again');
    assert.ok(first.went && first.went < second.came && alarmsOf(agent, 'again').length === 2);
    grid.stop('nginx');
    const cutOff = Date.now() * 1000;
    grid.sql("UPDATE alarm SET acknowledged_us = extract(epoch FROM now()) * 1000000 WHERE limit_name = 'again' AND acknowledged_us IS NULL");
    await agent.kill();
    agent.start();
    const restarted = Date.now() * 1000;
    await sleep(2500);
    grid.start('nginx');
    await until(() => alarmsOf(agent, 'low').some(({ came }) => came > restarted && came < restarted + 2_000_000),
      { what: 'alarms of the time without the grid' });
    // What the grid learns of after the acknowledgement is another alarm, with its own time.
    await until(() => alarmsOf(agent, 'again').length === 3, { what: 'the alarm of the time without the grid' });
    assert.ok(alarmsOf(agent, 'again')[2].came > cutOff - 1_000_000 && alarmsOf(agent, 'again')[2].came < restarted + 2_000_000);
    grid.sql("DELETE FROM alarm_limit WHERE name IN ('low', 'again')");
    await until(() => alarmsOf(agent, 'low').every(({ went }) => went), { what: 'the last one to go' });
    // What the agent no longer has is gone from the grid.
    await agent.stop();
    agent.write('limits.csv', limitsCsv.split('\n').slice(0, 2).join('\n'));
    agent.start();
    await until(() => state().length === 1, { what: 'the other limit to go' });
  } finally {
    await agent.close();
  }
});

test('a limit that is not understood stops the agent with its place', async () => {
  const agent = newAgent('bad limits', {
    driver: 'csv', variables: 'name,type\nn,float\n', data: sawCsv(10, 40), options: 'file = data.csv',
    limits: 'variable,name,condition,value\nn,high,greater,much\n',
  });
  try {
    const { code, stderr } = await agent.call('--check-config');
    assert.equal(code, 78);
    assert.match(stderr, /limits\.csv:2:16: value .*much.*: is not a number/);
    agent.write('limits.csv', limitsCsv);
    const good = await agent.call('--check-config');
    assert.equal(good.code, 0, good.stderr);
    assert.match(good.stdout, /1 variables, 2 limits/);
  } finally {
    await agent.close();
  }
});
