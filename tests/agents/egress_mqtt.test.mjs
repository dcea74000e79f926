// fieldgrid-egress to an MQTT broker, seen by an outside subscriber.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { openBroker } from '../support/broker.mjs';
import { Egress, egressNode } from '../support/egress.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';

const broker = await openBroker();
const skip = broker ? false : 'there is no mosquitto';
let grid;
const open = [];

before(async () => {
  if (broker) grid = await openGrid();
});

after(async () => {
  for (const one of open.reverse()) await one.close();
  await broker?.close();
  await grid?.close();
});

function keep(one) {
  open.push(one);
  return one;
}

function setUp(name, count, rate, options = '') {
  const agent = keep(new Agent(grid, name, {
    driver: 'csv', variables: 'name,type\nn,int\n', data: numberedCsv(count, rate),
    options: 'file = data.csv\nspeed = 1\ntimes = now\nat_end = wait',
  }));
  const node = keep(egressNode(grid, [agent.id]));
  const egress = keep(new Egress(grid, {
    node, mirror: `datasource,variables,prefix\n${agent.id},*,${name}/\n`,
    outlet: 'mqtt', options: `${broker.settings(`egress-${name}`)}\n${options}`,
  }));
  return { agent, egress };
}

/** What an outsider gets: [topic, text, retained]. */
async function listen(filter) {
  const client = await broker.client();
  const messages = [];
  client.on('message', (topic, text, packet) => messages.push([topic, text.toString(), packet.retain]));
  await client.subscribeAsync(filter, { qos: 1 });
  return messages;
}

test('an outside subscriber gets every value in order, and the last one when it comes late', { skip }, async () => {
  const { agent, egress } = setUp('order', 300, 200);
  const messages = await listen('fieldgrid/order/#');
  egress.start();
  await until(() => egress.log.includes('connected'), { what: 'the egress' });
  await sleep(500);
  agent.start();
  await until(() => messages.length >= 300, { what: 'all messages' });
  assert.deepEqual(messages.map(([, text]) => JSON.parse(text).value), Array.from({ length: 300 }, (_, i) => i + 1));
  assert.equal(messages[0][0], 'fieldgrid/order/n');
  const [[topic, last, retained]] = await listen('fieldgrid/order/n').then(async (late) => {
    await until(() => late.length > 0, { what: 'the retained value' });
    return late;
  });
  assert.deepEqual([topic, JSON.parse(last).value, retained], ['fieldgrid/order/n', 300, true]);
});

test('kills of the egress lose no value', { skip }, async () => {
  const { agent, egress } = setUp('kills', 1500, 150, 'payload = value\ntopic = bare/{variable}');
  const seen = new Set();
  const collect = async () => {
    const client = await broker.client();
    client.on('message', (topic, text) => seen.add(Number(text.toString())));
    await client.subscribeAsync('bare/kills/n', { qos: 1 });
  };
  await collect();
  egress.supervise();
  await until(() => egress.log.includes('connected'), { what: 'the egress' });
  await sleep(500);
  agent.start();
  for (let round = 0; round < 6; round += 1) {
    await sleep(900);
    egress.strike();
  }
  await until(() => seen.size >= 1500, { seconds: 60, what: 'all values' }).catch(() => {});
  assert.equal(seen.size, 1500, egress.log.slice(-1500));
});
