// bench_policy: rights decided, in memory by tests/bench/policy and by REST.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { sleep, until } from '../support/grid.mjs';
import { LiveReader } from '../support/live.mjs';
import { Plant } from '../support/plant.mjs';

const VARIABLES = 1000;
const RULES = 10_000;
const STREAMS = 1000;
const CALLERS = 20;

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

async function timed(call) {
  const start = performance.now();
  const reply = await call();
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
  return performance.now() - start;
}

/** 1,000 names by REST for a client with 10,000 rules, compiled and kept. */
async function byRest(grid, report) {
  const plant = new Plant(grid, 'Bench rights');
  const names = Array.from({ length: VARIABLES }, (_, i) => `area${i % 100}/device${i}/power`);
  await plant.announce(names.map((name) => ({ name, type: 'float' })));
  const token = await grid.token({ id: 'bench-policy', actions: null });
  grid.sql(`INSERT INTO policy_rule (subject_kind, subject_id, pattern, actions)
    SELECT 'client', client.id, CASE n % 3 WHEN 0 THEN 'area' || n || '/*' WHEN 1 THEN '*/device' || n || '/power'
      ELSE 'area' || n % 100 || '/device' || n || '/power' END, 107
    FROM client, generate_series(1, ${RULES}) AS n WHERE client_id = 'bench-policy'`);
  const check = () => grid.request('/api/v1/policy/check', {
    token, body: { dataSource: plant.id, right: 'ReadVariables', variables: names },
  });
  const first = await timed(check);
  const times = [];
  for (let i = 0; i < 50; i++) times.push(await timed(check));
  report({ name: 'POST /api/v1/policy/check, 1,000 names, kept', value: median(times), unit: 'ms' });
  report({ name: '  the first, which reads 10,000 rules', value: first, unit: 'ms' });
  plant.close();
}

/** From the answer to "deny everyone" until each open stream has ended. */
async function loseStreams(grid, report) {
  const plant = new Plant(grid, 'Bench streams');
  await plant.announce([{ name: 'open', type: 'float' }]);
  const tokens = [];
  while (tokens.length < CALLERS) tokens.push(await grid.token());
  const readers = [];
  for (let i = 0; i < STREAMS; i++) {
    const token = tokens[i % CALLERS];
    const { json } = await grid.request('/api/v1/live', {
      token, body: { variables: [{ datasource: plant.id, names: ['*'] }] },
    });
    readers.push(await LiveReader.open(grid, json.url, { token }));
    if (i % 50 === 49) await sleep(20);
  }
  await until(() => readers.every((reader) => reader.events.length > 0), { seconds: 30, what: 'the streams' });
  const cookie = await grid.logIn();
  const reply = await grid.request('/api/v1/admin/rules', {
    cookie, headers: { origin: grid.url },
    body: { subjectKind: 'everyone', effect: 'deny', rights: ['ReadAll'], dataSource: plant.id },
  });
  if (reply.status !== 201) throw new Error(reply.text);
  const denied = performance.now();
  await until(() => readers.every(({ ended }) => ended), { seconds: 10, what: 'the ends' });
  const late = readers.map(({ events }) => Math.max(0, events.at(-1).at - denied)).sort((a, b) => a - b);
  report({ name: `a right taken to the end of ${STREAMS} streams, p99`, value: late[Math.floor(STREAMS * 0.99)],
    unit: 'ms', wanted: '< 1000 ms' });
  report({ name: '  median', value: late[STREAMS >> 1], unit: 'ms' });
  await grid.request(reply.headers.location, { method: 'DELETE', cookie, headers: { origin: grid.url } });
  for (const reader of readers) reader.close();
  plant.close();
}

export async function bench(grid, report) {
  const build = process.env.FIELDGRID_BUILD ?? process.cwd();
  const lines = execFileSync(path.join(build, 'tests/bench/policy'), { encoding: 'utf8' });
  for (const line of lines.trimEnd().split('\n')) {
    const [name, value, unit, ratio, of, wanted] = line.split('\t');
    report({ name, value: Number(value), unit, ratio: ratio ? Number(ratio) : undefined, of, wanted });
  }
  await byRest(grid, report);
  await loseStreams(grid, report);
}
