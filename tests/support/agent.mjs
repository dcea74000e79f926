// agent: fieldgrid-ingress for tests: enrolled, configured, run and killed.

import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { build, until } from './grid.mjs';

const program = path.join(build, 'fieldgrid-ingress');
const run = promisify(execFile);

/** Rows "time,n" counting up from 1, "rate" of them a second. */
export function numberedCsv(count, rate, start = '2026-01-01T00:00:00Z') {
  const from = Date.parse(start);
  const rows = ['time,n'];
  for (let i = 1; i <= count; i += 1) {
    rows.push(`${new Date(from + Math.round((i - 1) * 1000 / rate)).toISOString()},${i}`);
  }
  return `${rows.join('\n')}\n`;
}

export class Agent {
  #child;

  /**
   * "setup" is { variables (text of the CSV), driver, options (lines of the
   * driver's section), agent, spool, hub (more lines), data (text of
   * data.csv), node (of another agent), inside (words of a command that runs
   * the program elsewhere), environment }.
   */
  constructor(grid, name, setup) {
    this.grid = grid;
    this.setup = setup;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-agent-'));
    this.id = setup.node?.id ?? randomUUID();
    this.name = `${name} ${this.id.slice(0, 8)}`;
    this.node = setup.node?.node ?? grid.enrol(`agent-${this.id.slice(0, 8)}`, `${this.id}:${this.name}`);
    this.borrowed = setup.node !== undefined;
    this.spool = path.join(this.folder, 'spool');
    this.command = [...(setup.inside ?? []), program, '--config', path.join(this.folder, 'ingress.conf')];
    this.environment = { ...process.env, ...setup.environment };
    this.starts = 0;
    this.log = '';
    this.write('variables.csv', setup.variables);
    if (setup.data) this.write('data.csv', setup.data);
    this.configure(setup);
  }

  write(file, text) { fs.writeFileSync(path.join(this.folder, file), text); }

  configure({ driver, options = '', agent = '', spool = '', hub = '', urls = this.grid.nodeUrl }) {
    const secret = path.join(this.node.folder, 'client_secret');
    this.write('ingress.conf', `
[hub]
url = ${urls}
ca = ${this.grid.caFile}
certificate = ${path.join(this.node.folder, 'node.pem')}
key = ${path.join(this.node.folder, 'node.key')}
client_id = ${this.node.clientId}
client_secret = ${secret}
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

  get pid() { return this.#child?.pid; }

  get running() { return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null; }

  start() {
    this.starts += 1;
    this.#child = spawn(this.command[0], this.command.slice(1),
      { stdio: ['ignore', 'ignore', 'pipe'], env: this.environment });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.log += text; });
    return this;
  }

  /** Start it, and again whenever it has ended, until stop(), kill() or close(). */
  supervise() {
    this.supervised = true;
    this.start();
    this.#child.on('exit', () => {
      if (this.supervised) setTimeout(() => this.supervised && this.supervise(), 100);
    });
    return this;
  }

  /** SIGKILL without waiting; who supervises it starts it again. */
  strike() { this.#child.kill('SIGKILL'); }

  async #ended() {
    if (this.running) await once(this.#child, 'exit');
    return this.#child?.exitCode;
  }

  /** SIGKILL, as a power cut would. */
  async kill() {
    this.supervised = false;
    if (this.running) this.#child.kill('SIGKILL');
    await this.#ended();
  }

  /** SIGTERM; returns the exit code. */
  async stop() {
    this.supervised = false;
    if (this.running) this.#child.kill('SIGTERM');
    return this.#ended();
  }

  /** Wait for it to end by itself; returns the exit code. */
  async end(seconds = 30) {
    await until(() => !this.running, { seconds, what: `the end of ${this.name}` });
    return this.#child.exitCode;
  }

  /** Run it to its end with more arguments: { code, stdout, stderr }. */
  async call(...words) {
    try {
      const { stdout, stderr } = await run(program,
        ['--config', path.join(this.folder, 'ingress.conf'), ...words], { timeout: 30_000 });
      return { code: 0, stdout, stderr };
    } catch (error) {
      return { code: error.code, stdout: error.stdout, stderr: error.stderr };
    }
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
    await this.kill();
    if (!this.borrowed) this.node.close();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
