// sparkplug: an edge node of Sparkplug B with devices, for tests: Eclipse
// Tahu's encoder over npm's mqtt, so nothing of it is ours but the protocol.

import mqtt from 'mqtt';
import sparkplugPayload from 'sparkplug-payload';

const codec = sparkplugPayload.get('spBv1.0');

export class EdgeNode {
  #client;
  #seq = 0;

  /** "metrics" of the node, "devices" { name: metrics }; each { name, type, value, alias, … }. */
  constructor(broker, group, name, { metrics = [], devices = {}, bdSeq = 0 } = {}) {
    Object.assign(this, { broker, group, name, metrics, devices, bdSeq, rebirths: 0, deaf: false });
  }

  topic(kind, device) {
    return ['spBv1.0', this.group, kind, this.name, ...(device ? [device] : [])].join('/');
  }

  #death() {
    return Buffer.from(codec.encodePayload({
      timestamp: Date.now(), metrics: [{ name: 'bdSeq', type: 'UInt64', value: this.bdSeq }],
    }));
  }

  async connect() {
    this.#client = await mqtt.connectAsync(this.broker.url, {
      username: this.broker.user, password: this.broker.password, reconnectPeriod: 0,
      will: { topic: this.topic('NDEATH'), payload: this.#death(), qos: 1 },
    });
    this.#client.on('error', () => {});
    this.#client.on('message', (topic, data) => this.#command(data));
    await this.#client.subscribeAsync(this.topic('NCMD'), { qos: 1 });
    await this.birth();
    return this;
  }

  #command(data) {
    const asked = codec.decodePayload(data).metrics
      .some((metric) => metric.name === 'Node Control/Rebirth' && metric.value === true);
    if (!asked) return;
    this.rebirths += 1;
    if (!this.deaf) this.birth();
  }

  async send(kind, device, metrics, more = {}) {
    const payload = { timestamp: Date.now(), metrics, seq: this.#seq, ...more };
    this.#seq = (this.#seq + 1) % 256;
    await this.#client.publishAsync(this.topic(kind, device), Buffer.from(codec.encodePayload(payload)));
  }

  async birth() {
    this.#seq = 0;
    await this.send('NBIRTH', undefined, [
      { name: 'bdSeq', type: 'UInt64', value: this.bdSeq },
      { name: 'Node Control/Rebirth', type: 'Boolean', value: false },
      ...this.metrics,
    ]);
    for (const [device, metrics] of Object.entries(this.devices)) {
      await this.send('DBIRTH', device, metrics);
    }
  }

  data(device, metrics, more) { return this.send(device ? 'DDATA' : 'NDATA', device, metrics, more); }

  /** As if the network lost a message on its way. */
  skip() { this.#seq = (this.#seq + 1) % 256; }

  /** A will that comes late: of an earlier connection. */
  async lateDeath(bdSeq) {
    await this.#client.publishAsync(this.topic('NDEATH'), Buffer.from(codec.encodePayload({
      timestamp: Date.now(), metrics: [{ name: 'bdSeq', type: 'UInt64', value: bdSeq }],
    })));
  }

  /** The connection breaks: the broker publishes the will. */
  vanish() { this.#client.stream.destroy(); }

  close() { return this.#client?.endAsync(true); }
}
