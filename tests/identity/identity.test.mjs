// The identity service, used by real OAuth clients and abused by hand.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import * as jose from 'jose';
import { cookies, openGrid, sleep, until } from '../support/grid.mjs';
import {
  foreignSigner, gridFetch, pkce, refused, words,
} from '../support/oauth.mjs';

let grid; // before openid-client: it makes the grid's webcrypto global
let oidc;
let oauth;
let app; // a confidential client for the code flow
let spa; // a public one
const back = 'https://app.test/callback';
const origin = 'https://spa.test';
const run = process.pid;
const person = { name: `person-${run}` };

function secretOf(text) { return /client_secret: (\S+)/.exec(text)[1]; }

before(async () => {
  grid = await openGrid();
  oidc = await import('openid-client');
  oauth = await import('oauth4webapi');
  app = { id: `app.${run}` };
  app.secret = secretOf(grid.ctl('client', 'add', app.id, '--trusted',
    ...words('--grant', 'authorization_code', 'refresh_token', 'client_credentials'),
    ...words('--scope', 'openid', 'profile', 'email', 'offline_access', 'API'),
    '--redirect-uri', back, '--logout-uri', 'https://app.test/bye'));
  spa = { id: `spa.${run}` };
  grid.ctl('client', 'add', spa.id, '--public', '--trusted',
    ...words('--grant', 'authorization_code', 'refresh_token'),
    ...words('--scope', 'openid', 'offline_access', 'API'),
    '--redirect-uri', 'http://127.0.0.1/cb', '--origin', origin);
  addUser(person);
});
after(() => grid?.close());

function addUser(user) {
  user.password = grid.addUser(user.name, '--email', `${user.name}@grid.test`).password;
}

// --- helpers ---------------------------------------------------------------------

function discover(client, authentication) {
  return oidc.discovery(new URL(grid.url), client.id, client.secret, authentication,
    { [oidc.customFetch]: gridFetch(grid) });
}

function authorizePath(params) { return `/connect/authorize?${new URLSearchParams(params)}`; }

function wish(extra = {}) {
  return {
    client_id: app.id, redirect_uri: back, response_type: 'code', scope: 'openid API',
    state: 's1', code_challenge: pkce().challenge, code_challenge_method: 'S256', ...extra,
  };
}

/** Parameters that an authorization request answers with. */
async function authorize(params, cookie) {
  const reply = await grid.request(authorizePath(params), { cookie });
  assert.equal(reply.status, 303, reply.text);
  return new URL(reply.headers.location, grid.url).searchParams;
}

/** A code for the app, with its verifier. */
async function getCode(cookie, extra = {}) {
  const { verifier, challenge } = pkce();
  const params = await authorize(wish({ code_challenge: challenge, ...extra }), cookie);
  assert.ok(params.get('code'), String(params));
  return { code: params.get('code'), verifier };
}

function token(form, client = app, extra = {}) {
  return grid.request('/connect/token', {
    form: { client_id: client.id, ...(client.secret && { client_secret: client.secret }), ...form },
    ...extra,
  });
}

function exchange({ code, verifier }, extra = {}) {
  return token({
    grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: back, ...extra,
  });
}

async function tokensOf(cookie, extra = {}) {
  const reply = await exchange(await getCode(cookie, extra));
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

function userinfo(accessToken) {
  return grid.request('/connect/userinfo', { token: accessToken });
}

async function loginForm() {
  const page = await grid.request('/login');
  return { cookie: cookies(page), csrf: /name="csrf" value="([^"]+)"/.exec(page.text)[1] };
}

async function tryLogin({ name, password }, { form, headers, next = '/', cookie, from } = {}) {
  const { csrf, ...prepared } = form ?? await loginForm();
  return grid.request('/login', {
    form: { csrf, name, password, next },
    cookie: cookie ?? prepared.cookie,
    headers: { 'sec-fetch-site': 'same-origin', ...headers },
    localAddress: from,
  });
}

// Guessers have addresses of their own, so that they slow down nobody else.
const guesser = '127.0.0.21';
const other = '127.0.0.22';

function forgetFailures() {
  grid.sql(`DELETE FROM login_failure WHERE subject LIKE 'account:%'
    OR subject LIKE '%${guesser}' OR subject LIKE '%${other}'`);
}

// --- real clients -------------------------------------------------------------------

