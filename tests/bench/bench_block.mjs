// block: a node is shut out while 1,000 streams are open: how long until those
// of this node have ended, from the moment the administrator asks for it.

import https from 'node:https';
import { randomUUID } from 'node:crypto';
import { administrator } from '../support/est.mjs';
import { until } from '../support/grid.mjs';

const nodes = 16;
const streams = 63; // of at most 64 that one caller may have
const plant = randomUUID();

/**
 * A node that holds streams. A node's own tokens are bound to its certificate
 * and good for the hub only, so a client of the API is made the node's after it
 * has its token: from then on both are shut out together.
 */
async function reader(grid, name) {
  const node = grid.enrol(name);
  const client = `${name}-reader`;
  const token = await grid.token({ id: client });
  grid.sql(`UPDATE client SET node_id = node.id FROM node WHERE client_id = '${client}' AND node.name = '${name}'`);
  return { name, node, token, open: 0, ends: [] };
}

async function openStream(grid, of) {
  const reply = await grid.request('/api/v1/live', {
    token: of.token, body: { variables: [{ datasource: plant, names: ['*'] }] },
  });
  if (reply.status !== 200) throw new Error(reply.text);
  const request = https.get(new URL(reply.json.url, grid.url), {
    ca: grid.ca, agent: false, headers: { authorization: `Bearer ${of.token}` },
  }, (response) => {
    response.once('data', () => { of.open += 1; });
    response.on('close', () => of.ends.push(performance.now()));
    response.resume();
  });
  request.on('error', () => {});
}

export async function bench(grid, report) {
  const feeder = grid.enrol('block-feeder', `${plant}:Block`);
  await feeder.request('/hub/v1/variables', {
    method: 'PUT', token: await feeder.token(),
    body: { datasource: plant, variables: [{ name: 'n', type: 'float' }] },
  });
  const readers = [];
  for (let i = 0; i < nodes; i += 1) readers.push(await reader(grid, `block-${i}`));
  for (let i = 0; i < streams; i += 1) await Promise.all(readers.map((of) => openStream(grid, of)));
  await until(() => readers.every(({ open }) => open === streams), { seconds: 30, what: 'all streams' });
  const admin = await administrator(grid);
  const times = [];
  for (const of of readers) {
    if (readers.some((other) => other.ends.length > 0 && !other.blocked)) throw new Error('a stream ended early');
    of.blocked = true;
    const asked = performance.now();
    const reply = await admin('POST', `/nodes/${of.name}/block`);
    if (reply.status !== 200) throw new Error(reply.text);
    await until(() => of.ends.length === streams, { seconds: 10, every: 5, what: 'the end of its streams' });
    times.push(...of.ends.map((end) => end - asked));
  }
  times.sort((one, other) => one - other);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  const name = `block of a node to the end of its streams, ${nodes * streams} open`;
  report({ name: `${name}, p99`, value: at(0.99), unit: 'ms', wanted: '< 1000' });
  report({ name: `${name}, median`, value: at(0.5), unit: 'ms' });
  for (const { node } of [...readers, { node: feeder }]) node.close();
}
