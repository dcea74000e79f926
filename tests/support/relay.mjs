// A TCP relay that can hold back what flows, or let it vanish, or cut it.
import { once } from 'node:events';
import net from 'node:net';

export class Relay {
  constructor(port, host = '127.0.0.1') {
    this.to = { port, host };
    this.pairs = new Set();
    this.held = null; // what waits, in order
    this.watch = () => {}; // (pair, socket that sent it, bytes)
  }

  #pass(pair, socket, part) {
    if (pair.dead) return;
    if (this.held) this.held.push([socket, part]);
    else if (!socket.destroyed) socket.write(part);
  }

  async open() {
    this.server = net.createServer((near) => {
      const pair = { near, far: net.connect(this.to), dead: false };
      this.pairs.add(pair);
      for (const socket of [pair.near, pair.far]) {
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          if (pair.dead && !pair.ended) return; // a dead link says nothing
          this.pairs.delete(pair);
          pair.near.destroy();
          pair.far.destroy();
        });
      }
      for (const [from, to] of [[pair.near, pair.far], [pair.far, pair.near]]) {
        from.on('data', (part) => {
          this.watch(pair, from, part);
          this.#pass(pair, to, part);
        });
      }
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  /** From now on nothing arrives anywhere; it waits, as in a buffer. */
  hold() { this.held ??= []; }

  /** What was held back arrives now, however late. */
  release() {
    const { held } = this;
    this.held = null;
    for (const [socket, part] of held ?? []) if (!socket.destroyed) socket.write(part);
  }

  /** The connections there are go dead without a word; new ones work. */
  freeze() { for (const pair of this.pairs) pair.dead = true; }

  /** Reset every connection. */
  cut() {
    for (const pair of this.pairs) {
      pair.ended = true;
      pair.near.destroy();
      pair.far.destroy();
    }
    this.pairs.clear();
  }

  async close() {
    this.cut();
    await new Promise((done) => { this.server.close(done); });
  }
}
