// mqtt_tap: what a client of a broker has acknowledged, read off the wire.
//
//   const tap = await openTap(broker.port);   // a relay in clear text
//   ... a client connects to tap.url ...
//   tap.acknowledged                          // Set of message texts, QoS 1

import { Relay } from './relay.mjs';

const PUBLISH = 3;
const PUBACK = 4;

/** The whole packets at the start of "bytes": [[first byte, body], …], rest. */
function takePackets(bytes) {
  const packets = [];
  let at = 0;
  for (;;) {
    let length = 0;
    let head = 1;
    for (let more = true; more; head += 1) {
      if (at + head >= bytes.length) return [packets, bytes.subarray(at)];
      length += (bytes[at + head] & 127) << (7 * (head - 1));
      more = bytes[at + head] > 127;
    }
    if (at + head + length > bytes.length) return [packets, bytes.subarray(at)];
    packets.push([bytes[at], bytes.subarray(at + head, at + head + length)]);
    at += head + length;
  }
}

class Tap {
  #rest = new WeakMap(); // by socket that sent it
  #open = new WeakMap(); // by connection: packet id -> text

  constructor(relay) {
    this.relay = relay;
    this.url = `mqtt://127.0.0.1:${relay.port}`;
    this.acknowledged = new Set();
    relay.watch = (pair, sender, part) => this.#see(pair, sender, part);
  }

  #see(pair, sender, part) {
    const [packets, rest] = takePackets(Buffer.concat([this.#rest.get(sender) ?? Buffer.alloc(0), part]));
    this.#rest.set(sender, rest);
    if (!this.#open.has(pair)) this.#open.set(pair, new Map());
    const texts = this.#open.get(pair);
    for (const [first, body] of packets) {
      if (sender === pair.far && first >> 4 === PUBLISH && (first >> 1 & 3) === 1) {
        const topic = body.readUInt16BE(0);
        texts.set(body.readUInt16BE(topic + 2), body.subarray(topic + 4).toString());
      } else if (sender === pair.near && first >> 4 === PUBACK) {
        this.acknowledged.add(texts.get(body.readUInt16BE(0)));
      }
    }
  }

  close() { return this.relay.close(); }
}

export async function openTap(port) { return new Tap(await new Relay(port).open()); }
