// oauth: what the tests of the identity service share: clients, codes, tokens,
// and tokens that the grid did not make.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as jose from 'jose';
import { openGrid } from './grid.mjs';

export const form = 'application/x-www-form-urlencoded';

/** The same option several times: words('--scope', 'a', 'b'). */
export function words(option, ...values) { return values.flatMap((value) => [option, value]); }

/** A PKCE verifier and its S256 challenge. */
export function pkce() {
  const verifier = crypto.randomBytes(32).toString('base64url');
  return { verifier, challenge: crypto.createHash('sha256').update(verifier).digest('base64url') };
}

export function basic(id, secret) {
  const half = (text) => encodeURIComponent(text).replaceAll('%20', '+');
  return { authorization: `Basic ${Buffer.from(`${half(id)}:${half(secret)}`).toString('base64')}` };
}

/** fetch with the grid's authority, as openid-client and oauth4webapi want it. */
export function gridFetch(grid) {
  return async (url, options = {}) => {
    const headers = Object.fromEntries(new Headers(options.headers).entries());
    const reply = await grid.request(String(url), {
      method: options.method, headers, body: options.body?.toString(),
    });
    return new Response([204, 303].includes(reply.status) ? null : reply.body, {
      status: reply.status,
      headers: Object.entries(reply.headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
    });
  };
}

/** An OAuth error, exactly: status, code, and nothing that a cache may keep. */
export function refused(reply, error, status = 400) {
  assert.equal(reply.status, status, reply.text);
  assert.equal(reply.json.error, error, reply.text);
  assert.match(reply.headers['content-type'], /^application\/json/);
  assert.match(reply.headers['cache-control'], /no-store/);
  assert.equal(reply.headers.pragma, 'no-cache');
  assert.match(reply.json.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
}

/** A client of the grid, registered with these options of "client add". */
export class Client {
  constructor(grid, id, ...options) {
    this.grid = grid;
    this.id = id;
    const text = grid.ctl('client', 'add', id, ...options);
    this.secret = /client_secret: (\S+)/.exec(text)?.[1];
    const uri = options.indexOf('--redirect-uri');
    this.back = uri >= 0 ? options[uri + 1] : undefined;
  }

  /** POST to /connect/NAME with the client's id and secret in the form. */
  post(name, fields, extra = {}) {
    const { url = '', ...rest } = extra;
    return this.grid.request(`${url}/connect/${name}`, {
      form: {
        client_id: this.id, ...(this.secret && { client_secret: this.secret }),
        ...fields,
      },
      ...rest,
    });
  }

  token(fields, extra) { return this.post('token', fields, extra); }

  /** Parameters of an authorization request, good unless "extra" says not. */
  wish(extra = {}) {
    return {
      client_id: this.id, redirect_uri: this.back, response_type: 'code', scope: 'openid API',
      state: 's1', code_challenge: pkce().challenge, code_challenge_method: 'S256', ...extra,
    };
  }

  authorize(cookie, extra = {}) {
    const params = Object.entries(this.wish(extra)).filter(([, value]) => value !== undefined);
    return this.grid.request(`/connect/authorize?${new URLSearchParams(params)}`, { cookie });
  }

  /** A code of the user of "cookie", with its verifier. */
  async code(cookie, extra = {}) {
    const { verifier, challenge } = pkce();
    const reply = await this.authorize(cookie, { code_challenge: challenge, ...extra });
    assert.equal(reply.status, 303, reply.text);
    const code = new URL(reply.headers.location).searchParams.get('code');
    assert.ok(code, reply.headers.location);
    return { code, verifier };
  }

  exchange({ code, verifier }, fields = {}, extra = {}) {
    return this.token({
      grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: this.back,
      ...fields,
    }, extra);
  }

  async tokens(cookie, extra = {}) {
    const reply = await this.exchange(await this.code(cookie, extra));
    assert.equal(reply.status, 200, reply.text);
    return reply.json;
  }

  refresh(token, fields = {}) {
    return this.token({ grant_type: 'refresh_token', refresh_token: token, ...fields });
  }

  async introspect(token, fields = {}) {
    const reply = await this.post('introspect', { token, ...fields });
    assert.equal(reply.status, 200, reply.text);
    return reply.json;
  }
}

/**
 * A key that the grid trusts and the test holds, so that it can sign what the
 * grid would not: sign(claims, header) makes a token with any of both.
 */
export async function foreignSigner(grid, jose, algorithm = 'RS256') {
  const { publicKey, privateKey } = await jose.generateKeyPair(algorithm, { extractable: true });
  const { kty, n, e, crv, x, y } = await jose.exportJWK(publicKey);
  const jwk = JSON.parse(JSON.stringify({ kty, n, e, crv, x, y }));
  const kid = await jose.calculateJwkThumbprint(jwk);
  const pem = await jose.exportSPKI(publicKey);
  grid.sql(`INSERT INTO signing_key (kid, algorithm, state, public_pem)
    VALUES ('${kid}', '${algorithm}', 'retiring', '${pem}');
    SELECT pg_notify('fieldgrid_rights', 'signing_key')`);
  return {
    kid,
    publicPem: pem,
    close: () => grid.sql(`DELETE FROM signing_key WHERE kid = '${kid}'`),
    sign: (claims, header = {}) => new jose.CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: algorithm, typ: 'JWT', kid, ...header })
      .sign(privateKey, { crit: Object.fromEntries((header.crit ?? []).map((name) => [name, true])) }),
  };
}

