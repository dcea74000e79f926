// upstream: OpenID providers for the tests, over https with an authority of
// their own.
//
//   const pki = makePki();                 // { ca, caFile, key, cert }
//   const azure = await openAzure(pki);    // npm's oidc-provider, as Azure AD
//   const crook = await openCrook(pki);    // does what it is told, also wrong
//
// Both have: issuer, clientId, clientSecret, close(), and visit(url), which
// does what a browser does between the two redirects and returns the address
// that leads back to the grid.

import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import * as jose from 'jose';

/** An authority and a certificate for localhost that it signed. */
export function makePki() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-upstream-'));
  const at = (name) => path.join(folder, name);
  const openssl = (...words) => execFileSync('openssl', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', at('ca.key'), '-out', at('ca.pem'), '-days', '2',
    '-subj', '/CN=Upstream CA');
  openssl('req', ...key, '-keyout', at('key.pem'), '-out', at('csr.pem'), '-subj', '/CN=localhost');
  fs.writeFileSync(at('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl('x509', '-req', '-in', at('csr.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'),
    '-CAcreateserial', '-days', '2', '-extfile', at('ext'), '-out', at('cert.pem'));
  const text = (name) => fs.readFileSync(at(name), 'utf8');
  return {
    folder, caFile: at('ca.pem'), ca: text('ca.pem'), key: text('key.pem'), cert: text('cert.pem'),
    /** A file that only we may read, as fieldgridctl wants it. */
    secretFile(secret) {
      fs.writeFileSync(at('secret'), `${secret}\n`, { mode: 0o600 });
      return at('secret');
    },
    remove() { fs.rmSync(folder, { recursive: true, force: true }); },
  };
}

/** One request; returns { status, headers, text }. Redirects are answers. */
export function ask(ca, url, { method = 'GET', form, cookie } = {}) {
  const body = form && new URLSearchParams(form).toString();
  return new Promise((resolve, reject) => {
    const request = https.request(url, {
      method, ca, agent: false, timeout: 20_000,
      headers: {
        ...(cookie && { cookie }),
        ...(body !== undefined && {
          'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body),
        }),
      },
    }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on('timeout', () => request.destroy(new Error(`${url}: no answer in time`)));
    request.on('error', reject).end(body);
  });
}

async function listen(pki, handler, port = 0) {
  const server = https.createServer({ key: pki.key, cert: pki.cert }, handler);
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return server;
}

function close(server) {
  server.closeAllConnections();
  return new Promise((resolve) => { server.close(resolve); });
}

// --- a good one --------------------------------------------------------------

export const TENANT = '8d1a4b0e-5a52-4c5f-9d27-0c1f4f5e2a11';

const loginPage = (uid) => `<!doctype html><html lang="en"><title>Sign in to your account</title>
<link rel="icon" href="data:,"><h1>Sign in</h1><form method="post" action="/interaction/${uid}">
<label>Account <input name="account" autofocus></label><button>Sign in</button></form>`;

function readForm(request) {
  return new Promise((resolve) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part) => { text += part; })
      .on('end', () => resolve(new URLSearchParams(text)));
  });
}

/**
 * npm's oidc-provider with the issuer path, the claims and the habits of Azure
 * AD. "people" maps what is typed at its sign-in page to claims; it may be
 * changed at any time. Its callbacks are registered with callback(url).
 */
