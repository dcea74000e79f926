// Several hubs over one database: commands reach a plant from any of them, each
// once, and what becomes of streams and hubs are events, one for each change.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';

import { openGrid, sleep, until } from '../support/grid.mjs';
import { openStream } from '../support/node_stream.mjs';
import { Plant } from '../support/plant.mjs';
import { openSecondHub } from '../support/second_hub.mjs';

const AWAY_S = 2;

let grid;
let second;
let plant;
let stream;
let token;

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'hubs');
  await plant.announce([{ name: 'set', type: 'float', access: 'read_write' },
    ...Array.from({ length: 200 }, (_, i) => ({ name: `many/${i}`, type: 'int', access: 'read_write' }))]);
  token = await grid.token({ actions: 'ReadAll,WriteVariables' });
  plant.token = await plant.node.token();
  second = await openSecondHub(grid, { name: `second ${plant.id.slice(0, 8)}`, settings: ['away_s = 300'] });
}, { timeout: 240_000 });

after(async () => {
  stream?.close();
  plant?.close();
  await second?.close();
  await grid?.close();
});

const base = () => `/api/v1/datasources/${plant.id}`;
const patch = (hub, body, options) => hub.request(`${hub.url}${base()}/variables/set`, { method: 'PATCH', token, body, agent: false, ...options });
const record = (id) => grid.request(`${base()}/commands/${id}`, { token }).then(({ json }) => json);
const eventsOf = (id) => grid.sql(`SELECT kind FROM event WHERE about = '${id}' ORDER BY id`).map(([kind]) => kind);
const nodeEvents = () => grid.sql(
  `SELECT kind FROM event WHERE text LIKE 'node ${plant.node.name} %' AND kind IN ('node.connected', 'node.disconnected') ORDER BY id`).map(([kind]) => kind);
const hubEvents = () => grid.sql(`SELECT kind FROM event WHERE kind LIKE 'hub.%' AND computer = '${second.name}' ORDER BY id`).map(([kind]) => kind);

/** What the plant says, to this hub; gives the hub's answers. */
async function say(hub, ...results) {
  const reply = await hub.request(`${hub.nodeUrl}/hub/v1/results`, {
    cert: plant.node.cert, key: plant.node.key, agent: false, token: plant.token, body: { results } });
  assert.equal(reply.status, 200, reply.text);
  return reply.json.results.map(({ status }) => status);
}

/** A beat of an agent that runs at that place; the hub's status. */
const beatFrom = (place) => plant.node.request('/hub/v1/beat', { token: plant.token, headers: { 'fieldgrid-place': place },
  body: { version: 'test', spoolFrames: 0, spoolBytes: 0, oldest: null, lostSamples: 0 } }).then(({ status }) => status);

/** The stream of the node at this hub, known to all of them. */
async function connect(hub) {
  const opened = await until(async () => {
    const tried = await openStream(hub, plant.node, { token: plant.token });
    return tried.status === 200 ? tried : tried.close();
  }, { what: 'a stream' });
  await opened.next('time');
  await until(() => grid.sql(`SELECT 1 FROM node_stream s JOIN node n ON n.id = s.node_id JOIN hub_run r ON r.id = s.run
    WHERE n.name = '${plant.node.name}' AND r.name = '${hub === second ? second.name : 'hub'}'`).length === 1, { what: 'its presence' });
  return opened;
}

/** Ask at one hub, answer at another; the plant has its stream anywhere. */
async function round(asked, answered, value) {
  const reply = patch(asked, { value });
  const command = await stream.next('command');
  assert.equal(command.value, value);
  assert.deepEqual(await say(answered, { id: command.id, state: 'confirmed', value, status: 131072, time: new Date().toISOString() }), [200]);
  return { command, reply: await reply };
}

test('the first stream of a node is an event, and a line that flaps is none', async () => {
  stream = await connect(grid);
  assert.deepEqual(nodeEvents(), ['node.connected']);
  for (let i = 0; i < 4; i += 1) {
    stream.close();
    stream = await connect(i % 2 ? grid : second);
  }
  assert.deepEqual(nodeEvents(), ['node.connected']);
  assert.deepEqual(hubEvents(), ['hub.started']);
});

