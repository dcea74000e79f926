// The authorization endpoint (RFC 6749, RFC 9207, OpenID Connect Core 3.1.2),
// and what every page of the identity service sends with it.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { cookies, openGrid } from '../support/grid.mjs';

let grid; // before jose: it makes the grid's webcrypto global
let jose;
let cookie;
let other; // of another person
const run = process.pid;
const app = `authorize-${run}`;
const native = `native-${run}`;
const back = 'https://app.test/cb?fixed=1';
const origin = { 'sec-fetch-site': 'same-origin' };
const users = {};

before(async () => {
  grid = await openGrid();
  jose = await import('jose');
  grid.ctl('client', 'add', app, '--trusted', '--grant', 'authorization_code',
    '--scope', 'openid', '--scope', 'API', '--redirect-uri', back);
  grid.ctl('client', 'add', native, '--public', '--trusted', '--grant', 'authorization_code', '--scope', 'openid',
    '--redirect-uri', 'http://127.0.0.1/cb', '--redirect-uri', 'com.example.app:/cb');
  for (const name of ['one', 'two']) users[name] = grid.addUser(`${name}-${run}`);
  cookie = await grid.logIn(users.one);
  other = await grid.logIn(users.two);
});
after(() => grid?.close());

const challenge = () => crypto.randomBytes(32).toString('base64url');

function wish(extra = {}) {
  const params = {
    client_id: app, redirect_uri: back, response_type: 'code', scope: 'openid API', state: 'a b&c',
    code_challenge: challenge(), code_challenge_method: 'S256', ...extra,
  };
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

const ask = (params, options = { cookie }) =>
  grid.request(`/connect/authorize?${new URLSearchParams(params)}`, options);

/** The parameters that come back to the client. */
async function comes(reply, uri = 'https://app.test/cb') {
  const got = await reply;
  assert.equal(got.status, 303, got.text);
  assert.match(got.headers['cache-control'], /no-store/);
  const url = new URL(got.headers.location);
  assert.equal(url.origin + url.pathname, uri);
  assert.equal(url.hash, '');
  assert.equal(url.searchParams.get('iss'), grid.url);
  return url.searchParams;
}

async function refused(reply, error) {
  const params = await comes(reply);
  assert.equal(params.get('error'), error, String(params));
  assert.equal(params.get('state'), 'a b&c');
  assert.equal(params.get('fixed'), '1');
  assert.ok(params.get('error_description'));
  assert.equal(params.get('code'), null);
}

test('asvs 10.4.1: a return address that is off by anything gets a page of ours, never a redirect', async () => {
  const wrong = [
    'https://app.test/CB?fixed=1', 'https://app.test/cb/?fixed=1', 'https://app.test/cb', 'https://app.test/cb?fixed=1&x=2',
    'https://app.test:444/cb?fixed=1', 'http://app.test/cb?fixed=1', 'https://app.test/cb?fixed=1#f',
    'https://app.test.evil.test/cb?fixed=1', 'https://app.test@evil.test/cb?fixed=1', 'https://evil.test/',
    'https://app.test/cb%3Ffixed=1', '//app.test/cb?fixed=1', 'javascript:alert(1)', '', ' https://app.test/cb?fixed=1',
  ];
  for (const uri of wrong) {
    const reply = await ask(wish({ redirect_uri: uri }));
    if (uri === '') { // empty is as if it were not there: the only one is taken
      assert.ok((await comes(reply)).get('code'));
      continue;
    }
    assert.equal(reply.status, 400, uri);
    assert.equal(reply.headers.location, undefined);
    assert.match(reply.headers['content-type'], /text\/html/);
    assert.ok(!reply.text.includes('evil.test'));
  }
  for (const params of [wish({ client_id: undefined }), wish({ client_id: 'nobody' })])
    assert.equal((await ask(params)).status, 400);
  const twice = new URLSearchParams(wish());
  twice.append('redirect_uri', back);
  assert.equal((await ask(twice)).status, 400);
});

test('only loopback addresses have any port, and private schemes none', async () => {
  for (const uri of ['http://127.0.0.1:49152/cb', 'http://127.0.0.1/cb', 'com.example.app:/cb']) {
    const reply = await ask(wish({ client_id: native, redirect_uri: uri, scope: 'openid' }));
    assert.ok(reply.headers.location?.startsWith(uri), uri);
  }
  for (const uri of ['http://127.0.0.1:49152/cb2', 'http://localhost:49152/cb', 'http://127.0.0.1.evil.test/cb',
    'http://127.0.0.1:x/cb', 'com.example.app:/cb/x', 'com.example.app2:/cb'])
    assert.equal((await ask(wish({ client_id: native, redirect_uri: uri, scope: 'openid' }))).status, 400, uri);
});

test('every other mistake goes back with its error, state and issuer, and the query stays', async () => {
  const rows = [
    [{ response_type: undefined }, 'invalid_request'],
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_type: 'code id_token' }, 'unsupported_response_type'],
    [{ response_mode: 'fragment' }, 'invalid_request'],
    [{ scope: undefined }, 'invalid_scope'],
    [{ scope: 'openid admin' }, 'invalid_scope'],
    [{ scope: 'hub' }, 'invalid_scope'],
    [{ request: 'eyJ.x.y' }, 'request_not_supported'],
    [{ request_uri: 'https://evil.test/r' }, 'request_uri_not_supported'],
    [{ registration: '{}' }, 'registration_not_supported'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ prompt: 'create' }, 'invalid_request'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ max_age: 'x' }, 'invalid_request'],
    [{ nonce: 'n'.repeat(513) }, 'invalid_request'],
    [{ id_token_hint: 'x.y.z' }, 'invalid_request'],
    [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge_method: undefined }, 'invalid_request'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
  ];
  for (const [extra, error] of rows) await refused(ask(wish(extra)), error);
  const twice = new URLSearchParams(wish());
  twice.append('scope', 'openid');
  await refused(ask(twice), 'invalid_request');
});

