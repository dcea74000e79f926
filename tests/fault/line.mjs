// line: the line between a plant and the grid, which fails on command.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

import { build } from '../support/grid.mjs';
import { gridAddress } from './apart.mjs';

export class Line {
  #program;

  /** A plant's own network, with nothing but a line to the grid. */
  static async open(seed) {
    const line = new Line();
    line.#program = spawn(path.join(build, 'tests/fault/link'), [String(seed)],
      { stdio: ['pipe', 'pipe', 'inherit'] });
    const [text] = await once(line.#program.stdout.setEncoding('utf8'), 'data');
    const here = text.trim();
    const address = `198.18.1.${1 + Number(here.slice('plant'.length))}`;
    line.inside = ['nsenter', `--net=/proc/${line.#program.pid}/ns/net`];
    const ip = (...words) => execFileSync('ip', words);
    ip('address', 'add', gridAddress, 'peer', address, 'dev', here);
    ip('link', 'set', here, 'up');
    line.#there('ip', 'address', 'add', address, 'peer', gridAddress, 'dev', 'grid0');
    line.#there('ip', 'link', 'set', 'lo', 'up');
    line.up();
    return line;
  }

  #there(...words) {
    const [nsenter, where] = this.inside;
    execFileSync(nsenter, [where, ...words]);
  }

  /** set('delay', 300); tests/fault/link.c lists the words. */
  set(what, value) { this.#program.stdin.write(`${what} ${value}\n`); }

  /** The cable is out: the plant knows that there is no network. */
  down() { this.#there('ip', 'link', 'set', 'grid0', 'down'); }

  up() { this.#there('ip', 'link', 'set', 'grid0', 'up'); }

  /** 300 ms there and back, 5 % lost each way, 256 kbit/s. */
  slow() { for (const [what, value] of [['delay', 150], ['loss', 5], ['rate', 256]]) this.set(what, value); }

  /** Everything works again. */
  heal() {
    this.up();
    for (const [what, value] of [['pass', 'both'], ['delay', 0], ['loss', 0], ['rate', 0]]) this.set(what, value);
  }

  close() { this.#program.stdin.end(); }
}
