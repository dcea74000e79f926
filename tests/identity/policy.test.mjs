// Groups, roles, rules: by REST, and what they do to every service.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';

const plant = '3a0d2c11-57c8-4c8e-9d5d-5f2f1c7a1e01';
let grid;
let admin; // a cookie
const made = [];

before(async () => {
  grid = await openGrid();
  admin = await grid.logIn();
  if (grid.sql(`SELECT FROM datasource WHERE uuid = '${plant}'`).length === 0)
    grid.ctl('datasource', 'add', 'Rights plant', '--uuid', plant);
});
after(async () => {
  for (const path of made.reverse()) await call('DELETE', path);
  await grid.close();
});

function call(method, path, body, options = {}) {
  return grid.request(path.startsWith('/api/') ? path : `/api/v1/admin/${path}`, {
    method, body, cookie: admin, headers: { origin: grid.url }, ...options,
  });
}

async function make(path, body) {
  const reply = await call('POST', path, body);
  assert.equal(reply.status, 201, reply.text);
  made.push(`${path}/${reply.json.id}`);
  assert.equal(reply.headers.location, `/api/v1/admin/${path}/${reply.json.id}`);
  return reply.json;
}

let seen = 0;
const unique = (name) => `${name}-${process.pid}-${++seen}`;

test('a group is made, changed, listed and removed', async () => {
  const name = unique('Night shift');
  const group = await make('groups', { name, description: 'at night' });
  assert.equal(group.requireSecondFactor, false);
  assert.equal(group.members, 0);
  const taken = await call('POST', 'groups', { name });
  assert.equal(taken.status, 409);
  assert.equal(taken.json.errorCode, 'NameTaken');
  const changed = await call('PATCH', `groups/${group.id}`, { requireSecondFactor: true });
  assert.equal(changed.status, 200);
  assert.deepEqual([changed.json.name, changed.json.requireSecondFactor], [name, true]);
  const list = await call('GET', `groups?search=${encodeURIComponent(name)}&sort=-created`);
  assert.deepEqual(list.json.items.map((item) => item.id), [group.id]);
  assert.equal(list.json.next, null);
  // By name as well as by UUID.
  assert.equal((await call('GET', `groups/${encodeURIComponent(name)}`)).json.id, group.id);
  assert.equal((await call('DELETE', `groups/${group.id}`)).status, 204);
  made.pop();
  assert.equal((await call('GET', `groups/${group.id}`)).status, 404);
});

test('bad names of groups and roles are refused in words', async () => {
  for (const path of ['groups', 'roles'])
    for (const name of ['', ' x', 'x ', 'a\nb', 'x'.repeat(129)]) {
      const reply = await call('POST', path, { name });
      assert.equal(reply.status, 400, JSON.stringify(name));
      assert.ok(reply.json.errorMessage.length > 10);
    }
});

test('groups nest, but never in a circle', async () => {
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((x) => make('groups', { name: unique(x) })));
  const put = (outer, inner) => call('PUT', `groups/${outer.id}/groups/${inner.id}`);
  assert.equal((await put(a, b)).status, 204);
  assert.equal((await put(b, c)).status, 204);
  assert.equal((await put(b, c)).status, 204); // again: nothing to do
  for (const [outer, inner] of [[c, a], [b, a], [a, a]]) {
    const reply = await put(outer, inner);
    assert.equal(reply.status, 409, reply.text);
    assert.equal(reply.json.errorCode, 'GroupCircle');
  }
  const members = await call('GET', `groups/${a.id}/members`);
  assert.deepEqual(members.json.items.map((item) => [item.kind, item.name]), [['group', b.name]]);
  assert.equal((await call('DELETE', `groups/${a.id}/groups/${b.id}`)).status, 204);
  assert.equal((await put(c, a)).status, 204);
  assert.equal((await call('PUT', `groups/${a.id}/apples/${b.id}`)).status, 404);
});

test('the database refuses a circle of groups that no service has seen', () => {
  const [x, y] = [unique('x'), unique('y')];
  assert.throws(() => grid.sql(`
    WITH made AS (INSERT INTO user_group (name) VALUES ('${x}'), ('${y}') RETURNING id, name)
    SELECT 1; BEGIN;
    INSERT INTO group_nesting SELECT a.id, b.id FROM user_group a, user_group b WHERE a.name = '${x}' AND b.name = '${y}';
    INSERT INTO group_nesting SELECT b.id, a.id FROM user_group a, user_group b WHERE a.name = '${x}' AND b.name = '${y}';
    COMMIT`), /cannot contain itself/);
  grid.sql(`DELETE FROM user_group WHERE name IN ('${x}', '${y}')`);
});

