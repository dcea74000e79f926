// Logging in by providers upstream: npm's oidc-provider with the habits of
// Azure AD, and one that does everything wrong that a provider can do wrong.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import crypto from 'node:crypto';
import path from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as jose from 'jose';
import { build, cookies, openGrid, until } from '../support/grid.mjs';
import { TENANT, makePki, openAzure, openCrook } from '../support/upstream.mjs';

const run = process.pid;
const names = { azure: `azure-${run}`, crook: `crook-${run}`, other: `other-${run}` };
let grid;
let pki;
let azure;
let crook;
let other;

before(async () => {
  grid = await openGrid();
  pki = makePki();
  [azure, crook, other] = await Promise.all([openAzure(pki), openCrook(pki), openCrook(pki, { path: '/other' })]);
  add(names.azure, azure, '--title', `Azure ${run}`, '--subject', 'tid+oid', '--groups-claim', 'groups');
  add(names.crook, crook, '--title', `Crook ${run}`);
  add(names.other, other, '--title', `Other ${run}`);
  azure.callback(`${grid.url}/signin-${names.azure}`);
});
after(async () => {
  for (const name of Object.values(names)) grid?.ctl('provider', 'remove', name);
  await Promise.all([azure?.close(), crook?.close(), other?.close()]);
  pki?.remove();
  await grid?.close();
});
afterEach(() => crook.behave());

// --- helpers -------------------------------------------------------------------

function add(name, upstream, ...more) {
  return grid.ctl('provider', 'add', name, '--issuer', upstream.issuer, '--client-id', upstream.clientId,
    '--secret-file', pki.secretFile(upstream.clientSecret), '--ca', pki.caFile, ...more);
}

/** fieldgridctl while this process goes on serving; throws with its words. */
async function ctl(...words) {
  const { stdout } = await promisify(execFile)(path.join(build, 'fieldgridctl'),
    ['--config', path.join(grid.state, 'etc/fieldgridctl.conf'), ...words]);
  return stdout;
}

function addPerson(name, claims = {}) {
  const person = { oid: crypto.randomUUID(), name: `${name} Person`, preferred_username: `${name}-${run}`,
    email: `${name}-${run}@example.org`, groups: [], ...claims };
  azure.people.set(name, person);
  return person;
}

/** The redirect to a provider: { location, cookie, params }. */
async function start(name, { query = 'next=/account', cookie, from } = {}) {
  const reply = await grid.request(`/signin-${name}/start?${query}`, { cookie, localAddress: from, agent: !from && undefined });
  assert.equal(reply.status, 303, reply.text);
  const location = new URL(reply.headers.location);
  return { location: location.href, cookie: cookies(reply), params: location.searchParams };
}

/** The whole way through "upstream"; returns the grid's last answer. */
async function logIn(name, upstream, account) {
  const { location, cookie } = await start(name);
  return grid.request(await upstream.visit(location, account), { cookie });
}

function sessionOf(reply) {
  assert.equal(reply.status, 303, reply.text);
  const cookie = cookies(reply).split('; ').find((pair) => pair.startsWith('__Host-gridsid='));
  assert.ok(cookie?.length > 30, reply.headers['set-cookie']);
  return cookie;
}

const count = (sql) => Number(grid.sql(sql)[0][0]);
/** [refusals in the audit, sessions] of a provider. */
const tally = (provider) => grid.sql(`SELECT (SELECT count(*) FROM audit_entry
    WHERE action = 'login.refused' AND object = 'provider:${provider}'),
  (SELECT count(*) FROM session WHERE issuer = 'oidc:${provider}')`)[0].map(Number);

