// bench_engine: limits evaluated, in memory by tests/bench/engine.

import { execFileSync } from 'node:child_process';
import path from 'node:path';

export async function bench(grid, report) {
  const build = process.env.FIELDGRID_BUILD ?? process.cwd();
  const lines = execFileSync(path.join(build, 'tests/bench/engine'), { encoding: 'utf8' });
  for (const line of lines.trimEnd().split('\n')) {
    const [name, value, unit, ratio, of, wanted] = line.split('\t');
    report({ name, value: Number(value), unit: unit ?? '', ratio: ratio ? Number(ratio) : undefined, of, wanted });
  }
}
