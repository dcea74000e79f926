// Commands all the way: client, hub, agent, a Modbus device that counts what is
// written to it. Nothing is written twice or late, whatever is killed or cut.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { Agent } from '../support/agent.mjs';
import { FalseHub } from '../support/false_hub.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';
import { TcpDevice } from '../support/modbus.mjs';
import { Relay } from '../support/relay.mjs';

const variables = `name,address,type,access,minimum,maximum,dead_band
set,plc/holding/1,int,read_write,0,60000,0
other,plc/holding/2,int,read_write,,,0
plain,plc/holding/3,int,read,,,0
`;

let grid;
let token;
let device;
let relay;
let agent;

async function plcAgent(name, setup = {}) {
  const made = new Agent(grid, name, { driver: 'modbus', variables, options: 'devices = devices.csv', agent: 'period_ms = 100', ...setup });
  made.write('devices.csv', `name,connection,timeout_ms,retries,back_off_s,confirm\nplc,${device.address},2000,0,1,reply\n`);
  return made;
}

before(async () => {
  grid = await openGrid();
  token = await grid.token({ actions: 'ReadAll,WriteVariables' });
  device = await new TcpDevice().on();
  relay = await new Relay(Number(new URL(grid.nodeUrl).port)).open();
  agent = await plcAgent('commands', { urls: `https://localhost:${relay.port}` });
  agent.supervise();
  await ready();
}, { timeout: 240_000 });

after(async () => {
  await agent?.close();
  await relay?.close();
  await device?.off();
  await grid?.close();
});

const path = (name) => `/api/v1/datasources/${agent.id}/variables/${name}`;
const patch = (name, body) => grid.request(path(name), { method: 'PATCH', token, body, agent: false, timeout: 120_000 });
const stored = async (id) => (await grid.request(`/api/v1/datasources/${agent.id}/commands/${id}`, { token })).json;
const written = (value, number = 1) => device.memory.writes.filter((write) => write.number === number && write.values[0] === value).length;

/** Until a command gets through. */
async function ready() {
  await until(async () => (await patch('other', { value: 1, expires_ms: 2000 })).status === 200, { every: 200, what: 'a command that gets through' });
}

let last = 1000;
const fresh = () => { last += 1; return last; };

test('a set value reaches the device once, and is read back as what it has', async () => {
  const value = fresh();
  const reply = await patch('set', { value: String(value), comment: 'test' });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.json.feedback.value, value);
  assert.ok(Math.abs(Date.parse(reply.json.feedback.time) - Date.now()) < 60_000);
  assert.equal(written(value), 1);
  assert.deepEqual(device.memory.get('holding', 1, 1), [value]);
  assert.equal((await grid.request(path('set'), { token })).json.value, value);
  const { lastUpdateTime } = (await grid.request(path('set'), { token })).json;
  const next = await until(async () => {
    const { json } = await grid.request(path('set'), { token });
    return json.lastUpdateTime > lastUpdateTime && json;
  }, { what: 'the next frame' });
  assert.equal(next.value, value, 'the next frames agree');
});

test('what the agent and the device refuse has its own words', async () => {
  const readOnly = await patch('plain', { value: 1 });
  assert.equal(readOnly.status, 403);
  device.memory.refuses = 3;
  const refused = await patch('set', { value: fresh() });
  device.memory.refuses = 0;
  assert.deepEqual([refused.status, refused.json.errorCode], [422, 'DeviceRefused'], refused.text);
  const { value } = (await grid.request(path('set'), { token })).json;
  device.memory.set('holding', 1, [55]); // by somebody at the plant
  await until(async () => (await grid.request(path('set'), { token })).json.value === 55, { what: 'the value of the plant' });
  const differs = await patch('set', { value: fresh(), expected: value });
  assert.deepEqual([differs.status, differs.json.oldValue], [409, 55]);
  assert.equal((await patch('set', { value: fresh(), expected: 55 })).status, 200);
});