test('openid-client runs the code flow, refreshes, asks who it is and logs out', async () => {
  const config = await discover(app);
  const cookie = await grid.logIn(person);
  const { verifier, challenge } = pkce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: back, scope: 'openid profile email offline_access API', state: 'x y&z',
    nonce: 'n-1', code_challenge: challenge, code_challenge_method: 'S256',
  });
  const reply = await grid.request(url.href, { cookie });
  const first = await oidc.authorizationCodeGrant(config, new URL(reply.headers.location),
    { pkceCodeVerifier: verifier, expectedState: 'x y&z', expectedNonce: 'n-1' });
  const claims = first.claims();
  assert.equal(claims.preferred_username, person.name);
  assert.equal(claims.email, `${person.name}@grid.test`);
  const who = await oidc.fetchUserInfo(config, first.access_token, claims.sub);
  assert.equal(who.sub, claims.sub);
  const second = await oidc.refreshTokenGrant(config, first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  const bye = await grid.request(oidc.buildEndSessionUrl(config, {
    id_token_hint: second.id_token ?? first.id_token,
    post_logout_redirect_uri: 'https://app.test/bye', state: 'end',
  }).href, { cookie });
  assert.equal(bye.headers.location, 'https://app.test/bye?state=end');
  assert.equal((await userinfo(second.access_token)).status, 401);
  await assert.rejects(oidc.refreshTokenGrant(config, second.refresh_token), { error: 'invalid_grant' });
});

test('oauth4webapi, which forgives nothing, accepts every answer', async () => {
  const options = { [oauth.customFetch]: gridFetch(grid) };
  const issuer = new URL(grid.url);
  const server = await oauth.processDiscoveryResponse(issuer,
    await oauth.discoveryRequest(issuer, { ...options, algorithm: 'oauth2' }));
  const client = { client_id: app.id };
  const basic = oauth.ClientSecretBasic(app.secret);
  const { verifier, challenge } = pkce();
  const reply = await grid.request(authorizePath(wish({ code_challenge: challenge, nonce: 'n-2' })),
    { cookie: await grid.logIn(person) });
  const callback = new URL(reply.headers.location);
  assert.throws(() => oauth.validateAuthResponse(server, client, callback, 'other'));
  const params = oauth.validateAuthResponse(server, client, callback, 's1');
  const tokens = await oauth.processAuthorizationCodeResponse(server, client,
    await oauth.authorizationCodeGrantRequest(server, client, basic, params, back, verifier, options),
    { expectedNonce: 'n-2', requireIdToken: true });
  const { sub } = oauth.getValidatedIdTokenClaims(tokens);
  const who = await oauth.processUserInfoResponse(server, client, sub,
    await oauth.userInfoRequest(server, client, tokens.access_token, options));
  assert.equal(who.sub, sub);
  const again = await oauth.authorizationCodeGrantRequest(
    server, client, basic, params, back, verifier, options);
  await assert.rejects(oauth.processAuthorizationCodeResponse(server, client, again),
    { error: 'invalid_grant', status: 400 });
  const wrong = await oauth.clientCredentialsGrantRequest(
    server, client, oauth.ClientSecretBasic('wrong'), {}, options);
  await assert.rejects(oauth.processClientCredentialsResponse(server, client, wrong), (error) => {
    const [{ scheme, parameters }] = error.cause;
    return scheme === 'basic' && parameters.realm === 'fieldgrid';
  });
});

test('the keys verify what was signed, in another implementation too', async () => {
  const cookie = await grid.logIn(person);
  const { id_token: idToken, access_token: access } = await tokensOf(cookie);
  const keys = jose.createLocalJWKSet(
    (await grid.request('/.well-known/openid-configuration/jwks')).json);
  const { payload } = await jose.jwtVerify(idToken, keys, { issuer: grid.url, audience: app.id });
  assert.equal(payload.token_use, 'id');
  assert.equal(payload.at_hash,
    crypto.createHash('sha256').update(access).digest().subarray(0, 16).toString('base64url'));
  const { kid, ...key } = (await grid.request('/.well-known/openid-configuration/jwks')).json.keys[0];
  assert.equal(kid, await jose.calculateJwkThumbprint(key));
  assert.deepEqual(Object.keys(key).filter((name) => 'dpq'.includes(name)), []);
});

