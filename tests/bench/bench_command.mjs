// command: a set value from the client to the plant and back. Round trips of
// PATCH through nginx, hub, database, node stream, agent with two writes to its
// disk, driver and the result's way back, beside the raw round trip of a GET in
// the same run; and what 1,000 waiting clients cost everybody else.

import { randomUUID } from 'node:crypto';

import { Agent } from '../support/agent.mjs';
import { until } from '../support/grid.mjs';
import { openStream } from '../support/node_stream.mjs';
import { Plant } from '../support/plant.mjs';

const rounds = 1500;
const crowd = 1000;

const variables = `name,address,type,access,minimum,maximum,dead_band
park/power_limit,park/power_limit,float,read_write,0,20500,0
park/power,park/power,float,read,,,0
`;

function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) };
}

async function timed(count, fn) {
  const times = [];
  for (let i = 0; i < count; i += 1) {
    const begun = performance.now();
    await fn(i);
    times.push(performance.now() - begun);
  }
  return summary(times);
}

function good(reply, status = 200) {
  if (reply.status !== status) throw new Error(`${reply.status} ${reply.text}`);
  return reply;
}

/** Clients that wait for a plant that says nothing, while others read. */
async function crowded(grid, token, read) {
  const plant = new Plant(grid, `crowd-${randomUUID().slice(0, 8)}`);
  await plant.announce([{ name: 'set', type: 'float', access: 'read_write' }]);
  const stream = await openStream(grid, plant.node);
  await stream.next('time');
  const beating = setInterval(() => plant.beat().catch(() => {}), 2000); // or the hub takes it for dead
  const asked = [];
  for (let i = 0; i < crowd; i += 1) {
    asked.push(grid.request(`/api/v1/datasources/${plant.id}/variables/set`, {
      method: 'PATCH', token, body: { value: i, expires_ms: 60_000 }, agent: false, timeout: 90_000,
    }));
    if (i % 50 === 49) await until(() => stream.all('command').length > i, { seconds: 30, every: 5 });
  }
  await until(() => stream.all('command').length === crowd, { seconds: 30 });
  const waiting = await timed(300, read);
  const commands = stream.all('command');
  for (let i = 0; i < crowd; i += 250) {
    good(await plant.node.request('/hub/v1/results', {
      token: plant.token, body: { results: commands.slice(i, i + 250).map(({ id }) => ({ id, state: 'confirmed' })) },
    }));
  }
  for (const reply of await Promise.all(asked)) good(reply);
  clearInterval(beating);
  stream.close();
  plant.close();
  return waiting;
}

export async function bench(grid, report) {
  const token = await grid.token({ actions: 'ReadAll,WriteVariables' });
  const agent = new Agent(grid, 'set values', { driver: 'sim', variables, options: 'model = wind' });
  try {
    agent.start();
    const path = `/api/v1/datasources/${agent.id}/variables/park/power_limit`;
    const write = async (i) => grid.request(path, { method: 'PATCH', token, body: { value: i % 20000 } });
    const read = async () => good(await grid.request(path, { token }));
    await until(async () => (await write(1)).status === 200, { seconds: 30, what: 'the first set value' });
    await timed(200, write); // warm
    const raw = await timed(rounds, read);
    const set = await timed(rounds, async (i) => good(await write(i)));
    for (const part of ['p50', 'p99', 'max'])
      report({
        name: `set value to the plant and back, ${part}`, value: set[part], unit: 'ms', ratio: set[part] / raw[part],
        of: 'a GET of the same variable', wanted: part === 'p99' ? '< 50' : undefined,
      });
    for (const part of ['p50', 'p99']) report({ name: `GET of the same variable, ${part}`, value: raw[part], unit: 'ms' });
    const alone = await timed(300, read);
    const waiting = await crowded(grid, token, read);
    for (const part of ['p50', 'p99'])
      report({
        name: `GET while ${crowd} clients wait for a plant, ${part}`, value: waiting[part], unit: 'ms',
        ratio: waiting[part] / alone[part], of: 'the same without them',
      });
  } finally {
    await agent.close();
  }
}