test('the ready-made roles are there and stay as they are', async () => {
  const list = (await call('GET', 'roles?limit=500')).json.items;
  const builtIn = list.filter((role) => role.builtIn).map((role) => role.name);
  assert.deepEqual(builtIn, ['Administrator', 'Engineer', 'Operator', 'ReadAll', 'Technician', 'WriteVariables']);
  const role = list.find((item) => item.name === 'ReadAll');
  assert.equal((await call('DELETE', `roles/${role.id}`)).json.errorCode, 'BuiltIn');
  assert.equal((await call('PATCH', `roles/${role.id}`, { name: 'Other' })).status, 403);
  const rule = await call('POST', 'rules', {
    subjectKind: 'role', subject: 'ReadAll', rights: ['WriteVariables'],
  });
  assert.equal(rule.status, 403);
  const rules = (await call('GET', 'rules?subjectKind=role&subject=ReadAll')).json.items;
  assert.deepEqual(rules.map((item) => item.rights), [
    ['ReadVariables', 'ReadArchives', 'ReadAlarms', 'ReadEvents', 'ReadReports']]);
  assert.equal((await call('DELETE', `rules/${rules[0].id}`)).json.errorCode, 'BuiltIn');
});

test('a rule is made, changed, listed and removed', async () => {
  const group = await make('groups', { name: unique('team') });
  const rule = await make('rules', {
    subjectKind: 'group', subject: group.name, rights: ['ReadVariables', 'ReadArchives'],
    dataSource: plant, pattern: 'site/*', description: 'only the site',
  });
  assert.deepEqual([rule.effect, rule.dataSource, rule.pattern, rule.names],
    ['allow', plant, 'site/*', null]);
  let changed = await call('PATCH', `rules/${rule.id}`, {
    effect: 'deny', dataSource: '*', names: ['a', 'b*'],
  });
  assert.deepEqual([changed.json.effect, changed.json.dataSource, changed.json.pattern, changed.json.names],
    ['deny', '*', null, ['a', 'b*']]);
  assert.deepEqual(changed.json.rights, ['ReadVariables', 'ReadArchives']);
  changed = await call('PATCH', `rules/${rule.id}`, { pattern: '*', rights: ['*'] });
  assert.equal(changed.json.names, null);
  // "*" among rights is never Configure or Administer.
  assert.deepEqual(changed.json.rights, ['ReadVariables', 'ReadArchives', 'WriteVariables',
    'ReadAlarms', 'AcknowledgeAlarms', 'ReadEvents', 'ReadReports']);
  const list = await call('GET', `rules?subjectKind=group&subject=${encodeURIComponent(group.name)}&effect=deny`);
  assert.deepEqual(list.json.items.map((item) => item.id), [rule.id]);
  // The group goes, and its rule with it.
  assert.equal((await call('DELETE', `groups/${group.id}`)).status, 204);
  assert.equal((await call('GET', `rules/${rule.id}`)).status, 404);
});

test('rules that make no sense are refused', async () => {
  const bad = [
    { rights: ['Fly'] },
    { rights: [] },
    {},
    { rights: ['ReadAll'], effect: 'maybe' },
    { rights: ['ReadAll'], pattern: '' },
    { rights: ['ReadAll'], pattern: 'x'.repeat(257) },
    { rights: ['ReadAll'], names: [] },
    { rights: ['ReadAll'], names: ['a'], pattern: 'b' },
    { rights: ['ReadAll'], names: Array.from({ length: 1001 }, (_, i) => `n${i}`) },
    { rights: ['ReadAll'], dataSource: '00000000-0000-0000-0000-000000000000' },
    { rights: ['Administer'], dataSource: plant },
    { rights: ['Administer'], pattern: 'a*' },
    { rights: ['Administer'], subjectKind: 'everyone' },
    { rights: ['ReadAll'], subject: 'nobody-of-this-name' },
    { rights: ['ReadAll'], subjectKind: 'horse' },
    { rights: ['ReadAll'], description: 'x'.repeat(501) },
    { rights: ['ReadAll'], colour: 'red' },
  ];
  for (const body of bad) {
    const reply = await call('POST', 'rules', { subjectKind: 'user', subject: 'admin', ...body });
    assert.equal(reply.status, 400, `${JSON.stringify(body).slice(0, 80)} ${reply.text}`);
  }
});

