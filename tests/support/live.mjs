// live: a reader of a server-sent event stream that remembers what it read.

import https from 'node:https';
import { until } from './grid.mjs';

export class LiveReader {
  constructor() {
    this.events = []; // { event, id, data, at }
    this.ended = false;
    this.rest = '';
  }

  /** Connect; resolves when the headers are there. */
  static async open(grid, target, { headers = {}, token, cookie } = {}) {
    const reader = new LiveReader();
    const all = { ...headers };
    if (token) all.authorization = `Bearer ${token}`;
    if (cookie) all.cookie = cookie;
    await new Promise((resolve, reject) => {
      reader.request = https.get(new URL(target, grid.url), { headers: all, ca: grid.ca, agent: false },
        (response) => {
          reader.response = response;
          reader.status = response.statusCode;
          response.setEncoding('utf8');
          response.on('data', (part) => reader.#take(part));
          response.on('end', () => { reader.ended = true; });
          response.on('error', () => { reader.ended = true; });
          resolve();
        });
      reader.request.on('error', (error) => { reader.ended = true; reject(error); });
    });
    return reader;
  }

  #take(part) {
    this.rest += part;
    for (;;) {
      const end = this.rest.indexOf('\n\n');
      if (end < 0) return;
      const fields = Object.fromEntries(this.rest.slice(0, end).split('\n')
        .map((line) => line.split(/: (.*)/s, 2)));
      this.rest = this.rest.slice(end + 2);
      this.events.push({ ...fields, data: JSON.parse(fields.data), at: performance.now() });
    }
  }

  /** The first event from "from" on that passes the test. */
  next(test, { from = 0 } = {}) {
    return until(() => this.events.slice(from).find(test), { every: 10, what: 'an event' });
  }

  close() { this.request.destroy(); }
}