test('a device that is off fails at once, and nothing is written when it is back', async () => {
  const value = fresh();
  await device.off();
  const reply = await patch('set', { value, expires_ms: 3000 });
  assert.ok([503, 504].includes(reply.status), reply.text);
  await device.on();
  await ready();
  await sleep(1000);
  assert.equal(written(value), 0);
});

test('a command that lay in a buffer on the way is not carried out', async () => {
  const value = fresh();
  relay.hold();
  const reply = await patch('set', { value, expires_ms: 1000 });
  assert.deepEqual([reply.status, reply.json.errorCode], [504, 'NoConfirmation']);
  await sleep(500);
  relay.release();
  await until(async () => (await stored(reply.json.id)).lateState === 'expired', { what: 'what the agent says of it' });
  assert.equal(written(value), 0, 'the device was left alone');
  await ready();
  assert.equal(written(value), 0);
  assert.equal((await stored(reply.json.id)).state, 'expired');
});

test('a link that is dead without a word is noticed, and nothing old runs after it', { timeout: 300_000 }, async () => {
  const value = fresh();
  relay.freeze();
  const reply = await patch('set', { value, expires_ms: 1000 });
  assert.ok([503, 504].includes(reply.status), reply.text);
  await ready();
  assert.equal(written(value), 0);
});

test('SIGKILL of the agent in the middle: reported as interrupted, never run again', { timeout: 300_000 }, async () => {
  const value = fresh();
  device.memory.delay = () => 1500;
  const asked = patch('set', { value, expires_ms: 90_000 });
  await until(() => written(value) === 1, { every: 20, what: 'the device to hear of it' });
  agent.strike();
  device.memory.delay = () => 0;
  const reply = await asked;
  assert.deepEqual([reply.status, reply.json.errorCode, reply.json.state], [502, 'Interrupted', 'failed'], reply.text);
  await ready();
  await sleep(1000);
  assert.equal(written(value), 1);
});

test('killed again and again: no value is written twice', { timeout: 300_000 }, async () => {
  const values = [];
  const opened = () => agent.log.split('stream is open').length;
  let over = false;
  const striking = (async () => {
    for (let open = opened(); !over; open = opened()) {
      // Every other time it may get so far that commands get through.
      if (Math.random() < 0.5) await until(() => over || opened() > open, { every: 20, what: 'its stream' });
      await sleep(150 + Math.random() * 700);
      if (agent.running) agent.strike();
    }
  })();
  const outcomes = {};
  const ids = [];
  for (let i = 0; i < 40; i += 1) {
    const value = fresh();
    values.push(value);
    const reply = await patch('set', { value, expires_ms: 1500 });
    outcomes[reply.status] = (outcomes[reply.status] ?? 0) + 1;
    if (reply.json.id) ids.push([reply.json.id, value]);
    await sleep(50);
  }
  over = true;
  await striking;
  await ready();
  for (const [id] of ids) await until(async () => (await stored(id)).state !== 'sent', { what: 'the end of a command' });
  assert.deepEqual(values.filter((value) => written(value) > 1), [], 'written twice');
  for (const [id, value] of ids) {
    const { state, lateState } = await stored(id);
    if (state === 'confirmed') assert.equal(written(value), 1, 'confirmed, and written');
    if (state === 'refused') assert.equal(written(value), 0, 'refused, and not written');
    assert.ok(written(value) === 0 || ['confirmed', 'failed', 'expired'].includes(state), `${state} ${lateState}`);
  }
  assert.ok(outcomes[200] > 0, `nothing got through: ${JSON.stringify(outcomes)}`);
});

