// Modbus through the whole grid: values live, a set value down to the device
// and back, and a device that is off.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Agent } from '../support/agent.mjs';
import { openGrid, until } from '../support/grid.mjs';
import { Memory, serialDevice, serialLine, TcpDevice } from '../support/modbus.mjs';

let grid;
let token;
let agent;
let plc;
let line;
let boiler;

const path = (name) => `/api/v1/datasources/${agent.id}/variables/${encodeURIComponent(name)}`;
const patch = (name, value, more = {}) => grid.request(path(name), { method: 'PATCH', token, body: { value, ...more } });

/** [value, valid] as the hub has it. */
async function live(name) {
  const { json } = await grid.request(`/api/v1/datasources/${agent.id}/variables/query`, {
    token, body: { nameFilter: { variableNames: [name] }, fields: ['name', 'value', 'status'] },
  });
  const found = json?.variables?.[0];
  return found && [found.value, (BigInt(found.status) >> 18n & 1n) === 0n];
}

const shows = (name, wanted) => until(async () => {
  const found = await live(name);
  return JSON.stringify(found) === JSON.stringify(wanted);
}, { what: `${name} = ${JSON.stringify(wanted)}` });

before(async () => {
  grid = await openGrid();
  token = await grid.token({ actions: 'ReadAll,WriteVariables' });
  plc = await new TcpDevice().on();
  line = await serialLine();
  boiler = await serialDevice(line, new Memory(), 3);
  agent = new Agent(grid, 'modbus', {
    driver: 'modbus',
    agent: 'period_ms = 200',
    options: 'devices = devices.csv',
    variables: 'name,address,type,scale,maximum,access\n'
      + 'speed,plc/holding/2:int16,float,0.1,300,read_write\n'
      + 'total,plc/holding/6:uint32:cdab,int,,,read_write\n'
      + 'start,plc/coil/16,bool,,,read_write\n'
      + 'fault,plc/holding/40.3,bool,,,read_write\n'
      + 'order,plc/holding/200:string20,string,,,read_write\n'
      + 'seen,plc/input/0,int,,,read\n'
      + 'boiler,boiler/holding/5:float32,float,,,read_write\n',
  });
  agent.write('devices.csv', 'name,connection,unit,parity,timeout_ms,back_off_s\n'
    + `plc,${plc.address},1,,1000,1\nboiler,${line.near},3,none,500,1\n`);
  plc.memory.set('input', 0, [77]);
  agent.start();
  await shows('seen', [77, true]);
}, { timeout: 240_000 });

after(async () => {
  await agent?.close();
  await plc?.off();
  await boiler?.off();
  await line?.close();
  await grid?.close();
});

test('a set value reaches the device and comes back', async () => {
  // The node's stream may take a moment to stand.
  const first = await until(async () => {
    const reply = await patch('speed', -12.34);
    return reply.status !== 503 && reply;
  }, { what: 'the way to the plant' });
  assert.equal(first.status, 200, first.text);
  assert.deepEqual(plc.memory.get('holding', 2, 1), [65536 - 123]);
  await shows('speed', [-12.3, true]); // tenths, as the register has them
  for (const [name, value, table, number, wanted] of [
    ['total', 305419896, 'holding', 6, [0x5678, 0x1234]],
    ['start', true, 'coil', 16, [true]],
    ['fault', true, 'holding', 40, [8]],
    ['order', 'A-17 ü', 'holding', 200, [0x412d, 0x3137, 0x20c3, 0xbc00]],
  ]) {
    const reply = await patch(name, value);
    assert.equal(reply.status, 200, `${name}: ${reply.text}`);
    assert.deepEqual(plc.memory.get(table, number, wanted.length), wanted);
    await shows(name, [value, true]);
  }
});

test('a set value reaches a device on a serial line', async () => {
  const reply = await patch('boiler', 61.5);
  assert.equal(reply.status, 200, reply.text);
  assert.deepEqual(boiler.memory.get('holding', 5, 2, 3), [0x4276, 0]);
  await shows('boiler', [61.5, true]);
});

test('what the device does not do is told as it is', async () => {
  plc.memory.writes.length = 0;
  assert.equal((await patch('speed', 300.1)).status, 400, 'above the maximum');
  assert.equal((await patch('total', -1)).status >= 400, true);
  assert.equal((await patch('seen', 1)).status, 403);
  assert.equal(plc.memory.writes.length, 0);
  plc.memory.refuses = 3;
  const refused = await patch('speed', 10);
  plc.memory.refuses = 0;
  assert.ok(refused.status >= 400 && refused.status !== 504, refused.text);
  assert.match(refused.text, /Illegal data value/);
  plc.memory.frozen = true;
  const other = await patch('speed', 20);
  plc.memory.frozen = false;
  assert.ok(other.status >= 400 && other.status !== 504, other.text);
  assert.match(other.text, /another value/);
});

test('a device that is off is INVALID at the hub, takes nothing, and is told', async () => {
  assert.equal((await patch('speed', 30)).status, 200);
  await shows('speed', [30, true]);
  await plc.off();
  await shows('speed', [30, false]);
  const before = plc.memory.writes.length;
  const reply = await patch('speed', 40);
  assert.deepEqual([reply.status, reply.json.errorCode], [503, 'DeviceOffline'], reply.text);
  assert.equal((await patch('boiler', 62)).status, 200, 'the other device');
  await plc.on();
  await shows('speed', [30, true]);
  assert.equal(plc.memory.writes.length, before, 'nothing was kept for later');
  assert.equal((await patch('speed', 50)).status, 200);
  const events = await until(async () => {
    const { json } = await grid.request(`/api/v1/datasources/${agent.id}/events/query`, {
      token,
      body: {
        timeFilter: { type: 'Absolute', from: '2020-01-01T00:00:00.000Z', to: '2035-01-01T00:00:00.000Z' },
        variableFilter: { variableNames: ['*'] },
      },
    });
    const texts = (json?.events ?? []).map(({ text }) => text);
    return texts.some((text) => /^plc .* is back after/.test(text)) && texts;
  }, { what: 'the events' });
  assert.ok(events.some((text) => /^plc .* is off: /.test(text)), JSON.stringify(events));
});
