// hub: frames in, current values and live streams out, against raw limits.

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { build, sleep, until } from '../support/grid.mjs';

const plant = randomUUID();
const names = Array.from({ length: 100 }, (_, i) => `bench/${String(i).padStart(3, '0')}`);
const seconds = 5;
const tool = (name) => path.join(build, 'tests/bench', name);
const query = { nameFilter: { variableNames: ['*'] }, fields: ['name', 'value', 'lastUpdateTime'] };

/** One run of the load generator: samples a second and bytes a sample. */
function ingest(mode, options) {
  const words = Object.entries({ seconds, datasource: plant, ...options }).map(([key, value]) => `${key}=${value}`);
  const out = execFileSync(tool('ingest'), [mode, ...words], { encoding: 'utf8' });
  return out.trim().split(' ').map(Number);
}

async function benchIngest(grid, report, node, ids) {
  const common = { ids: ids.join(',') };
  const post = {
    ...common, url: `${grid.nodeUrl}/hub/v1/frames`, ca: grid.caFile,
    cert: path.join(node.folder, 'node.pem'), key: path.join(node.folder, 'node.key'),
  };
  const raw = {
    ...common, host: path.join(grid.state, 'run'), user: 'fieldgrid_hub', node: 999999,
    password_file: path.join(grid.state, 'secret/hub.password'),
  };
  let first = 1;
  for (const [form, frames, wanted] of [
    ['binary', 16, '> 500,000'], ['zstd', 16, '> 500,000'], ['json', 16, '> 200,000'], ['binary', 1, '']]) {
    const [limit] = ingest('raw', { ...raw, form: form === 'json' ? 'zstd' : form, frames });
    const [value, bytes] = ingest('post', { ...post, form, frames, first, token: await node.token() });
    first += 1e8;
    report({
      name: `ingest, ${form}, ${frames} x 1,000 samples a request, ${bytes} B each`, value,
      unit: 'samples/s', wanted, ratio: value / limit, of: 'raw INSERTs of the same bodies by libpq',
    });
  }
  grid.sql('DELETE FROM frame WHERE node_id = 999999');
}

/** Requests a second that wrk gets; every answer must be a 200. */
function load(url, token, body, folder) {
  const script = path.join(folder, 'wrk.lua');
  fs.writeFileSync(script, `wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
wrk.headers['Authorization'] = 'Bearer ${token}'
wrk.body = '${JSON.stringify(body)}'\n`);
  const out = execFileSync('wrk', ['-t1', '-c16', `-d${seconds}`, '-s', script, url], { encoding: 'utf8' });
  if (/Non-2xx/.test(out)) throw new Error(out);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]);
}

/** Four preforked workers of the empty handler in the place of the pages. */
async function withEmptyHandler(grid, work) {
  const socket = path.join(grid.state, 'run/web.sock');
  grid.stop('web');
  fs.rmSync(socket, { force: true });
  const child = spawn('spawn-fcgi', ['-s', socket, '-M', '0666', '-n', '--', '/usr/bin/multiwatch', '-f', '4',
    '--', tool('empty')], { stdio: 'ignore' });
  try {
    await until(async () => (await grid.request('/empty', { body: {} })).status === 200, { what: 'the empty handler' });
    return await work();
  } finally {
    child.kill();
    grid.start('web');
  }
}

async function benchValues(grid, report, node, token) {
  const url = `${grid.url}/api/v1/datasources/${plant}/variables/query`;
  const limit = await withEmptyHandler(grid, () => load(`${grid.url}/empty`, token, query, node.folder));
  const value = load(url, token, query, node.folder);
  report({
    name: 'current values, query of 100 variables', value, unit: 'requests/s', wanted: '> 0.25 of empty',
    ratio: value / limit, of: 'an empty libfcgi handler',
  });
}

async function benchLive(grid, report, node, ids, token) {
  const { LiveCrowd } = await import('./live_crowd.mjs');
  for (const [streams, wanted] of [[200, '< 100'], [1000, '']]) {
    const crowd = await LiveCrowd.open(grid, { streams, plant, token });
    const late = await crowd.measure(node, await node.token(), plant, ids[0], 40);
    crowd.close();
    report({ name: `commit of a frame to arrival, ${streams} streams, p99`, value: late.p99, unit: 'ms', wanted });
    report({ name: `commit of a frame to arrival, ${streams} streams, median`, value: late.p50, unit: 'ms' });
    await sleep(500);
  }
}

export async function bench(grid, report) {
  const node = grid.enrol('bench', `${plant}:Bench`);
  const reply = await node.request('/hub/v1/variables', {
    method: 'PUT', token: await node.token(),
    body: { datasource: plant, variables: names.map((name) => ({ name, type: 'float' })) },
  });
  const ids = reply.json.variables.map(({ id }) => id);
  const token = await grid.token();
  await benchIngest(grid, report, node, ids);
  await benchValues(grid, report, node, token);
  await benchLive(grid, report, node, ids, token);
  node.close();
}
