// egress: fieldgrid-egress for tests: enrolled, configured, run and killed.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { build } from './grid.mjs';

const program = path.join(build, 'fieldgrid-egress');
const run = promisify(execFile);
let serial = 0;

/** An egress node that subscribes to "datasources" and has "rights" in them. */
export function egressNode(grid, datasources, rights = 'ReadAll') {
  const name = `egress-${process.pid}-${++serial}`;
  const node = grid.enrolEgress(name, ...datasources);
  if (rights) grid.ctl('policy', 'grant', 'node', name, rights);
  return node;
}

export class Egress {
  #child;

  /**
   * "setup" is { mirror (text of the CSV), outlet, options (lines of the
   * outlet's section), egress (more lines), node (of egressNode), inside (words
   * of a command that runs the program elsewhere) }.
   */
  constructor(grid, setup) {
    this.grid = grid;
    this.node = setup.node;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-egress-'));
    this.command = [...(setup.inside ?? []), program, '--config', path.join(this.folder, 'egress.conf')];
    this.starts = 0;
    this.log = '';
    this.out = '';
    this.write('mirror.csv', setup.mirror);
    this.configure(setup);
  }

  write(file, text) { fs.writeFileSync(path.join(this.folder, file), text); }

  configure({ outlet = 'file', options = 'folder = data', egress = '', urls = this.grid.nodeUrl }) {
    this.write('egress.conf', `
[hub]
url = ${urls}
ca = ${this.grid.caFile}
certificate = ${path.join(this.node.folder, 'node.pem')}
key = ${path.join(this.node.folder, 'node.key')}
client_id = ${this.node.clientId}
client_secret = ${path.join(this.node.folder, 'client_secret')}
[egress]
mirror = mirror.csv
outlet = ${outlet}
state = state
${egress}
[${outlet === 'stdout' ? 'file' : outlet}]
${options}
`);
  }

  get stdout() { return this.#child.stdout; }

  get pid() { return this.#child?.pid; }

  get running() { return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null; }

  start() {
    this.starts += 1;
    this.#child = spawn(this.command[0], this.command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.log += text; });
    this.#child.stdout.setEncoding('utf8').on('data', (text) => { this.out += text; });
    return this;
  }

  /** Start it, and again whenever it has ended, until stop(), kill() or close(). */
  supervise() {
    this.supervised = true;
    this.start();
    this.#child.on('exit', () => {
      if (this.supervised) setTimeout(() => this.supervised && this.supervise(), 50);
    });
    return this;
  }

  /** SIGKILL without waiting; who supervises it starts it again. */
  strike() { this.#child.kill('SIGKILL'); }

  async kill() {
    this.supervised = false;
    if (this.running) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
  }

  /** SIGTERM; returns the exit code. */
  async stop() {
    this.supervised = false;
    if (this.running) {
      this.#child.kill('SIGTERM');
      await once(this.#child, 'exit');
    }
    return this.#child?.exitCode;
  }

  /** Run it to its end with more arguments: { code, stdout, stderr }. */
  async call(...words) {
    try {
      const { stdout, stderr } = await run(program,
        ['--config', path.join(this.folder, 'egress.conf'), ...words], { timeout: 30_000 });
      return { code: 0, stdout, stderr };
    } catch (error) {
      return { code: error.code, stdout: error.stdout, stderr: error.stderr };
    }
  }

  /** The lines of all files of "values", "alarms" or "events", in order. */
  lines(series) {
    const folder = path.join(this.folder, 'data');
    if (!fs.existsSync(folder)) return [];
    return fs.readdirSync(folder).filter((name) => name.startsWith(`${series}-`)).sort()
      .flatMap((name) => fs.readFileSync(path.join(folder, name), 'utf8').split('\n').slice(0, -1));
  }

  /** The same, parsed; for jsonl. */
  records(series) { return this.lines(series).map((line) => JSON.parse(line)); }

  async close() {
    await this.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