test('a public client needs no secret, any loopback port, and its own origin', async () => {
  const cookie = await grid.logIn(person);
  const config = await discover(spa, oidc.None());
  const { verifier, challenge } = pkce();
  const reply = await grid.request(authorizePath({
    client_id: spa.id, redirect_uri: 'http://127.0.0.1:49152/cb', response_type: 'code',
    scope: 'openid offline_access API', code_challenge: challenge, code_challenge_method: 'S256',
  }), { cookie });
  const tokens = await oidc.authorizationCodeGrant(config, new URL(reply.headers.location),
    { pkceCodeVerifier: verifier });
  assert.ok((await oidc.refreshTokenGrant(config, tokens.refresh_token)).access_token);
  for (const [from, allowed] of [[origin, origin], ['https://evil.test', undefined]]) {
    const preflight = await grid.request('/connect/token',
      { method: 'OPTIONS', headers: { origin: from } });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers['access-control-allow-origin'], allowed);
  }
  refused(await token({ grant_type: 'client_credentials' }, spa), 'unauthorized_client');
  refused(await token({ grant_type: 'refresh_token', refresh_token: 'x', client_secret: 'y' }, spa),
    'invalid_client', 401);
});

test('a client of the original product: no PKCE, Basic or form, all its scopes', async () => {
  const old = { id: `grafana ${run}`.replace(' ', '-') };
  old.secret = secretOf(grid.ctl('client', 'add', old.id, '--no-pkce', '--trusted',
    ...words('--grant', 'authorization_code', 'refresh_token'),
    ...words('--scope', 'API', 'openid', 'profile', 'email', 'offline_access'),
    '--redirect-uri', 'https://g.test:3000/login/generic_oauth'));
  const cookie = await grid.logIn(person);
  const params = {
    client_id: old.id, redirect_uri: 'https://g.test:3000/login/generic_oauth',
    response_type: 'code', scope: 'API openid profile email offline_access', state: 's',
  };
  const bring = async (extra, headers) => grid.request('/identity-service/connect/token', {
    form: {
      grant_type: 'authorization_code', redirect_uri: params.redirect_uri,
      code: (await authorize(params, cookie)).get('code'), ...extra,
    }, headers,
  });
  const basic = Buffer.from(`${old.id}:${old.secret}`).toString('base64');
  const byBasic = await bring({}, { authorization: `Basic ${basic}` });
  assert.equal(byBasic.status, 200, byBasic.text);
  assert.equal(jose.decodeJwt(byBasic.json.id_token).email, `${person.name}@grid.test`);
  const secret = { client_id: old.id, client_secret: old.secret };
  assert.equal((await bring(secret)).status, 200);
  refused(await bring({ ...secret, code_verifier: pkce().verifier }), 'invalid_grant');
  const downgraded = await authorize({ ...params, code_challenge: pkce().challenge }, cookie);
  assert.equal(downgraded.get('error'), 'invalid_request');
});

test('client_credentials by form and by Basic with form-encoded halves', async () => {
  const byForm = await token({ grant_type: 'client_credentials', scope: 'API' });
  assert.equal(byForm.status, 200, byForm.text);
  assert.equal(byForm.json.token_type, 'Bearer');
  assert.equal(byForm.json.expires_in, 3600);
  assert.equal(byForm.json.scope, 'API');
  assert.equal(byForm.json.refresh_token, undefined);
  assert.match(byForm.headers['content-type'], /^application\/json/);
  assert.equal(byForm.headers.pragma, 'no-cache');
  const config = await discover(app, oidc.ClientSecretBasic(app.secret));
  assert.ok((await oidc.clientCredentialsGrant(config, { scope: 'API' })).access_token);
  const api = await grid.request('/api/v1/datasources', { token: byForm.json.access_token });
  assert.notEqual(api.status, 401);
});

test('both discovery documents are the same and name what is there', async () => {
  const oidcDocument = await grid.request('/.well-known/openid-configuration');
  const oauthDocument = await grid.request('/.well-known/oauth-authorization-server');
  assert.deepEqual(oidcDocument.json, oauthDocument.json);
  assert.equal(oidcDocument.json.issuer, grid.url);
  assert.equal(oidcDocument.headers['access-control-allow-origin'], '*');
  const alias = await grid.request(`${grid.identityUrl}/identity-service/.well-known/openid-configuration`);
  assert.equal(alias.json.issuer, grid.url);
  for (const [name, address] of Object.entries(oidcDocument.json))
    if (/_endpoint$|_uri$/.test(name))
      assert.notEqual((await grid.request(address)).status, 404, address);
});

// --- the token endpoint refuses -------------------------------------------------------

