// Clients by REST, and what is recorded of what they do.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import * as jose from 'jose';
import { sleep } from '../support/grid.mjs';
import {
  cc, invalidToken, openClients, refused, words,
} from '../support/oauth.mjs';

const run = process.pid;
const offline = { scope: 'openid offline_access API' };
const clients = await openClients();
const { grid, app, machine, cookie, api, machineToken } = clients;

after(() => clients.close());

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
