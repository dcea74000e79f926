// The ingress agent's driver mqtt against a real mosquitto and the real hub.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { openBroker } from '../support/broker.mjs';
import { freePort, sleep, until } from '../support/grid.mjs';
import { has, openPlant } from '../support/mqtt_plant.mjs';
import { openTap } from '../support/mqtt_tap.mjs';
import { Relay } from '../support/relay.mjs';

let plant;
let client; // another program at the same broker

before(async () => {
  plant = await openPlant();
  client = await plant?.broker.client();
});

after(() => plant?.close());

const skip = (t) => !plant && (t.skip('there is no mosquitto'), true);
const publish = (topic, message, options = { qos: 1 }) => client.publishAsync(topic,
  typeof message === 'string' ? message : JSON.stringify(message), options);

test('plain numbers, text and booleans over TLS with a password', async (t) => {
  if (skip(t)) return;
  const agent = await plant.start('plain',
    'name,type,scale\npress/temp,float,0.1\npress/count,int,\npress/on,bool,\npress/text,string,\n',
    { options: 'topic = works/{name}/state\n' });
  await publish('works/press/temp/state', ' 215\n');
  await publish('works/press/count/state', '9007199254740993');
  await publish('works/press/on/state', 'ON');
  await publish('works/press/text/state', 'läuft, "gut"');
  const values = await plant.settles(agent, {
    'press/temp': 21.5, 'press/on': true, 'press/text': 'läuft, "gut"', 'press/count': () => true,
  });
  assert.ok(has(values['press/temp'], 'SPONT') && !has(values['press/temp'], 'GI'));
  assert.ok(agent.memory < 20, `${agent.memory} MiB`);
  for (const text of ['warm', 'hot', '220']) await publish('works/press/temp/state', text);
  await plant.settles(agent, { 'press/temp': 22 });
  assert.equal(agent.log.split('the message is no number').length, 2, 'said once');
  assert.equal(await agent.stop(), 0, agent.log);
  assert.deepEqual((await agent.history(plant.token, 'press/count')).map(([, value]) => value),
    ['9007199254740993']);
});

test('values of JSON messages by path, with the time in the message', async (t) => {
  if (skip(t)) return;
  const agent = await plant.start('json', `name,address,type
temp,line/1#sensors.temp,float
second,line/1#['list of.things'][1].v,int
state,line/1#state,string
on,line/1#$.on,bool
nano,line/2#v@at.ns,float
`, { options: 'topic = {address}#@time\n' });
  const time = '2026-03-04T05:06:07.891Z';
  await publish('line/1', {
    time, sensors: { temp: 20.5 }, 'list of.things': [{ v: 1 }, { v: 2 }], state: 'läuft', on: true,
  });
  await publish('line/2', '{"v":"3.25","at":{"ns":1772600767891234567}}');
  const values = await plant.settles(agent, { temp: 20.5, second: 2, state: 'läuft', on: true, nano: 3.25 });
  for (const name of ['temp', 'second', 'state', 'on', 'nano']) {
    assert.equal(Date.parse(values[name].lastUpdateTime), Date.parse(time), name);
  }
  // A message need not have all values; null is none, and broken JSON is no message.
  await publish('line/1', { time: 1772600768, sensors: { temp: null } });
  await plant.settles(agent, { temp: (one) => has(one, 'INVALID') && one.value === 20.5 });
  assert.ok(!has((await plant.current(agent)).second, 'INVALID'));
  await publish('line/1', '{"sensors":{"temp":21}');
  await plant.settles(agent, { second: (one) => has(one, 'INVALID') });
  assert.match(agent.log, /topic line\/1: the message is no JSON/);
  await publish('line/1', { time: new Date().toISOString().replace('T', ' ').slice(0, -1), sensors: { temp: 22 } });
  await plant.settles(agent, { temp: (one) => one.value === 22 && !has(one, 'INVALID') });
  assert.equal(await agent.stop(), 0, agent.log);
});

test('a retained message is marked as one that was not sent just now', async (t) => {
  if (skip(t)) return;
  await publish('kept/x', '7', { qos: 1, retain: true });
  const agent = await plant.start('retained', 'name,type\nkept/x,int\n');
  const { 'kept/x': x } = await plant.settles(agent, { 'kept/x': 7 });
  assert.ok(has(x, 'GI') && !has(x, 'SPONT'), x.statusText);
  await publish('kept/x', '8');
  await plant.settles(agent, { 'kept/x': (one) => one.value === 8 && has(one, 'SPONT') && !has(one, 'GI') });
});

const numbered = (n) => ({ n, at: Date.parse('2026-05-05T00:00:00Z') + n });
const exactly = (count) => ({ missing: 0, twice: 0, strange: 0, rows: count });

