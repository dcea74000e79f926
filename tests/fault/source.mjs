// source: an agent that sends rows which can be told apart, and knows what the
// grid has to have of them afterwards. Every scenario uses this one.
//
// Row n has the number n, a level that is too high for two seconds of every four,
// and with "padBytes" a text made from n. Its time is that of the file, so that
// the right time of each row, and of each alarm, is known as well.

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { Agent } from '../support/agent.mjs';
import { Commander } from './commander.mjs';
import { Line } from './line.mjs';

const faketime = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1'
  .replace('x86_64', { x64: 'x86_64', arm64: 'aarch64' }[process.arch]);

/** Why no clock can be set here; empty where one can. */
export const noClocks = fs.existsSync(faketime) ? '' : `no ${faketime} here: apt-get install faketime`;

/** What makes a program take its time from a file in "folder". */
export function fakedClock(folder) {
  return {
    LD_PRELOAD: faketime, FAKETIME_TIMESTAMP_FILE: path.join(folder, 'offset'),
    FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1',
    FAKETIME_FORCE_MONOTONIC_FIX: '0', // or waiting on a steady clock ends at once, again and again
  };
}

/** It is so many seconds ahead of the right time. */
export function setFakedClock(folder, seconds) {
  const file = path.join(folder, 'offset');
  fs.writeFileSync(`${file}.new`, `${seconds >= 0 ? '+' : ''}${seconds}\n`);
  fs.renameSync(`${file}.new`, file);
}

/** A text of "bytes" letters that only row n has and that packs badly. */
export function padding(n, bytes) {
  let text = '';
  for (let i = 0; text.length < bytes; i += 1)
    text += createHash('sha256').update(`${n}/${i}`).digest('hex');
  return text.slice(0, bytes);
}

export class Source {
  /**
   * "options": { rate (rows a second), seconds, line (it has one of its own),
   * padBytes, times (original or now), clock (its machine's can be set), commands
   * (a second agent there takes them; needs a line), renew (returns a token), seed, agent (more of
   * Agent's setup) }.
   */
  static async open(grid, name, options) {
    const source = new Source();
    const { rate, seconds, padBytes = 0, times = 'original', seed = 1 } = options;
    Object.assign(source, { name, rate, padBytes, times, count: rate * seconds });
    source.columns = ['level', 'n', ...(padBytes ? ['pad'] : [])];
    source.begin = Date.now();
    if (options.line) source.line = await Line.open(seed);
    if (options.clock) source.clock = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-clock-'));
    if (options.clock) source.setClock(0);
    source.agent = new Agent(grid, name, {
      driver: 'csv',
      variables: `name,type\nlevel,float\nn,int\n${padBytes ? 'pad,string\n' : ''}`,
      data: source.#rows(),
      options: `file = data.csv\nspeed = 1\ntimes = ${times}`,
      inside: source.line?.inside,
      environment: source.clock && fakedClock(source.clock),
      ...options.agent,
      hub: '[alarms]\nlimits = limits.csv',
    });
    if (options.commands) source.commander = await Commander.open(grid, name, { line: source.line, renew: options.renew });
    source.agent.write('limits.csv', 'variable,name,condition,value\nlevel,high,greater,50\n');
    return source;
  }

  /** When row n was made, in ms. */
  time(n) { return this.begin + Math.round((n - 1) * 1000 / this.rate); }

  /** Is the level of row n too high? */
  isHigh(n) { return Math.floor((n - 1) / (2 * this.rate)) % 2 === 1; }

  /** What row n has in a column. */
  value(column, n) {
    if (column === 'n') return n;
    return column === 'pad' ? padding(n, this.padBytes) : Number(this.isHigh(n)) * 100;
  }

  /** Its agents: of the rows, and of the commands if there is one. */
  get agents() { return [this.agent, this.commander?.agent].filter(Boolean); }

  /** The alarms that there must be: [{ came, went (a row, or undefined) }]. */
  alarms() {
    const alarms = [];
    for (let n = 1; n <= this.count; n += 1) {
      if (this.isHigh(n) && !this.isHigh(n - 1)) alarms.push({ came: n });
      if (!this.isHigh(n) && n > 1 && this.isHigh(n - 1)) alarms.at(-1).went = n;
    }
    return alarms;
  }

  #rows() {
    const rows = [['time', ...this.columns].join()];
    for (let n = 1; n <= this.count; n += 1)
      rows.push([new Date(this.time(n)).toISOString(), ...this.columns.map((column) => this.value(column, n))].join());
    return `${rows.join('\n')}\n`;
  }

  /** The machine's clock is so many seconds ahead of the right time. */
  setClock(seconds) { setFakedClock(this.clock, seconds); }

  start() {
    this.agent.supervise();
    return this;
  }

  /** Segments of the spool, the newest last. */
  segments() {
    return fs.readdirSync(this.agent.spool).filter((file) => file.endsWith('.segment')).sort()
      .map((file) => path.join(this.agent.spool, file));
  }

  /** What waits in the spool, in bytes. */
  get spooled() {
    return this.segments().reduce((sum, file) => sum + fs.statSync(file).size, 0);
  }

  async close() {
    await this.commander?.close();
    await this.agent.close();
    this.line?.close();
    if (this.clock) fs.rmSync(this.clock, { recursive: true });
  }
}
