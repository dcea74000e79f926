// grid_clock: the clock of the machine that the grid is on, which a test sets;
// nobody else on this machine notices.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { until } from '../support/grid.mjs';
import { fakedClock, setFakedClock } from './source.mjs';

const services = ['postgresql', 'hub', 'api', 'identity', 'controller', 'web', 'keeper'];

export class GridClock {
  /** From here on every service of the grid has this clock. */
  static async open(grid) {
    const clock = Object.assign(new GridClock(), { folder: fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-clock-')) });
    fs.chmodSync(clock.folder, 0o755); // PostgreSQL is another user
    clock.set(0);
    const lines = Object.entries(fakedClock(clock.folder)).map(([name, value]) => `export ${name}='${value}'\n`);
    for (const service of services) {
      const script = path.join(grid.state, 'service', service, 'run');
      fs.writeFileSync(script, fs.readFileSync(script, 'utf8').replace('#!/bin/sh\n', `$&${lines.join('')}`));
      grid.stop(service);
    }
    for (const service of services) grid.start(service);
    await until(() => grid.token(), { what: 'the grid' });
    return clock;
  }

  /** It is so many seconds ahead of the right time. */
  set(seconds) { setFakedClock(this.folder, seconds); }

  close() { fs.rmSync(this.folder, { recursive: true }); }
}