test('POST is as good as GET, and a code is bound to what was asked', async () => {
  const reply = await grid.request('/connect/authorize', { form: wish(), cookie, headers: origin });
  assert.ok((await comes(reply)).get('code'));
  const code = (await comes(ask(wish({ nonce: 'n', extra: 'ignored' })))).get('code');
  assert.ok(Buffer.from(code, 'base64url').length >= 16);
});

test('prompt and max_age: who has to log in, and who is told that they would have to', async () => {
  for (const extra of [{ prompt: 'login' }, { prompt: 'select_account' }, { max_age: '0' }]) {
    const reply = await ask(wish({ ...extra, login_hint: 'somebody@x' }));
    const at = new URL(reply.headers.location, grid.url);
    assert.equal(at.pathname, '/login');
    assert.equal(at.searchParams.get('fresh'), '1');
    assert.equal(at.searchParams.get('name'), 'somebody@x');
    assert.ok(!/prompt|max_age/.test(at.searchParams.get('next')), 'asked once');
    const form = await grid.request(reply.headers.location, { cookie });
    assert.match(form.text, /name="name"[^>]*value="somebody@x"/);
  }
  assert.ok((await comes(ask(wish({ max_age: '3600' })))).get('code'));
  grid.sql(`UPDATE session SET created_at = session.created_at - interval '2 hours' FROM account
    WHERE account.id = account_id AND name = '${users.one.name}'`);
  assert.match((await ask(wish({ max_age: '3600' }))).headers.location, /^\/login\?/);
  await refused(ask(wish({ prompt: 'none', max_age: '3600' })), 'login_required');
  await refused(ask(wish({ prompt: 'none' }), {}), 'login_required');
  assert.ok((await comes(ask(wish({ prompt: 'none' })))).get('code'));
  assert.match((await ask(wish(), {})).headers.location, /^\/login\?next=%2Fconnect%2Fauthorize/);
});

