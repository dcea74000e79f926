// fieldgrid-egress to an MQTT broker, seen by an outside subscriber.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { openBroker } from '../support/broker.mjs';
import { Egress, egressNode } from '../support/egress.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';

// What the broker has confirmed is on its way at once, so that its kill is no loss.
const broker = await openBroker({ more: 'max_inflight_messages 0\nset_tcp_nodelay true\n' });
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

function setUp(name, count, rate, options = '', { setup = {}, rights = 'ReadAll', egress: more = '' } = {}) {
  const agent = keep(new Agent(grid, name, {
    driver: 'csv', variables: 'name,type\nn,int\n', data: numberedCsv(count, rate),
    options: 'file = data.csv\nspeed = 1\ntimes = now\nat_end = wait', ...setup,
  }));
  const node = keep(egressNode(grid, [agent.id], rights));
  const egress = keep(new Egress(grid, {
    egress: more,
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
  await egress.begun();
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
  await egress.begun();
  agent.start();
  for (let round = 0; round < 6; round += 1) {
    await sleep(900);
    egress.strike();
  }
  await until(() => seen.size >= 1500, { what: 'all values' }).catch(() => {});
  assert.equal(seen.size, 1500, egress.log.slice(-1500));
});

test('a killed broker that comes back loses the subscriber no value', { skip }, async (t) => {
  const { agent, egress } = setUp('broker', 6000, 1500, 'payload = value\ntopic = dies/{variable}');
  const seen = [];
  const client = await broker.client({ clean: false, clientId: 'outside' });
  client.on('message', (topic, text) => seen.push(Number(text.toString())));
  await client.subscribeAsync('dies/broker/n', { qos: 1 });
  await broker.save(); // its kill must not end the subscription
  egress.start();
  await egress.begun();
  agent.start();
  for (const mark of [800, 2400, 4000]) {
    await until(() => seen.at(-1) >= mark, { every: 20, what: `value ${mark}` });
    // What a broker has acknowledged and not passed on dies with it: it passes on what it has.
    process.kill(egress.pid, 'SIGSTOP');
    for (let count = -1; count !== seen.length; await sleep(300)) count = seen.length;
    await broker.kill();
    process.kill(egress.pid, 'SIGCONT');
    await broker.start();
  }
  await until(() => new Set(seen).size === 6000, { what: 'all values' }).catch(() => {});
  const first = [...new Set(seen)];
  assert.deepEqual(first, Array.from({ length: 6000 }, (_, i) => i + 1), egress.log.slice(-1500));
  t.diagnostic(`${seen.length - first.length} of ${seen.length} messages came again`);
});

test('writes come over MQTT, under the rights of the node, and old ones are not taken', { skip }, async () => {
  const setup = {
    driver: 'sim', options: 'model = wind',
    variables: 'name,type,access\npark/power_limit,float,read_write\npark/power,float,read\n',
  };
  const { agent, egress } = setUp('write', 1, 1, '', { setup, rights: 'ReadAll,WriteVariables', egress: 'writes = yes' });
  const outside = await broker.client();
  await outside.publishAsync('fieldgrid/set/write/park/power_limit', '7000', { qos: 1, retain: true });
  agent.start();
  await until(() => agent.log.includes('stream is open'), { what: 'the agent' });
  const results = await listen('fieldgrid/result/#');
  const values = await listen('fieldgrid/write/park/power_limit');
  egress.start();
  await until(() => egress.log.includes('retained'), { what: 'the old one is refused' });
  await until(() => /, [1-9]\d* variables/.test(egress.log), { what: 'the variables' });
  await outside.publishAsync('fieldgrid/set/write/park/power_limit', '12000');
  await until(() => results.length > 0, { what: 'the result' });
  assert.deepEqual(JSON.parse(results[0][1]), { variable: 'write/park/power_limit', confirmed: true, code: '', text: '' });
  await until(() => values.some(([, text]) => JSON.parse(text).value === 12000), { what: 'the new value' }).catch((error) => { throw new Error(`${JSON.stringify(values.slice(-5))} ${egress.log.slice(-1500)}`, { cause: error }); });
  assert.ok(!values.some(([, text]) => JSON.parse(text).value === 7000));
  await outside.publishAsync('fieldgrid/set/write/park/power', '1');
  await outside.publishAsync('fieldgrid/set/write/nothing', '1');
  await until(() => results.length > 2, { what: 'the refusals' });
  assert.deepEqual(results.slice(1).map(([, text]) => JSON.parse(text)).map((one) => [one.variable, one.confirmed, one.code]).sort(),
    [['write/nothing', false, ''], ['write/park/power', false, 'AccessRefused']]);
  await agent.kill();
  await outside.publishAsync('fieldgrid/set/write/park/power_limit', '9000');
  await until(() => results.length > 3, { what: 'the last result' });
  assert.equal(JSON.parse(results[3][1]).confirmed, false, results[3][1]);
  await outside.publishAsync('fieldgrid/set/write/park/power_limit', '', { retain: true });
});