test('SIGKILL of the hub in the middle: the result counts, nothing runs twice', { timeout: 300_000 }, async () => {
  const value = fresh();
  device.memory.delay = () => 1000;
  const asked = patch('set', { value, expires_ms: 90_000 });
  await until(() => written(value) === 1, { every: 20, what: 'the device to hear of it' });
  await until(() => grid.kill('hub').length > 0, { what: 'the hub to kill' });
  device.memory.delay = () => 0;
  assert.ok((await asked).status >= 500);
  const [[id]] = await until(() => {
    const rows = grid.sql(`SELECT id FROM command WHERE value = '${value}'`);
    return rows.length === 1 ? rows : undefined;
  });
  await until(async () => (await stored(id)).state === 'confirmed', { what: 'the result' });
  await ready();
  assert.equal(written(value), 1);
});

// --- a hub that lies -------------------------------------------------------------

test('an agent that is lied to writes nothing twice, nothing late, nothing of others', { timeout: 300_000 }, async () => {
  const hub = await new FalseHub(grid).open();
  const own = await plcAgent('lied to', { urls: hub.url });
  const counts = () => device.memory.writes.length;
  const send = async (odd, value = fresh()) => {
    const command = hub.command(own.id, 'set', value, odd);
    hub.send('command', command);
    return { command, value };
  };
  const resultOf = (id) => until(() => hub.result(id), { what: 'the result' })
    .catch((error) => { throw new Error(`${error.message}\n${own.log.slice(-2000)}`); });
  try {
    own.start();
    await until(() => hub.streams.size > 0, { what: 'the stream' });
    const good = await send();
    assert.equal((await resultOf(good.command.id)).state, 'confirmed', own.log);
    assert.equal(written(good.value), 1);

    // The same again, and with another value under the same name.
    hub.send('command', good.command);
    hub.send('command', { ...good.command, value: fresh(), expires: hub.steady + 5e6 });
    for (const odd of [
      { expires: hub.steady - 1 }, // over already
      { boot: randomUUID() }, // of another start of the hub's machine
      { sent: hub.steady - 60e6, expires: hub.steady - 50e6 },
      { datasource: randomUUID() },
      { variable: 'nobody' },
      { variable: 'plain' }, // may only be read
      { value: 60001 }, // out of range
      { value: 'x' },
      { expected: 4242 },
    ]) {
      const before_ = counts();
      const { command } = await send(odd);
      const result = await resultOf(command.id);
      assert.ok(['expired', 'refused'].includes(result.state), JSON.stringify([odd, result]));
      assert.equal(counts(), before_, JSON.stringify(odd));
    }
    for (const text of ['', '{', '[]', '"x"', '{"id":"x"}', '{"id":1}', `{"id":"${randomUUID()}"}`, 'x'.repeat(300_000)])
      hub.send('command', text || ' ');
    await sleep(300);
    assert.ok(own.running, own.log);
    assert.equal(written(good.value), 1);

    // Results that the hub did not take are told again after a SIGKILL, and
    // the command that they are of does not run again.
    hub.accepts = false;
    const bad = await send();
    const kept = await send();
    hub.disliked = bad.command.id; // what the hub refuses takes no other with it
    await until(() => hub.refused.has(kept.command.id) && hub.refused.has(bad.command.id), { what: 'both results' });
    assert.equal(written(kept.value), 1);
    await own.kill();
    hub.accepts = true;
    own.start();
    assert.equal((await resultOf(kept.command.id)).state, 'confirmed', own.log);
    assert.equal(hub.result(bad.command.id), undefined);
    await until(() => hub.streams.size > 0, { what: 'the stream' });
    hub.send('command', { ...kept.command, sent: hub.steady, expires: hub.steady + 5e6 });
    hub.send('command', { ...good.command, sent: hub.steady, expires: hub.steady + 5e6 });
    await sleep(500);
    assert.equal(written(kept.value), 1, 'not again after a restart');
    assert.equal(written(good.value), 1);
    assert.equal((await resultOf((await send()).command.id)).state, 'confirmed', 'a new one is carried out');
  } finally {
    await own.close();
    await hub.close();
  }
});