test('a code works once; the second use kills what the first one got', async () => {
  const cookie = await grid.logIn(person);
  const code = await getCode(cookie, { scope: 'openid offline_access API' });
  const first = await exchange(code);
  assert.equal(first.status, 200, first.text);
  assert.equal((await userinfo(first.json.access_token)).status, 200);
  refused(await exchange(code), 'invalid_grant');
  // A token is looked up at most once a second.
  await until(async () => (await userinfo(first.json.access_token)).status === 401, { what: 'its end' });
  refused(await token({ grant_type: 'refresh_token', refresh_token: first.json.refresh_token }),
    'invalid_grant');
});

test('a code is bound to verifier, redirect address, client and session', async () => {
  const cookie = await grid.logIn(person);
  const wrong = [
    { code_verifier: pkce().verifier },
    { code_verifier: '' },
    { code_verifier: 'short' },
    { redirect_uri: `${back}/` },
    { redirect_uri: '' },
    { client_id: spa.id, client_secret: '' },
  ];
  for (const extra of wrong)
    refused(await exchange(await getCode(cookie), extra), 'invalid_grant');
  refused(await exchange({ code: 'guess', verifier: pkce().verifier }), 'invalid_grant');
  const code = await getCode(cookie);
  grid.sql(`DELETE FROM session USING account
    WHERE account.id = account_id AND name = '${person.name}'`);
  refused(await exchange(code), 'invalid_grant');
});

test('of many who bring a code at once, one gets tokens', async () => {
  const code = await getCode(await grid.logIn(person));
  const replies = await Promise.all(Array.from({ length: 8 }, () => exchange(code)));
  const worked = replies.filter((reply) => reply.status === 200);
  assert.equal(worked.length, 1);
  replies.filter((reply) => reply.status !== 200).forEach((reply) => refused(reply, 'invalid_grant'));
});

test('an expired code is refused', async () => {
  const cookie = await grid.logIn(person);
  const code = await getCode(cookie);
  grid.sql("UPDATE authorization_code SET expires_at = now() - interval '1 s' WHERE used_at IS NULL");
  refused(await exchange(code), 'invalid_grant');
});

test('a refresh token that comes twice ends its whole family', async () => {
  const cookie = await grid.logIn(person);
  const first = await tokensOf(cookie, { scope: 'openid offline_access API' });
  const renew = (refresh, extra) => token({ grant_type: 'refresh_token', refresh_token: refresh, ...extra });
  refused(await renew(first.refresh_token, { scope: 'openid profile' }), 'invalid_scope');
  const second = (await renew(first.refresh_token, { scope: 'API' })).json;
  assert.equal(second.scope, 'API');
  const third = (await renew(second.refresh_token)).json;
  assert.match(third.scope, /openid/);
  refused(await renew(first.refresh_token), 'invalid_grant');
  refused(await renew(third.refresh_token), 'invalid_grant');
  await until(async () => (await userinfo(third.access_token)).status === 401, { what: 'its end' });
  refused(await renew(third.refresh_token, { client_id: spa.id, client_secret: '' }), 'invalid_grant');
});

