// plant: a plant for tests: enrolled, its variables announced, its samples sent
// the way an agent sends them.

import { randomBytes, randomUUID } from 'node:crypto';
import { encodeFrame } from './frame.mjs';

export class Plant {
  #grid;
  #sequence = 0;

  /** With another plant "of" a second node of the same. */
  constructor(grid, name, of) {
    this.#grid = grid;
    this.id = of?.id ?? randomUUID();
    this.name = of?.name ?? `${name} ${this.id.slice(0, 8)}`;
    this.spool = randomBytes(8).toString('hex');
    this.node = grid.enrol(`node-${this.spool.slice(0, 8)}`, `${this.id}:${this.name}`);
  }

  async #send(method, path, body) {
    this.token ??= await this.node.token();
    const reply = await this.node.request(path, { method, body, token: this.token });
    if (reply.status !== 200) throw new Error(`${path}: ${reply.status} ${reply.text}`);
    return reply.json;
  }

  /** Announce variables: [{ name, type, … }]. */
  announce(variables) {
    return this.#send('PUT', '/hub/v1/variables', { datasource: this.id, variables });
  }

  beat() {
    return this.#send('POST', '/hub/v1/beat', {
      version: 'test', spoolFrames: 0, spoolBytes: 0, oldest: null, lostSamples: 0,
      clock: new Date().toISOString(),
    });
  }

  /**
   * Send samples, { name: [[ms, value, status?], …] }, events, and alarm changes
   * (their times in ms as well); "twice" sends the same frame again.
   */
  async send(series, events = [], { alarms = [], twice = false } = {}) {
    const us = (ms) => (ms === undefined || ms === null ? null : Math.round(ms * 1000));
    const body = {
      frames: [{
        datasource: this.id,
        spool: this.spool,
        sequence: ++this.#sequence,
        series: Object.entries(series).map(([name, rows]) => ({
          name,
          time: rows.map(([ms]) => us(ms)),
          value: rows.map(([, value]) => value),
          ...(rows.some(([, , status]) => status) && { status: rows.map(([, , status]) => status ?? 0) }),
        })),
        alarms: alarms.map((one) => ({
          ...one, time: us(one.time), came: us(one.came), went: us(one.went), reactivated: us(one.reactivated),
        })),
        events: events.map((event) => ({ ...event, time: us(event.time) })),
      }],
    };
    if (twice) await this.#send('POST', '/hub/v1/frames', body);
    return this.#send('POST', '/hub/v1/frames', body);
  }

  /** The next frame in the binary form: { series, alarms, events, version }. */
  frame(content) {
    return encodeFrame({ datasource: this.id, spool: this.spool, sequence: ++this.#sequence, ...content });
  }

  /** Post binary frames. */
  async post(...frames) {
    this.token ??= await this.node.token();
    const reply = await this.node.request('/hub/v1/frames', {
      method: 'POST', body: Buffer.concat(frames), token: this.token,
      headers: { 'content-type': 'application/vnd.fieldgrid.frame' },
    });
    if (reply.status !== 200) throw new Error(`frames: ${reply.status} ${reply.text}`);
    return reply.json;
  }

  close() { this.node.close(); }
}
