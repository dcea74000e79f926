// OAuth 2.0 and tokens, endpoint by endpoint, by strict clients and by hand.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import * as jose from 'jose';
import { openGrid, sleep } from '../support/grid.mjs';
import {
  basic, Client, foreignSigner, form, gridFetch, makeCertificate, pkce, refused, words,
} from '../support/oauth.mjs';

let grid; // before openid-client: it makes the grid's webcrypto global
let oidc;
let oauth;
let app; // confidential, code flow
let spa; // public
let machine; // client_credentials
let service; // may introspect everybody's tokens
let person;
let cookie;
let signer; // of tokens that the grid would not make
const run = process.pid;
const origin = 'https://spa.test';
const all = ['openid', 'profile', 'email', 'roles', 'offline_access', 'API'];

before(async () => {
  grid = await openGrid();
  oidc = await import('openid-client');
  oauth = await import('oauth4webapi');
  app = new Client(grid, `o-app.${run}`, '--trusted',
    ...words('--grant', 'authorization_code', 'refresh_token', 'client_credentials'),
    ...words('--scope', ...all), '--redirect-uri', 'https://app.test/callback',
    '--logout-uri', 'https://app.test/bye');
  spa = new Client(grid, `o-spa.${run}`, '--public', '--trusted',
    ...words('--grant', 'authorization_code', 'refresh_token'),
    ...words('--scope', ...all), '--redirect-uri', 'https://spa.test/cb', '--origin', origin);
  machine = new Client(grid, `o-machine.${run}`, '--grant', 'client_credentials', '--scope', 'API');
  service = new Client(grid, `o-service.${run}`, '--introspection');
  person = grid.addUser(`o-person-${run}`, '--email', `o-person-${run}@grid.test`, '--full-name', 'Olga Person');
  grid.ctl('policy', 'grant', 'client', machine.id, 'ReadAll');
  cookie = await grid.logIn(person);
  signer = await foreignSigner(grid, jose);
});
after(() => {
  signer?.close();
  grid?.close();
});

const cc = { grant_type: 'client_credentials' };
const api = (token, extra = {}) => grid.request('/api/v1/datasources', { token, ...extra });
const userinfo = (token, extra = {}) => grid.request('/connect/userinfo', { token, ...extra });

async function machineToken(client = machine) {
  const reply = await client.token(cc);
  assert.equal(reply.status, 200, reply.text);
  return reply.json.access_token;
}

/** What every service must refuse with 401 and the code invalid_token. */
function invalidToken(reply) {
  assert.equal(reply.status, 401, reply.text);
  assert.match(reply.headers['www-authenticate'],
    /^Bearer realm="fieldgrid", error="invalid_token", error_description="[^"\\]+"/);
}

/** Claims of an access token that the API takes; "extra" makes them wrong. */
function claims(extra = {}) {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: grid.url, token_use: 'access', iat: now, nbf: now, exp: now + 600, jti: randomUUID(),
    client_id: machine.id, client_epoch: epoch(machine), sub: machine.id, scope: 'API',
    aud: 'fieldgrid-api', ...extra,
  };
}

function epoch(client) {
  return Number(grid.sql(`SELECT epoch FROM client WHERE client_id = '${client.id}'`)[0][0]);
}

// --- strict clients ---------------------------------------------------------------

test('openid-client: discovery, code, refresh, introspection, userinfo, revocation, log-out', async () => {
  const config = await oidc.discovery(new URL(grid.url), app.id, app.secret, undefined,
    { [oidc.customFetch]: gridFetch(grid) });
  const { verifier, challenge } = pkce();
  const own = await grid.logIn(person);
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: app.back, scope: all.join(' '), state: 's', nonce: 'n', code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  const reply = await grid.request(url.href, { cookie: own });
  const first = await oidc.authorizationCodeGrant(config, new URL(reply.headers.location),
    { pkceCodeVerifier: verifier, expectedState: 's', expectedNonce: 'n' });
  assert.equal(first.claims().name, 'Olga Person');
  const second = await oidc.refreshTokenGrant(config, first.refresh_token);
  const known = await oidc.tokenIntrospection(config, second.access_token);
  assert.equal(known.active, true);
  assert.equal(known.username, person.name);
  assert.equal(known.sub, first.claims().sub);
  const who = await oidc.fetchUserInfo(config, second.access_token, known.sub);
  assert.deepEqual(who.groups, []);
  await oidc.tokenRevocation(config, second.access_token);
  assert.deepEqual(await oidc.tokenIntrospection(config, second.access_token), { active: false });
  await assert.rejects(oidc.fetchUserInfo(config, second.access_token, known.sub), (error) => {
    assert.equal(error.cause[0].parameters.error, 'invalid_token');
    return true;
  });
  const third = await oidc.refreshTokenGrant(config, second.refresh_token);
  await oidc.tokenRevocation(config, third.refresh_token, { token_type_hint: 'access_token' });
  assert.equal((await userinfo(third.access_token)).status, 401);
  await assert.rejects(oidc.refreshTokenGrant(config, third.refresh_token), { error: 'invalid_grant' });
  const bye = await grid.request(oidc.buildEndSessionUrl(config,
    { id_token_hint: first.id_token, post_logout_redirect_uri: 'https://app.test/bye' }).href, { cookie: own });
  assert.equal(bye.headers.location, 'https://app.test/bye');
});

