// OAuth 2.0 and OpenID Connect as strict clients use them: flows, discovery, CORS, devices.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import * as jose from 'jose';
import { sleep } from '../support/grid.mjs';
import {
  all, cc, Client, gridFetch, openClients, pkce, refused, words,
} from '../support/oauth.mjs';

const run = process.pid;
const origin = 'https://spa.test';
const clients = await openClients();
const { grid, oidc, oauth, app, spa, machine, person, cookie, api, userinfo } = clients;

after(() => clients.close());

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
  const waiting = oidc.pollDeviceAuthorizationGrant(config, started, undefined, { signal: AbortSignal.timeout(120_000) });
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