export async function openAzure(pki) {
  const { default: Provider } = await import('oidc-provider');
  const prefix = `/${TENANT}/v2.0`;
  const people = new Map();
  let handle;
  const server = await listen(pki, (request, response) => handle(request, response));
  const base = `https://localhost:${server.address().port}`;
  const client = {
    client_id: 'fieldgrid', client_secret: crypto.randomBytes(24).toString('base64url'),
    redirect_uris: [`${base}/none`], token_endpoint_auth_method: 'client_secret_post',
  };
  const { privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const make = () => new Provider(`${base}${prefix}`, {
    clients: [client],
    jwks: { keys: [signingKey] },
    cookies: { keys: [crypto.randomBytes(16).toString('hex')] },
    conformIdTokenClaims: false,
    claims: {
      openid: ['sub', 'oid', 'tid', 'groups', 'amr', '_claim_names', '_claim_sources'],
      profile: ['name', 'preferred_username'], email: ['email'],
    },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    pkce: { methods: ['S256'], required: () => true },
    ttl: { Interaction: 600, Session: 600, Grant: 600, IdToken: 600, AccessToken: 600 },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, tid: TENANT, ...people.get(id) }) }),
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
  });
  const signingKey = { ...await jose.exportJWK(privateKey), alg: 'RS256', use: 'sig', kid: 'azure-1' };
  const silent = (fn) => { // it warns of the version of node
    const { warn, info } = console;
    Object.assign(console, { warn() {}, info() {} });
    try { return fn(); } finally { Object.assign(console, { warn, info }); }
  };
  let provider = silent(make);

  handle = async (request, response) => {
    const uid = /^\/interaction\/([\w-]+)$/.exec(request.url)?.[1];
    if (uid && request.method === 'GET') {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(loginPage(uid));
    } else if (uid) {
      const account = (await readForm(request)).get('account');
      const result = people.has(account)
        ? { login: { accountId: account, amr: people.get(account).amr } }
        : { error: 'access_denied', error_description: 'the user said no' };
      await provider.interactionFinished(request, response, result);
    } else if (request.url.startsWith(`${prefix}/`)) {
      request.originalUrl = request.url; // as when a framework mounts it
      request.url = request.url.slice(prefix.length);
      provider.callback()(request, response);
    } else {
      response.writeHead(404).end();
    }
  };

  return {
    issuer: `${base}${prefix}`, base, people, clientId: client.client_id, clientSecret: client.client_secret,
    /** Register where it may lead back to. */
    callback(url) {
      client.redirect_uris = [...client.redirect_uris, url];
      provider = silent(make);
    },
    async visit(url, account) {
      const jar = new Map();
      let next = url;
      let form;
      for (let step = 0; step < 10; step++) {
        const reply = await ask(pki.ca, next, {
          method: form ? 'POST' : 'GET', form, cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') });
        for (const line of reply.headers['set-cookie'] ?? []) {
          const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
          jar.set(name, value);
        }
        form = undefined;
        if (reply.status === 200) {
          form = { account };
        } else {
          if (!reply.headers.location) throw new Error(`upstream: ${reply.status} ${reply.text.slice(0, 400)}`);
          next = new URL(reply.headers.location, next).href;
          if (!next.startsWith(base)) return next;
        }
      }
      throw new Error('upstream: it leads in circles');
    },
    close: () => close(server),
  };
}

// --- one that misbehaves -----------------------------------------------------

/**
 * A provider that does what "does" says. Every test sets what it wants wrong:
 *   metadata(document), keys(set)      change what is published
 *   claims(claims), header(header)     change the ID token
 *   sign(token, crook)                 make the ID token itself
 *   answer(reply)                      change the token endpoint's answer
 *   back(params)                       change the answer to the browser
 *   serve(request, response, name)     true: it has answered all by itself
 * "seen" counts requests by name: discovery, keys, authorize, token.
 */
export async function openCrook(pki, { path: prefix = '/crook', port = 0 } = {}) {
  const crook = {
    does: {}, seen: {}, forms: [], clientId: 'fieldgrid', clientSecret: crypto.randomBytes(24).toString('base64url'),
    ...await jose.generateKeyPair('RS256', { extractable: true }), alg: 'RS256', kid: 'crook-1', codes: new Map(),
  };

  crook.publicJwk = async () => ({
    ...await jose.exportJWK(crook.publicKey), alg: crook.alg, use: 'sig', kid: crook.kid });

  const metadata = () => ({
    issuer: crook.issuer,
    authorization_endpoint: `${crook.issuer}/authorize`,
    token_endpoint: `${crook.issuer}/token`,
    jwks_uri: `${crook.issuer}/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    authorization_response_iss_parameter_supported: true,
  });

  const idToken = async (nonce, accessToken) => {
    const now = Math.floor(Date.now() / 1000);
    let claims = {
      iss: crook.issuer, aud: crook.clientId, sub: 'crook-user', nonce, iat: now, nbf: now, exp: now + 300,
      name: 'Carl Crook', preferred_username: 'carl', email: 'carl@crook.test',
      at_hash: crypto.createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url'),
    };
    let header = { alg: crook.alg, typ: 'JWT', kid: crook.kid };
    claims = crook.does.claims?.(claims) ?? claims;
    header = crook.does.header?.(header) ?? header;
    if (crook.does.sign) return crook.does.sign({ header, claims }, crook);
    return new jose.SignJWT(claims).setProtectedHeader(header).sign(crook.privateKey);
  };

  const json = (response, body, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  const endpoints = {
    async discovery(_, response) { json(response, crook.does.metadata?.(metadata()) ?? metadata()); },
    async keys(_, response) {
      const set = { keys: [await crook.publicJwk()] };
      json(response, await crook.does.keys?.(set) ?? set);
    },
    async authorize(request, response) {
      const asked = new URL(request.url, crook.issuer).searchParams;
      const code = crypto.randomBytes(16).toString('base64url');
      let params = { code, state: asked.get('state'), iss: crook.issuer };
      crook.codes.set(code, Object.fromEntries(asked));
      params = crook.does.back?.(params) ?? params;
      response.writeHead(302, { location: `${asked.get('redirect_uri')}?${new URLSearchParams(params)}` });
      response.end();
    },
    async token(request, response) {
      const form = Object.fromEntries(await readForm(request));
      const asked = crook.codes.get(form.code);
      crook.forms.push({ ...form, authorization: request.headers.authorization });
      crook.codes.delete(form.code);
      const challenge = crypto.createHash('sha256').update(form.code_verifier ?? '').digest('base64url');
      if (!asked || challenge !== asked.code_challenge || form.redirect_uri !== asked.redirect_uri)
        return json(response, { error: 'invalid_grant', error_description: 'not this\ncode' }, 400);
      const reply = { access_token: crypto.randomBytes(16).toString('base64url'), token_type: 'Bearer', expires_in: 300 };
      reply.id_token = await idToken(asked.nonce, reply.access_token);
      return json(response, crook.does.answer?.(reply) ?? reply);
    },
  };
  const names = {
    [`${prefix}/.well-known/openid-configuration`]: 'discovery', [`${prefix}/keys`]: 'keys',
    [`${prefix}/authorize`]: 'authorize', [`${prefix}/token`]: 'token',
  };

  const serve = async (request, response) => {
    const name = names[new URL(request.url, 'https://x').pathname];
    if (!name) return response.writeHead(404).end();
    crook.seen[name] = (crook.seen[name] ?? 0) + 1;
    if (crook.does.serve?.(request, response, name)) return undefined;
    return endpoints[name](request, response).catch((error) => response.writeHead(500).end(String(error)));
  };
  let server = await listen(pki, serve, port);
  crook.port = server.address().port;
  crook.issuer = `https://localhost:${crook.port}${prefix}`;

  crook.visit = async (url) => {
    const reply = await ask(pki.ca, url);
    if (reply.status !== 302) throw new Error(`upstream: ${reply.status} ${reply.text}`);
    return reply.headers.location;
  };
  crook.behave = () => { crook.does = {}; crook.seen = {}; crook.forms = []; };
  crook.down = () => close(server);
  crook.up = async () => { server = await listen(pki, serve, crook.port); };
  crook.close = () => close(server);
  return crook;
}
