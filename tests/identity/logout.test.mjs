// The end of a session: asked for by a client, and told to clients
// (OpenID Connect RP-Initiated and Back-Channel Logout 1.0).

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { cookies, openGrid, until } from '../support/grid.mjs';

let grid; // before jose: it makes the grid's webcrypto global
let jose;
let receiver; // a client's back channel
let port;
let status = 200; // what it answers
const got = [];
const run = process.pid;
const app = { id: `bye-${run}` };
const back = 'https://app.test/cb';
const bye = 'https://app.test/bye?x=1';
const origin = { 'sec-fetch-site': 'same-origin' };
let users = 0;

function listen() {
  receiver = https.createServer({
    key: fs.readFileSync(path.join(grid.state, 'pki/server.key')),
    cert: fs.readFileSync(path.join(grid.state, 'pki/server.pem')),
  }, (request, response) => {
    let body = '';
    request.on('data', (part) => { body += part; });
    request.on('end', () => {
      got.push({ url: request.url, type: request.headers['content-type'], form: new URLSearchParams(body), status });
      response.statusCode = status;
      response.end();
    });
  });
  return new Promise((resolve) => { receiver.listen(port ?? 0, '127.0.0.1', resolve); });
}

function hangUp() {
  receiver.closeAllConnections();
  return new Promise((resolve) => { receiver.close(resolve); });
}

before(async () => {
  grid = await openGrid();
  jose = await import('jose');
  await listen();
  ({ port } = receiver.address());
  app.secret = /client_secret: (\S+)/.exec(grid.ctl('client', 'add', app.id, '--trusted',
    '--grant', 'authorization_code', '--grant', 'refresh_token', '--scope', 'openid', '--scope', 'offline_access',
    '--redirect-uri', back, '--logout-uri', bye,
    '--backchannel-logout-uri', `https://localhost:${port}/backchannel?a=1`))[1];
});
after(async () => {
  if (receiver?.listening) await hangUp();
  await grid?.close();
});

function newUser() {
  return grid.addUser(`bye-${run}-${++users}`);
}

async function getTokens(cookie) {
  const verifier = crypto.randomBytes(32).toString('base64url');
  const reply = await grid.request(`/connect/authorize?${new URLSearchParams({
    client_id: app.id, redirect_uri: back, response_type: 'code', scope: 'openid offline_access', nonce: 'n',
    code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  })}`, { cookie });
  const tokens = await grid.request('/connect/token', {
    form: {
      grant_type: 'authorization_code', code: new URL(reply.headers.location).searchParams.get('code'),
      redirect_uri: back, code_verifier: verifier, client_id: app.id, client_secret: app.secret,
    },
  });
  assert.equal(tokens.status, 200, tokens.text);
  return tokens.json;
}

function endSession(params, { cookie, post = false, headers } = {}) {
  return post ? grid.request('/connect/endsession', { form: params, cookie, headers: headers ?? origin })
    : grid.request(`/connect/endsession?${new URLSearchParams(params)}`, { cookie });
}

