// Values set in the grid reach a machine behind a broker, and its feedback
// comes back: client, hub, agent, mosquitto, npm's mqtt as the machine.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { sleep, until } from '../support/grid.mjs';
import { has, openPlant } from '../support/mqtt_plant.mjs';

let plant;
let machine;
let agent;
let json; // an agent whose machine speaks JSON and confirms elsewhere
const heard = []; // what the machine was told: [topic, text]
let answers = true;

const variables = `name,address,type,access,scale
set/speed,m/speed,float,read_write,0.1
set/count,m/count,int,read_write,
set/on,m/on,bool,read_write,
set/text,m/text,string,read_write,
set/seen,m/seen,int,read,
`;
const jsonVariables = `name,address,type,access
level,j/level#now,float,read_write
mode,j/mode#now,string,read_write
`;

/** The machine does what it is told, and says so. */
function obey(topic, data, packet) {
  heard.push([topic, data.toString(), packet]);
  if (!answers) return;
  if (topic.startsWith('j/')) {
    const name = topic.split('/')[1];
    machine.publish(`done/${name}`, JSON.stringify({ value: JSON.parse(data).set }), { qos: 1 });
  } else {
    machine.publish(topic.replace(/\/set$/, ''), data, { qos: 1 });
  }
}

before(async () => {
  plant = await openPlant();
  if (!plant) return;
  plant.token = await plant.grid.token({ actions: 'ReadAll,WriteVariables' });
  machine = await plant.broker.client();
  machine.on('message', obey);
  await machine.subscribeAsync(['m/+/set', 'j/+/do'], { qos: 1 });
  agent = await plant.start('writes', variables, { options: 'feedback_ms = 3000\n' });
  json = await plant.start('json-writes', jsonVariables, {
    options: 'command_topic = {topic}/do\ncommand_payload = {"set":{value}}\n'
      + 'feedback_topic = done/{name}#value\nfeedback_ms = 3000\n',
  });
  for (const one of [agent, json]) {
    await until(async () => (await patch(one, one === agent ? 'set/on' : 'level', 1)).status === 200,
      { every: 200, what: `a command that gets through: ${one.log.slice(-500)}` });
  }
}, { timeout: 240_000 });

after(() => plant?.close());

const skip = (t) => !plant && (t.skip('there is no mosquitto'), true);
const patch = (one, name, value, more = {}) => plant.grid.request(
  `/api/v1/datasources/${one.id}/variables/${name}`,
  { method: 'PATCH', token: plant.token, body: { value, ...more } });
const toldTo = (topic) => heard.filter(([one]) => one === topic).map(([, text]) => text);

test('a value is published, unscaled, and confirmed by the machine', async (t) => {
  if (skip(t)) return;
  for (const [name, value, text] of [['speed', 21.5, '215'], ['count', 42, '42'],
    ['on', true, 'true'], ['text', 'läuft "gut"', 'läuft "gut"']]) {
    const reply = await patch(agent, `set/${name}`, value);
    assert.equal(reply.status, 200, `${name}: ${reply.text} ${JSON.stringify(heard.map(([one, data]) => [one, data]))}`);
    assert.equal(toldTo(`m/${name}/set`).at(-1), text);
    await plant.settles(agent, { [`set/${name}`]: value });
  }
  assert.ok(heard.every(([, , packet]) => !packet.retain && packet.qos === 0));
});

test('JSON commands, with the feedback on a topic of its own', async (t) => {
  if (skip(t)) return;
  const text = await patch(json, 'mode', 'say "hello"');
  assert.equal(text.status, 200, text.text);
  assert.deepEqual(JSON.parse(toldTo('j/mode/do').at(-1)), { set: 'say "hello"' });
  const number = await patch(json, 'level', 0.1);
  assert.equal(number.status, 200, number.text);
  assert.deepEqual(JSON.parse(toldTo('j/level/do').at(-1)), { set: 0.1 });
});

test('without feedback, or with another value, nobody claims that it was written', async (t) => {
  if (skip(t)) return;
  answers = false;
  t.after(() => { answers = true; });
  const silent = patch(agent, 'set/count', 43);
  await until(() => toldTo('m/count/set').at(-1) === '43', { every: 5, what: 'the command' });
  await machine.publishAsync('m/count', '44', { qos: 1 });
  await machine.publishAsync('m/count', '43', { qos: 1, retain: true }); // to us it is no retained one
  assert.equal((await silent).status, 200);
  const reply = await patch(agent, 'set/count', 45, { expires_ms: 50_000 });
  assert.ok([409, 502, 503, 504].includes(reply.status), `${reply.status} ${reply.text}`);
  assert.notEqual(reply.json.errorCode, 'NoConfirmation', 'the agent says so before the time is over');
  assert.equal(toldTo('m/count/set').filter((text) => text === '45').length, 1);
  const small = patch(json, 'level', 2e-7);
  await until(() => JSON.parse(toldTo('j/level/do').at(-1)).set === 2e-7, { every: 5, what: 'the small one' });
  await machine.publishAsync('done/level', '{"value":0}', { qos: 1 });
  assert.notEqual((await small).status, 200, 'a small number is not 0');
});

test('without the broker nothing is written, also not later', async (t) => {
  if (skip(t)) return;
  await plant.broker.stop();
  t.after(() => plant.broker.start());
  await until(() => agent.log.includes('lost the broker'), { what: 'the loss' });
  const reply = await patch(agent, 'set/count', 99);
  assert.deepEqual([reply.status, reply.json.errorCode], [503, 'DeviceOffline'], reply.text);
  await plant.broker.start();
  await plant.subscribed(agent, 2);
  await until(() => machine.connected, { what: 'the machine' });
  await sleep(1000);
  assert.ok(!toldTo('m/count/set').includes('99'));
  await until(async () => (await patch(agent, 'set/count', 7)).status === 200,
    { every: 200, what: 'the next command' });
  const values = await plant.current(agent);
  assert.ok(!has(values['set/count'], 'INVALID'));
});

test('what may only be read is not written', async (t) => {
  if (skip(t)) return;
  const reply = await patch(agent, 'set/seen', 1);
  assert.equal(reply.status, 403, reply.text);
  assert.equal(toldTo('m/seen/set').length, 0);
});
