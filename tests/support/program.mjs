// program: fieldgrid-ingress or fieldgrid-egress for tests: configured, run and
// killed. FIELDGRID_AGENTS names the folder of other builds of the two.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { build, until } from './grid.mjs';

const run = promisify(execFile);

/** The path of fieldgrid-`kind`. */
export const programOf = (kind) => path.join(process.env.FIELDGRID_AGENTS ?? build, `fieldgrid-${kind}`);

export class Program {
  #child;

  /**
   * "setup" is { inside (words of a command that runs the program elsewhere),
   * environment }; "node" an enrolled one.
   */
  constructor(grid, kind, node, setup) {
    this.grid = grid;
    this.node = node;
    this.program = programOf(kind);
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), `fieldgrid-${kind}-`));
    this.conf = path.join(this.folder, `${kind}.conf`);
    this.command = [...(setup.inside ?? []), this.program, '--config', this.conf];
    this.environment = { ...process.env, ...setup.environment };
    this.starts = 0;
    this.log = '';
    this.out = '';
  }

  write(file, text) { fs.writeFileSync(path.join(this.folder, file), text); }

  /** The section of the configuration that makes it this node. */
  hub(urls = this.grid.nodeUrl) {
    return `[hub]
url = ${urls}
ca = ${this.grid.caFile}
certificate = ${path.join(this.node.folder, 'node.pem')}
key = ${path.join(this.node.folder, 'node.key')}
client_id = ${this.node.clientId}
client_secret = ${path.join(this.node.folder, 'client_secret')}`;
  }

  get stdout() { return this.#child.stdout; }

  get pid() { return this.#child?.pid; }

  get running() { return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null; }

  start() {
    this.starts += 1;
    this.#child = spawn(this.command[0], this.command.slice(1),
      { stdio: ['ignore', 'pipe', 'pipe'], env: this.environment });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.log += text; });
    this.#child.stdout.setEncoding('utf8').on('data', (text) => { this.out += text; });
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

  async #end(signal) {
    this.supervised = false;
    if (this.running) {
      this.#child.kill(signal);
      await once(this.#child, 'exit');
    }
    return this.#child?.exitCode;
  }

  /** SIGKILL, as a power cut would. */
  async kill() { await this.#end('SIGKILL'); }

  /** SIGTERM; returns the exit code. */
  async stop() { return this.#end('SIGTERM'); }

  /** Wait for it to end by itself; returns the exit code. */
  async end() {
    await until(() => !this.running, { what: 'the end of the agent' });
    return this.#child.exitCode;
  }

  /** Run it to its end with more arguments: { code, stdout, stderr }. */
  async call(...words) {
    try {
      const { stdout, stderr } = await run(this.program, ['--config', this.conf, ...words], { timeout: 120_000 });
      return { code: 0, stdout, stderr };
    } catch (error) {
      return { code: error.code, stdout: error.stdout, stderr: error.stderr };
    }
  }

  async close() {
    await this.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
    if (!/Sanitizer|runtime error:/.test(this.log)) return;
    console.error(this.log.slice(this.log.search(/Sanitizer|runtime error:/) - 200).slice(0, 8000));
    process.exitCode = 1; // all may have passed beside
  }
}
