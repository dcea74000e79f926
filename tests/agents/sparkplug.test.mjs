// The driver mqtt reads Sparkplug B of edge nodes that Eclipse Tahu's encoder
// speaks for.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { sleep, until } from '../support/grid.mjs';
import { has, openPlant } from '../support/mqtt_plant.mjs';
import { EdgeNode } from '../support/sparkplug.mjs';

let plant;
const nodes = [];

before(async () => { plant = await openPlant(); });

after(async () => {
  for (const node of nodes) await node.close();
  await plant?.close();
});

const skip = (t) => !plant && (t.skip('there is no mosquitto'), true);

async function edgeNode(name, options) {
  const node = new EdgeNode(plant.broker, 'Plant', name, options);
  nodes.push(node);
  return node.connect();
}

test('births and data of a node and its devices, by alias, with every type', async (t) => {
  if (skip(t)) return;
  const node = await edgeNode('types', {
    metrics: [
      { name: 'Speed/rpm', type: 'Float', value: 1480.5, alias: 1 },
      { name: 'Uptime', type: 'UInt32', value: 4000000000, alias: 2 },
    ],
    devices: {
      pump: [
        { name: 'i8', type: 'Int8', value: -8, alias: 10 },
        { name: 'i16', type: 'Int16', value: -1616, alias: 11 },
        { name: 'i32', type: 'Int32', value: -323232, alias: 12 },
        { name: 'i64', type: 'Int64', value: 5, alias: 13 },
        { name: 'double', type: 'Double', value: 0.1, alias: 14 },
        { name: 'on', type: 'Boolean', value: true, alias: 15 },
        { name: 'text', type: 'String', value: 'läuft', alias: 16 },
        { name: 'nothing', type: 'Int16', value: null, alias: 17 },
        { name: 'unread', type: 'Int16', value: 1, alias: 18 },
      ],
    },
  });
  const device = ['i8', 'i16', 'i32', 'i64'].map((name) => `${name},spBv1.0/Plant/types/pump#${name},int\n`).join('');
  const agent = await plant.start('types', `name,address,type
rpm,spBv1.0/Plant/types#Speed/rpm,float
uptime,spBv1.0/Plant/types#Uptime,int
${device}double,spBv1.0/Plant/types/pump#double,float
on,spBv1.0/Plant/types/pump#on,bool
text,spBv1.0/Plant/types/pump#text,string
nothing,spBv1.0/Plant/types/pump#nothing,int
`);
  const born = await plant.settles(agent, {
    rpm: 1480.5, uptime: 4000000000, i8: -8, i16: -1616, i32: -323232, i64: 5,
    double: 0.1, on: true, text: 'läuft',
  });
  assert.equal(born.nothing?.value ?? null, null);
  assert.ok(node.rebirths >= 1, 'an agent that missed the birth asks for one');
  assert.ok(has(born.rpm, 'GI') && !has(born.rpm, 'SPONT'));
  const timestamp = Date.now() - 5000;
  await node.data('pump', [{ alias: 12, type: 'Int32', value: 77, timestamp },
    { alias: 17, type: 'Int16', value: 3, timestamp }]);
  await node.data(undefined, [{ name: 'Speed/rpm', type: 'Float', value: 2, timestamp: Date.now(),
    properties: { Quality: { type: 'Int32', value: 0 } } }]);
  const values = await plant.settles(agent, { rpm: 2, nothing: 3 });
  assert.ok(has(values.rpm, 'INVALID'), 'a quality that is not good');
  assert.equal(Date.parse(values.nothing.lastUpdateTime), timestamp);
  assert.ok(has(values.nothing, 'SPONT'));
  const history = await agent.history(plant.token, 'i32');
  assert.deepEqual(history.find(([, value]) => value === '77').slice(0, 1).map(Date.parse), [timestamp]);
  assert.equal(await agent.stop(), 0, agent.log);
});