test('malformed token requests have the errors of RFC 6749', async () => {
  const cc = { grant_type: 'client_credentials' };
  const basic = (text) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
  refused(await token({}), 'invalid_request');
  refused(await token({ grant_type: 'password' }), 'unsupported_grant_type');
  refused(await token({ ...cc, scope: 'API root' }), 'invalid_scope');
  refused(await token({ ...cc, scope: 'openid' }), 'invalid_scope');
  assert.equal((await token(cc)).json.scope, 'API');
  refused(await token({ ...cc, client_secret: 'wrong' }), 'invalid_client', 401);
  refused(await token(cc, { id: 'nobody', secret: 'x' }), 'invalid_client', 401);
  refused(await token(cc, { id: app.id }), 'invalid_client', 401);
  const doubled = await grid.request('/connect/token', {
    body: `grant_type=client_credentials&grant_type=client_credentials&client_id=${app.id}&client_secret=${app.secret}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  refused(doubled, 'invalid_request');
  refused(await token(cc, app, { headers: basic(`${app.id}:${app.secret}`) }), 'invalid_request');
  const challenge = await grid.request('/connect/token', { form: cc, headers: basic(`${app.id}:no`) });
  refused(challenge, 'invalid_client', 401);
  assert.match(challenge.headers['www-authenticate'], /^Basic realm=/);
  refused(await grid.request('/connect/token', { body: cc }), 'invalid_request');
  const got = await grid.request('/connect/token');
  assert.equal(got.status, 405);
  assert.match(got.headers.allow, /POST/);
});

// --- the authorization endpoint ----------------------------------------------------------

test('asvs 10.4.1, 3.7.2: a wrong client or redirect address is never redirected to', async () => {
  const cookie = await grid.logIn(person);
  const wrong = [
    { client_id: 'nobody' },
    { client_id: '' },
    { redirect_uri: `${back}/` },
    { redirect_uri: back.toUpperCase() },
    { redirect_uri: `${back}?x=1` },
    { redirect_uri: 'https://app.test:444/callback' },
    { redirect_uri: 'https://evil.test/callback' },
  ];
  for (const extra of wrong) {
    const reply = await grid.request(authorizePath(wish(extra)), { cookie });
    assert.equal(reply.status, 400, JSON.stringify(extra));
    assert.equal(reply.headers.location, undefined);
    assert.match(reply.headers['content-type'], /^text\/html/);
  }
});

test('other mistakes go back to the client, with state and issuer', async () => {
  const cookie = await grid.logIn(person);
  const rows = [
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_type: '' }, 'invalid_request'],
    [{ scope: 'openid root' }, 'invalid_scope'],
    [{ scope: '' }, 'invalid_scope'],
    [{ code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge_method: '' }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
    [{ request: 'x' }, 'request_not_supported'],
    [{ request_uri: 'https://evil.test/' }, 'request_uri_not_supported'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ max_age: 'soon' }, 'invalid_request'],
    [{ response_mode: 'fragment' }, 'invalid_request'],
    [{ id_token_hint: 'x.y.z' }, 'invalid_request'],
  ];
  for (const [extra, error] of rows) {
    const params = await authorize(wish(extra), cookie);
    assert.equal(params.get('error'), error, JSON.stringify(extra));
    assert.equal(params.get('state'), 's1');
    assert.equal(params.get('iss'), grid.url);
  }
});

test('who is not logged in logs in first; prompt=none says so instead', async () => {
  const silent = await authorize(wish({ prompt: 'none' }));
  assert.equal(silent.get('error'), 'login_required');
  const reply = await grid.request(authorizePath(wish({ login_hint: 'alice' })));
  const login = new URL(reply.headers.location, grid.url);
  assert.equal(login.pathname, '/login');
  assert.equal(login.searchParams.get('name'), 'alice');
  const entered = await tryLogin(person, { next: login.searchParams.get('next') });
  assert.equal(entered.status, 200); // a page: form-action forbids the redirect
  const next = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(entered.text)[1].replaceAll('&amp;', '&');
  const last = await grid.request(next, { cookie: cookies(entered) });
  assert.match(last.headers.location, /^https:\/\/app\.test\/callback\?code=/);
});

test('prompt=login and max_age ask again, and only once', async () => {
  const cookie = await grid.logIn(person);
  for (const extra of [{ prompt: 'login' }, { max_age: '0' }]) {
    const reply = await grid.request(authorizePath(wish(extra)), { cookie });
    const login = new URL(reply.headers.location, grid.url);
    assert.equal(login.pathname, '/login');
    assert.equal((await grid.request(login.pathname + login.search, { cookie })).status, 200);
    const next = await grid.request(login.searchParams.get('next'), { cookie });
    assert.match(next.headers.location, /code=/);
  }
  const posted = await grid.request('/connect/authorize', { form: wish(), cookie });
  assert.match(posted.headers.location, /code=/);
});

// --- tokens at the API ---------------------------------------------------------------------

test('an ID token, a foreign audience and forged tokens are refused', async () => {
  const cookie = await grid.logIn(person);
  const { id_token: idToken, access_token: access } = await tokensOf(cookie);
  const [head, body, signature] = access.split('.');
  const kid = JSON.parse(Buffer.from(head, 'base64url')).kid;
  const [jwk] = (await grid.request('/.well-known/openid-configuration/jwks')).json.keys;
  const pem = crypto.createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const header = (members) => Buffer.from(JSON.stringify({ typ: 'JWT', kid, ...members })).toString('base64url');
  const mac = `${header({ alg: 'HS256' })}.${body}`;
  const { privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  const own = `${header({ alg: 'RS256' })}.${body}`;
  const forged = {
    idToken,
    none: `${header({ alg: 'none' })}.${body}.`,
    stripped: `${head}.${body}.`,
    hmac: `${mac}.${crypto.createHmac('sha256', pem).update(mac).digest('base64url')}`,
    ownKey: `${own}.${crypto.sign('sha256', Buffer.from(own), privateKey).toString('base64url')}`,
    jku: `${header({ alg: 'RS256', jku: 'https://127.0.0.1:1/' })}.${body}.${signature}`,
    kid: `${header({ alg: 'RS256', kid: '../../etc/passwd' })}.${body}.${signature}`,
    padded: `${access}==`,
    short: 'a.b',
    long: `${access}${'A'.repeat(5000)}`,
  };
  assert.equal((await userinfo(access)).status, 200);
  for (const [name, text] of Object.entries(forged)) {
    const reply = await userinfo(text);
    assert.equal(reply.status, 401, name);
    assert.match(reply.headers['www-authenticate'], /error="invalid_token"/, name);
  }
  const none = await grid.request('/connect/userinfo');
  assert.equal(none.status, 401);
  assert.equal(none.headers['www-authenticate'], 'Bearer realm="fieldgrid"');
  assert.equal((await grid.request(`/connect/userinfo?access_token=${access}`)).status, 401);
});

test('userinfo needs the scope openid and a user', async () => {
  const cookie = await grid.logIn(person);
  const { access_token: access } = await tokensOf(cookie, { scope: 'API' });
  const reply = await userinfo(access);
  assert.equal(reply.status, 403);
  assert.match(reply.headers['www-authenticate'], /error="insufficient_scope", scope="openid"/);
  const machine = (await token({ grant_type: 'client_credentials' , scope: 'API' })).json.access_token;
  assert.equal((await userinfo(machine)).status, 403);
  const openid = (await tokensOf(cookie, { scope: 'openid' })).access_token;
  const api = await grid.request('/api/v1/datasources', { token: openid });
  assert.equal(api.status, 403);
  assert.match(api.headers['www-authenticate'], /error="insufficient_scope"/);
});

test('disabling a user ends sessions and tokens', async () => {
  const victim = { name: `victim-${run}` };
  addUser(victim);
  const cookie = await grid.logIn(victim);
  const tokens = await tokensOf(cookie, { scope: 'openid offline_access API' });
  assert.equal((await userinfo(tokens.access_token)).status, 200);
  grid.ctl('user', 'disable', victim.name);
  await until(async () => (await userinfo(tokens.access_token)).status === 401, { what: 'its end' });
  refused(await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }), 'invalid_grant');
  assert.match((await authorize(wish({ prompt: 'none' }), cookie)).get('error'), /login_required/);
  assert.equal((await tryLogin(victim)).status, 401);
});

// --- nodes ------------------------------------------------------------------------------------

test("a node's token comes only over its own certificate, bound to it", async () => {
  const plant = '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1fff';
  const node = grid.enrol(`tok-a-${run}`, `${plant}:Plant ${run}`);
  const other = grid.enrol(`tok-b-${run}`, plant);
  try {
    const claims = jose.decodeJwt(await node.token());
    assert.equal(claims.aud, 'fieldgrid-hub');
    assert.equal(claims.cnf['x5t#S256'],
      crypto.createHash('sha256').update(new crypto.X509Certificate(node.cert).raw).digest('base64url'));
    const form = {
      grant_type: 'client_credentials', scope: 'hub',
      client_id: node.clientId, client_secret: node.clientSecret,
    };
    refused(await grid.request('/connect/token', { form }), 'invalid_client', 401);
    refused(await other.request('/connect/token', { form }), 'invalid_client', 401);
    const spoofed = { 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': encodeURIComponent(node.cert) };
    refused(await grid.request('/connect/token', { form, headers: spoofed }), 'invalid_client', 401);
    const stolen = await grid.request('/api/v1/datasources', { token: await node.token() });
    assert.equal(stolen.status, 401);
    grid.ctl('node', 'block', node.name);
    refused(await node.request('/connect/token', { form }), 'invalid_client', 401);
    await assert.rejects(node.token());
  } finally {
    node.close();
    other.close();
  }
});

// --- log in and out -----------------------------------------------------------------------------

test('the session cookie is strict and changes at every login', async () => {
  const planted = `__Host-gridsid=${crypto.randomBytes(32).toString('base64url')}`;
  const form = await loginForm();
  const first = await tryLogin(person, { form, cookie: `${form.cookie}; ${planted}` });
  assert.equal(first.status, 303);
  const line = first.headers['set-cookie'].find((text) => text.startsWith('__Host-gridsid='));
  for (const word of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/'])
    assert.match(line, new RegExp(`; ${word}(;|$)`));
  assert.doesNotMatch(line, /Domain/i);
  assert.ok(!line.includes(planted));
  const again = await loginForm();
  const second = await tryLogin(person, { form: again, cookie: `${again.cookie}; ${cookies(first)}` });
  assert.notEqual(cookies(second), cookies(first));
  assert.match((await authorize(wish({ prompt: 'none' }), cookies(first))).get('error'), /login_required/);
});

test('a login form from elsewhere is refused', async () => {
  const form = await loginForm();
  const strange = await loginForm();
  assert.equal((await tryLogin(person, { form, headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
  assert.equal((await tryLogin(person, { form: { ...form, csrf: strange.csrf } })).status, 403);
  assert.equal((await tryLogin(person, { form, cookie: 'a=b' })).status, 403);
  const noOrigin = await grid.request('/login', {
    form: { ...person, csrf: form.csrf }, cookie: form.cookie,
  });
  assert.equal(noOrigin.status, 403);
});

test('next leads only to this site', async () => {
  for (const next of ['//evil.test/', '/\\evil.test/', 'https://evil.test/', '/x\r\nSet-Cookie: a=b', 'evil']) {
    const reply = await tryLogin(person, { next });
    assert.equal(reply.headers.location, '/', next);
  }
  assert.equal((await tryLogin(person, { next: '/trend?v=1' })).headers.location, '/trend?v=1');
});

test('logging out needs the token of the page and kills the cookie', async () => {
  const cookie = await grid.logIn(person);
  const page = await grid.request('/logout', { cookie });
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  const post = (form, headers = { 'sec-fetch-site': 'same-origin' }) =>
    grid.request('/logout', { form, cookie, headers });
  assert.equal((await post({})).status, 403);
  assert.equal((await post({ csrf: 'x'.repeat(43) })).status, 403);
  assert.equal((await post({ csrf }, { 'sec-fetch-site': 'cross-site' })).status, 403);
  assert.ok((await authorize(wish(), cookie)).get('code'));
  const reply = await post({ csrf });
  assert.equal(reply.headers.location, '/login');
  assert.match(String(reply.headers['set-cookie']), /__Host-gridsid=;.*Max-Age=0/);
  assert.equal((await grid.request('/connect/userinfo', { cookie })).status, 401);
  assert.match((await authorize(wish({ prompt: 'none' }), cookie)).get('error'), /login_required/);
});

test('endsession without a hint asks, and redirects only where it may', async () => {
  const cookie = await grid.logIn(person);
  const address = (params) => `/connect/endsession?${new URLSearchParams(params)}`;
  const asked = await grid.request(address({
    client_id: app.id, post_logout_redirect_uri: 'https://app.test/bye',
  }), { cookie });
  assert.equal(asked.status, 200);
  assert.match(asked.text, /name="csrf"/);
  assert.ok((await authorize(wish(), cookie)).get('code'), 'a GET alone ends nothing');
  const { id_token: hint } = await tokensOf(cookie);
  const evil = await grid.request(address({
    id_token_hint: hint, post_logout_redirect_uri: 'https://evil.test/',
  }), { cookie });
  assert.equal(evil.status, 200);
  assert.equal(evil.headers.location, undefined);
  assert.match((await authorize(wish({ prompt: 'none' }), cookie)).get('error'), /login_required/);
});

test('an unknown user and a wrong password look and last the same', async () => {
  forgetFailures();
  const times = { known: [], unknown: [] };
  const texts = {};
  const form = await loginForm();
  for (let i = 0; i < 16; i++) {
    for (const [kind, name] of [['known', person.name], ['unknown', 'nobody']]) {
      const start = process.hrtime.bigint();
      const reply = await tryLogin({ name, password: 'wrong password' }, { form, from: guesser });
      times[kind].push(Number(process.hrtime.bigint() - start) / 1e6);
      assert.equal(reply.status, 401);
      texts[kind] = reply.text.replaceAll(name, 'NAME');
      forgetFailures();
    }
  }
  assert.equal(texts.known, texts.unknown);
  // The fastest of many: what else the machine does only adds. Without the
  // dummy hash the unknown user would be ten times as fast.
  const [fast, slow] = [Math.min(...times.known), Math.min(...times.unknown)].sort((a, b) => a - b);
  assert.ok(fast > slow * 0.35, `${fast} ms, ${slow} ms`);
});

test('guessing is slowed down for the guesser and not for others', async () => {
  forgetFailures();
  const victim = { name: `slow-${run}` };
  addUser(victim);
  const form = await loginForm();
  const statuses = [];
  for (let i = 0; i < 8; i++)
    statuses.push((await tryLogin({ name: victim.name, password: 'guess number' }, { form, from: guesser })).status);
  assert.deepEqual(statuses.slice(0, 5), [401, 401, 401, 401, 401]);
  assert.ok(statuses.slice(5).includes(429));
  const blocked = await tryLogin(victim, { form, from: guesser });
  assert.equal(blocked.status, 429);
  assert.match(blocked.headers['retry-after'], /^\d+$/);
  const upper = { ...victim, name: victim.name.toUpperCase() };
  assert.equal((await tryLogin(upper, { form, from: guesser })).status, 429);
  assert.equal((await tryLogin(victim, { form, from: other })).status, 303);
  forgetFailures();
});

test('a line break in a user name does not make a second log line', async () => {
  forgetFailures();
  const mark = `mark${run}`;
  const name = `x\r\nlevel=error msg=${mark}`;
  const reply = await tryLogin({ name, password: 'wrong password' }, { from: guesser });
  assert.equal(reply.status, 401);
  // Of a name that nobody has there is a digest only: it may be a password.
  const digest = crypto.createHash('sha256').update(name).digest('hex').slice(0, 8);
  const found = await until(() => grid.log('identity').split('\n')
    .filter((line) => line.includes(`unknown-${digest}`)));
  assert.match(found[0], /login failed/);
  assert.ok(!grid.log('identity').includes(mark));
  forgetFailures();
});

test('no password, code, token or cookie is in the log', async () => {
  const cookie = await grid.logIn(person);
  const code = await getCode(cookie, { scope: 'openid offline_access API' });
  const tokens = (await exchange(code)).json;
  await sleep(300);
  const logs = grid.log('identity') + grid.log('nginx');
  for (const secret of [person.password, code.code, code.verifier, tokens.access_token,
    tokens.refresh_token, tokens.id_token, app.secret, cookie.split('=')[1]])
    assert.ok(!logs.includes(secret));
});

// What the other files of a run could not stand happens in a grid of its own.
test('emergencies: every key replaced, the database gone', async (t) => {
  const own = await openGrid({ own: true });
  t.after(() => own.close());
  const get = (access) => own.request('/api/v1/datasources', { token: access });
  const old = await own.token();
  const thief = await foreignSigner(own, jose); // holds one of our keys
  const claims = jose.decodeJwt(old);
  assert.equal((await get(old)).status, 200);
  assert.equal((await get(await thief.sign(claims))).status, 200);
  own.ctl('keys', 'rotate', '--emergency');
  // PostgreSQL's message is on its way.
  await until(async () => (await get(old)).status === 401, { every: 20, what: 'the end of the old key' });
  assert.equal((await get(await thief.sign({ ...claims, client_epoch: claims.client_epoch + 1 }))).status, 401);
  const fresh = await own.token();
  assert.notEqual(jose.decodeProtectedHeader(fresh).kid, jose.decodeProtectedHeader(old).kid);
  assert.equal((await get(fresh)).status, 200);
  const states = () => own.ctl('keys', 'list').trim().split('\n').map((line) => line.split('\t').slice(1, 3).join(' ')).sort();
  const published = async () => (await own.request('/.well-known/openid-configuration/jwks')).json.keys.length;
  assert.deepEqual(states().filter((state) => !state.endsWith('removed')), ['ES256 active', 'RS256 active']);
  assert.equal(await published(), 2);
  own.ctl('keys', 'rotate');
  own.ctl('keys', 'rotate');
  assert.deepEqual(states().filter((state) => !state.endsWith('removed')),
    ['ES256 active', 'ES256 pending', 'RS256 active', 'RS256 pending']);
  assert.equal(await published(), 4);
  own.sql("UPDATE signing_key SET created_at = created_at - interval '25 hours'");
  own.ctl('keys', 'rotate', '--due');
  assert.deepEqual(states().filter((state) => !state.endsWith('removed')),
    ['ES256 active', 'ES256 retiring', 'RS256 active', 'RS256 retiring']);
  assert.equal((await get(fresh)).status, 200);
  assert.equal((await get(await own.token())).status, 200);

  own.stopDatabase();
  const form = { grant_type: 'client_credentials', client_id: 'any', client_secret: 'x' };
  const reply = await own.request('/connect/token', { form });
  assert.equal(reply.status, 503);
  assert.equal(reply.json.error, 'temporarily_unavailable');
  assert.doesNotMatch(reply.text, /SELECT|socket|libpq/i);
  const page = await own.request('/connect/authorize?client_id=x&redirect_uri=y');
  assert.equal(page.status, 503);
  assert.match(page.headers['content-type'], /^text\/html/);
  await own.startDatabase();
  await until(async () => (await own.request('/connect/token', { form })).status === 401);
});