/** A page in words, one more row in the audit, no session. */
async function refused(name, request, words, status = 403) {
  const [rows, sessions] = tally(name);
  const reply = await request();
  assert.equal(reply.status, status, reply.text);
  assert.match(reply.headers['content-type'], /^text\/html/);
  assert.match(reply.text, /role="alert"/);
  if (words) assert.match(reply.text.replace(/&#?\w+;/g, '?'), words);
  assert.doesNotMatch(cookies(reply), /gridsid=/);
  assert.deepEqual(tally(name), [rows + 1, sessions]);
  return reply;
}


/** The name of the account that a session lets in. */
async function accountOf(session) {
  assert.equal((await grid.request('/', { cookie: session })).status, 200);
  return grid.sql(`SELECT name FROM account JOIN session ON account_id = account.id
    WHERE hash = sha256('${session.split('=')[1]}'::bytea)`)[0][0];
}

const refusedCrook = (words, status) => refused(names.crook, () => logIn(names.crook, crook), words, status);

// --- the good way --------------------------------------------------------------

test('a person of Azure gets an account, the same one every time', async () => {
  const anna = addPerson('anna', { email: 'admin@grid.test' });
  const session = sessionOf(await logIn(names.azure, azure, 'anna'));
  assert.equal(await accountOf(session), anna.preferred_username);
  anna.preferred_username = `renamed-${run}`;
  anna.name = 'Anna Neu';
  sessionOf(await logIn(names.azure, azure, 'anna'));
  const rows = grid.sql(`SELECT account.name, full_name, source, account_link.issuer, subject
    FROM account JOIN account_link ON account_id = account.id WHERE source = 'oidc:${names.azure}'`);
  assert.deepEqual(rows, [[`anna-${run}`, 'Anna Neu', `oidc:${names.azure}`, azure.issuer,
    `tid:${TENANT} oid:${anna.oid}`]]);
  assert.equal(count(`SELECT count(*) FROM audit_entry WHERE action = 'login.ok' AND actor = 'anna-${run}'`), 2);
});

test('neither name nor e-mail address make anybody somebody who is here', async () => {
  const local = grid.addUser(`local-${run}`);
  addPerson('impostor', { preferred_username: local.name, email: `${local.name}@grid.test` });
  sessionOf(await logIn(names.azure, azure, 'impostor'));
  const rows = grid.sql(`SELECT name, source FROM account WHERE name LIKE 'local-${run}%' ORDER BY name`);
  assert.deepEqual(rows, [[local.name, 'local'], [`${local.name}@${names.azure}`, `oidc:${names.azure}`]]);
  assert.equal(count(`SELECT count(*) FROM account_link JOIN account ON account.id = account_id
    WHERE name = '${local.name}'`), 0);
});

test('groups of the claim become groups here, go again, and stay when it is silent', async () => {
  grid.sql(`INSERT INTO user_group (uuid, name) VALUES (gen_random_uuid(), 'fed-a-${run}'), (gen_random_uuid(), 'fed-b-${run}')`);
  const [a, b] = [crypto.randomUUID(), crypto.randomUUID()];
  grid.ctl('provider', 'map', names.azure, a, `fed-a-${run}`);
  grid.ctl('provider', 'map', names.azure, b, `fed-b-${run}`);
  assert.match(grid.ctl('provider', 'map', names.azure), new RegExp(`${a}\tfed-a-${run}`));
  const berta = addPerson('berta', { groups: [a, b, crypto.randomUUID()] });
  const groups = () => grid.sql(`SELECT user_group.name FROM group_account JOIN user_group ON user_group.id = group_id
    JOIN account ON account.id = account_id WHERE account.name = 'berta-${run}' ORDER BY 1`).flat();
  sessionOf(await logIn(names.azure, azure, 'berta'));
  assert.deepEqual(groups(), [`fed-a-${run}`, `fed-b-${run}`]);
  berta.groups = [b];
  sessionOf(await logIn(names.azure, azure, 'berta'));
  assert.deepEqual(groups(), [`fed-b-${run}`]);
  // More groups than fit: Azure names a place to ask; memberships are kept.
  delete berta.groups;
  berta._claim_names = { groups: 'src1' };
  berta._claim_sources = { src1: { endpoint: 'https://graph.test/groups' } };
  sessionOf(await logIn(names.azure, azure, 'berta'));
  assert.deepEqual(groups(), [`fed-b-${run}`]);
  assert.match(grid.log('identity'), new RegExp(`berta-${run} is in more groups than fit into a token`));
  delete berta._claim_names; // no claim at all: no groups
  sessionOf(await logIn(names.azure, azure, 'berta'));
  assert.deepEqual(groups(), []);
  grid.ctl('provider', 'map', names.azure, b, `fed-b-${run}`, '--remove');
  assert.throws(() => grid.ctl('provider', 'map', names.azure, b, `fed-b-${run}`, '--remove'), /not mapped/);
});

test('asvs 10.2.1: each way there has its own state, nonce and PKCE challenge', async () => {
  const first = await start(names.azure);
  const second = await start(names.azure, { cookie: first.cookie });
  for (const name of ['state', 'nonce', 'code_challenge'])
    assert.notEqual(first.params.get(name), second.params.get(name), name);
  assert.equal(first.cookie, second.cookie); // two tabs of one browser
  const { params } = first;
  assert.equal(params.get('response_type'), 'code');
  assert.equal(params.get('response_mode'), 'query');
  assert.equal(params.get('code_challenge_method'), 'S256');
  assert.equal(params.get('redirect_uri'), `${grid.url}/signin-${names.azure}`);
  assert.equal((await start(names.azure, { query: 'next=/&fresh=1' })).params.get('prompt'), 'login');
  // What the table holds is of no use to whoever reads it.
  const text = grid.sql('SELECT provider_transaction::text FROM provider_transaction').join();
  for (const value of [first.cookie.split('=')[1], params.get('state'), params.get('nonce'), params.get('code_challenge')])
    assert.ok(!text.includes(value));
  addPerson('tabs');
  for (const { location, cookie } of [second, first])
    sessionOf(await grid.request(await azure.visit(location, 'tabs'), { cookie }));
});

test('the cookie of the way there is for this host, and for ten minutes', async () => {
  const reply = await grid.request(`/signin-${names.azure}/start`);
  const [line] = reply.headers['set-cookie'].filter((one) => one.startsWith('__Host-gridsignin='));
  for (const word of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/', 'Max-Age=600']) assert.ok(line.includes(word), line);
  assert.match(reply.headers['cache-control'], /no-store/);
  assert.equal(reply.headers['referrer-policy'], 'no-referrer');
});

test('asvs 3.7.2: next leads only to this site', async () => {
  addPerson('next');
  for (const next of ['//evil.test/', '/\\evil.test', 'https://evil.test/', '/a\nb']) {
    const { location, cookie } = await start(names.azure, { query: new URLSearchParams({ next }) });
    const reply = await grid.request(await azure.visit(location, 'next'), { cookie });
    assert.equal(reply.headers.location, '/', next);
  }
});

// --- answers that are not for this browser ---------------------------------------

test('asvs 10.1.2: an answer in another browser is refused', async () => {
  addPerson('mallory');
  const { location, cookie } = await start(names.azure);
  const back = await azure.visit(location, 'mallory'); // she sends it to somebody
  await refused(names.azure, () => grid.request(back), /another browser/);
  const victim = await start(names.azure);
  await refused(names.azure, () => grid.request(back, { cookie: victim.cookie }), /another browser/);
  sessionOf(await grid.request(back, { cookie }));
});

test('asvs 10.2.1: an answer that comes twice, late, or with no state is refused', async () => {
  addPerson('replay');
  const { location, cookie } = await start(names.azure);
  const back = await azure.visit(location, 'replay');
  sessionOf(await grid.request(back, { cookie }));
  await refused(names.azure, () => grid.request(back, { cookie }));
  const url = new URL(back);
  const without = (change) => {
    const copy = new URL(url);
    change(copy.searchParams);
    return () => grid.request(copy.href, { cookie });
  };
  await refused(names.azure, without((params) => params.delete('state')));
  await refused(names.azure, without((params) => params.set('state', '')));
  await refused(names.azure, without((params) => params.set('state', 'x'.repeat(43))));
  await refused(names.azure, without((params) => params.set('state', 'x'.repeat(4000))));
  await refused(names.azure, without((params) => params.append('state', params.get('state'))));
  await refused(names.azure, without((params) => params.append('code', 'x')));
  await refused(names.azure, without((params) => params.set('state', "' OR 1=1 --")));
  const late = await start(names.azure);
  const lateBack = await azure.visit(late.location, 'replay');
  grid.sql(`UPDATE provider_transaction SET expires_at = now() - interval '1 s'
    WHERE hash = sha256('${late.params.get('state')}'::bytea)`);
  await refused(names.azure, () => grid.request(lateBack, { cookie: late.cookie }), /too long ago/);
});

test('asvs 10.2.2: answers of two providers are not mixed up', async () => {
  // The attacker's provider gets a code of the honest one, or its state.
  const { location, cookie } = await start(names.crook);
  const back = new URL(await crook.visit(location));
  back.pathname = `/signin-${names.other}`;
  await refused(names.other, () => grid.request(back.href, { cookie }));
  back.pathname = `/signin-${names.crook}`; // and that state is spent
  await refused(names.crook, () => grid.request(back.href, { cookie }));
  for (const iss of [other.issuer, `${crook.issuer}/`, crook.issuer.toUpperCase(), '']) {
    crook.does.back = (params) => ({ ...params, iss });
    await refusedCrook(/another issuer|does not say who/);
  }
  crook.does.back = ({ iss, ...params }) => params; // it promised to say so
  await refusedCrook(/does not say who gave it/);
  assert.equal(crook.seen.token, undefined); // no code was shown to anybody
});

test('a provider that says no, or nothing, is quoted without a letter of its own', async () => {
  crook.does.back = ({ state, iss }) => ({ state, iss, error: 'access_denied', error_description: '<b>evil</b>' });
  assert.doesNotMatch((await refusedCrook(/did not let you in/)).text, /evil/);
  crook.does.back = ({ state, iss }) => ({ state, iss, error: 'x<script>alert(1)</script>', error_description: 'evil' });
  assert.doesNotMatch((await refusedCrook()).text, /script>alert|evil/);
  crook.does.back = ({ state, iss }) => ({ state, iss });
  await refusedCrook(/no code/);
});

// --- ID tokens that are not right --------------------------------------------------

const claim = (change) => ({ claims: (claims) => ({ ...claims, ...change }) });
const lacks = (name) => ({ claims: ({ [name]: _, ...claims }) => claims });
const head = (change) => ({ header: (header) => ({ ...header, ...change }) });
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const forged = (header, signature) => ({
  sign: async (token, upstream) => {
    const text = `${part({ ...token.header, ...header })}.${part(token.claims)}`;
    return `${text}.${await signature(text, upstream)}`;
  },
});
const spki = (upstream) => crypto.KeyObject.from(upstream.publicKey).export({ type: 'spki', format: 'pem' });
const signed = (digest) => (text, { privateKey }) =>
  crypto.sign(digest, Buffer.from(text), crypto.KeyObject.from(privateKey)).toString('base64url');
const hmac = (key) => (text) => crypto.createHmac('sha256', key).update(text).digest('base64url');
const now = () => Math.floor(Date.now() / 1000);

const twists = [
  ['asvs 10.5.1: a nonce of another log-in', claim({ nonce: 'x'.repeat(43) }), /nonce/],
  ['asvs 10.5.1: no nonce', lacks('nonce'), /nonce/],
  ['asvs 10.5.1: a nonce that is no text', claim({ nonce: ['x'] }), /nonce/],
  ['asvs 10.5.2: another audience', claim({ aud: 'somebody-else' }), /another audience/],
  ['asvs 10.5.2: no audience', lacks('aud'), /another audience/],
  ['asvs 10.5.2: several audiences and no azp', claim({ aud: ['fieldgrid', 'other'] }), /several clients/],
  ['asvs 10.5.2: made for another client', claim({ aud: ['fieldgrid', 'other'], azp: 'other' }), /azp/],
  ['asvs 10.5.2: an azp that is no text', claim({ azp: null }), /azp/],
  ['asvs 10.5.3: another issuer', claim({ iss: 'https://evil.test' }), /another issuer/],
  ['asvs 10.5.3: the issuer with a slash', { claims: (c) => ({ ...c, iss: `${c.iss}/` }) }, /another issuer/],
  ['asvs 10.5.3: the template of all tenants', claim({ iss: 'https://login.microsoftonline.com/{tenantid}/v2.0' }), /another issuer/],
  ['asvs 10.5.3: no issuer', lacks('iss'), /another issuer/],
  ['asvs 10.5.4: no subject', lacks('sub'), /names nobody/],
  ['asvs 10.5.4: an empty subject', claim({ sub: '' }), /names nobody/],
  ['asvs 10.5.4: a subject that is a number', claim({ sub: 7 }), /names nobody/],
  ['asvs 10.5.4: a subject of 256 letters', claim({ sub: 'x'.repeat(256) }), /names nobody/],
  ['expired', { claims: (c) => ({ ...c, exp: now() - 1 }) }, /expired/],
  ['no expiry', lacks('exp'), /expires/],
  ['not valid yet', { claims: (c) => ({ ...c, nbf: now() + 300 }) }, /not valid yet/],
  ['issued in the future', { claims: (c) => ({ ...c, iat: now() + 300 }) }, /future/],
  ['not issued at any time', lacks('iat'), /iat/],
  ['at_hash of another access token', claim({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }), /at_hash/],
  ['alg none', forged({ alg: 'none' }, () => ''), /algorithm/],
  ['alg none with a signature', forged({ alg: 'None' }, () => 'AAAA'), /algorithm/],
  ['HS256 with the public key', forged({ alg: 'HS256' }, (text, upstream) => hmac(spki(upstream))(text)), /algorithm/],
  ['HS256 with the client secret', forged({ alg: 'HS256' }, (text, upstream) => hmac(upstream.clientSecret)(text)), /algorithm/],
  ['RS512 with the right key', forged({ alg: 'RS512' }, signed('sha512')), /algorithm/],
  ['ES256 for the key of RS256', forged({ alg: 'ES256' }, () => Buffer.alloc(64, 1).toString('base64url')), /another algorithm/],
  ['a signature with another key', { sign: async ({ header, claims }) => new jose.SignJWT(claims)
    .setProtectedHeader(header).sign((await jose.generateKeyPair('RS256')).privateKey) }, /signature/],
  ['a bent signature', forged({}, () => Buffer.alloc(256, 7).toString('base64url')), /signature/],
  ['no signature', forged({}, () => ''), /signature/],
  ['an unknown key', head({ kid: 'nobody' }), /unknown key/],
  ['no key id', head({ kid: undefined }), /names no key/],
  ['its own key in the header', { header: (h) => ({ ...h, jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }) }, /header/],
  ['a place to get the key from', head({ jku: 'https://evil.test/keys' }), /header/],
  ['unknown critical headers', forged({ crit: ['x'], x: 1 }, signed('sha256')), /header/],
  ['an access token in its place', head({ typ: 'at+jwt' }), /another type/],
  ['too long a token', claim({ filler: 'x'.repeat(40_000) }), /too long/],
  ['no ID token at all', { answer: ({ id_token, ...reply }) => reply }, /no ID token/],
  ['an ID token that is no text', { answer: (reply) => ({ ...reply, id_token: { a: 1 } }) }, /no ID token/],
  ['an ID token that is none', { answer: (reply) => ({ ...reply, id_token: 'a.b.c' }) }, /malformed/],
];

describe('an ID token is refused:', () => {
  for (const [name, does, words] of twists)
    test(name, async () => {
      crook.does = does;
      await refusedCrook(words);
    });
});

test('the same token without a twist is good, also with an audience in a list', async () => {
  sessionOf(await logIn(names.crook, crook));
  crook.does = claim({ aud: ['fieldgrid'], azp: 'fieldgrid' });
  sessionOf(await logIn(names.crook, crook));
  assert.equal(crook.forms[0].client_secret, crook.clientSecret);
  assert.equal(crook.forms[0].authorization, undefined);
});

test('a provider may sign with ES256', async () => {
  const { publicKey, privateKey, alg, kid } = crook;
  Object.assign(crook, await jose.generateKeyPair('ES256', { extractable: true }), { alg: 'ES256', kid: 'crook-ec' });
  forget();
  try {
    sessionOf(await logIn(names.crook, crook));
    crook.does = forged({ alg: 'RS256' }, () => Buffer.alloc(256, 1).toString('base64url'));
    await refusedCrook(/another algorithm/);
    crook.does = forged({}, () => Buffer.alloc(64, 1).toString('base64url'));
    await refusedCrook(/signature/);
  } finally {
    Object.assign(crook, { publicKey, privateKey, alg, kid });
    forget();
  }
});

test('who must prove it anew is sent there so, and an older log-in is refused', async () => {
  const again = async (age) => {
    crook.does = age === undefined ? {} : { claims: (c) => ({ ...c, auth_time: now() - age }) };
    const { location, cookie, params } = await start(names.crook, { query: 'next=/&fresh=1' });
    assert.equal(params.get('prompt'), 'login');
    return grid.request(await crook.visit(location), { cookie });
  };
  assert.ok((await grid.request('/login?next=/&fresh=1')).text.includes(`/signin-${names.crook}/start?next=%2F&amp;fresh=1`));
  sessionOf(await again(0));
  sessionOf(await again(undefined)); // Azure says so only when it is told to
  await refused(names.crook, () => again(3600), /older log-in/);
  await refused(names.crook, () => again('yesterday'), /older log-in/);
});

test('a code that the provider does not know is refused', async () => {
  crook.does.back = (params) => ({ ...params, code: 'guessed' });
  await refusedCrook(/invalid_grant/);
});

test('a person who has no tid and oid is nobody where these are asked for', async () => {
  grid.ctl('provider', 'change', names.crook, '--subject', 'tid+oid');
  try {
    await refusedCrook(/no tid and oid/);
    crook.does = claim({ tid: TENANT, oid: 'admin' });
    await refusedCrook(/no tid and oid/);
  } finally {
    grid.ctl('provider', 'change', names.crook, '--subject', 'sub');
  }
});

// --- what it publishes -------------------------------------------------------------

/** Forget what is kept of the provider, so that it is asked again. */
const idOf = (name = names.crook) => grid.sql(`SELECT id FROM provider WHERE name = '${name}'`)[0][0];
const forget = (name) => grid.sql(`DELETE FROM provider_cache WHERE provider_id = ${idOf(name)}`);
const startCrook = () => grid.request(`/signin-${names.crook}/start?next=/`);
const huge = `{"keys":[],"x":"${'x'.repeat(300_000)}"}`;

const publications = [
  ['another issuer', { metadata: (d) => ({ ...d, issuer: 'https://evil.test' }) }, /another issuer/],
  ['the issuer of all tenants', { metadata: (d) => ({ ...d, issuer: 'https://localhost/{tenantid}/v2.0' }) }, /all tenants/],
  ['no issuer', { metadata: ({ issuer, ...d }) => d }, /another issuer/],
  ['an endpoint in clear text', { metadata: (d) => ({ ...d, token_endpoint: d.token_endpoint.replace('https', 'http') }) }, /token_endpoint/],
  ['an endpoint of another host', { metadata: (d) => ({ ...d, token_endpoint: 'https://169.254.169.254/latest' }) }, /token_endpoint/],
  ['an endpoint on another port', { metadata: (d) => ({ ...d, token_endpoint: 'https://localhost:1/token' }) }, /token_endpoint/],
  ['keys with a user in the address', { metadata: (d) => ({ ...d, jwks_uri: d.jwks_uri.replace('localhost', 'localhost@evil.test') }) }, /jwks_uri/],
  ['keys in a file', { metadata: (d) => ({ ...d, jwks_uri: 'file:///etc/passwd' }) }, /jwks_uri/],
  ['no keys', { metadata: ({ jwks_uri, ...d }) => d }, /no jwks_uri/],
  ['no code flow', { metadata: (d) => ({ ...d, response_types_supported: ['id_token'] }) }, /code flow/],
  ['only plain PKCE', { metadata: (d) => ({ ...d, code_challenge_methods_supported: ['plain'] }) }, /S256/],
  ['only HS256', { metadata: (d) => ({ ...d, id_token_signing_alg_values_supported: ['HS256'] }) }, /RS256/],
  ['another authentication', { metadata: (d) => ({ ...d, token_endpoint_auth_methods_supported: ['private_key_jwt'] }) }, /client_secret_post/],
  ['no JSON', { metadata: () => '<html>' }, /not JSON/],
  ['a long document', { metadata: () => huge }, /too long/],
  ['a long set of keys', { keys: () => huge }, /too long/],
  ['many keys', { keys: ({ keys }) => ({ keys: Array.from({ length: 100 }, (_, i) => ({ ...keys[0], kid: `${i}` })) }) }, /more than/],
  ['no usable key', { keys: ({ keys }) => ({ keys: [{ ...keys[0], use: 'enc' }] }) }, /none that signs/],
  ['keys that are none', { keys: () => ({ keys: 'none' }) }, /not a JWK set/],
  ['a redirect', { serve: (_, response, name) => name === 'discovery' &&
    response.writeHead(302, { location: 'https://localhost/elsewhere' }).end() }, /redirects are not followed/],
  ['an error', { serve: (_, response, name) => name === 'keys' && response.writeHead(500).end() }, /answers 500/],
];

describe('what a provider publishes is not taken:', () => {
  for (const [name, does, words] of publications)
    test(name, async () => {
      crook.does = does;
      forget();
      await refused(names.crook, startCrook, /does not (work|answer)/, 502);
      await assert.rejects(ctl('provider', 'test', names.crook), (error) => words.test(error.stderr));
      forget();
    });
});

test('a provider that is slow costs five seconds, and others nothing', async () => {
  crook.does.serve = (_, response, name) => name === 'discovery' && setTimeout(() => response.end(), 50_000).unref() && true;
  forget();
  const began = Date.now();
  let over = false;
  const slow = startCrook().finally(() => { over = true; });
  await until(() => crook.seen.discovery === 1, { every: 10, what: 'the question' });
  const page = await grid.request('/login', { agent: false });
  assert.equal(page.status, 200);
  assert.equal(over, false, 'the login page waited');
  assert.equal((await slow).status, 503);
  assert.ok(Date.now() - began < 40_000, 'it was not waited for');
  // Nobody asks it again at once.
  assert.equal((await startCrook()).status, 503);
  assert.equal(crook.seen.discovery, 1);
  forget();
});

test('with the provider down the login page works, and says so only when asked', async () => {
  await crook.down();
  try {
    forget();
    const page = await grid.request('/login');
    assert.equal(page.status, 200);
    assert.ok(page.text.includes(`/signin-${names.crook}/start`));
    const reply = await refused(names.crook, startCrook, /does not answer at the moment/, 503);
    assert.ok(reply.headers['retry-after']);
    await grid.logIn();
    await assert.rejects(ctl('provider', 'test', names.crook), /connect/i);
  } finally {
    await crook.up();
    forget();
  }
  sessionOf(await logIn(names.crook, crook));
  // Down between the two redirects.
  const { location, cookie } = await start(names.crook);
  const back = await crook.visit(location);
  await crook.down();
  try {
    await refused(names.crook, () => grid.request(back, { cookie }), /does not answer/, 503);
    await refused(names.crook, startCrook, /does not answer/, 503);
  } finally {
    await crook.up();
    forget();
  }
});

test('a new key is found, but strangers cannot make us ask for it all the time', async () => {
  sessionOf(await logIn(names.crook, crook));
  crook.behave();
  const old = { publicKey: crook.publicKey, privateKey: crook.privateKey, kid: crook.kid };
  Object.assign(crook, await jose.generateKeyPair('RS256', { extractable: true }), { kid: 'crook-2' });
  try {
    await refusedCrook(/unknown key/); // asked less than 30 s ago
    assert.equal(crook.seen.keys, undefined);
    const passed = () => grid.sql(`UPDATE provider_cache SET tried_at = now() - interval '31 s' WHERE provider_id = ${idOf()}`);
    passed();
    sessionOf(await logIn(names.crook, crook));
    assert.equal(crook.seen.keys, 1);
    crook.does = head({ kid: 'nobody' });
    for (let i = 0; i < 3; i++) await refusedCrook(/unknown key/);
    assert.equal(crook.seen.keys, 1);
    passed();
    for (let i = 0; i < 3; i++) await refusedCrook(/unknown key/);
    assert.equal(crook.seen.keys, 2);
    assert.equal(crook.seen.discovery, 2);
  } finally {
    Object.assign(crook, old);
    forget();
  }
});

test('what is kept is good for a day while the provider cannot be asked', async () => {
  sessionOf(await logIn(names.crook, crook));
  const aged = (age) => grid.sql(`UPDATE provider_cache SET fetched_at = now() - interval '${age}',
    tried_at = now() - interval '${age}', failures = 0 WHERE provider_id = ${idOf()}`);
  crook.does.serve = (_, response, name) => ['discovery', 'keys'].includes(name) && response.writeHead(500).end() && true;
  aged('2 hours');
  sessionOf(await logIn(names.crook, crook));
  aged('25 hours');
  await refused(names.crook, startCrook, /does not work/, 502);
  forget();
});

test('what an upstream calls an e-mail address is passed on as not verified', async () => {
  addPerson('claims', { email: 'ceo@example.org' });
  const session = sessionOf(await logIn(names.azure, azure, 'claims'));
  const id = `fed-app-${run}`;
  const secret = /client_secret: (\S+)/.exec(grid.ctl('client', 'add', id, '--trusted', '--no-pkce', '--grant',
    'authorization_code', '--scope', 'openid', '--scope', 'email', '--redirect-uri', 'https://app.test/cb'))[1];
  const asked = await grid.request(`/connect/authorize?${new URLSearchParams({ client_id: id, response_type: 'code',
    redirect_uri: 'https://app.test/cb', scope: 'openid email' })}`, { cookie: session });
  const tokens = await grid.request('/connect/token', { form: { grant_type: 'authorization_code', client_id: id,
    client_secret: secret, redirect_uri: 'https://app.test/cb', code: new URL(asked.headers.location).searchParams.get('code') } });
  const claims = jose.decodeJwt(tokens.json.id_token);
  assert.deepEqual([claims.email, claims.email_verified], ['ceo@example.org', false]);
  assert.deepEqual(claims.amr, ['fed']);
  // One that the provider itself does not trust is not even taken over.
  crook.does = claim({ sub: `unsure-${run}`, email: 'ceo@example.org', email_verified: false });
  const unsure = sessionOf(await logIn(names.crook, crook));
  assert.deepEqual(grid.sql(`SELECT email FROM account WHERE name = '${await accountOf(unsure)}'`), []);
});

test('a picture or a frame of another page begins no log-in', async () => {
  const begin = (dest) => grid.request(`/signin-${names.crook}/start`, { headers: { 'sec-fetch-dest': dest } });
  for (const dest of ['image', 'iframe', 'empty', 'script']) assert.equal((await begin(dest)).status, 403, dest);
  assert.equal((await begin('document')).status, 303);
});

// --- limits ---------------------------------------------------------------------------

test('an address cannot fill the table with log-ins that it never ends', async () => {
  const from = '127.0.0.41';
  grid.sql(`DELETE FROM provider_transaction WHERE address = '${from}'`);
  const begin = (localAddress) => grid.request(`/signin-${names.crook}/start`, { localAddress, agent: false });
  for (let i = 0; i < 50; i++) assert.equal((await begin(from)).status, 303);
  await refused(names.crook, () => begin(from), /Too many log-ins/, 429);
  assert.equal((await begin('127.0.0.42')).status, 303);
  grid.sql(`UPDATE provider_transaction SET expires_at = now() - interval '1 s' WHERE address = '${from}'`);
  assert.equal((await begin(from)).status, 303);
  assert.equal(count(`SELECT count(*) FROM provider_transaction WHERE address = '${from}'`), 1);
  grid.sql(`DELETE FROM provider_transaction WHERE address LIKE '127.0.0.4%'`);
});

// --- accounts ---------------------------------------------------------------------------

test('asvs 6.3.3: a disabled account is refused on this way in, too', async () => {
  const person = addPerson('dora');
  sessionOf(await logIn(names.azure, azure, 'dora'));
  grid.ctl('user', 'disable', person.preferred_username);
  await refused(names.azure, () => logIn(names.azure, azure, 'dora'), /not active/);
  grid.ctl('user', 'enable', person.preferred_username);
  sessionOf(await logIn(names.azure, azure, 'dora'));
});

test('an account of a provider has no password, and nobody logs in with one', async () => {
  const person = addPerson('emil');
  sessionOf(await logIn(names.azure, azure, 'emil'));
  for (const password of ['', 'password', 'x'.repeat(20)])
    await assert.rejects(grid.logIn({ name: person.preferred_username, password }), /login: (400|401|429)/);
});

test('where no accounts are made, only linked people get in', async () => {
  addPerson('frieda');
  addPerson('gerd');
  sessionOf(await logIn(names.azure, azure, 'gerd'));
  grid.ctl('provider', 'change', names.azure, '--no-accounts');
  try {
    await refused(names.azure, () => logIn(names.azure, azure, 'frieda'), /no account here/);
    sessionOf(await logIn(names.azure, azure, 'gerd'));
  } finally {
    grid.ctl('provider', 'change', names.azure, '--accounts');
  }
});

test('a second factor shown there counts here only when it is configured', async () => {
  addPerson('hanna', { amr: ['pwd', 'mfa'] });
  sessionOf(await logIn(names.azure, azure, 'hanna'));
  grid.sql(`INSERT INTO user_group (uuid, name, require_second_factor) VALUES (gen_random_uuid(), 'fed-mfa-${run}', true)`);
  grid.sql(`INSERT INTO group_account (group_id, account_id) SELECT user_group.id, account.id FROM user_group, account
    WHERE user_group.name = 'fed-mfa-${run}' AND account.name = 'hanna-${run}'`);
  const reply = await logIn(names.azure, azure, 'hanna');
  assert.equal(reply.status, 303);
  assert.equal(reply.headers.location, '/login/enrol');
  assert.doesNotMatch(cookies(reply), /gridsid=\w/);
  grid.ctl('provider', 'change', names.azure, '--factor-value', 'mfa');
  sessionOf(await logIn(names.azure, azure, 'hanna'));
  azure.people.get('hanna').amr = ['pwd'];
  assert.equal((await logIn(names.azure, azure, 'hanna')).headers.location, '/login/enrol');
});

test('a disabled provider has no button, no way there and no way back', async () => {
  const { location, cookie } = await start(names.other);
  const back = await other.visit(location);
  grid.ctl('provider', 'change', names.other, '--disable');
  try {
    assert.doesNotMatch((await grid.request('/login')).text, new RegExp(`signin-${names.other}`));
    assert.equal((await grid.request(`/signin-${names.other}/start`)).status, 404);
    assert.equal((await grid.request(back, { cookie })).status, 404);
  } finally {
    grid.ctl('provider', 'change', names.other, '--enable');
  }
  assert.match((await grid.request('/login')).text, new RegExp(`signin-${names.other}`));
  assert.equal((await grid.request('/signin-nobody/start')).status, 404);
});

// --- linking ------------------------------------------------------------------------------

/** The form that /account shows; its token is the session's. */
const csrfOf = (session) => grid.sql(`SELECT csrf FROM session WHERE hash = sha256('${session.split('=')[1]}'::bytea)`)[0][0];
const hostCookie = (cookie) => cookie.split('; ').find((pair) => pair.startsWith('__Host-gridsid='));

function sendLink(session, verb = 'link', provider = names.crook, extra = {}) {
  return grid.request(`/account/${verb}`, {
    form: { csrf: csrfOf(session), provider, ...extra }, cookie: session, headers: { origin: grid.url } });
}

async function link(session, twist = {}) {
  crook.does = twist;
  const reply = await sendLink(session);
  assert.equal(reply.status, 200, reply.text); // a page: a form may not lead to another site
  const location = /url=([^"]+)"/.exec(reply.text)[1].replaceAll('&amp;', '&');
  return { back: await crook.visit(location), cookie: cookies(reply) };
}

test('a person links the own account after logging in here, and then gets in either way', async () => {
  const user = grid.addUser(`linker-${run}`);
  const session = hostCookie(await grid.logIn(user));
  const { back, cookie } = await link(session, claim({ sub: `linked-${run}` }));
  const reply = await grid.request(back, { cookie: `${session}; ${cookie}` });
  assert.equal(reply.headers.location, '/account?done=5', reply.text);
  assert.match((await grid.request('/account', { cookie: session })).text, new RegExp(`Unlink Crook ${run}`));
  assert.doesNotMatch(cookies(reply), /gridsid=/); // the session stays what it was
  const other_ = sessionOf(await logIn(names.crook, crook));
  assert.equal(await accountOf(other_), user.name);
  assert.deepEqual(grid.sql(`SELECT name, full_name, source FROM account WHERE name = '${user.name}'`), [[user.name, '', 'local']]);
  // That session was not made by a password here: it may not change links.
  assert.match((await sendLink(other_, 'unlink')).headers.location, /^\/login/);
  assert.equal((await sendLink(session, 'unlink')).headers.location, '/account?done=6');
  sessionOf(await logIn(names.crook, crook)); // now somebody of their own
  assert.equal(count(`SELECT count(*) FROM account WHERE source = 'oidc:${names.crook}' AND id =
    (SELECT account_id FROM account_link WHERE subject = 'linked-${run}')`), 1);
  for (const action of ['account.link', 'account.unlink'])
    assert.equal(count(`SELECT count(*) FROM audit_entry WHERE action = '${action}' AND object = 'user:${user.name}'`), 1);
});

test('nobody links an account for somebody else', async () => {
  const user = grid.addUser(`victim-${run}`);
  const session = hostCookie(await grid.logIn(user));
  const subject = `stranger-${run}`;
  const links = () => count(`SELECT count(*) FROM account_link JOIN account ON account.id = account_id WHERE name = '${user.name}'`);
  // Without the form's token, from another site, or without a session.
  assert.equal((await sendLink(session, 'link', names.crook, { csrf: 'x'.repeat(43) })).status, 403);
  assert.equal((await grid.request('/account/link', { form: { csrf: csrfOf(session), provider: names.crook },
    cookie: session, headers: { origin: 'https://evil.test' } })).status, 403);
  assert.equal((await grid.request('/account/link', { form: { provider: names.crook }, headers: { origin: grid.url } })).status, 303);
  // The answer in a browser whose session is another.
  const { back, cookie } = await link(session, claim({ sub: subject }));
  const third = hostCookie(await grid.logIn());
  await refused(names.crook, () => grid.request(back, { cookie: `${third}; ${cookie}` }), /session here has ended/);
  // A session that is not fresh.
  grid.sql(`UPDATE session SET created_at = now() - interval '11 minutes' WHERE hash = sha256('${session.split('=')[1]}'::bytea)`);
  assert.match((await sendLink(session)).headers.location, /^\/login\?.*fresh=1/);
  // A person who belongs to somebody already.
  crook.does = claim({ sub: subject });
  sessionOf(await logIn(names.crook, crook));
  const fresh = hostCookie(await grid.logIn(user));
  const taken = await link(fresh, claim({ sub: subject }));
  await refused(names.crook, () => grid.request(taken.back, { cookie: `${fresh}; ${taken.cookie}` }), /not linked[^]*linked to an account already/, 409);
  assert.equal(links(), 0);
});

// --- administration ---------------------------------------------------------------------------

test('providers by REST: made, read, changed, tested and removed', async () => {
  const token = await grid.token({ actions: 'Administer' });
  const call = (method, target, body) => grid.request(`/api/v1/admin/providers${target}`, { method, body, token });
  const name = `rest-${run}`;
  const upstream = await openCrook(pki, { path: '/rest' });
  try {
    const wanted = { name, issuer: upstream.issuer, clientId: 'fieldgrid', clientSecret: 'hush-hush', authority: pki.ca };
    const made = await call('POST', '', wanted);
    assert.equal(made.status, 201, made.text);
    assert.equal(made.headers.location, `/api/v1/admin/providers/${name}`);
    assert.equal(made.json.callback, `${grid.url}/signin-${name}`);
    assert.equal(made.json.hasSecret, true);
    assert.equal(made.json.title, name);
    assert.equal((await call('POST', '', wanted)).status, 409);
    const changed = await call('PATCH', `/${name}`, { title: 'REST', factorValues: ['mfa'], clientSecret: 'another-one' });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual([changed.json.title, changed.json.factorValues, changed.json.issuer], ['REST', ['mfa'], upstream.issuer]);
    const works = await call('POST', `/${name}/test`);
    assert.deepEqual([works.json.works, works.json.problem, works.json.keys], [true, null, [{ kid: 'crook-1', algorithm: 'RS256' }]]);
    upstream.does.metadata = (document) => ({ ...document, issuer: 'https://evil.test' });
    const broken = await call('POST', `/${name}/test`);
    assert.deepEqual([broken.status, broken.json.works], [200, false]);
    assert.match(broken.json.problem, /another issuer, "https:\/\/evil\.test"/);
    grid.sql(`INSERT INTO user_group (uuid, name) VALUES (gen_random_uuid(), 'fed-rest-${run}')`);
    const pair = { external: 'a/b "c"', group: `fed-rest-${run}` };
    assert.equal((await call('PUT', `/${name}/groups`, pair)).status, 204);
    assert.deepEqual((await call('GET', `/${name}/groups`)).json.items, [pair]);
    assert.equal((await call('PUT', `/${name}/groups`, { ...pair, group: 'nothing' })).status, 404);
    assert.equal((await call('DELETE', `/${name}/groups?${new URLSearchParams(pair)}`)).status, 204);
    assert.equal((await call('DELETE', `/${name}/groups?${new URLSearchParams(pair)}`)).status, 404);
    const list = await call('GET', `?search=${name}&limit=1`);
    assert.deepEqual(list.json.items.map((item) => item.name), [name]);
    assert.equal((await call('DELETE', `/${name}`)).status, 204);
    assert.equal((await call('GET', `/${name}`)).status, 404);
    const audited = grid.sql(`SELECT action, coalesce(old_value::text, '') || coalesce(new_value::text, '')
      FROM audit_entry WHERE object = 'provider:${name}' ORDER BY id`);
    assert.deepEqual(audited.map(([action]) => action).filter((action) => action !== 'access.refuse'),
      ['provider.create', 'provider.change', 'provider.map', 'provider.unmap', 'provider.remove']);
    for (const text of [made.text, changed.text, list.text, JSON.stringify(audited), grid.log('identity')])
      assert.doesNotMatch(text, /hush-hush|another-one/);
  } finally {
    await upstream.close();
  }
});

test('settings that make no sense are refused, with the field', async () => {
  const token = await grid.token({ actions: 'Administer' });
  const good = { name: `bad-${run}`, issuer: 'https://login.test/t/v2.0', clientId: 'x', clientSecret: 'y' };
  const wrong = [
    ['name', { name: 'Upper' }], ['name', { name: 'a--b' }], ['name', { name: '-a' }], ['name', { name: 'a/b' }],
    ['name', { name: 'x'.repeat(33) }], ['issuer', { issuer: 'http://login.test' }], ['issuer', { issuer: 'https://a@b.test' }],
    ['issuer', { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' }],
    ['issuer', { issuer: 'https://login.microsoftonline.com/common/v2.0' }], ['issuer', { issuer: 'https://a.test/?x' }],
    ['clientId', { clientId: '' }], ['clientSecret', { clientSecret: '' }], ['clientSecret', { clientSecret: undefined }],
    ['authentication', { authentication: 'private_key_jwt' }], ['scopes', { scopes: ['profile'] }],
    ['scopes', { scopes: ['openid', 'a b'] }], ['hosts', { hosts: ['https://a.test'] }], ['hosts', { hosts: ['A.test'] }],
    ['authority', { authority: 'x' }], ['subject', { subject: 'email' }], ['nameClaim', { nameClaim: '' }],
    ['state', { state: 'maybe' }], ['title', { title: 'x'.repeat(65) }],
  ];
  for (const [field, change] of wrong) {
    const reply = await grid.request('/api/v1/admin/providers', { body: { ...good, ...change }, token });
    assert.equal(reply.status, 400, JSON.stringify(change));
    assert.ok(reply.text.includes(field), `${JSON.stringify(change)}: ${reply.text}`);
  }
});

test('only administrators, and the command, may touch providers', async () => {
  const token = await grid.token();
  for (const [method, target] of [['GET', ''], ['POST', ''], ['GET', '/x'], ['PATCH', '/x'], ['DELETE', '/x'], ['POST', '/x/test']]) {
    const body = ['POST', 'PATCH'].includes(method) ? {} : undefined;
    assert.equal((await grid.request(`/api/v1/admin/providers${target}`, { method, body })).status, 401);
    assert.equal((await grid.request(`/api/v1/admin/providers${target}`, { method, body, token })).status, 403);
  }
  const listed = grid.ctl('provider', 'list').split('\n').map((line) => line.split('\t'));
  assert.deepEqual(listed.find(([name]) => name === names.crook), [names.crook, `Crook ${run}`, crook.issuer, 'fieldgrid', 'active']);
  assert.match(await ctl('provider', 'test', names.azure), /answers\.[^]*key: RS256 azure-1/);
  assert.throws(() => add(names.azure, other), /already/);
  assert.throws(() => grid.ctl('provider', 'change', 'nobody', '--title', 'x'), /no provider/);
});

test('client_secret_basic sends both halves encoded as in a form', async () => {
  const secret = 's-e.c~r e:t+/%';
  const name = `basic-${run}`;
  const upstream = await openCrook(pki, { path: '/basic' });
  try {
    grid.ctl('provider', 'add', name, '--issuer', upstream.issuer, '--client-id', upstream.clientId,
      '--secret-file', pki.secretFile(secret), '--ca', pki.caFile, '--authentication', 'client_secret_basic');
    sessionOf(await logIn(name, upstream));
    const [form] = upstream.forms;
    const basic = Buffer.from(form.authorization.replace('Basic ', ''), 'base64').toString();
    assert.equal(decodeURIComponent(basic.split(':')[1]), secret);
    assert.equal(form.client_secret, undefined);
    assert.equal(form.client_id, undefined);
  } finally {
    grid.ctl('provider', 'remove', name);
    await upstream.close();
  }
});

test('a server that others vouch for is not asked', async () => {
  grid.ctl('provider', 'change', names.other, '--ca', '');
  forget(names.other);
  other.behave();
  try {
    await refused(names.other, () => grid.request(`/signin-${names.other}/start`), /does not work/, 502);
    await assert.rejects(ctl('provider', 'test', names.other), /certificate/);
    assert.equal(other.seen.discovery, undefined);
  } finally {
    grid.ctl('provider', 'change', names.other, '--ca', pki.caFile);
  }
});

test('asvs 16.2.5: no secret, code, state or token is in a log or in the audit', async () => {
  addPerson('logged');
  const { location, cookie, params } = await start(names.azure);
  const back = await azure.visit(location, 'logged');
  const session = sessionOf(await grid.request(back, { cookie }));
  const code = new URL(back).searchParams.get('code');
  const audit = grid.sql('SELECT audit_entry::text FROM audit_entry ORDER BY id DESC LIMIT 500').join('\n');
  await until(() => grid.log('nginx').includes(`/signin-${names.azure}`), { what: 'the log of nginx' });
  for (const text of [grid.log('identity'), grid.log('nginx'), audit])
    for (const secret of [code, params.get('state'), params.get('nonce'), session.split('=')[1],
      azure.clientSecret, crook.clientSecret, cookie.split('=')[1]])
      assert.ok(!text.includes(secret));
});
