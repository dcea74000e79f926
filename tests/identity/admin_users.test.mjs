// Users and sessions, administered by REST and by fieldgridctl.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { addApp, ended, giveTokens, openAdmin, refresh } from '../support/admin.mjs';
import { SOON_MS, openGrid, until } from '../support/grid.mjs';
import { LiveReader } from '../support/live.mjs';
import { Plant } from '../support/plant.mjs';

const run = process.pid;
let grid;
let admin;
let app;
let plant;

before(async () => {
  grid = await openGrid();
  admin = await openAdmin(grid);
  app = addApp(grid, `admin-users-${run}`);
  plant = new Plant(grid, 'AdminUsers');
  await plant.announce([{ name: 'a', type: 'float' }]);
  await plant.send({ a: [[Date.now(), 1]] });
});
after(async () => {
  plant?.close();
  await grid?.close();
});

/** The audit of an object, newest first: [{ action, actor, before, after }]. */
async function audited(object) {
  return (await admin.get(`/audit?object=${encodeURIComponent(object)}`)).items;
}

function asUser(cookie, target = '/api/v1/datasources') {
  return grid.request(target, { cookie });
}

test('a user is made, changed and removed, and all of it is in the audit', async () => {
  const name = `Anna-${run}`;
  const reply = await admin.call('POST', '/users', { name, fullName: 'Anna Auer', email: 'anna@example.org' });
  assert.equal(reply.status, 201, reply.text);
  assert.equal(reply.headers.location, `/api/v1/admin/users/${name.toLowerCase()}`);
  assert.match(reply.headers['cache-control'], /no-store/);
  const user = reply.json;
  assert.equal(user.name, name.toLowerCase());
  assert.equal(user.state, 'active');
  assert.equal(user.lastLogin, null);

  const changed = await admin.patch(`/users/${user.name}`, { fullName: 'Anna Berger' });
  assert.equal(changed.fullName, 'Anna Berger');
  assert.equal(changed.email, 'anna@example.org', 'what is not given stays');
  assert.equal((await admin.get(`/users/${user.name}`)).fullName, 'Anna Berger');

  await admin.delete(`/users/${user.name}`);
  assert.equal((await admin.call('GET', `/users/${user.name}`)).status, 404);
  const rows = await audited(`user:${user.name}`);
  assert.deepEqual(rows.map(({ action }) => action), ['account.remove', 'account.change', 'account.create']);
  assert.equal(rows[1].actor, 'admin');
  assert.equal(rows[1].before.fullName, 'Anna Auer');
  assert.equal(rows[1].after.fullName, 'Anna Berger');
  assert.ok(!JSON.stringify(rows).includes(user.initialPassword));
});

test('what is wrong is named', async () => {
  const name = `wrong-${run}`;
  const cases = [
    [{}, 400, 'name'],
    [{ name: 'a b' }, 400, 'name'],
    [{ name: 'x'.repeat(129) }, 400, 'name'],
    [{ name, email: 'nowhere' }, 400, 'email'],
    [{ name, fullName: 'two\nlines' }, 400, 'fullName'],
    [{ name, administrator: 'yes' }, 400, 'administrator'],
    [{ name, password: 'mine' }, 400, 'password'],
    [{ name: 'ADMIN' }, 409, 'name'],
  ];
  for (const [body, status, field] of cases) {
    const reply = await admin.call('POST', '/users', body);
    assert.equal(reply.status, status, `${JSON.stringify(body)}: ${reply.text}`);
    assert.equal(reply.json.field, field, reply.text);
  }
  assert.equal((await admin.call('GET', `/users/${name}`)).status, 404, 'nothing was made');
  assert.equal((await admin.call('PATCH', '/users/admin', { state: 'gone' })).json.field, 'state');
  const text = await grid.request('/api/v1/admin/users', {
    method: 'POST', body: 'name=x', cookie: admin.cookie, headers: { origin: grid.url, 'content-type': 'text/plain' },
  });
  assert.equal(text.status, 415);
});

test('the last active administrator stays', async () => {
  // Others may be there from other tests: they step aside for a moment.
  const others = (await admin.all('/users?administrator=true&state=active')).filter(({ name }) => name !== 'admin');
  for (const { name } of others) await admin.patch(`/users/${name}`, { administrator: false });
  for (const [method, body] of [['PATCH', { state: 'disabled' }], ['PATCH', { administrator: false }], ['DELETE']]) {
    const reply = await admin.call(method, '/users/admin', body);
    assert.equal(reply.status, 409, reply.text);
    assert.equal(reply.json.errorCode, 'LastAdministrator');
  }
  assert.throws(() => grid.ctl('user', 'disable', 'admin'), /last active administrator/);
  assert.equal((await admin.get('/users/admin')).state, 'active');
  for (const { name } of others) await admin.patch(`/users/${name}`, { administrator: true });
});