test('a node that was told as gone while its hub was taken for dead is told as back', async () => {
  const known = nodeEvents().length;
  grid.sql(`UPDATE node_stream SET told = false WHERE node_id = (SELECT id FROM node WHERE name = '${plant.node.name}')`);
  await until(() => nodeEvents().length > known, { what: 'node.connected' });
  assert.deepEqual(nodeEvents().slice(known), ['node.connected']);
});

test('a command reaches the plant from every hub, and its result comes back from every hub', async () => {
  for (const holder of [grid, second]) {
    stream.close();
    stream = await connect(holder);
    for (const asked of [grid, second])
      for (const answered of [grid, second]) {
        const value = Math.round(Math.random() * 1e6) / 8;
        const { command, reply } = await round(asked, answered, value);
        assert.equal(reply.status, 200, reply.text);
        assert.deepEqual([reply.json.id, reply.json.feedback.value], [command.id, value]);
        assert.deepEqual(eventsOf(command.id), ['command.requested', 'command.sent', 'command.confirmed']);
        const shown = await asked.request(`${asked.url}${base()}/variables/set`, { token, agent: false });
        assert.equal(shown.json.value, value, 'who asked reads it there at once');
        assert.ok(command.expires - command.sent <= 10_000_000);
      }
  }
  assert.deepEqual(await say(grid, { id: stream.all('command')[0].id, state: 'failed' }), [409], 'a second result is none');
});

test('many at once arrive once each, and the time that is left is never longer', async () => {
  const asked = grid.request(`${grid.url}${base()}/variables`, { method: 'PATCH', token, agent: false,
    body: { expires_ms: 20_000, variables: Array.from({ length: 200 }, (_, i) => ({ name: `many/${i}`, value: i })) } });
  const before_ = stream.all('command').length;
  const commands = [];
  for (let i = 0; i < 200; i += 1) commands.push(await stream.next('command'));
  await say(second, ...commands.map(({ id }) => ({ id, state: 'confirmed' })));
  const reply = await asked;
  assert.equal(reply.status, 200, reply.text.slice(0, 300));
  assert.equal(new Set(commands.map(({ id }) => id)).size, 200);
  assert.equal(stream.all('command').length, before_ + 200);
  const due = Object.fromEntries(grid.sql(`SELECT id, expires_us FROM command WHERE id IN (${commands.map(({ id }) => `'${id}'`)})`));
  assert.ok(commands.every(({ id, expires }) => expires <= Number(due[id])), 'both hubs are on this machine and have one clock');
});

test('a hub that holds the stream and does not answer: 503, and nothing is sent when it does again', async () => {
  const had = stream.all('command').length;
  await second.kill('SIGSTOP');
  const reply = await patch(grid, { value: 1 });
  assert.deepEqual([reply.status, reply.json.errorCode], [503, 'PlantOffline'], reply.text);
  await second.kill('SIGCONT');
  await stream.next('time');
  const { reply: next } = await round(grid, grid, 2);
  assert.equal(next.status, 200, next.text);
  assert.equal(stream.all('command').length, had + 1);
  assert.equal((await record(reply.json.id)).state, 'refused');
});

test('SIGKILL of the hub that was asked: the other one takes the result, or ends the command in time', async () => {
  stream.close();
  stream = await connect(grid);
  const asked = patch(second, { value: 3 }).catch(() => {});
  const lost = patch(second, { value: 4, expires_ms: 4000 }).catch(() => {});
  const commands = [await stream.next('command'), await stream.next('command')];
  const kept = commands.find(({ value }) => value === 3);
  const over = commands.find(({ value }) => value === 4);
  await second.kill();
  await Promise.all([asked, lost]);
  assert.deepEqual(await say(grid, { id: kept.id, state: 'confirmed' }), [200]);
  assert.equal((await record(kept.id)).state, 'confirmed');
  await until(async () => (await record(over.id)).state === 'expired', { what: 'the expiry of what a dead hub had sent' });
  assert.deepEqual(await say(grid, { id: over.id, state: 'confirmed' }), [409]);
  assert.deepEqual(eventsOf(over.id), ['command.requested', 'command.sent', 'command.expired']);
  await second.start();
});

