// bench_storage: bytes at rest, history and codec speed, by tests/bench/storage.

import { execFileSync } from 'node:child_process';
import path from 'node:path';

export async function bench(grid, report) {
  const build = process.env.FIELDGRID_BUILD ?? process.cwd();
  const lines = execFileSync(path.join(build, 'tests/bench/storage'), { encoding: 'utf8' });
  for (const line of lines.trim().split('\n')) {
    const [name, value, unit, ratio, of, wanted] = line.split('\t');
    report({ name, value: Number(value), unit, ratio: Number(ratio), of, wanted });
  }
}