test('oauth4webapi: introspection, revocation and client_credentials pass every check', async () => {
  const options = { [oauth.customFetch]: gridFetch(grid) };
  const server = await oauth.processDiscoveryResponse(new URL(grid.url),
    await oauth.discoveryRequest(new URL(grid.url), options));
  const client = { client_id: app.id };
  const proof = oauth.ClientSecretBasic(app.secret);
  const { access_token: token } = await oauth.processClientCredentialsResponse(server, client,
    await oauth.clientCredentialsGrantRequest(server, client, proof, { scope: 'API' }, options));
  const facts = await oauth.processIntrospectionResponse(server, client,
    await oauth.introspectionRequest(server, client, proof, token, options));
  assert.equal(facts.active, true);
  assert.equal(facts.client_id, app.id);
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, proof, token, options));
  assert.equal((await api(token)).status, 401);
});

test('what Grafana asks: claims in both places, and the addresses', async () => {
  grid.ctl('group', 'add', `o-ops-${run}`);
  grid.ctl('group', 'join', `o-ops-${run}`, 'user', person.name);
  const { access_token: token, id_token: id } = await app.tokens(cookie, { scope: 'API openid profile email offline_access' });
  const who = (await userinfo(token)).json;
  for (const facts of [who, jose.decodeJwt(id)]) {
    assert.equal(facts.email, `o-person-${run}@grid.test`);
    assert.equal(facts.preferred_username, person.name);
    assert.deepEqual(facts.groups, [`o-ops-${run}`]);
    assert.ok(Array.isArray(facts.roles));
  }
  assert.equal((await grid.request('/connect/userinfo', { token, form: {} })).json.sub, who.sub);
  const mails = await userinfo(token, { headers: {} });
  assert.equal(mails.status, 200);
  const emails = await grid.request('/connect/userinfo/emails', { token });
  assert.deepEqual(emails.json, [{ email: who.email, primary: true, verified: true }]);
  const without = (await app.tokens(cookie, { scope: 'openid API' })).access_token;
  assert.deepEqual(Object.keys((await userinfo(without)).json), ['sub']);
  assert.equal((await grid.request('/connect/userinfo/emails', { token: without })).status, 403);
});

// --- discovery ---------------------------------------------------------------------