test('lists page by keyset, sort and filter, while rows come and go', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `list-${run}-${letter}`);
  for (const name of names) grid.addUser(name, '--full-name', `List ${name.at(-1) === 'c' ? 'Zoë' : 'Other'}`);
  const query = `/users?search=list-${run}-`;

  assert.deepEqual((await admin.all(query, 2)).map(({ name }) => name), names);
  assert.deepEqual((await admin.all(`${query}&sort=-name`, 2)).map(({ name }) => name), [...names].reverse());
  assert.deepEqual((await admin.all(`${query}&sort=created`, 2)).map(({ name }) => name), names);
  assert.equal((await admin.all(`${query}&sort=-fullName`, 1))[0].name, names[2]);
  assert.deepEqual((await admin.all(`/users?search=${encodeURIComponent('ZOË')}`)).map(({ name }) => name), [names[2]]);

  const first = await admin.get(`${query}&limit=2`);
  await admin.delete(`/users/${names[1]}`); // the last row that was seen
  await admin.delete(`/users/${names[0]}`);
  const second = await admin.get(`${query}&limit=2&after=${first.next}`);
  assert.deepEqual(second.items.map(({ name }) => name), names.slice(2, 4));

  await admin.patch(`/users/${names[2]}`, { state: 'disabled' });
  assert.deepEqual((await admin.all(`${query}&state=disabled`)).map(({ name }) => name), [names[2]]);
  assert.equal((await admin.all(`${query}&administrator=true`)).length, 0);
  for (const name of names.slice(2)) await admin.delete(`/users/${name}`);
});

test('a list says which of its parameters is wrong', async () => {
  const cases = {
    'limit=0': 'limit', 'limit=501': 'limit', 'limit=ten': 'limit', 'sort=mail': 'sort', 'state=gone': 'state',
    'after=x': 'after', 'color=red': 'color', 'state=active&state=disabled': 'state',
    [`search=${'x'.repeat(257)}`]: 'search',
  };
  for (const [query, field] of Object.entries(cases)) {
    const reply = await admin.call('GET', `/users?${query}`);
    assert.equal(reply.status, 400, query);
    assert.equal(reply.json.field, field, reply.text);
  }
  assert.equal((await admin.call('GET', '/users?search=%zz')).status, 400);
  const page = await admin.get('/users?limit=1');
  if (page.next) assert.equal((await admin.call('GET', `/users?limit=1&sort=created&after=${page.next}`)).json.field, 'after');
});

test('asvs 6.4.1: an initial password is random, expires, and is for one use only', async () => {
  const name = `first-${run}`;
  const { initialPassword, password } = await admin.post('/users', { name });
  assert.equal(password, 'initial');
  assert.match(initialPassword, /^[\w-]{20}$/, '120 random bits');
  const again = (await admin.post(`/users/${name}/password`)).initialPassword;
  assert.notEqual(again, initialPassword);
  assert.notEqual(again.slice(0, 6), initialPassword.slice(0, 6));

  // The replaced one is worth nothing, the new one no session: it must be changed first.
  await assert.rejects(grid.logIn({ name, password: initialPassword }), /401/);
  assert.equal((await asUser(await grid.logIn({ name, password: again }))).status, 401);
  const [[days]] = grid.sql(`SELECT extract(epoch FROM expires_at - now()) / 86400
    FROM account_password JOIN account ON account.id = account_id WHERE name = '${name}'`);
  assert.ok(days > 6.9 && days <= 7, days);
  grid.sql(`UPDATE account_password SET expires_at = now() - interval '1 second'
    FROM account WHERE account.id = account_id AND name = '${name}'`);
  await assert.rejects(grid.logIn({ name, password: again }), /401/);
  await admin.delete(`/users/${name}`);
});