test('a role is given to a group for one plant, and taken back', async () => {
  const group = await make('groups', { name: unique('south') });
  const role = await make('roles', { name: unique('Reader') });
  await make('rules', { subjectKind: 'role', subject: role.name, rights: ['ReadAll'] });
  const grant = await call('POST', `roles/${role.id}/grants`, {
    subjectKind: 'group', subject: group.name, dataSource: plant,
  });
  assert.equal(grant.status, 201, grant.text);
  const again = await call('POST', `roles/${role.id}/grants`, {
    subjectKind: 'group', subject: group.name, dataSource: plant,
  });
  assert.equal(again.json.id, grant.json.id); // it is the same
  assert.deepEqual((await call('GET', `roles/${role.id}/grants`)).json.items.map((item) => [
    item.subjectKind, item.subject, item.dataSource]), [['group', group.name, plant]]);
  assert.equal((await call('GET', `roles/${role.id}`)).json.grants, 1);
  const nested = await call('POST', `roles/${role.id}/grants`, { subjectKind: 'role', subject: 'ReadAll' });
  assert.equal(nested.status, 400);
  const everyone = await call('POST', 'roles/Administrator/grants', { subjectKind: 'everyone' });
  assert.equal(everyone.status, 400);
  const half = await call('POST', 'roles/Administrator/grants', {
    subjectKind: 'group', subject: group.name, dataSource: plant,
  });
  assert.equal(half.status, 400);
  await call('POST', `roles/${role.id}/grants`, { subjectKind: 'everyone', dataSource: plant });
  const later = await call('POST', 'rules', { subjectKind: 'role', subject: role.name, rights: ['Administer'] });
  assert.equal(later.status, 400);
  assert.equal((await call('DELETE', `roles/${role.id}/grants/${grant.json.id}`)).status, 204);
  assert.equal((await call('DELETE', `roles/${role.id}/grants/${grant.json.id}`)).status, 404);
});

test('who may administer by a role does, until it is taken back', async () => {
  const id = unique('helper');
  const token = await grid.token({ id, actions: '' });
  const ask = () => grid.request('/api/v1/admin/groups', { token });
  let reply = await ask();
  assert.equal(reply.status, 403);
  assert.match(reply.json.errorMessage, /Administer/);
  const grant = await call('POST', 'roles/Administrator/grants', { subjectKind: 'client', subject: id });
  assert.equal(grant.status, 201, grant.text);
  await until(async () => (await ask()).status === 200, { every: 20 });
  await call('DELETE', `roles/Administrator/grants/${grant.json.id}`);
  await until(async () => (await ask()).status === 403, { every: 20 });
});

test('the administration is closed to those who only read, and to nobody', async () => {
  const token = await grid.token({ actions: 'ReadAll,WriteVariables,Configure' });
  for (const [method, path, body] of [
    ['GET', 'groups'], ['POST', 'groups', { name: 'x' }], ['GET', 'roles'], ['GET', 'rules'],
    ['POST', 'rules', { subjectKind: 'everyone', rights: ['ReadAll'] }],
    ['POST', 'roles/ReadAll/grants', { subjectKind: 'everyone' }],
  ]) {
    const denied = await grid.request(`/api/v1/admin/${path}`, { method, body, token });
    assert.equal(denied.status, 403, path);
    assert.equal(denied.json.errorCode, 'RightMissing');
    assert.equal((await grid.request(`/api/v1/admin/${path}`, { method, body })).status, 401, path);
  }
});

test('every change of rights is in the audit, with what was before and after', async () => {
  const group = await make('groups', { name: unique('audited') });
  const rule = await make('rules', { subjectKind: 'group', subject: group.name, rights: ['ReadAll'] });
  await call('PATCH', `rules/${rule.id}`, { effect: 'deny' });
  await call('PUT', `groups/${group.id}/users/admin`);
  await call('DELETE', `groups/${group.id}`);
  const rows = grid.sql(`SELECT action, result, actor, old_value, new_value FROM audit_entry
    WHERE object IN ('group:${group.name}', 'rule:${rule.id}') ORDER BY id`);
  assert.deepEqual(rows.map(([action, result, actor]) => [action, result, actor]), [
    ['group.create', 'ok', 'admin'], ['rule.create', 'ok', 'admin'], ['rule.change', 'ok', 'admin'],
    ['group.add', 'ok', 'admin'], ['group.delete', 'ok', 'admin']]);
  assert.equal(JSON.parse(rows[2][3]).effect, 'allow');
  assert.equal(JSON.parse(rows[2][4]).effect, 'deny');
  assert.deepEqual(JSON.parse(rows[3][4]), { user: 'admin' });
});