test('a missing message is noticed, and nothing counts until the node is born again', async (t) => {
  if (skip(t)) return;
  const node = await edgeNode('gap', { metrics: [{ name: 'x', type: 'Int32', value: 1, alias: 1 }] });
  const agent = await plant.start('gap', 'name,address,type\nx,spBv1.0/Plant/gap#x,int\n');
  await plant.settles(agent, { x: 1 });
  await node.data(undefined, [{ alias: 1, type: 'Int32', value: 2, timestamp: Date.now() }]);
  await plant.settles(agent, { x: 2 });
  const before = node.rebirths;
  node.deaf = true;
  node.skip();
  await node.data(undefined, [{ alias: 1, type: 'Int32', value: 666, timestamp: Date.now() }]);
  await until(() => node.rebirths > before, { what: 'a request for a birth' });
  await plant.settles(agent, { x: (one) => has(one, 'INVALID') && one.value === 2 });
  node.deaf = false;
  node.metrics[0].value = 4;
  await plant.settles(agent, { x: (one) => one.value === 4 && has(one, 'OV') && !has(one, 'INVALID') });
  const history = await agent.history(plant.token, 'x');
  assert.ok(!history.some(([, value]) => value === '666'));
  assert.equal(await agent.stop(), 0, agent.log);
});

test('a death makes variables INVALID, but not the late will of an earlier connection', async (t) => {
  if (skip(t)) return;
  const options = {
    bdSeq: 7, metrics: [{ name: 'x', type: 'Int32', value: 1 }],
    devices: { d: [{ name: 'y', type: 'Int32', value: 2 }], e: [{ name: 'y', type: 'Int32', value: 3 }] },
  };
  const node = await edgeNode('dies', options);
  const agent = await plant.start('dies', `name,address,type
x,spBv1.0/Plant/dies#x,int
d,spBv1.0/Plant/dies/d#y,int
e,spBv1.0/Plant/dies/e#y,int
`);
  await plant.settles(agent, { x: 1, d: 2, e: 3 });
  await node.send('DDEATH', 'd', []);
  const after_ = await plant.settles(agent, { d: (one) => has(one, 'INVALID') });
  assert.ok(!has(after_.x, 'INVALID') && !has(after_.e, 'INVALID'));
  await node.lateDeath(6);
  await sleep(500);
  assert.ok(!has((await plant.current(agent)).x, 'INVALID'));
  node.vanish();
  await plant.settles(agent, { x: (one) => has(one, 'INVALID'), e: (one) => has(one, 'INVALID') });
  await edgeNode('dies', { ...options, bdSeq: 8 });
  await plant.settles(agent, Object.fromEntries(['x', 'd', 'e'].map((name) => [name, (one) => !has(one, 'INVALID')])));
  assert.equal(await agent.stop(), 0, agent.log);
});

test('a primary host says whether it is there', async (t) => {
  if (skip(t)) return;
  const states = [];
  const client = await plant.broker.client();
  client.on('message', (topic, data) => {
    if (topic === 'spBv1.0/STATE/grid-host') states.push(JSON.parse(data));
  });
  await client.subscribeAsync('spBv1.0/STATE/+', { qos: 1 });
  const agent = await plant.start('host', 'name,address,type\nx,spBv1.0/Plant/none#x,int\n',
    { options: 'sparkplug_host = grid-host\n' });
  await until(() => states.at(-1)?.online === true, { what: 'STATE online' });
  await agent.kill();
  await until(() => states.at(-1)?.online === false, { what: 'the will' });
  assert.equal(states.at(-1).timestamp, states.at(-2).timestamp);
  agent.start();
  await until(() => states.at(-1)?.online === true, { what: 'STATE online again' });
  assert.equal(await agent.stop(), 0, agent.log);
  await until(() => states.at(-1)?.online === false, { what: 'the good-bye' });
});

test('what is no Sparkplug payload is left aside', async (t) => {
  if (skip(t)) return;
  const node = await edgeNode('noise', { metrics: [{ name: 'x', type: 'Int32', value: 1 }] });
  const agent = await plant.start('noise', 'name,address,type\nx,spBv1.0/Plant/noise#x,int\n');
  await plant.settles(agent, { x: 1 });
  const client = await plant.broker.client();
  await client.publishAsync(node.topic('NDATA'), Buffer.from('ffffffffffff', 'hex'), { qos: 1 });
  await until(() => /no Sparkplug B payload/.test(agent.log), { what: 'the complaint' });
  await node.data(undefined, [{ name: 'x', type: 'Int32', value: 2 }]);
  await plant.settles(agent, { x: 2 });
  assert.equal(await agent.stop(), 0, agent.log);
});
