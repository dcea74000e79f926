// broker: a real mosquitto for tests, with TLS, passwords and a session store.
//
//   const broker = await openBroker();   // null when there is no mosquitto
//   const client = await broker.client();  // npm's mqtt, a real outsider
//   after(() => broker?.close());
//
// It listens on two ports of the loopback: "url" in clear text, "tlsUrl" with
// a certificate of its own authority. Both want the user and the password.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import mqtt from 'mqtt';

import { freePort, until } from './grid.mjs';

const quiet = { stdio: ['ignore', 'ignore', 'pipe'] };

function hasMosquitto() {
  try {
    execFileSync('mosquitto', ['-h'], { stdio: 'ignore' });
  } catch (error) {
    return error.code !== 'ENOENT';
  }
  return true;
}

/** An authority, and certificates that it signed for a server and a client. */
function makeCertificates(folder) {
  const openssl = (...words) => execFileSync('openssl', words, { cwd: folder, ...quiet });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30',
    '-subj', '/CN=broker tests');
  for (const [name, subject, names] of [
    ['server', '/CN=localhost', 'DNS:localhost,IP:127.0.0.1'],
    ['client', '/CN=plant', 'DNS:plant'],
    ['elsewhere', '/CN=elsewhere', 'DNS:elsewhere.example'],
  ]) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
    fs.writeFileSync(path.join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key',
      '-CAcreateserial', '-days', '30', '-out', `${name}.pem`, '-extfile', `${name}.ext`);
  }
}

export async function openBroker(options) {
  if (!hasMosquitto()) return null;
  const broker = new Broker();
  await broker.prepare(options);
  await broker.start();
  return broker;
}

class Broker {
  #child;
  #clients = [];

  async prepare({ certificate = 'server', clientCertificates = false, more = '' } = {}) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-broker-'));
    this.user = 'plant';
    this.password = 'a pass phrase of the plant';
    this.port = await freePort();
    this.tlsPort = await freePort();
    this.url = `mqtt://127.0.0.1:${this.port}`;
    this.tlsUrl = `mqtts://localhost:${this.tlsPort}`;
    this.log = '';
    makeCertificates(this.folder);
    const passwords = this.file('passwords');
    execFileSync('mosquitto_passwd', ['-b', '-c', passwords, this.user, this.password], quiet);
    fs.writeFileSync(this.file('password'), `${this.password}\n`, { mode: 0o600 });
    fs.writeFileSync(this.file('wrong'), 'another pass phrase\n', { mode: 0o600 });
    fs.writeFileSync(this.file('mosquitto.conf'), `
user ${os.userInfo().username}
listener ${this.port} 127.0.0.1
listener ${this.tlsPort} 127.0.0.1
cafile ${this.file('ca.pem')}
certfile ${this.file(`${certificate}.pem`)}
keyfile ${this.file(`${certificate}.key`)}
require_certificate ${clientCertificates}
allow_anonymous false
password_file ${passwords}
persistence true
persistence_location ${this.folder}/
max_queued_messages 1000000
log_type error
log_type warning
log_type notice
log_type information
log_type subscribe
${more}
`);
  }

  file(name) { return path.join(this.folder, name); }

  get pid() { return this.#child?.pid; }

  get running() { return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null; }

  async start() {
    if (this.running) return this;
    this.#child = spawn('mosquitto', ['-c', this.file('mosquitto.conf')],
      { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.log += text; });
    await until(() => new Promise((resolve, reject) => {
      const socket = net.connect(this.port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
      socket.once('error', reject);
    }), { what: `mosquitto (${this.log})`, every: 50 });
    return this;
  }

  async #end(signal) {
    if (!this.running) return;
    this.#child.kill(signal);
    await once(this.#child, 'exit');
  }

  /** Has a client subscribed since it connected last? */
  isSubscribed(clientId) {
    const connected = this.log.lastIndexOf(` as ${clientId} (`);
    return connected >= 0 && this.log.indexOf(`: ${clientId} `, connected) >= 0;
  }

  /** As a crash: what it had not saved is gone. */
  kill() { return this.#end('SIGKILL'); }

  /** Sessions, subscriptions and retained messages onto its disk now. */
  async save() {
    const database = this.file('mosquitto.db');
    const written = () => fs.statSync(database, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const before = written();
    this.#child.kill('SIGUSR1');
    await until(() => written() > before, { what: 'the saved sessions', every: 50 });
  }

  /** As a restart: sessions and retained messages are saved. */
  stop() { return this.#end('SIGTERM'); }

  /** Lines for the agent's or egress's section, over TLS with the password. */
  settings(clientId) {
    return `url = ${this.tlsUrl}
client_id = ${clientId}
ca = ${this.file('ca.pem')}
user = ${this.user}
password = ${this.file('password')}
`;
  }

  /** A connected client of npm's mqtt. */
  async client(options = {}) {
    const client = await mqtt.connectAsync(this.url, {
      username: this.user, password: this.password, reconnectPeriod: 100, ...options,
    });
    client.on('error', () => {}); // while the broker is away
    this.#clients.push(client);
    return client;
  }

  async close() {
    for (const client of this.#clients) await client.endAsync(true);
    await this.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
