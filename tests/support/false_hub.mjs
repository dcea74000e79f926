// A hub that lies: what an agent does with commands that no hub would send,
// or sends twice, or late. It speaks as much of a hub's tongue as agents need.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';

export class FalseHub {
  constructor(grid) {
    this.boot = randomUUID();
    this.offset = 1e12; // of its clock
    this.results = []; // every one that came, in order
    this.accepts = true; // results
    this.refused = new Set(); // ids of results that it did not take meanwhile
    this.disliked = undefined; // the id of a command whose result is 400
    this.streams = new Set();
    const pki = (name) => fs.readFileSync(path.join(grid.state, 'pki', name));
    this.server = https.createServer({
      key: pki('server.key'), cert: pki('server.pem'), ca: pki('ca.pem'), requestCert: true, rejectUnauthorized: true,
    }, (request, response) => this.#take(request, response));
  }

  get steady() { return this.offset + Math.round(performance.now() * 1000); }

  get clock() { return { boot: this.boot, steady: this.steady, time: new Date().toISOString() }; }

  async #take(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const answer = (value, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    switch (request.url.split('?')[0]) {
    case '/connect/token': return answer({ access_token: 'x', expires_in: 600 });
    case '/hub/v1/variables': return answer({ variables: JSON.parse(body).variables.map(({ name }, i) => ({ name, id: i + 1 })) });
    case '/hub/v1/position': return answer({ sequence: 0, spool: '0000000000000000' });
    case '/hub/v1/limits': return answer(request.method === 'GET' ? { limits: [] } : { version: 1 });
    case '/hub/v1/frames': return answer({ sequence: 2 ** 40 });
    case '/hub/v1/clock': return answer(this.clock);
    case '/hub/v1/results':
      if (!this.accepts) {
        for (const { id } of JSON.parse(body).results) this.refused.add(id);
        return answer({ errorCode: 'Unavailable' }, 503);
      }
      if (JSON.parse(body).results.some(({ id }) => id === this.disliked)) return answer({ errorCode: 'BadRequest' }, 400);
      this.results.push(...JSON.parse(body).results);
      return answer({ results: [] });
    case '/live/node':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: time\ndata: ${JSON.stringify(this.clock)}\n\n`);
      this.streams.add(response);
      response.on('close', () => this.streams.delete(response));
      return undefined;
    default: return answer({});
    }
  }

  async open() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.timer = setInterval(() => this.send('time', this.clock), 1000);
    this.url = `https://localhost:${this.server.address().port}`;
    return this;
  }

  send(event, data) {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    for (const stream of this.streams) stream.write(`event: ${event}\ndata: ${text}\n\n`);
  }

  /** A command as a hub would send it, with what is to be wrong about it. */
  command(datasource, variable, value, odd = {}) {
    return { id: randomUUID(), datasource, variable, value, boot: this.boot, sent: this.steady, expires: this.steady + 5_000_000, ...odd };
  }

  result(id) { return this.results.find((result) => result.id === id); }

  async close() {
    clearInterval(this.timer);
    this.server.closeAllConnections();
    await new Promise((done) => { this.server.close(done); });
  }
}
