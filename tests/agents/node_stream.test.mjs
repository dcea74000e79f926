// The node's own stream: who gets one, what it carries, when it ends.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { openAdmin } from '../support/admin.mjs';
import { SOON_MS, openGrid, until } from '../support/grid.mjs';
import { openStream } from '../support/node_stream.mjs';
import { Plant } from '../support/plant.mjs';

const uuid = '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d7001';
let grid;
let node;

before(async () => {
  grid = await openGrid();
  node = grid.enrol(`stream-${process.pid}`, `${uuid}:Streams ${process.pid}`);
}, { timeout: 240_000 });

after(async () => {
  node?.close();
  await grid?.close();
});

test('a stream begins with the time and goes on with it', async () => {
  const stream = await openStream(grid, node);
  try {
    assert.equal(stream.status, 200);
    assert.match(stream.headers['content-type'], /^text\/event-stream/);
    await stream.next('time'); // at once; the others on the hub's beat
    const first = await stream.next('time');
    const second = await stream.next('time');
    assert.match(first.boot, /^[0-9a-f-]{36}$/);
    assert.equal(second.boot, first.boot);
    assert.ok(second.steady - first.steady > 1_000_000, 'the clock moves by seconds');
    const clock = await node.request('/hub/v1/clock', { token: await node.token() });
    assert.equal(clock.status, 200);
    assert.equal(clock.json.boot, first.boot);
    assert.ok(clock.json.steady >= second.steady);
  } finally {
    stream.close();
  }
});

test('a second stream of the same node ends the first', async () => {
  const first = await openStream(grid, node);
  const second = await openStream(grid, node);
  try {
    await first.next('replaced');
    await first.ended;
    await second.next('time');
    await second.next('time');
  } finally {
    first.close();
    second.close();
  }
});

test('only a node with its certificate and a token bound to it gets one', async () => {
  const token = await node.token();
  assert.equal((await node.request('/live/node')).status, 401);
  assert.equal((await node.request('/live/node', { token: `${token}x` })).status, 401);
  const bare = await grid.request(`${grid.nodeUrl}/live/node`, { token }).catch((error) => error);
  assert.notEqual(bare.status, 200);
  assert.equal((await grid.request('/live/node', { token })).status, 404, 'not for browsers');
});

test('nobody reaches what is held from outside', async () => {
  for (const base of [grid.url, grid.apiUrl]) {
    const reply = await grid.request(`${base}/.fieldgrid/held/node/x`);
    assert.equal(reply.status, 404);
  }
  assert.equal((await node.request('/.fieldgrid/held/node/x')).status, 404);
});

test('blocking the node ends its stream within a second', async () => {
  const other = grid.enrol(`blocked-${process.pid}`, `${uuid}`);
  const stream = await openStream(grid, other);
  try {
    await stream.next('time');
    const begun = Date.now();
    grid.ctl('node', 'block', other.name);
    const told = Date.now();
    await stream.next('unauthorised');
    await stream.ended;
    assert.ok(Date.now() - told < SOON_MS, `it took ${Date.now() - begun} ms`);
    const again = await openStream(grid, other).catch((error) => error);
    assert.ok(again instanceof Error || again.status === 401 || again.status === 403);
  } finally {
    stream.close();
    other.close();
  }
});

test('who subscribes is told of news, at most ten times a second; who does not hears nothing', async () => {
  const plant = new Plant(grid, 'Told');
  const stranger = new Plant(grid, 'Untold');
  const mirror = grid.enrolEgress(`told-${process.pid}`, plant.id);
  for (const one of [plant, stranger]) await one.announce([{ name: 'n', type: 'int' }]);
  const stream = await openStream(grid, mirror);
  const own = await openStream(grid, plant.node);
  try {
    assert.deepEqual(await stream.next('feed'), { values: true, alarms: true, events: true }, 'whatever there was before');
    await plant.send({ n: [[Date.now(), 1]] });
    assert.deepEqual(await stream.next('feed'), { values: true });
    await plant.send({}, [{ time: Date.now(), kind: 'process.note', text: 'hello' }]);
    assert.deepEqual(await stream.next('feed'), { events: true });
    const before = stream.all('feed').length;
    await stranger.send({ n: [[Date.now(), 1]] });
    const begun = Date.now();
    for (let i = 0; i < 60; i += 1) await plant.send({ n: [[Date.now(), i]] });
    const tenths = (Date.now() - begun) / 100;
    await stream.next('feed');
    await stream.next('time'); // what was due before it has gone out
    await stream.next('time');
    const told = stream.all('feed').slice(before);
    assert.ok(told.length <= tenths + 3, `${told.length} in ${tenths} tenths of a second`);
    assert.ok(told.every((one) => one.values && !one.alarms));
    assert.deepEqual(own.all('feed'), []);
    // A subscription that is given later counts from then on.
    const quiet = stream.all('feed').length;
    grid.sql(`INSERT INTO node_datasource (node_id, datasource_id, subscribe) SELECT n.id, d.id, true
      FROM node n, datasource d WHERE n.name = '${mirror.name}' AND d.uuid = '${stranger.id}'`);
    await until(async () => {
      await stranger.send({ n: [[Date.now(), 2]] });
      return stream.all('feed').length > quiet;
    }, { every: 200, what: 'news of the second plant' });
  } finally {
    for (const one of [stream, own, plant, stranger, mirror]) one.close();
  }
});

test('a limit that is changed is told to the publisher of its datasource alone', async () => {
  const admin = await openAdmin(grid);
  const plant = new Plant(grid, 'Limited');
  await plant.announce([{ name: 'n', type: 'int' }]);
  const stream = await openStream(grid, plant.node);
  const other = await openStream(grid, node);
  try {
    await stream.next('time');
    await other.next('time');
    const begun = Date.now();
    await admin.post(`/datasources/${plant.id}/limits`, { variable: 'n', name: 'high', condition: 'greater', value: 5 });
    await stream.next('limits');
    assert.ok(Date.now() - begun < SOON_MS, `it took ${Date.now() - begun} ms`);
    await other.next('time');
    assert.deepEqual(other.all('limits'), []);
  } finally {
    for (const one of [stream, other, plant]) one.close();
  }
});

test('a stream of a node that says nothing is given up', { timeout: 240_000 }, async () => {
  const stream = await openStream(grid, node);
  try {
    const begun = Date.now();
    await stream.next('silent');
    assert.ok(Date.now() - begun > 10_000);
  } finally {
    stream.close();
  }
});

test('the hub comes back after SIGKILL and takes the stream again', async () => {
  const stream = await openStream(grid, node);
  await stream.next('time');
  await until(() => grid.kill('hub').length > 0, { what: 'the hub to kill' });
  await stream.ended;
  const again = await until(async () => {
    const tried = await openStream(grid, node);
    return tried.status === 200 ? tried : undefined;
  }, { what: 'a new stream' });
  await again.next('time');
  again.close();
});