test('an ID token of another person is no hint for this one', async () => {
  const verifier = challenge();
  const code = (await comes(ask(wish({
    scope: 'openid', code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'),
  }), { cookie: other }))).get('code');
  const secret = /client_secret: (\S+)/.exec(grid.ctl('client', 'secret', app))[1];
  const { json } = await grid.request('/connect/token', {
    form: {
      grant_type: 'authorization_code', code, redirect_uri: back, code_verifier: verifier,
      client_id: app, client_secret: secret,
    },
  });
  assert.equal(jose.decodeJwt(json.id_token).aud, app);
  await refused(ask(wish({ id_token_hint: json.id_token })), 'login_required');
  assert.ok((await comes(ask(wish({ id_token_hint: json.id_token }), { cookie: other }))).get('code'));
  await refused(ask(wish({ id_token_hint: json.access_token }), { cookie: other }), 'invalid_request');
});

test('asvs 3.3.1, 3.3.3, 3.3.4: every cookie is of this host, over TLS, and not for scripts', async () => {
  const page = await grid.request('/login');
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  const reply = await grid.request('/login', {
    form: { csrf, ...users.one }, cookie: cookies(page), headers: origin,
  });
  const set = [...page.headers['set-cookie'], ...reply.headers['set-cookie']];
  assert.ok(set.some((line) => line.startsWith('__Host-gridsid=')));
  for (const line of set) {
    assert.match(line, /^__Host-[a-z]+=/);
    for (const attribute of ['Secure', 'HttpOnly', 'Path=/'])
      assert.ok(line.split('; ').includes(attribute), line);
    assert.match(line, /; SameSite=(Lax|Strict)/);
    assert.ok(!/Domain/i.test(line));
  }
});

/** One of each kind of answer: page, redirect, JSON, error, refusal. */
const answers = () => Promise.all([
  grid.request('/login'), grid.request('/account'), grid.request('/account', { cookie }),
  ask(wish()), ask(wish({ client_id: 'nobody' })), grid.request('/connect/token', { form: {} }),
  grid.request('/login/nowhere'), grid.request('/device', { cookie }), grid.request('/logout', { cookie }),
  grid.request('/connect/consent', { form: wish() }), grid.request('/connect/userinfo'),
  grid.request('/.well-known/openid-configuration'), grid.request('/.fieldgrid/gate'),
]);

test('asvs 3.4.1: HSTS of a year with subdomains is on every answer', async () => {
  for (const { status, headers } of await answers()) {
    const [, age] = /^max-age=(\d+); includeSubDomains$/.exec(headers['strict-transport-security']) ?? [];
    assert.ok(Number(age) >= 31536000, String(status));
  }
});

