// A single-page application of another origin, as browsers allow it: npm's
// oidc-client-ts through a fetch that keeps the rules of CORS.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openGrid } from '../support/grid.mjs';

const origin = 'https://spa.test';
const run = process.pid;
const id = `oidc-spa-${run}`;
let grid; // before the library: it makes the grid's webcrypto global
let library;
let person;
let session;
let preflights;

before(async () => {
  grid = await openGrid();
  library = await import('oidc-client-ts');
  person = grid.addUser(`spa-${run}`, '--email', `spa-${run}@grid.test`, '--full-name', 'Sara Page');
  session = await grid.logIn(person);
  grid.ctl('client', 'add', id, '--public', '--trusted', '--grant', 'authorization_code', '--grant', 'refresh_token',
    ...['openid', 'profile', 'email', 'offline_access', 'API'].flatMap((scope) => ['--scope', scope]),
    '--redirect-uri', `${origin}/callback`, '--logout-uri', `${origin}/bye`, '--origin', origin);
});
after(() => grid?.close());

// --- a browser's fetch -----------------------------------------------------------

const SIMPLE = ['accept', 'accept-language', 'content-language'];
const SIMPLE_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'];
const EXPOSED = ['cache-control', 'content-language', 'content-length', 'content-type', 'expires', 'last-modified', 'pragma'];

const list = (text) => (text ?? '').toLowerCase().split(',').map((word) => word.trim()).filter(Boolean);

function isSimple(name, value) {
  return SIMPLE.includes(name) || (name === 'content-type' && SIMPLE_TYPES.includes(value.split(';')[0]));
}

/** fetch as a page of "from" has it: no cookies, and the rules of CORS (Fetch, 3.2). */
function pageFetch(from) {
  const allowed = (reply) => ['*', from].includes(reply.headers['access-control-allow-origin']);
  return async (url, { method = 'GET', headers = {}, body } = {}) => {
    const sent = Object.fromEntries([...new Headers(headers)].map(([name, value]) => [name.toLowerCase(), value]));
    if (body && !sent['content-type']) sent['content-type'] = 'application/x-www-form-urlencoded';
    const special = Object.entries(sent).filter(([name, value]) => !isSimple(name, value)).map(([name]) => name).sort();
    if (special.length > 0 || !['GET', 'HEAD', 'POST'].includes(method)) {
      const asked = await grid.request(String(url), { method: 'OPTIONS', headers: {
        origin: from, 'access-control-request-method': method, 'access-control-request-headers': special.join(',') } });
      preflights.push({ url: String(url), status: asked.status });
      const methods = list(asked.headers['access-control-allow-methods']);
      const names = list(asked.headers['access-control-allow-headers']);
      if (asked.status < 200 || asked.status > 299 || !allowed(asked) ||
        (!['GET', 'HEAD', 'POST'].includes(method) && !methods.includes(method.toLowerCase())) ||
        !special.every((name) => names.includes(name)))
        throw new TypeError(`Failed to fetch (preflight of ${url})`);
    }
    const reply = await grid.request(String(url), {
      method, headers: { ...sent, origin: from, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }, body: body?.toString() });
    if (!allowed(reply)) throw new TypeError(`Failed to fetch (${url})`);
    const visible = [...EXPOSED, ...list(reply.headers['access-control-expose-headers'])];
    return new Response([204, 303].includes(reply.status) ? null : reply.body, {
      status: reply.status,
      headers: Object.entries(reply.headers).filter(([name]) => visible.includes(name)).map(([name, value]) => [name, String(value)]),
    });
  };
}

/** Run "fn" as a page of "from". */
async function onPage(from, fn) {
  const { fetch } = globalThis;
  globalThis.fetch = pageFetch(from);
  preflights = [];
  try { return await fn(); } finally { globalThis.fetch = fetch; }
}

function settings(extra = {}) {
  return {
    authority: grid.url, client_id: id, redirect_uri: `${origin}/callback`, post_logout_redirect_uri: `${origin}/bye`,
    scope: 'openid profile email offline_access API', loadUserInfo: true, disablePKCE: false,
    stateStore: new library.WebStorageStateStore({ store: new library.InMemoryWebStorage() }), ...extra,
  };
}

/** The way to the login and back, which is navigation and no fetch. */
async function logIn(client, extra = {}) {
  const { url } = await client.createSigninRequest(extra);
  const reply = await grid.request(url, { cookie: session });
  assert.equal(reply.status, 303, reply.text);
  return client.processSigninResponse(reply.headers.location);
}