test('lists of rules page by keyset', async () => {
  const group = await make('groups', { name: unique('many') });
  for (let i = 0; i < 5; i++)
    await make('rules', { subjectKind: 'group', subject: group.name, rights: ['ReadAll'], pattern: `p${i}*` });
  const found = [];
  let after_ = '';
  do {
    const page = (await call('GET', `rules?limit=2&sort=-created&subject=${encodeURIComponent(group.name)}&after=${after_}`)).json;
    assert.ok(page.items.length <= 2);
    found.push(...page.items.map((item) => item.pattern));
    after_ = page.next;
  } while (after_);
  assert.deepEqual(found, ['p4*', 'p3*', 'p2*', 'p1*', 'p0*']);
});

test('members and holders page by keyset as well', async () => {
  const group = await make('groups', { name: unique('crowd') });
  const role = await make('roles', { name: unique('crowded') });
  const inside = [];
  for (let i = 0; i < 5; i++) {
    const member = await make('groups', { name: unique(`m${i}`) });
    inside.push(member.name);
    await call('PUT', `groups/${group.id}/groups/${member.id}`);
    await call('POST', `roles/${role.id}/grants`, { subjectKind: 'group', subject: member.name });
  }
  await call('PUT', `groups/${group.id}/users/admin`);
  const all = async (path, name) => {
    const found = [];
    let next = '';
    do {
      const { json } = await call('GET', `${path}?limit=2&after=${next}`);
      found.push(...json.items.map((item) => item[name]));
      next = json.next;
    } while (next);
    return found;
  };
  assert.deepEqual(await all(`groups/${group.id}/members`, 'name'), [...inside, 'admin']);
  assert.deepEqual(await all(`roles/${role.id}/grants`, 'subject'), inside);
  const people = await call('GET', `groups/${group.id}/members?kind=user`);
  assert.deepEqual(people.json.items.map((item) => item.name), ['admin']);
  assert.equal((await call('GET', `groups/${group.id}/members?kind=horse`)).status, 400);
});

test('fieldgridctl does the same', () => {
  const [group, inner, role] = [unique('ctl group'), unique('ctl inner'), unique('ctl role')];
  grid.ctl('group', 'add', group, '--description', 'by command', '--require-second-factor');
  grid.ctl('group', 'add', inner);
  grid.ctl('group', 'set', group, '--require-second-factor', 'no');
  grid.ctl('group', 'join', group, 'group', inner);
  grid.ctl('group', 'join', group, 'user', 'admin');
  assert.throws(() => grid.ctl('group', 'join', inner, 'group', group), /cannot contain itself/);
  assert.throws(() => grid.ctl('group', 'join', group, 'client', 'x'), /expected user or group/);
  assert.equal(grid.ctl('group', 'members', group), `group\t${inner}\t\nuser\tadmin\t\n`);
  assert.ok(grid.ctl('group', 'list').includes(`${group}\tby command\t2 members\t\n`));
  grid.ctl('role', 'add', role, '--description', 'by command');
  grid.ctl('policy', 'grant', 'role', role, '*', '--variables', 'a*', '--description', 'why');
  assert.throws(() => grid.ctl('policy', 'grant', 'role', 'ReadAll', 'Configure'), /ready-made/);
  assert.throws(() => grid.ctl('role', 'set', 'ReadAll', '--name', 'Other'), /ready-made/);
  grid.ctl('role', 'set', role, '--description', 'other words');
  grid.ctl('role', 'grant', role, 'group', group, '--datasource', 'Rights plant');
  assert.equal(grid.ctl('role', 'grants', role), `group\t${group}\t${plant}\n`);
  assert.throws(() => grid.ctl('role', 'revoke', role, 'group', group), /does not hold/);
  grid.ctl('role', 'revoke', role, 'group', group, '--datasource', plant);
  const [line] = grid.ctl('policy', 'list', '--kind', 'role', '--subject', role).trim().split('\n');
  const [id, subject, effect, rights, where, what, why] = line.split('\t');
  assert.deepEqual([subject, effect, where, what, why], [`role ${role}`, 'allow', '*', 'a*', 'why']);
  assert.doesNotMatch(rights, /Configure|Administer/);
  grid.ctl('policy', 'remove', id);
  assert.equal(grid.ctl('policy', 'list', '--subject', role), '');
  grid.ctl('role', 'remove', role);
  grid.ctl('group', 'remove', inner);
  grid.ctl('group', 'remove', group);
  const actions = grid.sql(`SELECT action FROM audit_entry WHERE object IN ('group:${group}', 'role:${role}')
    ORDER BY id`).map(([action]) => action);
  assert.deepEqual(actions, ['group.create', 'group.change', 'group.add', 'group.add', 'role.create', 'role.change',
    'role.grant', 'role.revoke', 'role.delete', 'group.delete']);
});
