// egress: fieldgrid-egress for tests: what it mirrors, and what came of it.

import fs from 'node:fs';
import path from 'node:path';

import { until } from './grid.mjs';
import { Program } from './program.mjs';

let serial = 0;

/** An egress node that subscribes to "datasources" and has "rights" in them. */
export function egressNode(grid, datasources, rights = 'ReadAll') {
  const name = `egress-${process.pid}-${++serial}`;
  const node = grid.enrolEgress(name, ...datasources);
  if (rights) grid.ctl('policy', 'grant', 'node', name, rights);
  return node;
}

export class Egress extends Program {
  /**
   * "setup" is { mirror (text of the CSV), outlet, options (lines of the
   * outlet's section), egress (more lines), node (of egressNode), urls } and
   * what Program takes.
   */
  constructor(grid, setup) {
    super(grid, 'egress', setup.node, setup);
    this.write('mirror.csv', setup.mirror);
    this.configure(setup);
  }

  configure({ outlet = 'file', options = 'folder = data', egress = '', urls }) {
    this.write('egress.conf', `
${this.hub(urls)}
[egress]
mirror = mirror.csv
outlet = ${outlet}
state = state
${egress}
[${outlet === 'stdout' ? 'file' : outlet}]
${options}
`);
  }

  get #position() { return path.join(this.folder, 'state/position'); }

  /** Where it is in its feeds, or undefined: { frames, alarms, events }. */
  get position() { return fs.existsSync(this.#position) ? JSON.parse(fs.readFileSync(this.#position, 'utf8')) : undefined; }

  /** Until it mirrors everything, events last: what comes from now on is in the mirror. */
  begun() { return until(() => this.position?.events, { every: 20, what: 'its position' }); }

  /** The lines of all files of "values", "alarms" or "events", in order. */
  lines(series) {
    const folder = path.join(this.folder, 'data');
    if (!fs.existsSync(folder)) return [];
    return fs.readdirSync(folder).filter((name) => name.startsWith(`${series}-`)).sort()
      .flatMap((name) => fs.readFileSync(path.join(folder, name), 'utf8').split('\n').slice(0, -1));
  }

  /** The same, parsed; for jsonl. */
  records(series) { return this.lines(series).map((line) => JSON.parse(line)); }
}
