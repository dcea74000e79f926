// The token endpoint: client authentication, codes, refreshing, and asking about tokens.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import * as jose from 'jose';
import {
  all, basic, cc, Client, form, invalidToken, openClients, pkce, refused, words,
} from '../support/oauth.mjs';

const run = process.pid;
const clients = await openClients();
const {
  grid, app, spa, machine, service, person, cookie, signer, api, userinfo, machineToken, claims, epoch,
} = clients;

after(() => clients.close());

// --- the token endpoint ---------------------------------------------------------------

test('both halves of Basic are form-decoded, and split at the first colon', async () => {
  const odd = new Client(grid, `o-odd:${run}+/%~`, '--grant', 'client_credentials', '--scope', 'API');
  const good = await grid.request('/connect/token', { form: cc, headers: basic(odd.id, odd.secret) });
  assert.equal(good.status, 200, good.text);
  const raw = Buffer.from(`${odd.id}:${odd.secret}`).toString('base64');
  refused(await grid.request('/connect/token', { form: cc, headers: { authorization: `Basic ${raw}` } }),
    'invalid_client', 401);
  const lower = await grid.request('/connect/token', {
    form: cc, headers: { authorization: basic(odd.id, odd.secret).authorization.replace('Basic', 'bAsIc') },
  });
  assert.equal(lower.status, 200);
});

