// bench_modbus: the Modbus driver against a device made of libmodbus, with the
// bare library in the same run as the limit.

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { build } from '../support/grid.mjs';

const SECONDS = 5;

export async function bench(grid, report) {
  for (const connections of [1, 8]) {
    const [requests, values, cpu, bare] = execFileSync(path.join(build, 'tests/bench/modbus'),
      [String(connections), String(SECONDS)], { encoding: 'utf8' }).split(' ').map(Number);
    const where = `${connections} connection${connections > 1 ? 's' : ''}`;
    report({ name: `modbus driver, ${where}, 125 registers each`, value: requests, unit: 'requests/s', ratio: requests / bare, of: 'libmodbus alone' });
    report({ name: '  values', value: values, unit: 'values/s' });
    report({ name: '  CPU time of the agent for a value', value: cpu, unit: 'us' });
  }
}
