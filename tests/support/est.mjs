// est: a machine that becomes a node, with the openssl command as its client.

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const openssl = (...words) => execFileSync('openssl', words, { stdio: ['pipe', 'pipe', 'pipe'] });

/** A folder for keys and requests; remove() deletes it. */
export class Machine {
  constructor(grid) {
    this.grid = grid;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-machine-'));
  }

  file(name) { return path.join(this.folder, name); }

  read(name) { return fs.readFileSync(this.file(name), 'utf8'); }

  remove() { fs.rmSync(this.folder, { recursive: true, force: true }); }

  /** A new key ("P-256", "P-384", "rsa:1024") as node.key. */
  key(kind = 'P-256') {
    const out = this.file('node.key');
    if (kind.startsWith('rsa:'))
      openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${kind.slice(4)}`, '-out', out);
    else openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${kind}`, '-out', out);
    return this;
  }

  /** A request for node.key, as base64 of its DER. */
  csr(...more) {
    return openssl('req', '-new', '-key', this.file('node.key'), '-outform', 'DER',
      ...(more.includes('-subj') ? [] : ['-subj', '/CN=anything']), ...more).toString('base64');
  }

  /** POST a request for a certificate with an enrolment token. */
  enrol(token, csr = this.csr(), options = {}) {
    const { id, secret } = typeof token === 'string' ? parts(token) : token;
    return this.grid.request('/.well-known/est/simpleenroll', {
      body: csr,
      headers: {
        'content-type': 'application/pkcs10',
        authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
        ...options.headers,
      },
      ...options,
    });
  }

  /** Keep the certificate of an answer as node.pem. */
  keep(reply, name = 'node.pem') {
    const der = Buffer.from(reply.text, 'base64');
    fs.writeFileSync(this.file('answer.p7'), der);
    const pem = openssl('pkcs7', '-inform', 'DER', '-in', this.file('answer.p7'), '-print_certs').toString();
    fs.writeFileSync(this.file(name), pem);
    return pem;
  }

  /** The text of a certificate. */
  text(name = 'node.pem') {
    return openssl('x509', '-in', this.file(name), '-noout', '-text', '-fingerprint', '-sha256').toString();
  }

  /** What "openssl verify" says. */
  verify(name = 'node.pem', ...words) {
    const { stdout, stderr } = spawnSync('openssl', ['verify', '-purpose', 'sslclient',
      '-CAfile', this.grid.caFile, ...words, this.file(name)], { encoding: 'utf8' });
    return stdout + stderr;
  }

  /** A request to the listener for nodes, with the certificate. */
  call(target, options = {}) {
    return this.grid.request(this.grid.nodeUrl + target, {
      cert: this.read(options.name ?? 'node.pem'), key: this.read('node.key'), agent: false, ...options,
    });
  }
}

/** The three parts of an enrolment token. */
export function parts(token) {
  const [uuid, secret, pin] = token.split('.');
  const hex = Buffer.from(uuid, 'base64url').toString('hex');
  return {
    id: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    secret,
    pin: Buffer.from(pin, 'base64url').toString('hex'),
  };
}

/** Requests of an administrator: admin(method, path, body). */
export async function administrator(grid) {
  const cookie = await grid.logIn();
  return (method, target, body) => grid.request(`/api/v1/admin${target}`, {
    method, body, cookie, headers: { origin: grid.url },
  });
}
