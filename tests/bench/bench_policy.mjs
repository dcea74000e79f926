// bench_policy: rights decided, in memory by tests/bench/policy and by REST.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { Plant } from '../support/plant.mjs';

const VARIABLES = 1000;
const RULES = 10_000;

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

export async function bench(grid, report) {
  const build = process.env.FIELDGRID_BUILD ?? process.cwd();
  const lines = execFileSync(path.join(build, 'tests/bench/policy'), { encoding: 'utf8' });
  for (const line of lines.trimEnd().split('\n')) {
    const [name, value, unit, ratio, of, wanted] = line.split('\t');
    report({ name, value: Number(value), unit, ratio: ratio ? Number(ratio) : undefined, of, wanted });
  }
  await byRest(grid, report);
}
