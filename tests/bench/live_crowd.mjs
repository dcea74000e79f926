// live_crowd: many live streams at once, and how late a value arrives there.
//
// The time of a commit is when its answer has come back to the sender; the
// crowd is in this process, too, so its own work counts as lateness.

import https from 'node:https';
import { encodeFrame } from '../support/frame.mjs';
import { sleep, until } from '../support/grid.mjs';

const callers = 16; // of at most 64 streams each

export class LiveCrowd {
  constructor() {
    this.requests = [];
    this.arrivals = new Map(); // value -> times of arrival
    this.connected = 0;
  }

  static async open(grid, { streams, plant, token }) {
    const crowd = new LiveCrowd();
    const tokens = [token];
    while (tokens.length < Math.min(callers, Math.ceil(streams / 64))) tokens.push(await grid.token());
    for (let i = 0; i < streams; i++) {
      const bearer = tokens[i % tokens.length];
      const reply = await grid.request('/api/v1/live', {
        token: bearer, body: { variables: [{ datasource: plant, names: ['bench/*'] }] },
      });
      if (reply.status !== 200) throw new Error(reply.text);
      crowd.#connect(grid, reply.json.url, bearer);
      if (i % 50 === 49) await sleep(20);
    }
    await until(() => crowd.connected === streams, { seconds: 30, what: `${streams} streams` });
    return crowd;
  }

  #connect(grid, target, token) {
    const request = https.get(new URL(target, grid.url), {
      ca: grid.ca, agent: false, headers: { authorization: `Bearer ${token}` },
    }, (response) => {
      response.setEncoding('latin1');
      let first = true;
      response.on('data', (text) => {
        const now = performance.now();
        if (first) this.connected++;
        first = false;
        const found = /"values":\[\[0,(\d+),/.exec(text);
        if (found) this.arrivals.get(found[1])?.push(now);
      });
    });
    request.on('error', () => {});
    this.requests.push(request);
  }

  /** Post "rounds" frames, one every quarter of a second; { p50, p99 } in ms. */
  async measure(node, token, plant, id, rounds) {
    const position = await node.request('/hub/v1/position', { token });
    let { sequence, spool } = position.json;
    const late = [];
    for (let round = 0; round < rounds; round++) {
      const value = String(1_000_000 + ++sequence % 1_000_000 + round);
      const arrived = [];
      this.arrivals.set(value, arrived);
      const reply = await node.request('/hub/v1/frames', {
        method: 'POST', token, headers: { 'content-type': 'application/vnd.fieldgrid.frame' },
        body: encodeFrame({ datasource: plant, spool, sequence,
          series: [{ id, kind: 'float', time: [BigInt(Date.now()) * 1000n], value: [Number(value)] }] }),
      });
      const committed = performance.now();
      if (reply.status !== 200) throw new Error(reply.text);
      await sleep(250);
      if (arrived.length !== this.requests.length) throw new Error(`${arrived.length} of ${this.requests.length} arrived`);
      late.push(...arrived.map((time) => Math.max(0, time - committed)));
      this.arrivals.delete(value);
    }
    late.sort((one, other) => one - other);
    const at = (share) => late[Math.min(late.length - 1, Math.floor(late.length * share))];
    return { p50: at(0.5), p99: at(0.99) };
  }

  close() {
    for (const request of this.requests) request.destroy();
  }
}
