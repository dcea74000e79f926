// commander: sets a value at a plant again and again, each one another number,
// and knows what became of each. The device there tells what was written.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { Agent } from '../support/agent.mjs';
import { sleep, top, until } from '../support/grid.mjs';

const EXPIRES_MS = 2000;
const REQUEST_MS = 15_000;
const LATE_MS = 30_000;
const SLACK_MS = 3000; // of a device's process on a busy machine

/**
 * When it must not be written any more. A request may have waited before the
 * hub took it; what a clock says that was set does not count.
 */
function endOf({ sentAt, record }) {
  const waited = Date.parse(record?.created) - sentAt;
  return sentAt + EXPIRES_MS + SLACK_MS + (waited > 0 && waited < REQUEST_MS ? waited : 0);
}

/** Is it in a state that a command cannot have after so many writes? */
function isWrong({ status, id, state }, writes) {
  if (status === 200) return writes !== 1 || state !== 'confirmed';
  if ((status === 503 && id) || state === 'refused') return writes !== 0;
  return state === 'confirmed' ? writes !== 1 : state === 'sent';
}

/**
 * Of commands [{ value, sentAt, status (of the answer), id, state, record (the
 * grid's) }] and what the device was given, [{ value, at }]: { commands,
 * confirmed, written twice, late, wrong }; "wrong" is a state that is not true.
 */
export function judgeCommands(sent, writes) {
  const tally = { commands: sent.length, confirmed: 0, writtenTwice: 0, late: 0, commandsWrong: 0 };
  for (const one of sent) {
    const mine = writes.filter(({ value }) => value === one.value);
    if (one.status === 200) tally.confirmed += 1;
    if (mine.length > 1) tally.writtenTwice += 1;
    if (mine.some(({ at }) => at > endOf(one))) tally.late += 1;
    if (isWrong(one, mine.length)) tally.commandsWrong += 1;
  }
  return tally;
}

export class Commander {
  #device;

  /** An agent and its device, both at the end of a line. */
  static async open(grid, name, { line, renew }) {
    const commander = Object.assign(new Commander(), { grid, renew, token: await renew(), sent: [], writes: [] });
    const [command, ...words] = [...line.inside, process.execPath, path.join(top, 'tests/fault/device.mjs')];
    commander.#device = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface(commander.#device.stdout).on('line', (text) => commander.#hear(JSON.parse(text)));
    await until(() => commander.address, { what: 'the device' });
    commander.agent = new Agent(grid, `${name} commands`, {
      driver: 'modbus',
      variables: 'name,address,type,access,dead_band\nset,plc/holding/1,int,read_write,0\n',
      options: 'devices = devices.csv',
      agent: 'period_ms = 200',
      inside: line.inside,
    });
    commander.agent.write('devices.csv',
      `name,connection,timeout_ms,retries,back_off_s,confirm\nplc,${commander.address},2000,0,1,reply\n`);
    return commander;
  }

  #hear(told) {
    if (told.address) this.address = told.address;
    else this.writes.push(told);
  }

  #request(rest, options) {
    return this.grid.request(`/api/v1/datasources/${this.agent.id}/${rest}`, { token: this.token, agent: false, ...options });
  }

  /** One command; what went wrong on the way to the grid is an answer, too. */
  async send(value) {
    const one = { value, sentAt: Date.now() };
    this.sent.push(one);
    try {
      const reply = await this.#request('variables/set', { method: 'PATCH', body: { value, expires_ms: EXPIRES_MS }, timeout: REQUEST_MS });
      Object.assign(one, { status: reply.status, id: /"id":"([^"]+)"/.exec(reply.text)?.[1] });
    } catch (error) {
      one.status = error.code ?? error.message;
    }
    if (one.status === 401) this.token = await this.renew().catch(() => this.token);
  }

  /**
   * Send them until "end", and on until one was confirmed, which a slow machine
   * may need; a device's register holds 16 bits.
   */
  async run(end, random) {
    const isDone = () => Date.now() > end + LATE_MS
      || (Date.now() > end && this.sent.some(({ status }) => status === 200));
    this.agent.supervise();
    while (!isDone() && this.sent.length < 60_000) {
      await this.send(this.sent.length + 1);
      await sleep(50 + random() * 300);
    }
  }

  /** What the hub has written down of each value that it was sent. */
  async #records() {
    const records = new Map();
    for (let next = ''; next !== null;) {
      const reply = await this.#request(`commands?limit=500${next && `&after=${next}`}`, { agent: this.grid.agent });
      assert.equal(reply.status, 200, reply.text);
      for (const record of reply.json.items) records.set(record.value, record);
      next = reply.json.next;
    }
    return records;
  }

  /** As judgeCommands has it, when nothing is under way any more. */
  async judge() {
    await sleep(EXPIRES_MS);
    this.token = await this.renew();
    const records = await this.#records();
    for (const one of this.sent) {
      one.record = records.get(one.value);
      one.state = one.record?.state;
    }
    return judgeCommands(this.sent, this.writes);
  }

  /** Of what was sent while the cable was out nothing may have been done, neither then nor later. */
  judgeOut({ from, to }) {
    const sent = this.sent.filter(({ sentAt }) => sentAt > from && sentAt < to - EXPIRES_MS);
    assert.ok(sent.length > 0, 'nothing was sent while the cable was out');
    for (const { value, status, state } of sent) {
      assert.ok(status !== 200 && state !== 'confirmed', `${value}: ${status} ${state}`);
      assert.ok(!this.writes.some((write) => write.value === value), `${value} was written`);
    }
  }

  async close() {
    await this.agent.close();
    this.#device.kill();
  }
}
