// slapd: real directories for tests (slapd.sh), and servers that fall silent.
//
//   const slapd = await openSlapd('plain');  // null when there is no slapd
//   after(() => slapd?.close());

import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
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
  const server = net.createServer((socket) => {
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
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