async function arrives(agent, count) {
  let last;
  await until(async () => {
    last = await agent.tally(plant.token, count);
    return last.missing === 0;
  }, { every: 300, what: 'all numbers' }).catch(() => {});
  assert.deepEqual(last, exactly(count), agent.log.slice(-2000));
}

test('what is sent while the agent is off comes when it is back', async (t) => {
  if (skip(t)) return;
  const agent = await plant.start('off', 'name,address,type\nn,off/n#n@at,int\n');
  await publish('off/n', numbered(1));
  await arrives(agent, 1);
  assert.equal(await agent.stop(), 0);
  for (let n = 2; n <= 2000; n += 1) client.publish('off/n', JSON.stringify(numbered(n)), { qos: 1 });
  await publish('off/n', numbered(2001));
  agent.start();
  await arrives(agent, 2001);
  assert.equal(await agent.stop(), 0);
});

test('kill -9 loses no message of QoS 1: none is acknowledged before it is on disk', async (t) => {
  if (skip(t)) return;
  const agent = await plant.start('killed', 'name,address,type\nn,killed/n#n@at,int\n');
  const count = 4000;
  let sent = 0;
  const sending = (async () => {
    while (sent < count) {
      for (let i = 0; i < 20; i += 1) {
        sent += 1;
        client.publish('killed/n', JSON.stringify(numbered(sent)), { qos: 1 });
      }
      await sleep(15);
    }
  })();
  for (let i = 0; i < 6; i += 1) {
    await sleep(150 + Math.random() * 300);
    await agent.kill();
    agent.start();
  }
  await sending;
  await arrives(agent, count);
  assert.equal(await agent.stop(), 0);
});

test('kill -9 of the broker loses nothing that the agent has acknowledged to it', async (t) => {
  if (skip(t)) return;
  const tap = await openTap(plant.broker.port);
  t.after(() => tap.close());
  const login = `user = ${plant.broker.user}\npassword = ${plant.broker.file('password')}\n`;
  const agent = await plant.start('broker-killed', 'name,address,type\nn,dies/n#n@at,int\n',
    { settings: `url = ${tap.url}\nclient_id = dies\n${login}` });
  let sent = 0;
  let sending = true;
  const publishing = (async () => {
    for (; sending; await sleep(10)) {
      for (let i = 0; client.connected && i < 20; i += 1) {
        sent += 1;
        client.publish('dies/n', JSON.stringify(numbered(sent)), { qos: 1 });
      }
    }
  })();
  for (let times = 1; times <= 3; times += 1) {
    const before = tap.acknowledged.size;
    await until(() => tap.acknowledged.size > before + 200, { what: 'acknowledgements' });
    await plant.broker.kill();
    await plant.broker.start();
    await plant.subscribed(agent, times + 1);
  }
  sending = false;
  await publishing;
  await publish('dies/n', numbered(sent += 1));
  await until(() => tap.acknowledged.has(JSON.stringify(numbered(sent))), { what: 'the last acknowledgement' });
  const numbers = [...tap.acknowledged].map((text) => String(JSON.parse(text).n));
  let stored = new Set();
  await until(async () => {
    stored = new Set((await agent.history(plant.token, 'n')).map(([, value]) => value));
    return numbers.every((n) => stored.has(n));
  }, { every: 300, what: 'all acknowledged numbers' }).catch(() => {});
  assert.deepEqual(numbers.filter((n) => !stored.has(n)), []);
  assert.equal(await agent.stop(), 0);
});

test('where there is no room QoS 1 waits at the broker, QoS 0 is given up, counted and marked', async (t) => {
  if (skip(t)) return;
  const relay = await new Relay(Number(new URL(plant.grid.nodeUrl).port)).open();
  t.after(() => relay.close());
  const agent = await plant.start('full', 'name,address,type\nn,full/n#n@at,int\npad,full/n#pad@at,string\nloud,full/loud,string\n', {
    urls: `https://localhost:${relay.port}`, hub: 'timeout_ms = 2000\n',
    agent: 'compress = no\n', spool: 'limit_mib = 1\nwhen_full = stop\n', options: 'ring_kib = 64\n',
  });
  await publish('full/n', numbered(1));
  await publish('full/loud', 'first');
  await plant.settles(agent, { n: 1, loud: 'first' });

  relay.hold();
  const numbers = 900;
  for (let n = 2; n <= numbers; n += 1) {
    client.publish('full/n', JSON.stringify({ ...numbered(n), pad: randomBytes(1500).toString('base64') }), { qos: 1 });
  }
  await until(() => agent.log.includes('sampling stops'), { what: 'the stop' });
  relay.release();
  await arrives(agent, numbers);
  assert.doesNotMatch(agent.log, /messages_dropped/);

  for (let i = 0; i < 1500; i += 1) {
    client.publish('full/loud', randomBytes(1500).toString('base64'), { qos: 0 });
  }
  await until(() => /messages_dropped: \d+ messages of QoS 0/.test(agent.log), { what: 'the count' });
  await publish('full/loud', 'end');
  await plant.settles(agent, { loud: 'end' });
  const rows = await agent.history(plant.token, 'loud');
  assert.ok(rows.length < 1500, `${rows.length}`);
  assert.ok(rows.some((row) => BigInt(row.at(-1).replaceAll('"', '')) >> 47n & 1n), 'OV behind the gap');
  assert.equal(await agent.stop(), 0);
});