test('asvs 3.4.3, 3.4.6: a content policy without inline parts, and never in a frame', async () => {
  for (const { headers, status } of await answers()) {
    const policy = headers['content-security-policy'];
    for (const part of ["object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "default-src 'none'"])
      assert.ok(policy.includes(part), `${status}: ${part}`);
    assert.ok(!policy.includes('unsafe-inline'));
  }
});

test('asvs 3.4.4, 3.4.5: no guessing of types, and no referrer', async () => {
  for (const { headers } of await answers()) {
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
  }
});

test('asvs 3.7.2: after a log-in only this site is gone to', async () => {
  for (const next of ['https://evil.test/', '//evil.test/', '/\\evil.test', '/\t/evil.test', 'javascript:x', '/%5c%5cevil']) {
    const reply = await grid.request(`/login?next=${encodeURIComponent(next)}`, { cookie });
    assert.equal(reply.status, 303);
    assert.ok(['/', '/%5c%5cevil'].includes(reply.headers.location), `${next} -> ${reply.headers.location}`);
  }
});

// --- guessing ------------------------------------------------------------------------

let guessers = 0;
const guesser = () => `127.${4 + (++guessers >> 7)}.${1 + (run % 250)}.${1 + (guessers & 127)}`;

async function tryLogin(name, password, from) {
  const page = await grid.request('/login', { localAddress: from });
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  const started = process.hrtime.bigint();
  const reply = await grid.request('/login', {
    form: { csrf, name, password }, cookie: cookies(page), headers: origin, localAddress: from,
  });
  reply.ms = Number(process.hrtime.bigint() - started) / 1e6;
  return reply;
}

test('asvs 6.1.1, 6.3.1: a hundred wrong passwords are slowed down; the owner elsewhere gets in', async () => {
  const user = grid.addUser(`target-${run}`);
  const from = guesser();
  const seen = new Map();
  for (let i = 0; i < 100; i++) {
    const { status, headers } = await tryLogin(user.name, `wrong password ${i}`, from);
    seen.set(status, (seen.get(status) ?? 0) + 1);
    if (status === 429) assert.ok(Number(headers['retry-after']) >= 1);
  }
  assert.ok(seen.get(401) <= 10, `${seen.get(401)} of 100 were tried`);
  assert.equal(seen.get(401) + seen.get(429), 100);
  assert.equal((await tryLogin(user.name, user.password, from)).status, 429, 'the guesser waits');
  assert.equal((await tryLogin(user.name, user.password, guesser())).status, 303, 'the owner does not');
  // The same from everywhere at once: the account is slow for seconds, never locked.
  for (let i = 0; i < 55; i++) await tryLogin(user.name, 'wrong password', guesser());
  const reply = await tryLogin(user.name, user.password, guesser());
  assert.ok(reply.status === 303 || Number(reply.headers['retry-after']) <= 4, 'at most 4 s');
  grid.ctl('user', 'unlock', user.name);
  assert.equal((await tryLogin(user.name, user.password, from)).status, 303, 'an administrator unlocks');
});

/** Wrong passwords for a known and an unknown name, pair by pair: how much longer the known one took, in ms. */
async function timePairs(tries, round) {
  const strip = (reply) => reply.text.replaceAll(/value="[^"]*"/g, '');
  const longer = [];
  let known;
  for (let i = 0; i < tries; i++) {
    if (i % 40 === 0) known = grid.addUser(`known-${run}-${round}-${i}`); // it would have to wait
    const names = [known.name, `nobody-${run}-${round}-${i}`];
    const replies = [];
    for (const one of i % 2 === 0 ? [0, 1] : [1, 0])
      replies[one] = await tryLogin(names[one], 'wrong password', guesser());
    assert.deepEqual(replies.map(({ status }) => status), [401, 401]);
    assert.equal(strip(replies[0]), strip(replies[1]));
    longer.push(replies[0].ms - replies[1].ms);
  }
  return longer.sort((a, b) => a - b);
}

/**
 * Whether the sign of the differences tells the names apart: by more than the
 * machine's noise (four standard deviations of a fair coin) and by 5 ms.
 */
function tellsApart(longer) {
  const median = longer[Math.floor(longer.length / 2)];
  const slower = longer.filter((ms) => ms > 0).length;
  console.log(`# ${longer.length} pairs: the known name slower in ${slower}, by ${median.toFixed(1)} ms (median)`);
  return Math.abs(median) >= 5 && Math.abs(slower - longer.length / 2) > 2 * Math.sqrt(longer.length);
}

test('asvs 6.3.8: who has an account shows neither in body, status nor time', async () => {
  const tries = Number(process.env.FIELDGRID_LOGIN_TRIES ?? 30);
  // A difference that is ours is there every time; one of a busy machine is not.
  for (let round = 0; round < 3; round++) if (!tellsApart(await timePairs(tries, round))) return;
  assert.fail('three times the time of the answer told a known name from an unknown one');
});
