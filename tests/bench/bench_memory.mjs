// memory: what the services hold resident while the three demo plants run.

import fs from 'node:fs';
import path from 'node:path';
import { sleep } from '../support/grid.mjs';

export const demo = true;

const settle_s = 30;

/** Kilobytes of one process, its share of what it shares counted once. */
function proportional(pid) {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)[1]);
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

export async function bench(grid, report) {
  await sleep(settle_s * 1000);
  const services = fs.readdirSync(path.join(grid.state, 'service'))
    .filter((name) => name !== 'postgresql');
  const sizes = services.map((name) => [name, sum(grid.pids(name).map(proportional)) / 1024]);
  for (const [name, mib] of sizes) report({ name: `memory of ${name}`, value: mib, unit: 'MiB' });
  report({
    name: 'memory of all services without PostgreSQL', unit: 'MiB', wanted: '< 120',
    value: sum(sizes.map(([, mib]) => mib)),
  });
}