/** A certificate of the grid's authority, or another: { cert, key } as PEM. */
export function makeCertificate(grid, subject, names, { authority } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-cert-'));
  const at = (name) => path.join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const pki = (name) => fs.readFileSync(path.join(grid.state, 'pki', name));
  try {
    fs.writeFileSync(at('ca'), authority?.cert ?? pki('root.pem'));
    fs.writeFileSync(at('ca.key'), authority?.key ?? pki('root.key'), { mode: 0o600 });
    fs.writeFileSync(at('ext'), `${names ? `subjectAltName=${names}\n` : ''}extendedKeyUsage=clientAuth\n`);
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-subj', subject, '-keyout', at('key'), '-out', at('csr'));
    openssl('x509', '-req', '-in', at('csr'), '-CA', at('ca'), '-CAkey', at('ca.key'), '-days', '1',
      '-set_serial', String(BigInt(`0x${crypto.randomBytes(8).toString('hex')}`)),
      '-extfile', at('ext'), '-out', at('cert'));
    return { cert: fs.readFileSync(at('cert'), 'utf8'), key: fs.readFileSync(at('key'), 'utf8') };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** What every service must refuse with 401 and the code invalid_token. */
export function invalidToken(reply) {
  assert.equal(reply.status, 401, reply.text);
  assert.match(reply.headers['www-authenticate'],
    /^Bearer realm="fieldgrid", error="invalid_token", error_description="[^"\\]+"/);
}

// --- a grid with clients -----------------------------------------------------------

export const all = ['openid', 'profile', 'email', 'roles', 'offline_access', 'API'];

/** The form of a client_credentials request. */
export const cc = { grant_type: 'client_credentials' };

const run = process.pid;

/**
 * A grid with a client of each kind and a person who is logged in:
 * { grid, oidc (openid-client), oauth (oauth4webapi), app (confidential, code
 * flow), spa (public), machine (client_credentials), service (may introspect
 * everybody's tokens), person, cookie, signer (of tokens that the grid would not
 * make) } and what tests do with them.
 */
export async function openClients() {
  const grid = await openGrid(); // before openid-client: it makes webcrypto global
  const oidc = await import('openid-client');
  const oauth = await import('oauth4webapi');
  const app = new Client(grid, `o-app.${run}`, '--trusted',
    ...words('--grant', 'authorization_code', 'refresh_token', 'client_credentials'),
    ...words('--scope', ...all), '--redirect-uri', 'https://app.test/callback',
    '--logout-uri', 'https://app.test/bye');
  const spa = new Client(grid, `o-spa.${run}`, '--public', '--trusted',
    ...words('--grant', 'authorization_code', 'refresh_token'),
    ...words('--scope', ...all), '--redirect-uri', 'https://spa.test/cb', '--origin', 'https://spa.test');
  const machine = new Client(grid, `o-machine.${run}`, '--grant', 'client_credentials', '--scope', 'API');
  const service = new Client(grid, `o-service.${run}`, '--introspection');
  const person = grid.addUser(`o-person-${run}`, '--email', `o-person-${run}@grid.test`, '--full-name', 'Olga Person');
  grid.ctl('policy', 'grant', 'client', machine.id, 'ReadAll');
  const cookie = await grid.logIn(person);
  const signer = await foreignSigner(grid, jose);
  const epoch = (client) => Number(grid.sql(`SELECT epoch FROM client WHERE client_id = '${client.id}'`)[0][0]);
  return {
    grid, oidc, oauth, app, spa, machine, service, person, cookie, signer, epoch,
    api: (token, extra = {}) => grid.request('/api/v1/datasources', { token, ...extra }),
    userinfo: (token, extra = {}) => grid.request('/connect/userinfo', { token, ...extra }),
    async machineToken(client = machine) {
      const reply = await client.token(cc);
      assert.equal(reply.status, 200, reply.text);
      return reply.json.access_token;
    },
    /** Claims of an access token that the API takes; "extra" makes them wrong. */
    claims(extra = {}) {
      const now = Math.floor(Date.now() / 1000);
      return {
        iss: grid.url, token_use: 'access', iat: now, nbf: now, exp: now + 600, jti: crypto.randomUUID(),
        client_id: machine.id, client_epoch: epoch(machine), sub: machine.id, scope: 'API',
        aud: 'fieldgrid-api', ...extra,
      };
    },
    close() {
      signer.close();
      grid.close();
    },
  };
}
