// The grid while its database is away or has no room: told at once, nothing
// lost, and back by itself.

import { notApart } from '../fault/apart.mjs';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openGrid, SOON_MS, until } from '../support/grid.mjs';
import { LiveReader } from '../support/live.mjs';
import { Plant } from '../support/plant.mjs';

const MIB = 1 << 20;

let grid;
let disk;
before(async () => { grid = await openGrid({ own: true }); });
after(async () => {
  disk?.remove();
  await grid?.close();
});

test('without PostgreSQL a page says so at once, and comes back by itself', async () => {
  const cookie = await grid.logIn();
  assert.equal((await grid.request('/', { cookie })).status, 200);

  grid.stopDatabase();
  const started = performance.now();
  const reply = await grid.request('/trend?v=x', { cookie });
  assert.ok(performance.now() - started < SOON_MS, 'the answer took too long');
  assert.equal(reply.status, 503);
  assert.ok(Number(reply.headers['retry-after']) > 0);
  assert.match(reply.text, /Data Storage is out of reach/);
  assert.match(reply.text, /href="\/trend\?v=x">Try again/);

  await grid.startDatabase();
  await until(async () => (await grid.request('/', { cookie })).status === 200,
    { seconds: 5, what: 'the overview' });
});

test('a hub that starts while somebody waits for its events tells them', async () => {
  const plant = new Plant(grid, 'Soon');
  await plant.announce([{ name: 'n', type: 'int' }]);
  const token = await grid.token();
  grid.stopDatabase();
  grid.kill('hub');
  await grid.startDatabase();
  const url = await until(async () => {
    const { status, json } = await grid.request('/api/v1/live', { token, body: { events: [{ datasource: plant.id }] } });
    return status === 200 && json.url;
  }, { every: 10, what: 'the hub' });
  const reader = await LiveReader.open(grid, url, { token });
  // What is from before the hub looks for the first time is in the list.
  await until(async () => {
    await plant.send({ n: [[Date.now(), 1]] }, [{ time: Date.now(), kind: 'process.note', text: 'who waits' }]);
    return reader.events.some(({ data }) => JSON.stringify(data).includes('who waits'));
  }, { every: 200, what: 'an event' });
  reader.close();
  plant.close();
});

/** A disk of its own for the database, with so much room beside what there is. */
async function smallDisk(room) {
  const folder = path.join(grid.state, 'postgresql');
  const before = `${folder}.before`;
  const bytes = (more) => `size=${used + more},mode=700`;
  const mount = (...options) => execFileSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'database', folder]);

  grid.stopDatabase();
  fs.renameSync(folder, before);
  fs.mkdirSync(folder);
  const used = 1024 * Number.parseInt(execFileSync('du', ['-sk', before]), 10);
  mount(bytes(room));
  execFileSync('cp', ['-a', `${before}/.`, folder]);
  await grid.startDatabase();
  return {
    grow: (more) => mount('remount', bytes(more)),
    remove() {
      grid.stopDatabase();
      execFileSync('umount', [folder]);
      fs.rmSync(before, { recursive: true });
    },
  };
}

test('a full disk: frames are refused with 503, none that was taken is lost, and all goes on by itself', {
  skip: notApart || false,
}, async () => {
  const plant = new Plant(grid, 'Much');
  const { variables } = await plant.announce([{ name: 'number', type: 'int' }, { name: 'text', type: 'string' }]);
  const [number, text] = ['number', 'text'].map((name) => variables.find((one) => one.name === name).id);
  const first = Date.now() * 1000 - 3600e6;
  let taken = 0;
  let refused = 0;
  let next;

  /** The next frame, which no compression makes small, until it is taken. */
  async function send() {
    const at = first + taken * 1e6;
    const texts = Array.from({ length: 300 }, () => randomBytes(150).toString('base64'));
    next ??= plant.frame({ series: [
      { id: number, kind: 'int', time: [at], value: [taken + 1] },
      { id: text, kind: 'string', time: texts.map((_, i) => at + i), value: texts }] });
    try {
      await plant.post(next);
    } catch (error) {
      assert.match(error.message, /: 503 /);
      refused += 1;
      return false;
    }
    taken += 1;
    next = undefined;
    return true;
  }

  disk = await smallDisk(20 * MIB);
  await until(send, { what: 'the database' });
  refused = 0;
  await until(async () => !await send() && refused > 20, { every: 10, seconds: 60, what: 'a full disk' });
  disk.grow(400 * MIB);
  await until(send, { seconds: 30, what: 'a frame after there is room' });
  const [[count, last]] = grid.sql('SELECT count(*), max(sequence) FROM frame JOIN node_position USING (node_id)'
    + ` WHERE last_sequence = ${taken}`);
  assert.deepEqual([Number(count), Number(last)], [taken, taken], 'each is there once');
  const { json } = await grid.request(`/api/v1/datasources/${plant.id}/variables/number`, { token: await grid.token() });
  assert.equal(json.value, taken);
  plant.close();
});