test('a stream from elsewhere in the place of one that is open is told once', async () => {
  const replaced = () => grid.sql(`SELECT value, old_value, username FROM event WHERE kind = 'node.replaced' AND username = '${plant.node.name}'`);
  assert.deepEqual(replaced(), []);
  for (const localAddress of ['127.0.0.2', '127.0.0.3']) {
    const old = stream;
    stream = await openStream(grid, plant.node, { token: plant.token, localAddress });
    await stream.next('time');
    await old.ended;
    assert.equal(old.all('replaced').length, 1);
  }
  assert.deepEqual(replaced(), [['127.0.0.2', '127.0.0.1', plant.node.name]]);
  assert.equal(await beatFrom('first place'), 200);
});

test('503 when no hub holds the stream, and the node is told as gone once', async () => {
  second.configure([`away_s = ${AWAY_S}`]);
  await second.kill('SIGTERM');
  await second.start();
  const known = nodeEvents().length;
  stream.close();
  await until(() => grid.sql(`SELECT 1 FROM node_stream s JOIN node n ON n.id = s.node_id WHERE n.name = '${plant.node.name}' AND run IS NULL`).length === 1);
  for (const hub of [grid, second]) {
    const reply = await patch(hub, { value: 5 });
    assert.deepEqual([reply.status, reply.json.errorCode], [503, 'PlantOffline']);
  }
  await until(() => nodeEvents().length > known, { what: 'node.disconnected' });
  stream = await connect(second);
  assert.deepEqual(stream.all('command'), [], 'nothing was kept');
  assert.deepEqual(nodeEvents().slice(known), ['node.disconnected', 'node.connected']);
});

test('SIGKILL of a hub: its node is told as gone when it does not come back, and not when it goes to another', { timeout: 300_000 }, async () => {
  await second.kill();
  stream.close();
  stream = await connect(grid);
  await sleep(AWAY_S * 1000 + 500);
  assert.ok(nodeEvents().at(-1) !== 'node.disconnected', 'it was not gone');

  await second.start();
  stream.close();
  stream = await connect(second);
  const known = nodeEvents().length;
  await second.kill();
  await second.start();
  await until(() => nodeEvents().length > known, { what: 'node.disconnected' });
  assert.deepEqual(nodeEvents().slice(known), ['node.disconnected']);
  const [[value, old, computer]] = grid.sql(`SELECT value, old_value, computer FROM event WHERE text LIKE 'node ${plant.node.name} %' ORDER BY id DESC LIMIT 1`);
  assert.deepEqual([value, old, computer !== ''], ['disconnected', 'connected', true]);
  stream = await connect(second);
  assert.deepEqual(nodeEvents().slice(known), ['node.disconnected', 'node.connected']);
  await until(() => hubEvents().includes('hub.lost'), { what: 'the loss of a process' });
});

test('an agent that goes on in another place is an event, and one that is refused another', async () => {
  assert.equal(await beatFrom('second place'), 200, 'the first has been silent');
  assert.equal(await beatFrom('third place'), 409);
  assert.deepEqual(grid.sql(`SELECT kind, value, old_value FROM event WHERE kind IN ('node.moved', 'node.doubled') AND username = '${plant.node.name}' ORDER BY id`),
    [['node.moved', 'second place', 'first place'], ['node.doubled', 'third place', 'second place']]);
});

test('the events are in the list, for whoever reads a plant', async () => {
  const reply = await grid.request(`${base()}/events/query`, { token, body: {
    timeFilter: { type: 'Absolute', from: new Date(Date.now() - 600_000).toISOString(), to: new Date(Date.now() + 60_000).toISOString() },
    variableFilter: { variableNames: ['*'] }, kinds: ['node.disconnected', 'hub.lost'] } });
  assert.equal(reply.status, 200, reply.text);
  assert.ok(reply.json.events.some(({ kind, value, oldValue, grid: whole }) =>
    kind === 'node.disconnected' && value === 'disconnected' && oldValue === 'connected' && whole));
  assert.ok(reply.json.events.some(({ kind, computer }) => kind === 'hub.lost' && computer === second.name));
});