test('asvs 7.4.2: disabling a user ends sessions, tokens and streams within a second', async () => {
  const user = grid.addUser(`disabled-${run}`);
  grid.ctl('policy', 'grant', 'user', user.name, 'ReadAll', '--datasource', plant.id);
  const cookie = await grid.logIn(user);
  const tokens = await giveTokens(grid, cookie, app);
  const open = await grid.request('/api/v1/live', {
    cookie, body: { variables: [{ datasource: plant.id, names: ['a'] }] }, headers: { origin: grid.url },
  });
  const stream = await LiveReader.open(grid, open.json.url, { cookie });
  assert.equal(stream.status, 200);
  await stream.next(() => true);
  assert.equal((await asUser(cookie)).status, 200);
  assert.equal((await grid.request('/api/v1/datasources', { token: tokens.access_token })).status, 200);

  const start = performance.now();
  await admin.patch(`/users/${user.name}`, { state: 'disabled' });
  assert.equal((await asUser(cookie)).status, 401);
  assert.equal((await grid.request('/api/v1/datasources', { token: tokens.access_token })).status, 401);
  assert.equal((await grid.request('/connect/userinfo', { token: tokens.access_token })).status, 401);
  const refreshed = await refresh(grid, app, tokens.refresh_token);
  assert.equal(refreshed.status, 400);
  assert.equal(refreshed.json.error, 'invalid_grant');
  await until(() => stream.ended, { every: 5, what: 'the end of the stream' });
  const took = performance.now() - start;
  assert.ok(took < SOON_MS, `${took} ms`);
  await assert.rejects(grid.logIn(user), /401/);

  await admin.patch(`/users/${user.name}`, { state: 'active' });
  assert.equal((await asUser(await grid.logIn(user))).status, 200);
  assert.equal((await asUser(cookie)).status, 401, 'what has ended stays ended');
  assert.deepEqual((await audited(`user:${user.name}`)).map(({ action }) => action)
    .filter((action) => action.startsWith('account.')), ['account.enable', 'account.disable', 'account.create']);
});

test('asvs 7.4.5: an administrator lists everybody\'s sessions and ends one', async () => {
  const user = grid.addUser(`sessions-${run}`);
  const cookies = [await grid.logIn(user), await grid.logIn(user)];
  const tokens = await giveTokens(grid, cookies[0], app);
  const sessions = await admin.all(`/sessions?user=${user.name}&sort=created`, 1);
  assert.equal(sessions.length, 2);
  assert.ok(sessions.every(({ address, methods, current }) => address && methods.includes('pwd') && !current));
  assert.ok((await admin.all('/sessions?search=admin')).some(({ current }) => current), 'the own one is marked');

  await admin.delete(`/sessions/${sessions[0].id}`);
  assert.equal((await asUser(cookies[0])).status, 401);
  assert.equal((await grid.request('/api/v1/datasources', { token: tokens.access_token })).status, 401);
  assert.equal((await refresh(grid, app, tokens.refresh_token)).status, 400);
  assert.equal((await asUser(cookies[1])).status, 200, 'the other one lives');
  assert.deepEqual(ended(grid, user), ['logged out by admin']);
  assert.equal((await admin.call('DELETE', `/sessions/${sessions[0].id}`)).status, 404);
  assert.equal((await admin.call('DELETE', '/sessions/me')).status, 404);
  const [row] = await audited(`user:${user.name}`);
  assert.equal(row.action, 'session.end');
  assert.equal(row.before.session, sessions[0].id);
});

test('asvs 7.5.2: all sessions of a user end at once, by REST and by command', async () => {
  const user = grid.addUser(`all-${run}`);
  for (const end of [() => admin.delete(`/users/${user.name}/sessions`), () => grid.ctl('user', 'logout', user.name)]) {
    const cookies = [await grid.logIn(user), await grid.logIn(user)];
    const tokens = await giveTokens(grid, cookies[0], app);
    assert.match(grid.ctl('session', 'list', '--user', user.name), new RegExp(`\t${user.name}\t`));
    await end();
    for (const cookie of cookies) assert.equal((await asUser(cookie)).status, 401);
    assert.equal((await grid.request('/api/v1/datasources', { token: tokens.access_token })).status, 401);
    assert.equal(grid.ctl('session', 'list', '--user', user.name), '');
  }
  const cookie = await grid.logIn(user);
  const [id] = grid.ctl('session', 'list', '--user', user.name).split('\t');
  grid.ctl('session', 'end', id);
  assert.equal((await asUser(cookie)).status, 401);
  const texts = ended(grid, user);
  assert.deepEqual(texts.map((text) => text.replace(/ by \S+$/, '')), ['logged out everywhere', 'logged out everywhere', 'logged out']);
  assert.match(texts[0], / by admin$/);
});

