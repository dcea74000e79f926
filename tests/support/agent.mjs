// agent: fieldgrid-ingress for tests: a plant, and what history has of it.

import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

import { Program } from './program.mjs';

/** Rows "time,n" counting up from 1, "rate" of them a second. */
export function numberedCsv(count, rate, start = '2026-01-01T00:00:00Z') {
  const from = Date.parse(start);
  const rows = ['time,n'];
  for (let i = 1; i <= count; i += 1) {
    rows.push(`${new Date(from + Math.round((i - 1) * 1000 / rate)).toISOString()},${i}`);
  }
  return `${rows.join('\n')}\n`;
}

export class Agent extends Program {
  /**
   * "setup" is { variables (text of the CSV), driver, options (lines of the
   * driver's section), agent, spool, hub (more lines), data (text of
   * data.csv), node (of another agent), urls } and what Program takes.
   */
  constructor(grid, name, setup) {
    const id = setup.node?.id ?? randomUUID();
    const shown = `${name} ${id.slice(0, 8)}`;
    super(grid, 'ingress', setup.node?.node ?? grid.enrol(`agent-${id.slice(0, 8)}`, `${id}:${shown}`), setup);
    this.setup = setup;
    this.id = id;
    this.name = shown;
    this.borrowed = setup.node !== undefined;
    this.spool = path.join(this.folder, 'spool');
    this.write('variables.csv', setup.variables);
    if (setup.data) this.write('data.csv', setup.data);
    this.configure(setup);
  }

  configure({ driver, options = '', agent = '', spool = '', hub = '', urls }) {
    this.write('ingress.conf', `
${this.hub(urls)}
${hub}
[agent]
datasource = ${this.id}
variables = variables.csv
driver = ${driver}
${agent}
[spool]
folder = spool
${spool}
[${driver}]
${options}
`);
  }

  /** Bytes of its spool. */
  get spooled() {
    return fs.readdirSync(this.spool).filter((name) => name.endsWith('.segment'))
      .reduce((bytes, name) => bytes + fs.statSync(path.join(this.spool, name)).size, 0);
  }

  /** Resident memory in MiB. */
  get memory() {
    const text = fs.readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(text)[1]) / 1024;
  }

  /** What history has of a variable: [[iso time, value text], …]. */
  async history(token, variable, from = '2024-01-01T00:00:00Z', to = '2030-01-01T00:00:00Z') {
    const query = new URLSearchParams({ variable, from, to, zone: 'UTC' });
    const reply = await this.grid.request(
      `/api/v1/datasources/${this.id}/history.csv?${query}`, { token, timeout: 60_000 });
    if (reply.status !== 200) throw new Error(`history: ${reply.status} ${reply.text.slice(0, 300)}`);
    return reply.text.split(/\r?\n/).filter((line) => /^\d{4}-/.test(line))
      .map((line) => line.split(','));
  }

  /** Numbers of history against 1..count: { missing, twice, strange }. */
  async tally(token, count, variable = 'n') {
    const rows = await this.history(token, variable);
    const seen = new Map();
    for (const [, value] of rows) seen.set(value, (seen.get(value) ?? 0) + 1);
    let missing = 0;
    for (let i = 1; i <= count; i += 1) if (!seen.has(String(i))) missing += 1;
    return {
      missing,
      twice: [...seen.values()].filter((times) => times > 1).length,
      strange: [...seen.keys()].filter((value) => !/^\d+$/.test(value) || value < 1 || value > count).length,
      rows: rows.length,
    };
  }

  async close() {
    await super.close();
    if (!this.borrowed) this.node.close();
  }
}
