// An export that loses its database half way must not look complete.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const START = Date.parse('2026-03-01T00:00:00Z');
const SAMPLES = 600_000;
const FRAME = 60_000;

let grid;
let plant;
let token;

before(async () => {
  grid = await openGrid({ own: true });
  plant = new Plant(grid, 'Bulk');
  await plant.announce([{ name: 'level', type: 'float' }]);
  for (let i = 0; i < SAMPLES; i += FRAME)
    await plant.send({ level: Array.from({ length: FRAME }, (_, k) => [START + (i + k) * 100, k]) });
  token = await grid.token();
});
after(async () => {
  plant?.close();
  await grid?.close();
});

/** Export everything; "disturb" is called once, when the first part is there. */
function exportAll(disturb) {
  const target = `${grid.url}/api/v1/datasources/${plant.id}/history.csv`
    + '?variable=level&from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z';
  return new Promise((resolve, reject) => {
    https.get(target, { ca: grid.ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
      const parts = [];
      response.on('data', (part) => {
        if (parts.push(part) === 1) disturb?.();
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(parts).toString() }));
    }).on('error', reject);
  });
}

test('a large table comes whole', async () => {
  const { status, text } = await exportAll();
  assert.equal(status, 200);
  assert.equal(text.split('\r\n').length, SAMPLES + 4);
  assert.ok(text.endsWith('# end\r\n'));
});

test('one that is cut off ends with an error, and the next one works', async () => {
  await assert.rejects(exportAll(() => grid.sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fieldgrid-api'")),
  { code: 'ECONNRESET' });
  await until(async () => (await grid.request('/api/v1/datasources', { token })).status === 200);
  assert.ok((await until(() => exportAll().then((reply) => reply.status === 200 && reply))).text.endsWith('# end\r\n'));
});

test('what it took is given back', () => {
  for (const pid of grid.pids('api')) {
    const [, kib] = /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
    assert.ok(Number(kib) < 40 * 1024, `${kib} KiB`);
  }
});