test('asvs 10.4.9: an administrator takes back what a user gave a client', async () => {
  const user = grid.addUser(`consent-${run}`);
  const cookie = await grid.logIn(user);
  const tokens = await giveTokens(grid, cookie, app);
  const { items } = await admin.get(`/users/${user.name}/applications`);
  assert.deepEqual(items.map(({ clientId, scopes }) => [clientId, scopes]), [[app, ['API', 'offline_access', 'openid']]]);
  assert.match(grid.ctl('user', 'show', user.name), new RegExp(`application: ${app}, .*scopes: API offline_access openid`));

  await admin.delete(`/users/${user.name}/applications/${app}`);
  assert.equal((await grid.request('/api/v1/datasources', { token: tokens.access_token })).status, 401);
  assert.equal((await refresh(grid, app, tokens.refresh_token)).status, 400);
  assert.equal((await asUser(cookie)).status, 200, 'the session has nothing to do with it');
  assert.equal((await admin.get(`/users/${user.name}/applications`)).items.length, 0);
  assert.equal((await admin.call('DELETE', `/users/${user.name}/applications/nobody`)).status, 404);
});

test('failed log-ins are forgotten when an administrator says so', async () => {
  const user = grid.addUser(`unlock-${run}`);
  const far = '127.0.0.9';
  const attempt = async (password) => {
    const page = await grid.request('/login', { localAddress: far, agent: false });
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.text)[1];
    return grid.request('/login', {
      localAddress: far, agent: false, form: { csrf, next: '/', name: user.name, password },
      cookie: page.headers['set-cookie'].map((line) => line.split(';')[0]).join('; '), headers: { origin: grid.url },
    });
  };
  let last;
  for (let i = 0; i < 8; i++) last = await attempt('not this one');
  assert.equal(last.status, 429);
  await admin.post(`/users/${user.name}/unlock`);
  assert.equal((await attempt(user.password)).status, 303);
});

test('groups of a user are set, and unknown ones are named', async () => {
  const user = grid.addUser(`grouped-${run}`);
  const group = `Group ${run}`;
  await admin.post('/groups', { name: group, description: '' });
  assert.deepEqual((await admin.get(`/users/${user.name}/groups`)).items, []);
  const { items } = await admin.put(`/users/${user.name}/groups`, { groups: [group] });
  assert.deepEqual(items, [{ name: group, source: '' }]);
  assert.equal((await admin.all(`/users?group=${encodeURIComponent(group)}`))[0].name, user.name);

  // What a directory says stays, whatever an administrator sets.
  grid.sql(`INSERT INTO group_account SELECT g.id, a.id, 'ldap:test' FROM user_group g, account a
    WHERE g.name = '${group}' AND a.name = '${user.name}'`);
  assert.deepEqual((await admin.put(`/users/${user.name}/groups`, { groups: [] })).items, [{ name: group, source: 'ldap:test' }]);
  const wrong = await admin.call('PUT', `/users/${user.name}/groups`, { groups: [`none ${run}`] });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.json.field, 'groups');
  await admin.delete(`/groups/${encodeURIComponent(group)}`);
});

test('name and password of an account that is kept elsewhere are not changed here', async () => {
  const user = grid.addUser(`elsewhere-${run}`);
  grid.sql(`UPDATE account SET source = 'ldap:test' WHERE name = '${user.name}'`);
  const renamed = await admin.call('PATCH', `/users/${user.name}`, { fullName: 'Other' });
  assert.equal(renamed.status, 400);
  assert.equal(renamed.json.errorCode, 'KeptElsewhere');
  assert.equal((await admin.call('POST', `/users/${user.name}/password`)).status, 409);
  assert.equal((await admin.patch(`/users/${user.name}`, { state: 'disabled' })).state, 'disabled');
  assert.equal((await admin.all('/users?source=ldap:test')).some(({ name }) => name === user.name), true);
  await admin.delete(`/users/${user.name}`);
});

test('asvs 3.5.1: a change needs a page of our own origin', async () => {
  for (const headers of [{}, { origin: 'https://evil.test' }, { 'sec-fetch-site': 'cross-site' }]) {
    const reply = await grid.request('/api/v1/admin/users', {
      method: 'POST', body: { name: `csrf-${run}` }, cookie: admin.cookie, headers,
    });
    assert.ok([401, 403].includes(reply.status), `${JSON.stringify(headers)}: ${reply.status}`);
  }
  assert.equal((await admin.call('GET', `/users/csrf-${run}`)).status, 404);
});