test('discovery says what is there, at both addresses, and nothing else', async () => {
  const document = await grid.request('/.well-known/openid-configuration');
  const other = await grid.request('/.well-known/oauth-authorization-server');
  assert.deepEqual(document.json, other.json);
  assert.match(document.headers['cache-control'], /public, max-age=300/);
  assert.equal(document.headers['access-control-allow-origin'], '*');
  assert.equal(document.headers['access-control-allow-credentials'], undefined);
  const facts = document.json;
  assert.equal(facts.issuer, grid.url);
  const rows = {
    authorization_endpoint: `${grid.url}/connect/authorize`,
    token_endpoint: `${grid.url}/connect/token`,
    userinfo_endpoint: `${grid.url}/connect/userinfo`,
    introspection_endpoint: `${grid.url}/connect/introspect`,
    revocation_endpoint: `${grid.url}/connect/revocation`,
    end_session_endpoint: `${grid.url}/connect/endsession`,
    device_authorization_endpoint: `${grid.url}/connect/deviceauthorization`,
    jwks_uri: `${grid.url}/.well-known/openid-configuration/jwks`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'ES256'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code'],
    token_endpoint_auth_methods_supported:
      ['client_secret_basic', 'client_secret_post', 'tls_client_auth', 'none'],
    revocation_endpoint_auth_methods_supported:
      ['client_secret_basic', 'client_secret_post', 'tls_client_auth', 'none'],
    introspection_endpoint_auth_methods_supported:
      ['client_secret_basic', 'client_secret_post', 'tls_client_auth'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    tls_client_certificate_bound_access_tokens: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    claims_parameter_supported: false,
  };
  for (const [name, value] of Object.entries(rows)) assert.deepEqual(facts[name], value, name);
  for (const scope of all) assert.ok(facts.scopes_supported.includes(scope));
  for (const name of ['pushed_authorization_request_endpoint', 'registration_endpoint', 'check_session_iframe',
    'dpop_signing_alg_values_supported']) assert.equal(facts[name], undefined);
  for (const address of Object.values(facts.mtls_endpoint_aliases))
    assert.ok(address.startsWith(`${grid.nodeUrl}/connect/`));
  for (const [name, address] of Object.entries(facts))
    if (/_endpoint$|_uri$/.test(name)) assert.notEqual((await grid.request(address)).status, 404, address);
});

test('the issuer is that of the configuration, whatever Host says', async () => {
  const reply = await grid.request('/.well-known/openid-configuration',
    { headers: { 'x-forwarded-host': 'evil.test', forwarded: 'host=evil.test' } });
  assert.equal(reply.json.issuer, grid.url);
});

// --- CORS ---------------------------------------------------------------------------

test('asvs 3.4.2: only the origin of a registered application may read answers', async () => {
  const { access_token: token } = await spa.tokens(cookie);
  const calls = {
    token: (from) => spa.token({ grant_type: 'refresh_token', refresh_token: 'x' }, { headers: { origin: from } }),
    revocation: (from) => spa.post('revocation', { token: 'x' }, { headers: { origin: from } }),
    userinfo: (from) => userinfo(token, { headers: { origin: from } }),
    'userinfo refused': (from) => userinfo('x.y.z', { headers: { origin: from } }),
  };
  for (const [name, call] of Object.entries(calls)) {
    const known = await call(origin);
    assert.equal(known.headers['access-control-allow-origin'], origin, name);
    assert.match(known.headers['access-control-expose-headers'], /WWW-Authenticate/i, name);
    assert.match(known.headers.vary, /Origin/, name);
    for (const evil of ['https://evil.test', 'null', `${origin}.evil.test`, 'http://spa.test'])
      assert.equal((await call(evil)).headers['access-control-allow-origin'], undefined, `${name} ${evil}`);
  }
  for (const path of ['token', 'revocation', 'userinfo']) {
    const preflight = (from) => grid.request(`/connect/${path}`, { method: 'OPTIONS', headers: { origin: from } });
    assert.equal((await preflight(origin)).headers['access-control-allow-origin'], origin);
    assert.equal((await preflight('https://evil.test')).headers['access-control-allow-origin'], undefined);
  }
  for (const path of ['/connect/authorize', '/connect/endsession', '/connect/introspect', '/login']) {
    const reply = await grid.request(path, { headers: { origin } });
    assert.equal(reply.headers['access-control-allow-origin'], undefined, path);
  }
});

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

// --- bearer tokens, RFC 6750 ---------------------------------------------------------------

test('every service answers about tokens as RFC 6750 has it', async () => {
  const good = await machineToken();
  const scopeless = (await app.tokens(cookie, { scope: 'openid' })).access_token;
  const doors = {
    api: '/api/v1/datasources',
    hub: `/api/v1/datasources/${randomUUID()}/variables/query`,
    controller: '/api/v1/admin/audit',
    admin: '/api/v1/admin/clients',
    userinfo: '/connect/userinfo',
  };
  for (const [name, path] of Object.entries(doors)) {
    const ask = (headers, query = '') => grid.request(path + query, { headers, ...(name === 'hub' && { body: {} }) });
    const nobody = await ask({});
    assert.equal(nobody.status, 401, name);
    assert.equal(nobody.headers['www-authenticate'], 'Bearer realm="fieldgrid"', name);
    invalidToken(await ask({ authorization: 'Bearer x.y.z' }));
    invalidToken(await ask({ authorization: `bEARER ${await signer.sign(claims({ exp: 1 }))}` }));
    for (const header of ['Bearer', 'Bearer ', 'Bearer a b', 'Bearer "x"', 'Bearer {x}']) {
      const malformed = await ask({ authorization: header });
      assert.equal(malformed.status, 400, `${name} ${header}`);
      assert.match(malformed.headers['www-authenticate'], /^Bearer realm="fieldgrid", error="invalid_request"/, name);
    }
    const twice = await ask({ authorization: `Bearer ${good}` }, `?access_token=${good}`);
    assert.equal(twice.status, 400, name);
    assert.match(twice.headers['www-authenticate'], /error="invalid_request"/);
    const query = await ask({}, `?access_token=${good}`);
    assert.equal(query.status, 401, name);
    if (name === 'userinfo') continue;
    const narrow = await ask({ authorization: `Bearer ${scopeless}` });
    assert.equal(narrow.status, 403, name);
    assert.match(narrow.headers['www-authenticate'],
      /^Bearer realm="fieldgrid", error="insufficient_scope", error_description="[^"]+", scope="API"$/, name);
  }
  const noOpenid = await userinfo((await app.tokens(cookie, { scope: 'API' })).access_token);
  assert.equal(noOpenid.status, 403);
  assert.match(noOpenid.headers['www-authenticate'], /error="insufficient_scope", scope="openid"/);
  const body = await grid.request('/connect/userinfo',
    { form: { access_token: good }, headers: { authorization: `Bearer ${good}` } });
  assert.equal(body.status, 400);
  assert.equal((await grid.request('/connect/userinfo', { cookie })).status, 401);
});

test('asvs 9.1.1: changed, stripped and replaced signatures are refused', async () => {
  const good = await signer.sign(claims());
  assert.notEqual((await api(good)).status, 401);
  const [head, body, signature] = good.split('.');
  const flip = (text, at) => text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  const other = Buffer.from(JSON.stringify(claims({ scope: 'API hub' }))).toString('base64url');
  for (const token of [`${head}.${body}.`, `${head}.${body}`, `${head}.${other}.${signature}`,
    `${head}.${body}.${flip(signature, 10)}`, `${flip(head, 20)}.${body}.${signature}`, `${good}.x`, `${good}==`])
    assert.equal((await api(token)).status, 401, token.slice(-30));
});

test('asvs 9.1.2: the algorithm is that of the key, never none or HMAC', async () => {
  const header = (fields) => Buffer.from(JSON.stringify(fields)).toString('base64url');
  const body = Buffer.from(JSON.stringify(claims())).toString('base64url');
  const { createHmac } = await import('node:crypto');
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const text = `${header({ alg, typ: 'JWT', kid: signer.kid })}.${body}`;
    const hash = `sha${alg.slice(2)}`;
    for (const key of [signer.publicPem, signer.publicPem.trim(), ''])
      invalidToken(await api(`${text}.${createHmac(hash, key).update(text).digest('base64url')}`));
  }
  for (const alg of ['none', 'None', 'NONE', ''])
    for (const kid of [signer.kid, undefined])
      invalidToken(await api(`${header({ alg, typ: 'JWT', kid })}.${body}.`));
  const { privateKey } = await jose.generateKeyPair('ES256');
  const confused = await new jose.CompactSign(Buffer.from(JSON.stringify(claims())))
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: signer.kid }).sign(privateKey);
  invalidToken(await api(confused));
  invalidToken(await api(await signer.sign(claims(), { kid: 'unknown' })));
  invalidToken(await api(await signer.sign(claims(), { kid: undefined })));
});