const isIn = async (cookie) => (await grid.request('/account', { cookie })).status === 200;
const hidden = (page, name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(
  page.text.slice(page.text.indexOf('<main')))?.[1];

/** The logout token about this session, from the back channel. */
async function heard(sid, { good = true } = {}) {
  return until(() => got.find((one) => jose.decodeJwt(one.form.get('logout_token')).sid === sid
    && (one.status === 200) === good), { what: 'the back channel' });
}

// --- asked for by a client -------------------------------------------------------

test('asvs 10.6.2: without a hint the person is asked, and another site cannot answer', async () => {
  const cookie = await grid.logIn(newUser());
  for (const post of [false, true]) {
    const page = await endSession({ client_id: app.id, post_logout_redirect_uri: bye, state: 's&t' },
      { cookie, post, headers: {} });
    assert.equal(page.status, 200, page.text);
    assert.match(page.text, /Log out\?/);
  }
  assert.ok(await isIn(cookie));
  const page = await endSession({ client_id: app.id, post_logout_redirect_uri: bye, state: 's&t' }, { cookie });
  const answer = {
    client_id: app.id, post_logout_redirect_uri: bye, state: 's&t', csrf: hidden(page, 'csrf'),
  };
  const evil = await endSession(answer, { cookie, post: true, headers: { 'sec-fetch-site': 'cross-site' } });
  assert.equal(evil.status, 403);
  assert.equal((await endSession({ ...answer, csrf: 'x'.repeat(43) }, { cookie, post: true })).status, 403);
  assert.ok(await isIn(cookie));
  const done = await endSession(answer, { cookie, post: true });
  assert.match(done.text, /url=https:\/\/app\.test\/bye\?x=1&amp;state=s%26t/);
  assert.ok(!await isIn(cookie));
});

test('a valid hint of this session needs no question, even an expired one; others do', async () => {
  const user = newUser();
  const cookie = await grid.logIn(user);
  const { id_token: hint, access_token: access } = await getTokens(cookie);
  const other = await grid.logIn(user);
  assert.equal((await endSession({ id_token_hint: hint }, { cookie: other })).status, 200, 'of another session');
  assert.ok(await isIn(other));
  for (const wrong of [access, `${hint.slice(0, -6)}AAAAAA`, 'x']) {
    assert.equal((await endSession({ id_token_hint: wrong, post_logout_redirect_uri: bye }, { cookie })).status, 200);
    assert.ok(await isIn(cookie), 'asvs 9.2.2: an access token is no hint');
  }
  assert.equal((await endSession({ id_token_hint: hint, client_id: 'fieldgrid-docs' }, { cookie })).status, 200,
    'the hint is of another client');
  const done = await endSession({ id_token_hint: hint, post_logout_redirect_uri: bye, state: 'z' }, { cookie });
  assert.equal(done.headers.location, `${bye}&state=z`);
  assert.ok(!await isIn(cookie));
  assert.ok(await isIn(other));
});

test('asvs 3.7.2: only a registered address gets the person back, letter by letter', async () => {
  for (const uri of ['https://app.test/bye', `${bye}&y=2`, 'https://app.test/BYE?x=1', 'https://evil.test/',
    'https://app.test/bye?x=1#f', '//evil.test', `${bye}/`]) {
    const reply = await endSession({ client_id: app.id, post_logout_redirect_uri: uri });
    assert.equal(reply.status, 200, uri);
    assert.match(reply.text, /You are logged out/);
  }
  assert.equal((await endSession({ post_logout_redirect_uri: bye })).status, 200, 'of no client');
  assert.equal((await endSession({ client_id: app.id, post_logout_redirect_uri: bye })).headers.location, bye);
});

test('asvs 16.3.1: a log-out stands in the audit, under the name of the person', async () => {
  const user = newUser();
  const cookie = await grid.logIn(user);
  const { id_token: hint } = await getTokens(cookie);
  await endSession({ id_token_hint: hint }, { cookie });
  assert.deepEqual(grid.sql(`SELECT actor, result FROM audit_entry WHERE action = 'logout'
    AND object = 'session:${jose.decodeJwt(hint).sid}'`), [[user.name, 'ok']]);
});

// --- told to clients ---------------------------------------------------------------

test('the back channel hears of a log-out what the specification wants', async () => {
  const cookie = await grid.logIn(newUser());
  const { id_token: hint } = await getTokens(cookie);
  const { sid, sub } = jose.decodeJwt(hint);
  await endSession({ id_token_hint: hint }, { cookie });
  const { form, url, type } = await heard(sid);
  assert.equal(url, '/backchannel?a=1');
  assert.equal(type, 'application/x-www-form-urlencoded');
  assert.deepEqual([...form.keys()], ['logout_token']);
  const keys = jose.createLocalJWKSet((await grid.request('/.well-known/openid-configuration/jwks')).json);
  const { payload } = await jose.jwtVerify(form.get('logout_token'), keys,
    { issuer: grid.url, audience: app.id, typ: 'logout+jwt' });
  assert.equal(payload.sub, sub);
  assert.equal(payload.sid, sid);
  assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });
  assert.ok(payload.exp - payload.iat <= 120);
  assert.ok(payload.jti);
  assert.equal(payload.nonce, undefined);
  assert.equal((await endSession({ id_token_hint: form.get('logout_token') },
    { cookie: await grid.logIn(newUser()) })).status, 200, 'it is no hint');
  assert.equal((await grid.request('/connect/userinfo', { token: form.get('logout_token') })).status, 401);
  await until(() => grid.sql(`SELECT count(*) FROM logout_notice WHERE sid = '${sid}'`)[0][0] === '0');
});

test('every other end of a session is told too; a session that nobody used is not', async () => {
  const ends = {
    'a disabled user': (user) => grid.ctl('user', 'disable', user.name),
    'a new password by an administrator': (user) => grid.ctl('user', 'password', user.name),
    'the person on another device': async (user, cookie) => {
      const page = await grid.request('/account', { cookie: await grid.logIn(user) });
      const sid = /name="sid" value="([^"]+)"/.exec(page.text)[1];
      const session = /__Host-gridsid=[^;]+/.exec(cookie)[0];
      assert.ok(session);
      const mine = cookies({ headers: {} });
      assert.equal(mine, '');
      const again = await grid.logIn(user);
      const form = await grid.request('/account', { cookie: again });
      const reply = await grid.request('/account/sessions/end',
        { cookie: again, headers: origin, form: { csrf: hidden(form, 'csrf'), sid } });
      assert.equal(reply.status, 303, reply.text);
    },
  };
  for (const [what, end] of Object.entries(ends)) {
    const user = newUser();
    const cookie = await grid.logIn(user);
    const { sid } = jose.decodeJwt((await getTokens(cookie)).id_token);
    await end(user, cookie);
    await heard(sid).catch((error) => { throw new Error(what, { cause: error }); });
  }
  const quiet = newUser();
  await grid.logIn(quiet);
  const before = got.length;
  grid.ctl('user', 'disable', quiet.name);
  // The keeper tells in order: whoever is told of after that one was told in vain.
  const after_ = newUser();
  const cookie = await grid.logIn(after_);
  const { sid } = jose.decodeJwt((await getTokens(cookie)).id_token);
  grid.ctl('user', 'disable', after_.name);
  await heard(sid);
  assert.equal(got.length, before + 1);
});

test('a client that fails is told again, and a killed keeper forgets nothing', async () => {
  const cookie = await grid.logIn(newUser());
  const { id_token: hint } = await getTokens(cookie);
  const { sid } = jose.decodeJwt(hint);
  status = 500;
  await endSession({ id_token_hint: hint }, { cookie });
  await heard(sid, { good: false });
  await hangUp();
  grid.kill('keeper');
  assert.equal(grid.sql(`SELECT count(*) FROM logout_notice WHERE sid = '${sid}'`)[0][0], '1');
  status = 200;
  await listen();
  grid.sql(`UPDATE logout_notice SET due_at = now() WHERE sid = '${sid}'`); // not to wait for 15 s
  await heard(sid);
  await until(() => grid.sql(`SELECT count(*) FROM logout_notice WHERE sid = '${sid}'`)[0][0] === '0');
});
