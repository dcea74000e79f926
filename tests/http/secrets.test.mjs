// No log and no row of the audit holds a password, code, token, cookie or
// secret. tests/run asks once more at its end, with all that its tests used.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openGrid, sleep, until } from '../support/grid.mjs';
import { leaks, note } from '../support/secrets.mjs';

let grid;

before(async () => { grid = await openGrid({ own: true }); });
after(() => grid.close());

/** Look, without telling the secrets to the test's own log. */
async function sound(what) {
  await sleep(300);
  assert.deepEqual(leaks(grid.state), [], what);
}

test('asvs 16.2.5: what leaks is found', async () => {
  const secret = 'a secret that is written into a log';
  const file = path.join(grid.state, 'log/planted');
  note(grid.state, [secret]);
  fs.writeFileSync(file, `x\nname=${encodeURIComponent(secret)}\n`);
  assert.equal(leaks(grid.state).length, 1);
  assert.match(leaks(grid.state)[0], /^log\/planted:2: a%20…$/);
  fs.rmSync(file);
  await sound();
});

test('asvs 16.2.5: log-ins leave no password and no cookie', async () => {
  const cookie = await grid.logIn();
  await grid.request('/', { cookie });
  await grid.request('/account', { cookie });
  const password = 'Zwölf Boxkämpfer jagen Viktor';
  await assert.rejects(grid.logIn({ name: 'admin', password }));
  // The password typed where the name belongs.
  await assert.rejects(grid.logIn({ name: password, password: 'something else entirely' }));
  note(grid.state, [password]);
  await grid.request('/logout', { cookie, form: { csrf: 'nonsense-nonsense' } });
  await sound();
});

test('asvs 16.2.5: tokens and the secrets of clients are in no log, wherever they are put', async () => {
  const token = await grid.token({ id: 'secrets-client' });
  const secret = 'wrong-wrong-wrong-wrong-secret';
  const basic = (id, pass) => `Basic ${Buffer.from(`${id}:${pass}`).toString('base64')}`;
  note(grid.state, [token, token.split('.')[2], secret]);
  const form = { grant_type: 'client_credentials', client_id: 'secrets-client', client_secret: secret };
  await grid.request('/connect/token', { form });
  await grid.request('/connect/token', { form: { grant_type: 'client_credentials' }, headers: { authorization: basic('secrets-client', secret) } });
  await grid.request('/connect/token', { form: { ...form, grant_type: 'authorization_code', code: secret, code_verifier: secret, redirect_uri: 'https://x.test/' } });
  await grid.request('/connect/token', { form: { ...form, grant_type: 'refresh_token', refresh_token: secret } });
  for (const endpoint of ['introspect', 'revocation'])
    await grid.request(`/connect/${endpoint}`, { form: { ...form, token } });
  await grid.request('/api/v1/datasources', { token });
  await grid.request('/api/v1/datasources', { token: `${token}x` });
  await grid.request('/api/v1/datasources', { headers: { authorization: `Bearer ${secret} ${secret}` } });
  await grid.request(`/api/v1/datasources?access_token=${token}`);
  await grid.request(`/connect/endsession?id_token_hint=${token}&post_logout_redirect_uri=https://x.test/`);
  await grid.request(`/device?user_code=${secret}`);
  await grid.request(`/signin-nobody?code=${secret}&state=${secret}`);
  await grid.request('/hub/v1/frames', { token, body: '{}' });
  await sound();
});

test('asvs 16.2.5: not even the error log of nginx has the query of a request', async () => {
  const secret = 'code-that-nginx-must-not-write-down';
  note(grid.state, [secret]);
  grid.stop('identity');
  try {
    for (const target of ['/signin-x?code=', '/connect/endsession?id_token_hint=', '/connect/token?code='])
      assert.ok((await grid.request(`${target}${secret}`)).status >= 500);
  } finally {
    grid.start('identity');
  }
  await until(async () => (await grid.request('/login')).status === 200, { what: 'identity' });
  await sound();
});

test('asvs 16.2.5: what is made by commands and by REST is not told by logs either', async () => {
  const cookie = await grid.logIn();
  for (const [target, body] of [
    ['/api/v1/admin/users', { name: 'secrets-user' }],
    ['/api/v1/admin/clients', { clientId: 'secrets-rest', grants: ['client_credentials'], scopes: ['API'] }],
  ])
    await grid.request(target, { cookie, body, headers: { origin: grid.url } });
  grid.ctl('user', 'add', 'secrets-ctl');
  grid.ctl('client', 'secret', 'secrets-client');
  const node = grid.enrol('secrets-node', '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1999:Secrets');
  note(grid.state, [node.clientSecret]);
  const token = await node.token();
  await node.request('/hub/v1/frames', { token, body: '{}' });
  node.close();
  await sound();
});

test('asvs 16.5.1, 16.5.3: without the database nobody gets in and no one learns why', async () => {
  const token = await grid.token({ id: 'secrets-closed' });
  const cookie = await grid.logIn();
  await sleep(1100); // what a worker remembers of a caller is older than its second
  grid.stopDatabase();
  try {
    for (const [target, options] of [
      ['/api/v1/datasources', { token }], ['/api/v1/admin/audit', { cookie }], ['/', { cookie }],
      ['/connect/token', { form: { grant_type: 'client_credentials', client_id: 'secrets-closed', client_secret: 'x'.repeat(20) } }],
      ['/connect/introspect', { form: { client_id: 'secrets-closed', client_secret: 'x'.repeat(20), token } }],
    ]) {
      const reply = await grid.request(target, options);
      assert.equal(reply.status, 503, `${target}: ${reply.status}`);
      assert.doesNotMatch(reply.text, /SELECT|INSERT|relation|postgres|libpq|PGSQL|server on socket|fieldgrid_|\.c:\d/i, target);
    }
  } finally {
    await grid.startDatabase();
  }
  await until(async () => (await grid.request('/api/v1/datasources', { token })).status === 200, { what: 'the API' });
  await sound();
});