test('asvs 9.1.3: keys come from us alone; headers that bring some are refused', async () => {
  const http = await import('node:http');
  let fetched = 0;
  const server = http.createServer((request, response) => { fetched++; response.end('{"keys":[]}'); });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/keys`;
  const { publicKey, privateKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const jwk = await jose.exportJWK(publicKey);
  for (const extra of [{ jku: url }, { x5u: url }, { jwk }, { x5c: ['AAAA'] }]) {
    invalidToken(await api(await signer.sign(claims(), extra)));
    for (const kid of [signer.kid, 'mine'])
      invalidToken(await api(await new jose.CompactSign(Buffer.from(JSON.stringify(claims())))
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...extra }).sign(privateKey)));
  }
  invalidToken(await api(await signer.sign(claims(), { crit: ['exp'], exp: 1 })));
  assert.equal(fetched, 0);
  server.close();
});

test('asvs 9.2.1: expired and premature tokens are refused, with a minute for clocks', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const extra of [{ exp: now - 1 }, { exp: 1 }, { exp: undefined }, { exp: String(now + 60) }, { exp: 1e300 },
    { exp: now + 0.5 }, { nbf: now + 90 }, { nbf: 9999999999 }, { iat: now + 90 }])
    invalidToken(await api(await signer.sign(claims(extra))));
  for (const extra of [{ nbf: now + 30, iat: now + 30 }, { nbf: undefined }])
    assert.notEqual((await api(await signer.sign(claims(extra)))).status, 401, JSON.stringify(extra));
});

test('asvs 9.2.2: an ID token opens no API, an access token is no ID token', async () => {
  const tokens = await app.tokens(cookie, { scope: 'openid API' });
  invalidToken(await api(tokens.id_token));
  invalidToken(await userinfo(tokens.id_token));
  invalidToken(await api(await signer.sign(claims({ token_use: 'id' }))));
  invalidToken(await api(await signer.sign(claims({ token_use: undefined }))));
  const page = await grid.request(`/connect/endsession?${new URLSearchParams({
    id_token_hint: tokens.access_token, post_logout_redirect_uri: 'https://app.test/bye',
  })}`, { cookie });
  assert.equal(page.headers.location, undefined); // it asks, or says that the hint is wrong
});

test('asvs 9.2.3: a token for somebody else is refused', async () => {
  for (const extra of [{ aud: 'fieldgrid-hub' }, { aud: 'other' }, { aud: [] }, { aud: ['other'] }, { aud: undefined },
    { aud: { 'fieldgrid-api': 1 } }, { iss: 'https://evil.test' }, { iss: `${grid.url}/` }, { iss: undefined }])
    invalidToken(await api(await signer.sign(claims(extra))));
  assert.notEqual((await api(await signer.sign(claims({ aud: ['x', 'fieldgrid-api'] })))).status, 401);
});

test('asvs 10.3.1: hub and API each take only their own tokens', async () => {
  const node = grid.enrol(`o-aud-${run}`, `${randomUUID()}:o-aud-${run}`);
  const bound = await node.token();
  invalidToken(await api(bound));
  const reply = await node.request('/hub/v1/position', { token: await machineToken() });
  assert.equal(reply.status, 401, reply.text);
  node.close();
});

test('asvs 10.3.2: scopes and subject decide together', async () => {
  const plain = grid.addUser(`o-plain-${run}`);
  const own = await grid.logIn(plain);
  const tokens = await app.tokens(own, { scope: 'openid API' });
  const users = (token) => grid.request('/api/v1/admin/users', { token });
  assert.equal((await users(tokens.access_token)).status, 403); // the scope, not the right
  const admin = await grid.logIn();
  const narrow = await app.tokens(admin, { scope: 'openid profile' });
  const denied = await users(narrow.access_token);
  assert.equal(denied.status, 403); // the right, not the scope
  assert.match(denied.headers['www-authenticate'], /insufficient_scope/);
  assert.equal((await users((await app.tokens(admin, { scope: 'API' })).access_token)).status, 200);
});

test('epochs: a new secret of a user, a disabled client and its tokens', async () => {
  const gone = new Client(grid, `o-gone.${run}`, '--grant', 'client_credentials', '--scope', 'API');
  const token = await machineToken(gone);
  assert.notEqual((await api(token)).status, 401);
  grid.ctl('client', 'disable', gone.id);
  invalidToken(await api(token));
  refused(await gone.token(cc), 'invalid_client', 401);
  grid.sql("DELETE FROM login_failure WHERE subject LIKE 'client%'");
  grid.ctl('client', 'enable', gone.id);
  invalidToken(await api(token));
  assert.equal((await gone.token(cc)).status, 200);
  grid.ctl('client', 'remove', gone.id);
  refused(await gone.token(cc), 'invalid_client', 401);
});

// --- algorithms -------------------------------------------------------------------------------

test('a client with ES256 gets both tokens by the second published key', async () => {
  const elliptic = new Client(grid, `o-es.${run}`, '--trusted', '--algorithm', 'ES256',
    ...words('--grant', 'authorization_code'), ...words('--scope', ...all), '--redirect-uri', 'https://es.test/cb');
  const keys = (await grid.request('/.well-known/openid-configuration/jwks')).json;
  const set = jose.createLocalJWKSet(keys);
  const tokens = await elliptic.tokens(cookie);
  for (const token of [tokens.access_token, tokens.id_token]) {
    const { protectedHeader } = await jose.jwtVerify(token, set, { issuer: grid.url, algorithms: ['ES256'] });
    assert.equal(protectedHeader.alg, 'ES256');
    assert.equal(Buffer.from(token.split('.')[2], 'base64url').length, 64);
  }
  assert.equal((await userinfo(tokens.access_token)).status, 200);
  const config = await oidc.discovery(new URL(grid.url), elliptic.id,
    { client_secret: elliptic.secret, id_token_signed_response_alg: 'ES256' }, undefined,
    { [oidc.customFetch]: gridFetch(grid) });
  const { verifier, challenge } = pkce();
  const reply = await elliptic.authorize(cookie, { code_challenge: challenge });
  assert.ok((await oidc.authorizationCodeGrant(config, new URL(reply.headers.location),
    { pkceCodeVerifier: verifier, expectedState: 's1' })).claims().sub);
  for (const key of keys.keys) {
    assert.deepEqual(Object.keys(key).filter((name) => ['d', 'p', 'q', 'dp', 'dq', 'qi'].includes(name)), []);
    assert.equal(key.use, 'sig');
    const { kid, use, alg, ...plain } = key;
    assert.equal(kid, await jose.calculateJwkThumbprint(plain));
  }
  assert.deepEqual([...new Set(keys.keys.map((key) => key.alg))].sort(), ['ES256', 'RS256']);
});

test('many ES256 tokens: leading zeros of r and s stay', async () => {
  const elliptic = new Client(grid, `o-es2.${run}`, '--algorithm', 'ES256', '--grant', 'client_credentials', '--scope', 'API');
  const set = jose.createLocalJWKSet((await grid.request('/.well-known/openid-configuration/jwks')).json);
  for (let i = 0; i < 3; i++) { // few enough for the limit of the address
    const replies = await Promise.all(Array.from({ length: 20 }, () => elliptic.token(cc)));
    for (const reply of replies) {
      assert.equal(reply.status, 200, reply.text);
      await jose.jwtVerify(reply.json.access_token, set);
    }
  }
});

// --- certificates --------------------------------------------------------------------------------

test('tls_client_auth: each kind of name, exactly', async () => {
  const subject = `/O=Plant/CN=o-robot-${run}`;
  const names = 'DNS:robot.plant.test,URI:urn:robot:7,IP:192.0.2.7,email:robot@plant.test';
  const { cert, key } = makeCertificate(grid, subject, names);
  const kinds = {
    subject_dn: [`CN=o-robot-${run},O=Plant`, `O=Plant,CN=o-robot-${run}`],
    san_dns: ['ROBOT.plant.test', 'robot.plant'],
    san_uri: ['urn:robot:7', 'urn:robot:70'],
    san_ip: ['192.0.2.7', '192.0.2.70'],
    san_email: ['robot@plant.test', 'Robot@plant.test'],
  };
  for (const [kind, [right, wrong]] of Object.entries(kinds)) {
    const register = (name, at) => new Client(grid, `o-tls-${kind}-${at}.${run}`, '--certificate', `${kind}:${name}`,
      '--grant', 'client_credentials', '--scope', 'API');
    const good = register(right, 'good');
    assert.equal(good.secret, undefined);
    const reply = await good.token(cc, { url: grid.nodeUrl, cert, key });
    assert.equal(reply.status, 200, `${kind}: ${reply.text}`);
    refused(await register(wrong, 'wrong').token(cc, { url: grid.nodeUrl, cert, key }), 'invalid_client', 401);
  }
  assert.throws(() => new Client(grid, `o-tls-two.${run}`, '--certificate', 'san_dns'), /certificate/);
  assert.throws(() => new Client(grid, `o-tls-odd.${run}`, '--certificate', 'serial:1'), /certificate/);
});

test('tls_client_auth: no certificate, a foreign one, and no client_id', async () => {
  const { cert, key } = makeCertificate(grid, `/CN=o-arm-${run}`, `DNS:arm-${run}.test`);
  const arm = new Client(grid, `o-arm.${run}`, '--certificate', `san_dns:arm-${run}.test`,
    '--grant', 'client_credentials', '--scope', 'API');
  const at = { url: grid.nodeUrl, cert, key };
  assert.equal((await arm.token(cc, at)).status, 200);
  refused(await arm.token(cc), 'invalid_client', 401); // the public listener asks for none
  refused(await arm.token(cc, { headers: { 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': cert.replaceAll('\n', '%0A') } }),
    'invalid_client', 401);
  refused(await arm.token({ ...cc, client_secret: 'x' }, at), 'invalid_client', 401);
  refused(await grid.request(`${grid.nodeUrl}/connect/token`, { form: cc, cert, key }), 'invalid_client', 401);
  refused(await machine.token({ ...cc, client_secret: undefined }, at), 'invalid_client', 401);
  const authority = makeCertificate(grid, '/CN=evil authority');
  const evil = makeCertificate(grid, `/CN=o-arm-${run}`, `DNS:arm-${run}.test`, { authority });
  const foreign = await arm.token(cc, { url: grid.nodeUrl, cert: evil.cert, key: evil.key });
  assert.ok([400, 401, 403].includes(foreign.status), foreign.text);
  assert.equal(foreign.text.includes('access_token'), false);
  grid.sql("DELETE FROM login_failure WHERE subject LIKE 'client%'");
});

test('a token of a certificate works only over that certificate', async () => {
  const { cert, key } = makeCertificate(grid, `/CN=o-bound-${run}`, `DNS:bound-${run}.test`);
  const other = makeCertificate(grid, `/CN=o-other-${run}`, `DNS:other-${run}.test`);
  const bound = new Client(grid, `o-bound.${run}`, '--certificate', `san_dns:bound-${run}.test`,
    '--grant', 'client_credentials', '--scope', 'API');
  grid.ctl('policy', 'grant', 'client', bound.id, 'ReadAll');
  const { access_token: token } = (await bound.token(cc, { url: grid.nodeUrl, cert, key })).json;
  const { createHash, X509Certificate } = await import('node:crypto');
  const thumbprint = createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
  assert.equal(jose.decodeJwt(token).cnf['x5t#S256'], thumbprint);
  const facts = (await bound.post('introspect', { token }, { url: grid.nodeUrl, cert, key })).json;
  assert.equal(facts.cnf['x5t#S256'], thumbprint);
  const at = (extra) => grid.request(`${grid.nodeUrl}/api/v1/datasources`, { token, ...extra });
  assert.equal((await at({ cert, key })).status, 200);
  invalidToken(await at({ cert: other.cert, key: other.key }));
  invalidToken(await api(token));
  assert.equal((await at({ cert, key })).status, 200);
});

test('the certificate of a blocked node proves nothing any more', async () => {
  const node = grid.enrol(`o-lent-${run}`, `${randomUUID()}:o-lent-${run}`);
  const { X509Certificate } = await import('node:crypto');
  const uri = /URI:([^,]+)/.exec(new X509Certificate(node.cert).subjectAltName)[1];
  const lent = new Client(grid, `o-lent.${run}`, '--certificate', `san_uri:${uri}`, '--grant', 'client_credentials',
    '--scope', 'API');
  grid.ctl('policy', 'grant', 'client', lent.id, 'ReadAll');
  const at = { url: grid.nodeUrl, cert: node.cert, key: node.key };
  const { access_token: token } = (await lent.token(cc, at)).json;
  const read = () => grid.request(`${grid.nodeUrl}/api/v1/datasources`, { token, cert: node.cert, key: node.key });
  assert.equal((await read()).status, 200);
  grid.ctl('node', 'block', node.name);
  invalidToken(await read());
  refused(await lent.token(cc, at), 'invalid_client', 401);
  grid.ctl('node', 'unblock', node.name);
  assert.equal((await lent.token(cc, at)).status, 200);
  assert.equal((await read()).status, 200);
  node.close();
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

// --- the record ----------------------------------------------------------------------------------------

test('asvs 16.3.1: tokens, refusals and revocations stand in the audit, without secrets', async () => {
  const { access_token: token } = (await machine.token(cc)).json;
  await machine.post('revocation', { token });
  await machine.token({ ...cc, scope: 'root' });
  const rows = grid.sql(`SELECT action, result, actor_kind, client, coalesce(new_value::text, ''), coalesce(old_value::text, '')
    FROM audit_entry WHERE object = 'client:${machine.id}' ORDER BY id DESC LIMIT 3`);
  assert.deepEqual(rows.map(([action, result]) => `${action} ${result}`),
    ['token.refuse refused', 'token.revoke ok', 'token.issue ok']);
  const { jti } = jose.decodeJwt(token);
  assert.match(rows[2][4], new RegExp(jti));
  assert.match(rows[1][5], new RegExp(jti));
  const everything = grid.sql(`SELECT string_agg(audit_entry::text, ' ') FROM audit_entry`)[0][0];
  for (const secret of [token, machine.secret, app.secret, token.split('.')[2]])
    assert.equal(everything.includes(secret), false);
});

test('no log holds a token, a code or a secret', async () => {
  const code = await app.code(cookie, offline);
  const tokens = (await app.exchange(code)).json;
  await app.refresh('wrong-refresh-token-in-the-log');
  await sleep(300);
  for (const service_ of ['identity', 'nginx', 'api', 'hub', 'postgresql']) {
    const log = grid.log(service_);
    for (const secret of [code.code, code.verifier, tokens.access_token.split('.')[2], tokens.refresh_token, app.secret,
      'wrong-refresh-token-in-the-log'])
      assert.equal(log.includes(secret), false, service_);
  }
});

// --- administration ---------------------------------------------------------------------------------------

test('clients by REST: create, list, change, renew the secret, disable, remove', async () => {
  const admin = await grid.logIn();
  const csrf = { headers: { origin: grid.url } };
  const call = (method, path, body) => grid.request(`/api/v1/admin/clients${path}`, { method, body, cookie: admin, ...csrf });
  const id = `o-rest.${run}`;
  const made = await call('POST', '', {
    clientId: id, name: 'Made by REST', grants: ['client_credentials'], scopes: ['API'], homePage: 'https://rest.test/',
  });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.location, `/api/v1/admin/clients/${id}`);
  assert.match(made.headers['cache-control'], /no-store/);
  const client = { id, secret: made.json.clientSecret };
  const ask = (secret) => grid.request('/connect/token', { form: { ...cc, client_id: id, client_secret: secret } });
  assert.equal((await ask(client.secret)).status, 200);
  const { json: one } = await call('GET', `/${id}`);
  assert.deepEqual(JSON.parse(grid.ctl('client', 'show', id)), one);
  assert.equal(one.clientSecret, undefined);
  assert.deepEqual(Object.fromEntries(Object.entries(one).filter(([name]) => name !== 'created')), {
    clientId: id, name: 'Made by REST', homePage: 'https://rest.test/', state: 'active', grants: ['client_credentials'],
    scopes: ['API'], redirectUris: [], logoutUris: [], origins: [], authentication: 'secret', certificateKind: null,
    certificateName: null, node: false, trusted: false, introspects: false, requirePkce: true, algorithm: 'RS256',
    accessTokenSeconds: 3600, rotateRefresh: true, refreshGraceSeconds: 0, refreshIdleSeconds: 604800,
    refreshAbsoluteSeconds: 2592000, backchannelLogoutUri: null, backchannelSessionRequired: false,
  });
  const listed = await call('GET', `?search=${id}&sort=-created`);
  assert.deepEqual(listed.json.items.map((item) => item.clientId), [id]);
  const changed = await call('PATCH', `/${id}`, { algorithm: 'ES256', accessTokenSeconds: 300, introspects: true });
  assert.equal(changed.json.algorithm, 'ES256');
  assert.equal((await ask(client.secret)).json.expires_in, 300);
  assert.equal((await call('PATCH', `/${id}`, { authentication: 'tls_client_auth', certificateKind: 'san_dns', certificateName: 'x.test' })).status, 200);
  refused(await ask(client.secret), 'invalid_client', 401);
  const back = await call('PATCH', `/${id}`, { authentication: 'secret' });
  assert.equal(back.json.certificateName, null);
  refused(await ask(client.secret), 'invalid_client', 401); // the old one is forgotten
  const renewed = await call('POST', `/${id}/secret`);
  assert.equal(renewed.status, 200, renewed.text);
  assert.equal((await ask(renewed.json.clientSecret)).status, 200);
  const { access_token: token } = (await ask(renewed.json.clientSecret)).json;
  assert.equal((await call('PATCH', `/${id}`, { state: 'disabled' })).json.state, 'disabled');
  invalidToken(await api(token));
  assert.equal((await call('DELETE', `/${id}`)).status, 204);
  assert.equal((await call('GET', `/${id}`)).status, 404);
  const rows = grid.sql(`SELECT action FROM audit_entry WHERE object = 'client:${id}' AND action LIKE 'client.%' ORDER BY id`);
  assert.deepEqual(rows.map(([action]) => action), ['client.create', 'client.change', 'client.change', 'client.change',
    'client.secret', 'client.change', 'client.remove']);
});

test('clients by REST: what is wrong is named', async () => {
  const admin = await grid.logIn();
  const post = (body) => grid.request('/api/v1/admin/clients', { body, cookie: admin, headers: { origin: grid.url } });
  const rows = [
    [{}, 'clientId'],
    [{ clientId: 'two words' }, 'clientId'],
    [{ clientId: randomUUID() }, 'clientId'],
    [{ clientId: 'x', grants: ['password'] }, 'grants'],
    [{ clientId: 'x', scopes: ['root'] }, 'scopes'],
    [{ clientId: 'x', redirectUris: ['http://app.test/'] }, 'redirectUris'],
    [{ clientId: 'x', redirectUris: ['https://app.test/#x'] }, 'redirectUris'],
    [{ clientId: 'x', redirectUris: ['javascript:alert(1)'] }, 'redirectUris'],
    [{ clientId: 'x', origins: ['https://app.test/path'] }, 'origins'],
    [{ clientId: 'x', origins: ['*'] }, 'origins'],
    [{ clientId: 'x', origins: ['null'] }, 'origins'],
    [{ clientId: 'x', authentication: 'none', grants: ['client_credentials'] }, 'grants'],
    [{ clientId: 'x', authentication: 'none', requirePkce: false }, 'requirePkce'],
    [{ clientId: 'x', authentication: 'none', rotateRefresh: false }, 'rotateRefresh'],
    [{ clientId: 'x', authentication: 'none', introspects: true }, 'introspects'],
    [{ clientId: 'x', authentication: 'tls_client_auth' }, 'certificateName'],
    [{ clientId: 'x', certificateKind: 'san_dns', certificateName: 'a' }, 'certificateKind'],
    [{ clientId: 'x', algorithm: 'HS256' }, 'algorithm'],
    [{ clientId: 'x', refreshGraceSeconds: 11 }, 'refreshGraceSeconds'],
    [{ clientId: 'x', backchannelLogoutUri: 'http://app.test/' }, 'backchannelLogoutUri'],
    [{ clientId: 'x', unknown: 1 }, 'unknown'],
  ];
  for (const [body, field] of rows) {
    const reply = await post(body);
    assert.equal(reply.status, 400, JSON.stringify(body));
    assert.match(reply.text, new RegExp(field, 'i'), JSON.stringify(body));
  }
  assert.equal((await post({ clientId: machine.id })).status, 409);
  assert.equal((await grid.request('/api/v1/admin/clients/nobody', { cookie: admin })).status, 404);
  assert.equal((await grid.request('/api/v1/admin/clients', { token: await machineToken() })).status, 403);
});

test('the state of a node is asked with its token, too', async () => {
  const node = grid.enrol(`o-state-${run}`, `${randomUUID()}:o-state-${run}`);
  const token = await node.token();
  assert.equal((await node.request('/hub/v1/position', { token })).status, 200);
  grid.ctl('node', 'block', node.name);
  const reply = await node.request('/connect/token', {
    form: { grant_type: 'client_credentials' }, headers: basic(node.clientId, node.clientSecret),
  });
  refused(reply, 'invalid_client', 401);
  node.close();
});

// --- devices -------------------------------------------------------------------------------------------------

/** A person, already logged in, types the code of a device and decides. */
async function decide(userCode, decision, own) {
  const csrfOf = (page) => /name="csrf" value="([^"]+)"/.exec(page.text)[1];
  const send = (fields) => grid.request('/device',
    { form: fields, cookie: own, headers: { 'sec-fetch-site': 'same-origin' } });
  const page = await grid.request(`/device?user_code=${userCode}`, { cookie: own });
  const question = await send({ csrf: csrfOf(page), user_code: userCode });
  assert.match(question.text, /only if you started this/);
  return send({ csrf: csrfOf(question), user_code: userCode, decision });
}

test('openid-client runs the device flow', async () => {
  const panel = new Client(grid, `o-panel.${run}`, '--public',
    ...words('--grant', 'urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'), ...words('--scope', ...all));
  const config = await oidc.discovery(new URL(grid.url), panel.id, undefined, oidc.None(),
    { [oidc.customFetch]: gridFetch(grid) });
  const started = await oidc.initiateDeviceAuthorization(config, { scope: 'openid profile offline_access API' });
  assert.equal(started.interval, 5);
  const waiting = oidc.pollDeviceAuthorizationGrant(config, started, undefined, { signal: AbortSignal.timeout(30_000) });
  await sleep(5500); // it has asked once, and was told to go on asking
  await decide(started.user_code, 'allow', cookie);
  const tokens = await waiting;
  assert.equal(tokens.claims().preferred_username, person.name);
  assert.equal((await userinfo(tokens.access_token)).status, 200);
  assert.ok((await oidc.refreshTokenGrant(config, tokens.refresh_token)).access_token);
  refused(await panel.token({ grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: started.device_code }),
    'invalid_grant');
});

test('oauth4webapi: the errors of a device that asks', async () => {
  const id = `o-thing.${run}`;
  const grant = 'urn:ietf:params:oauth:grant-type:device_code';
  const thing = new Client(grid, id, '--public', '--grant', grant, ...words('--scope', ...all));
  const options = { [oauth.customFetch]: gridFetch(grid) };
  const server = await oauth.processDiscoveryResponse(new URL(grid.url), await oauth.discoveryRequest(new URL(grid.url), options));
  const client = { client_id: id };
  const start = async () => oauth.processDeviceAuthorizationResponse(server, client,
    await oauth.deviceAuthorizationRequest(server, client, oauth.None(), { scope: 'API' }, options));
  const ask = async (code) => oauth.processDeviceCodeResponse(server, client,
    await oauth.deviceCodeGrantRequest(server, client, oauth.None(), code, options));
  const first = await start();
  await assert.rejects(ask(first.device_code), { error: 'authorization_pending', status: 400 });
  await assert.rejects(ask(first.device_code), { error: 'slow_down' });
  await decide(first.user_code, 'deny', cookie);
  grid.sql("UPDATE device_code SET polled_at = polled_at - interval '1 minute'");
  await assert.rejects(ask(first.device_code), { error: 'access_denied' });
  const second = await start();
  grid.sql("UPDATE device_code SET expires_at = now() - interval '1 s'");
  await assert.rejects(ask(second.device_code), { error: 'expired_token' });
  await assert.rejects(ask('guess'), { error: 'invalid_grant' });
  const third = await start();
  refused(await app.token({ grant_type: grant, device_code: third.device_code }), 'unauthorized_client');
  refused(await thing.token({ grant_type: grant }), 'invalid_request');
  const other = new Client(grid, `o-thing2.${run}`, '--public', '--grant', grant, '--scope', 'API');
  refused(await other.token({ grant_type: grant, device_code: third.device_code }), 'invalid_grant');
});

test('clients of the original product find everything below /identity-service and at its port', async () => {
  for (const base of [`${grid.url}/identity-service`, grid.identityUrl, `${grid.identityUrl}/identity-service`]) {
    const post = (path, fields) => grid.request(`${base}/connect/${path}`,
      { form: { client_id: machine.id, client_secret: machine.secret, ...fields } });
    const { access_token: token } = (await post('token', cc)).json;
    assert.equal((await post('introspect', { token })).json.active, true, base);
    assert.equal((await post('revocation', { token })).status, 200);
    assert.equal((await post('introspect', { token })).json.active, false);
    const { access_token: own } = await app.tokens(cookie, { scope: 'openid email' });
    assert.equal((await grid.request(`${base}/connect/userinfo`, { token: own })).status, 200);
    assert.equal((await grid.request(`${base}/connect/userinfo/emails`, { token: own })).status, 200);
    assert.equal((await grid.request(`${base}/.well-known/openid-configuration`)).json.issuer, grid.url);
  }
});