test('without the broker variables become INVALID, and come back with it', async (t) => {
  if (skip(t)) return;
  const agent = await plant.start('lost', 'name,type\nlost/x,float\n',
    { options: 'invalid_after_s = 1\n' });
  await publish('lost/x', '1.5');
  await plant.settles(agent, { 'lost/x': 1.5 });
  await plant.broker.kill();
  await plant.settles(agent, { 'lost/x': (one) => has(one, 'INVALID') && one.value === 1.5 });
  await plant.broker.start();
  await plant.subscribed(agent, 2);
  await until(() => client.connected, { what: 'the publisher' });
  await publish('lost/x', '2.5');
  await plant.settles(agent, { 'lost/x': (one) => one.value === 2.5 && !has(one, 'INVALID') });
  assert.match(agent.log, /broker_lost/);
  assert.match(agent.log, /broker_back/);
  assert.equal(await agent.stop(), 0, agent.log);
});

test('a broker that must not be trusted, or does not trust us, is told apart', async (t) => {
  if (skip(t)) return;
  const variables = 'name,type\nx,float\n';
  const login = `user = ${plant.broker.user}\npassword = ${plant.broker.file('password')}\n`;
  const cases = [
    [`url = ${plant.broker.tlsUrl}\nca = ${plant.broker.file('ca.pem')}\nuser = ${plant.broker.user}\npassword = ${plant.broker.file('wrong')}\n`,
      /cannot reach the broker.*(not authorised|bad user)/i],
    [`url = ${plant.broker.tlsUrl}\nca = ${plant.grid.caFile}\n${login}`, /cannot reach the broker/],
    [`url = mqtts://127.0.0.1:${await freePort()}\nca = ${plant.grid.caFile}\n${login}`,
      /cannot reach the broker.*Connection refused/],
  ];
  for (const [options, words] of cases) {
    const agent = plant.agent('trust', variables, { settings: `${options}client_id = trust\n` }).start();
    await until(() => words.test(agent.log), { what: `${words} in ${agent.log}` });
    assert.doesNotMatch(agent.log, /connected to the broker/);
    assert.equal(await agent.stop(), 0);
  }
});

test('a broker may ask for a client certificate, and must prove its own name', async (t) => {
  if (skip(t)) return;
  const strict = await openBroker({ clientCertificates: true });
  const other = await openBroker({ certificate: 'elsewhere' });
  t.after(() => Promise.all([strict.close(), other.close()]));
  const variables = 'name,type\nx,float\n';
  const pair = `certificate = ${strict.file('client.pem')}\nkey = ${strict.file('client.key')}\n`;
  const good = plant.agent('cert', variables, { settings: strict.settings('cert') + pair }).start();
  await plant.subscribed(good, 1, strict);
  await (await strict.client()).publishAsync('x', '4', { qos: 1 });
  await plant.settles(good, { x: 4 });
  for (const settings of [strict.settings('bare'), other.settings('name')]) {
    const agent = plant.agent('nocert', variables, { settings }).start();
    await until(() => /cannot reach the broker/.test(agent.log), { what: 'the refusal' });
    assert.doesNotMatch(agent.log, /connected to the broker/);
    assert.equal(await agent.stop(), 0);
  }
  assert.equal(await good.stop(), 0);
});

test('mistakes in the configuration stop the agent with their place', async (t) => {
  if (skip(t)) return;
  const cases = [
    ['name,address,type\nx,a/+/b,int\n', '', /variables\.csv:2:3: .*wildcard/],
    ['name,address,type\nx,a#b[,int\n', '', /variables\.csv:2:3: path/],
    ['name,address,type\nx,spBv1.0/g#m,int\n', '', /spBv1\.0\/GROUP\/NODE/],
    ['name,type\nx,int\n', 'topic = fixed\n', /\[mqtt\] topic = fixed/],
    ['name,type\nx,int\n', 'subscribe = a/b+\n', /no topic filter/],
    ['name,type,access\nx,int,read_write\n', 'command_payload = go\n', /needs \{value\}/],
  ];
  for (const [variables, options, words] of cases) {
    const agent = plant.agent('wrong', variables, { options });
    const { code, stderr } = await agent.call('--check-config');
    assert.equal(code, 78, stderr);
    assert.match(stderr, words);
  }
});