// --- tests ---------------------------------------------------------------------------

test('oidc-client-ts logs in, knows who it is, refreshes, revokes and logs out', () => onPage(origin, async () => {
  const client = new library.OidcClient(settings());
  const first = await logIn(client, { nonce: 'n-0S6_WzA2Mj' });
  assert.equal(first.profile.name, 'Sara Page');
  assert.equal(first.profile.preferred_username, person.name);
  assert.equal(first.token_type, 'Bearer');
  assert.ok(first.expires_in > 3000 && first.expires_in <= 3600);
  assert.ok(first.scope.split(' ').includes('API'));
  // Only userinfo carries a header that needs to be asked for.
  assert.deepEqual(preflights, [{ url: `${grid.url}/connect/userinfo`, status: 204 }]);

  const second = await client.useRefreshToken({ state: first });
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(second.profile.sub ?? first.profile.sub, first.profile.sub);
  await assert.rejects(client.useRefreshToken({ state: first }),
    (error) => error instanceof library.ErrorResponse && error.error === 'invalid_grant');

  const third = await logIn(client);
  await client.revokeToken(third.refresh_token, 'refresh_token');
  await assert.rejects(client.useRefreshToken({ state: third }), { error: 'invalid_grant' });
  const info = await globalThis.fetch(`${grid.url}/connect/userinfo`, { headers: { Authorization: `Bearer ${third.access_token}` } });
  assert.equal(info.status, 401);
  assert.match(info.headers.get('www-authenticate'), /invalid_token/); // it is exposed

  const { url } = await client.createSignoutRequest({ id_token_hint: third.id_token, state: 'bye' });
  const bye = await grid.request(url, { cookie: session });
  const { userState } = await client.processSignoutResponse(bye.headers.location);
  assert.equal(userState, 'bye');
  session = await grid.logIn(person);
}));

test('asvs 3.4.2: a page of another origin reads public documents and nothing else', () => onPage('https://evil.test', async () => {
  const { fetch } = globalThis;
  for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration/jwks']) {
    const reply = await fetch(grid.url + path);
    assert.equal(reply.status, 200);
    assert.match(reply.headers.get('cache-control'), /public, max-age=\d+/);
  }
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: id, refresh_token: 'x' });
  for (const path of ['/connect/token', '/connect/revocation'])
    await assert.rejects(fetch(grid.url + path, { method: 'POST', body }), TypeError, path);
  await assert.rejects(fetch(`${grid.url}/connect/userinfo`, { headers: { Authorization: 'Bearer x' } }), TypeError);
  for (const path of ['/connect/introspect', '/connect/endsession', '/connect/authorize?client_id=x', '/login', '/account', '/api/v1/admin/users'])
    await assert.rejects(fetch(grid.url + path), TypeError, path);
  const client = new library.OidcClient(settings());
  await assert.rejects(logIn(client), TypeError); // the code is of no use to it
}));

test('a page of the right origin never gets an answer with cookies', () => onPage(origin, async () => {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: id, refresh_token: 'x' }).toString();
  const reply = await grid.request('/connect/token', { method: 'POST', body, cookie: session,
    headers: { origin, 'content-type': 'application/x-www-form-urlencoded' } });
  assert.equal(reply.headers['access-control-allow-origin'], origin);
  assert.equal(reply.headers['access-control-allow-credentials'], undefined);
  assert.match(reply.headers.vary, /origin/i);
  assert.equal(reply.headers['set-cookie'], undefined);
}));

test('the library notices what it is told wrong: state, nonce, a denied or expired answer', () => onPage(origin, async () => {
  const client = new library.OidcClient(settings());
  const { url } = await client.createSigninRequest({});
  const back = new URL((await grid.request(url, { cookie: session })).headers.location);
  const bent = new URL(back);
  bent.searchParams.set('state', 'other');
  await assert.rejects(client.processSigninResponse(bent.href), /No matching state/);
  assert.equal((await client.processSigninResponse(back.href)).profile.preferred_username, person.name);
  const silent = await client.createSigninRequest({ prompt: 'none' });
  const nobody = await grid.request(silent.url);
  await assert.rejects(client.processSigninResponse(nobody.headers.location),
    (error) => error instanceof library.ErrorResponse && error.error === 'login_required');
  const asked = await client.createSigninRequest({ scope: 'openid hub' });
  const refused = await grid.request(asked.url, { cookie: session });
  await assert.rejects(client.processSigninResponse(refused.headers.location), { error: 'invalid_scope' });
}));