test('asvs 10.4.10: confidential clients prove who they are, everywhere', async () => {
  const token = await machineToken();
  for (const path of ['token', 'introspect', 'revocation']) {
    const url = `/connect/${path}`;
    const fields = { ...cc, token };
    const wrong = [
      [{ form: { ...fields, client_id: machine.id } }, false],
      [{ form: { ...fields, client_id: machine.id, client_secret: 'wrong' } }, false],
      [{ form: fields }, false],
      [{ form: { ...fields, client_id: 'nobody', client_secret: 'x' } }, false],
      [{ form: fields, headers: basic(machine.id, 'wrong') }, true],
      [{ form: fields, headers: { authorization: 'Basic %%%' } }, true],
      [{ form: fields, headers: { authorization: 'Basic' } }, true],
      [{ form: fields, headers: { authorization: `Basic ${Buffer.from('nocolon').toString('base64')}` } }, true],
      [{ form: fields, headers: { authorization: `Bearer ${token}` } }, false],
    ];
    for (const [options, challenged] of wrong) {
      const reply = await grid.request(url, { ...options, localAddress: '127.0.0.31' });
      refused(reply, 'invalid_client', 401);
      assert.equal(/^Basic realm="/.test(reply.headers['www-authenticate'] ?? ''), challenged, JSON.stringify(options));
      grid.sql("DELETE FROM login_failure WHERE subject LIKE '%127.0.0.31'");
    }
  }
  assert.equal((await machine.introspect(token)).active, true);
});

test('two ways of authentication, or a repeated parameter, are invalid_request', async () => {
  const body = new URLSearchParams({ ...cc, client_id: machine.id, client_secret: machine.secret }).toString();
  const post = (text, headers = {}) => grid.request('/connect/token',
    { body: text, headers: { 'content-type': form, ...headers } });
  assert.equal((await post(body)).status, 200);
  assert.equal((await post(`${body}&unknown=1&unknown=2&scope=`)).status, 200); // empty = not there
  for (const name of ['grant_type', 'client_id', 'client_secret', 'scope'])
    refused(await post(`${body}&scope=API&${name}=API`), 'invalid_request');
  refused(await post(body, basic(machine.id, machine.secret)), 'invalid_request');
  refused(await post(`${body}&client_assertion=x.y.z`), 'invalid_request');
  refused(await post(`grant_type=client_credentials&client_id=other`, basic(machine.id, machine.secret)), 'invalid_request');
  refused(await post('{"grant_type":"client_credentials"}', { 'content-type': 'application/json' }), 'invalid_request');
  refused(await post(`${body}&scope=%zz`), 'invalid_request');
  refused(await post(`${body}&scope=%00`), 'invalid_request');
  const got = await grid.request(`/connect/token?${body}`);
  assert.equal(got.status, 405);
  assert.match(got.headers.allow, /POST/);
  assert.doesNotMatch(got.text, new RegExp(machine.secret));
});

test('an answer with tokens has exactly the members and headers of RFC 6749', async () => {
  const reply = await machine.token(cc);
  assert.deepEqual(Object.keys(reply.json).sort(), ['access_token', 'expires_in', 'scope', 'token_type']);
  assert.equal(reply.json.token_type, 'Bearer');
  assert.equal(reply.json.expires_in, 3600);
  assert.equal(reply.headers['cache-control'], 'no-store');
  assert.equal(reply.headers.pragma, 'no-cache');
  assert.match(reply.headers['content-type'], /^application\/json/);
  const token = jose.decodeJwt(reply.json.access_token);
  for (const name of ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti', 'scope']) assert.ok(token[name], name);
  assert.equal(token.sub, machine.id);
  assert.ok(reply.json.access_token.length < 1000);
});

test('asvs 10.4.4: only grants and scopes that the client was given', async () => {
  refused(await spa.token(cc), 'unauthorized_client');
  refused(await machine.token({ grant_type: 'refresh_token', refresh_token: 'x' }), 'unauthorized_client');
  refused(await machine.token({ grant_type: 'authorization_code', code: 'x' }), 'unauthorized_client');
  refused(await machine.token({ grant_type: 'password', username: 'a', password: 'b' }), 'unsupported_grant_type');
  refused(await machine.token({ grant_type: 'implicit' }), 'unsupported_grant_type');
  refused(await machine.token({}), 'invalid_request');
  const reply = await app.authorize(cookie, { response_type: 'token' });
  assert.match(reply.headers.location, /error=unsupported_response_type/);
});

test('asvs 10.4.11: a scope that was not given is invalid_scope', async () => {
  refused(await machine.token({ ...cc, scope: 'API hub' }), 'invalid_scope');
  refused(await machine.token({ ...cc, scope: 'api' }), 'invalid_scope');
  refused(await app.token({ ...cc, scope: 'openid' }), 'invalid_scope');
  assert.equal((await app.token(cc)).json.scope, 'API');
});

test('asvs 10.4.6: no challenge, plain, wrong verifier, verifier without a challenge', async () => {
  const bad = [
    { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge_method: 'plain' },
    { code_challenge_method: undefined },
    { code_challenge: 'x'.repeat(42) },
  ];
  for (const extra of bad) {
    const reply = await app.authorize(cookie, extra);
    const params = new URL(reply.headers.location).searchParams;
    assert.equal(params.get('error'), 'invalid_request', JSON.stringify(extra));
    assert.equal(params.get('iss'), grid.url);
  }
  for (const verifier of [pkce().verifier, '', 'a'.repeat(42), 'a'.repeat(129), `${'a'.repeat(42)}!`])
    refused(await app.exchange(await app.code(cookie), { code_verifier: verifier }), 'invalid_grant');
  const old = new Client(grid, `o-old.${run}`, '--trusted', '--no-pkce', '--grant', 'authorization_code',
    ...words('--scope', 'openid', 'API'), '--redirect-uri', 'https://old.test/cb');
  const none = { code_challenge: undefined, code_challenge_method: undefined };
  refused(await old.exchange(await old.code(cookie, none)), 'invalid_grant');
  const plain = await old.code(cookie, none);
  assert.equal((await old.exchange(plain, { code_verifier: '' })).status, 200);
});

test('asvs 10.4.2: a code works once; its second use ends what the first one got', async () => {
  const code = await app.code(cookie, { scope: 'openid offline_access API' });
  const first = await app.exchange(code);
  assert.equal(first.status, 200, first.text);
  refused(await app.exchange(code), 'invalid_grant');
  invalidToken(await userinfo(first.json.access_token));
  invalidToken(await api(first.json.access_token));
  refused(await app.refresh(first.json.refresh_token), 'invalid_grant');
  assert.deepEqual(await app.introspect(first.json.access_token), { active: false });
});

test('asvs 10.4.3: a code lives for a minute', async () => {
  const code = await app.code(cookie);
  const [[seconds]] = grid.sql(`SELECT max(extract(epoch FROM expires_at - now())) FROM authorization_code`);
  assert.ok(Number(seconds) <= 60);
  grid.sql('UPDATE authorization_code SET expires_at = now() WHERE used_at IS NULL');
  refused(await app.exchange(code), 'invalid_grant');
});

// --- refreshing -------------------------------------------------------------------------

const offline = { scope: 'openid offline_access API' };

test('asvs 10.4.5: a refresh token that comes twice ends its family', async () => {
  for (const client of [app, spa]) {
    const first = await client.tokens(cookie, offline);
    const second = (await client.refresh(first.refresh_token)).json;
    assert.notEqual(second.refresh_token, first.refresh_token);
    refused(await client.refresh(first.refresh_token), 'invalid_grant');
    refused(await client.refresh(second.refresh_token), 'invalid_grant');
    invalidToken(await api(second.access_token));
    assert.deepEqual(await service.introspect(second.access_token), { active: false });
  }
});

test('asvs 10.4.8: refresh tokens end when they are not used, and in any case', async () => {
  const stored = (column) => `UPDATE refresh_token SET ${column} = now() - interval '1 s'
    WHERE client_id = (SELECT id FROM client WHERE client_id = '${app.id}')`;
  for (const column of ['expires_at', 'dies_at']) {
    const tokens = await app.tokens(cookie, offline);
    grid.sql(stored(column));
    refused(await app.refresh(tokens.refresh_token), 'invalid_grant');
  }
  const brief = new Client(grid, `o-brief.${run}`, '--trusted', ...words('--grant', 'authorization_code', 'refresh_token'),
    ...words('--scope', ...all), '--redirect-uri', 'https://brief.test/cb', '--refresh-idle', 120, '--refresh-absolute', 180);
  await brief.refresh((await brief.tokens(cookie, offline)).refresh_token);
  const [[idle, absolute]] = grid.sql(`SELECT max(extract(epoch FROM expires_at - now())),
    max(extract(epoch FROM dies_at - now())) FROM refresh_token JOIN client ON client.id = refresh_token.client_id
    WHERE client.client_id = '${brief.id}'`);
  assert.ok(Number(idle) <= 120 && Number(absolute) <= 180);
});

test('a grace time answers the same once more, and nothing after that', async () => {
  const graceful = new Client(grid, `o-grace.${run}`, '--trusted', '--refresh-grace', 10,
    ...words('--grant', 'authorization_code', 'refresh_token'), ...words('--scope', ...all),
    '--redirect-uri', 'https://grace.test/cb');
  const first = await graceful.tokens(cookie, offline);
  const tabs = await Promise.all([1, 2, 3].map(() => graceful.refresh(first.refresh_token)));
  for (const tab of tabs) assert.equal(tab.status, 200, tab.text);
  assert.equal(new Set(tabs.map((tab) => tab.json.refresh_token)).size, 1);
  const next = await graceful.refresh(tabs[0].json.refresh_token);
  assert.equal(next.status, 200, next.text);
  refused(await graceful.refresh(first.refresh_token), 'invalid_grant'); // its successor was used
  refused(await graceful.refresh(next.json.refresh_token), 'invalid_grant');
  const late = await graceful.tokens(cookie, offline);
  await graceful.refresh(late.refresh_token);
  grid.sql("UPDATE refresh_token SET used_at = used_at - interval '11 s' WHERE used_at IS NOT NULL");
  refused(await graceful.refresh(late.refresh_token), 'invalid_grant');
  assert.throws(() => new Client(grid, `o-no.${run}`, '--refresh-grace', 11));
});

test('without rotation a confidential client keeps its refresh token', async () => {
  const keeper = new Client(grid, `o-keep.${run}`, '--trusted', '--no-rotation',
    ...words('--grant', 'authorization_code', 'refresh_token'), ...words('--scope', ...all),
    '--redirect-uri', 'https://keep.test/cb');
  const { refresh_token: token } = await keeper.tokens(cookie, offline);
  for (let i = 0; i < 3; i++) {
    const reply = await keeper.refresh(token);
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.json.refresh_token, undefined);
  }
  await keeper.post('revocation', { token });
  refused(await keeper.refresh(token), 'invalid_grant');
  assert.throws(() => new Client(grid, `o-no2.${run}`, '--public', '--no-rotation'), /rotate/);
});

test('what a client may no longer have is not refreshed', async () => {
  const changed = new Client(grid, `o-changed.${run}`, '--trusted', ...words('--grant', 'authorization_code', 'refresh_token'),
    ...words('--scope', ...all), '--redirect-uri', 'https://changed.test/cb');
  const first = await changed.tokens(cookie, { scope: 'openid profile offline_access API' });
  assert.equal((await api(first.access_token)).status !== 401, true);
  grid.ctl('client', 'change', changed.id, ...words('--scope', 'openid', 'offline_access'));
  invalidToken(await api(first.access_token)); // at once
  const second = await changed.refresh(first.refresh_token);
  assert.equal(second.json.scope, 'openid offline_access');
  refused(await changed.refresh(second.json.refresh_token, { scope: 'API' }), 'invalid_scope');
});

// --- introspection and revocation ---------------------------------------------------------

test('introspection tells a client of its own tokens, a service of all', async () => {
  const tokens = await app.tokens(cookie, { scope: 'openid profile offline_access API' });
  const facts = await app.introspect(tokens.access_token);
  const token = jose.decodeJwt(tokens.access_token);
  for (const name of ['iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'sid', 'client_id', 'scope'])
    assert.deepEqual(facts[name], token[name], name);
  assert.equal(facts.token_type, 'Bearer');
  assert.equal(facts.username, person.name);
  const refresh = await app.introspect(tokens.refresh_token, { token_type_hint: 'access_token' });
  assert.equal(refresh.active, true);
  assert.equal(refresh.sub, token.sub);
  assert.equal((await service.introspect(tokens.access_token)).active, true);
  for (const token_ of [tokens.access_token, tokens.refresh_token])
    assert.deepEqual(await machine.introspect(token_), { active: false });
  for (const token_ of [tokens.id_token, 'guess', 'a.b.c', `${tokens.access_token}==`, await signer.sign(claims({ aud: undefined, iss: 'x' }))])
    assert.deepEqual(await service.introspect(token_), { active: false });
  refused(await service.post('introspect', {}), 'invalid_request');
  refused(await spa.post('introspect', { token: tokens.access_token }), 'invalid_client', 401);
  assert.equal((await grid.request(`/connect/introspect?token=${tokens.access_token}`)).status, 405);
});

test('introspection knows ended sessions, disabled users and blocked nodes', async () => {
  const victim = grid.addUser(`o-victim-${run}`);
  const own = await grid.logIn(victim);
  const tokens = await app.tokens(own, offline);
  assert.equal((await app.introspect(tokens.access_token)).active, true);
  grid.ctl('user', 'disable', victim.name);
  for (const token of [tokens.access_token, tokens.refresh_token])
    assert.deepEqual(await app.introspect(token), { active: false });
  refused(await app.refresh(tokens.refresh_token), 'invalid_grant');
  const leaver = await grid.logIn(person);
  const left = await app.tokens(leaver, offline);
  const page = await grid.request('/logout', { cookie: leaver });
  const csrf = /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  await grid.request('/logout', { form: { csrf }, cookie: leaver, headers: { 'sec-fetch-site': 'same-origin' } });
  for (const token of [left.access_token, left.refresh_token])
    assert.deepEqual(await app.introspect(token), { active: false });
  const node = grid.enrol(`o-node-${run}`, `${randomUUID()}:o-node-${run}`);
  const bound = await node.token();
  const facts = await service.introspect(bound);
  assert.ok(facts.cnf['x5t#S256']);
  grid.ctl('node', 'block', node.name);
  assert.deepEqual(await service.introspect(bound), { active: false });
  node.close();
});

test('a revoked access token is refused at once by every service', async () => {
  const { access_token: token } = await app.tokens(cookie, { scope: 'openid API' });
  const doors = {
    api: () => api(token),
    hub: () => grid.request(`/api/v1/datasources/${randomUUID()}/variables/query`, { token, body: {} }),
    identity: () => userinfo(token),
    controller: () => grid.request('/api/v1/admin/audit', { token }),
  };
  for (const [name, door] of Object.entries(doors)) assert.notEqual((await door()).status, 401, name);
  const reply = await app.post('revocation', { token });
  assert.equal(reply.status, 200);
  assert.equal(reply.text, '');
  for (const door of Object.values(doors)) invalidToken(await door());
  assert.equal((await app.post('revocation', { token })).status, 200);
});

test('revocation: unknown, foreign and repeated tokens change nothing', async () => {
  const tokens = await app.tokens(cookie, offline);
  for (const token of ['guess', 'a.b.c', tokens.id_token]) {
    const reply = await app.post('revocation', { token, token_type_hint: 'whatever' });
    assert.equal(reply.status, 200);
    assert.equal(reply.text, '');
  }
  for (const token of [tokens.access_token, tokens.refresh_token])
    assert.equal((await machine.post('revocation', { token })).status, 200);
  assert.equal((await app.introspect(tokens.access_token)).active, true);
  assert.equal((await app.introspect(tokens.refresh_token)).active, true);
  refused(await app.post('revocation', {}), 'invalid_request');
  const open = await spa.tokens(cookie, offline);
  assert.equal((await spa.post('revocation', { token: open.refresh_token })).status, 200);
  refused(await spa.refresh(open.refresh_token), 'invalid_grant');
  invalidToken(await userinfo(open.access_token)); // what came from it is gone too
});

// --- wrong secrets ----------------------------------------------------------------------------------

test('wrong client secrets make their sender wait, and nobody else', async () => {
  const from = (localAddress) => ({ localAddress });
  const guess = { ...cc, client_secret: 'guess' };
  const replies = [];
  for (let i = 0; i < 12; i++) replies.push(await machine.token(guess, from('127.0.0.41')));
  assert.deepEqual(replies.slice(0, 5).map((reply) => reply.status), Array(5).fill(401));
  const late = replies.at(-1);
  assert.equal(late.status, 429);
  assert.equal(late.json.error, 'temporarily_unavailable');
  assert.ok(Number(late.headers['retry-after']) > 0);
  assert.equal((await machine.token(cc, from('127.0.0.41'))).status, 429);
  assert.equal((await machine.token(cc, from('127.0.0.42'))).status, 200);
  grid.sql("UPDATE login_failure SET blocked_until = now() WHERE subject LIKE '%127.0.0.41'");
  assert.equal((await machine.token(cc, from('127.0.0.41'))).status, 200);
});

test('a library that tries Basic wrongly and then the form is never shut out', async () => {
  for (let i = 0; i < 15; i++) {
    refused(await grid.request('/connect/token', { form: cc, headers: basic(machine.id, ''), localAddress: '127.0.0.43' }),
      'invalid_client', 401);
    assert.equal((await machine.token(cc, { localAddress: '127.0.0.43' })).status, 200);
  }
});
