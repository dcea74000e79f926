// slapd: real directories for tests (slapd.sh), and servers that fall silent.
//
//   const slapd = await openSlapd('plain');  // null when there is no slapd
//   after(() => slapd?.close());

import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = path.join(path.dirname(fileURLToPath(import.meta.url)), 'slapd.sh');

export const servicePassword = 'service pass phrase';
export const passwordOf = (name) => `the pass phrase of ${name}`;

export async function openSlapd(kind) {
  try {
    const { stdout } = await run(script, ['start', kind], { timeout: 30_000 });
    return new Slapd(kind, stdout.trim());
  } catch (error) {
    if (error.code === 77) return null;
    throw error;
  }
}

class Slapd {
  constructor(kind, folder) {
    const [ldap, ldaps] = fs.readFileSync(path.join(folder, 'ports'), 'utf8').trim().split(' ');
    this.folder = folder;
    this.ldap = ldap;
    this.ldaps = ldaps;
    this.suffix = kind === 'ad' ? 'dc=corp,dc=test' : 'dc=grid,dc=test';
    this.ca = fs.readFileSync(path.join(folder, 'ca.pem'), 'utf8');
    this.otherCa = fs.readFileSync(path.join(folder, 'other.pem'), 'utf8');
  }

  /** What a directory here needs to be told, for REST. */
  settings(name, more = {}) {
    return {
      name,
      uris: [`ldap://127.0.0.1:${this.ldap}`],
      ca: this.ca,
      bindDn: `cn=svc,ou=services,${this.suffix}`,
      bindPassword: servicePassword,
      base: this.suffix,
      timeoutMs: 2000,
      ...more,
    };
  }

  /** Change entries, by LDIF. */
  modify(ldif) { this.#tool('ldapmodify', [], ldif); }

  remove(dn) { this.#tool('ldapdelete', [`${dn},${this.suffix}`], ''); }

  #tool(tool, words, input) {
    execFileSync(tool, ['-x', '-H', `ldaps://127.0.0.1:${this.ldaps}`,
      '-D', `cn=admin,${this.suffix}`, '-w', 'admin', ...words], {
      input,
      env: { ...process.env, LDAPTLS_CACERT: path.join(this.folder, 'ca.pem') },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  }

  down() { return run(script, ['down', this.folder]); }

  up() { return run(script, ['up', this.folder]); }

  close() { return run(script, ['stop', this.folder]); }
}

/** A server that takes connections and says nothing, or only "greeting". */
export async function openSilence(greeting = () => {}) {
  const sockets = new Set();
  let calls = 0;
  const server = net.createServer((socket) => {
    calls += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    greeting(socket);
    socket.resume(); // else it would not notice that the other end closes
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    connections: () => sockets.size,
    calls: () => calls,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

// --- a server that answers as told ------------------------------------------------

function ber(tag, ...parts) {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const length = body.length < 128
    ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

/** [tag, content, rest] of the first element; null when there is more to come. */
function unber(data) {
  if (data.length < 2) return null;
  let length = data[1];
  let at = 2;
  if (length > 128) {
    const bytes = length - 128;
    if (data.length < 2 + bytes) return null;
    length = data.readUIntBE(2, bytes);
    at += bytes;
  }
  if (data.length < at + length) return null;
  return [data[0], data.subarray(at, at + length), data.subarray(at + length)];
}

const result = (tag, code, words = '', referral = '') => ber(tag, ber(0x0a, [code]), ber(4, ''),
  ber(4, words), ...(referral ? [ber(0xa3, ber(4, referral))] : []));

/**
 * An LDAPS server with the certificate of "slapd". bind(dn) and search() return
 * { code, words, referral }, search() also entries: [[dn, { name: [values] }]].
 */
export async function openFake(slapd, { bind, search }) {
  const read = (name) => fs.readFileSync(path.join(slapd.folder, name));
  const answer = (id, op, content) => {
    const send = (body) => ber(0x30, ber(2, id), body);
    if (op === 0x60) { // version, then the name
      const [, dn] = unber(unber(content)[2]);
      const { code, words, referral } = bind(dn.toString());
      return send(result(0x61, code, words, referral));
    }
    if (op !== 0x63) return Buffer.alloc(0);
    const { code = 0, words, referral, entries = [] } = search();
    return Buffer.concat([
      ...entries.map(([dn, attributes]) => send(ber(0x64, ber(4, dn), ber(0x30,
        ...Object.entries(attributes).map(([name, values]) => ber(0x30, ber(4, name),
          ber(0x31, ...values.map((value) => ber(4, value))))))))),
      send(result(0x65, code, words, referral)),
    ]);
  };
  const server = tls.createServer({ key: read('server.key'), cert: read('server.pem') }, (socket) => {
    let data = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (more) => {
      data = Buffer.concat([data, more]);
      for (let message; (message = unber(data)); [, , data] = message) {
        const [, id, rest] = unber(message[1]);
        const [op, content] = unber(rest);
        socket.write(answer(id, op, content));
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    uri: `ldaps://127.0.0.1:${server.address().port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
