// The audit: rows of every service, the chain behind them, and what outsiders
// can and cannot do to it.

import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SOON_MS, openGrid, sleep, until } from '../support/grid.mjs';

let grid;
let cookie;

before(async () => {
  grid = await openGrid();
  cookie = await grid.logIn();
});
after(() => grid.close());

const checkpoints = () => path.join(grid.state, 'audit/checkpoints');
const list = async (query = '') => {
  const reply = await grid.request(`/api/v1/admin/audit?${query}`, { cookie });
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
};
const exported = () => grid.ctl('audit', 'export').trim().split('\n').map((line) => JSON.parse(line));
const linked = () => until(() => Number(grid.sql('SELECT count(*) FROM audit_pending')[0][0]) === 0,
  { every: 50, what: 'linking' });

test('asvs 16.2.1: a row says who did what, when, from where, with which result', async () => {
  const started = Date.now();
  const name = `audit-${process.pid}-who`;
  grid.ctl('datasource', 'add', name);
  const { items } = await list(`object=datasource:${name}`);
  assert.equal(items.length, 1);
  const [row] = items;
  assert.equal(row.action, 'datasource.create');
  assert.equal(row.actorKind, 'operator');
  assert.ok(row.actor.length > 0 && row.address.length > 0);
  assert.equal(row.client, 'fieldgridctl');
  assert.equal(row.result, 'ok');
  assert.match(row.after.uuid, /^[0-9a-f-]{36}$/);
  assert.equal(row.before, null);
  assert.ok(Date.parse(row.time) >= started - 1000 && Date.parse(row.time) <= Date.now() + 1000);
});

test('asvs 16.2.2: times are UTC with a Z, in the audit and in the logs', async () => {
  for (const row of (await list()).items) assert.match(row.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  for (const service of ['identity', 'hub', 'keeper']) {
    const lines = grid.log(service).split('\n').filter((line) => line.includes(' level='));
    assert.ok(lines.length > 0, service);
    for (const line of lines) {
      const time = /time=(\S+)/.exec(line)[1];
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.ok(Date.parse(time) <= Date.now() + 1000, line);
    }
  }
});

test('asvs 16.3.1: log-ins that work and that fail are in the audit', async () => {
  const name = `nobody-${process.pid}`;
  await grid.logIn();
  await assert.rejects(grid.logIn({ name, password: 'not the password' }));
  const worked = await list('action=login.ok&object=user:admin&limit=1');
  assert.equal(worked.items.length, 1);
  assert.match(worked.items[0].address, /^127\.|^::1$/);
  // Somebody may have typed a password as the name: unknown names are hashed.
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  const failed = await list(`action=login.refused&object=user:unknown-${hash}`);
  assert.equal(failed.items.length, 1);
  assert.equal(failed.items[0].result, 'refused');
  await assert.rejects(grid.logIn({ name: 'admin', password: 'not the password' }));
  const known = await list('action=login.refused&object=user:admin&limit=1');
  assert.equal(known.items.length, 1);
});

test('asvs 16.3.1: log-outs are in the audit', async () => {
  const user = grid.addUser(`audit-${process.pid}-leaver`);
  const own = await grid.logIn(user);
  const page = await grid.request('/logout', { cookie: own });
  const csrf = /name="csrf"[^>]*value="([^"]+)"/.exec(page.text)[1];
  const reply = await grid.request('/logout', { cookie: own, form: { csrf }, headers: { origin: grid.url } });
  assert.equal(reply.status, 303, reply.text);
  const { items } = await list(`actor=${user.name}&sort=time`);
  assert.deepEqual(items.map((row) => row.action).filter((action) => /^log/.test(action)), ['login.ok', 'logout']);
});

test('asvs 16.3.2: what is refused for lack of rights is in the audit, once a minute', async () => {
  const id = `audit-${process.pid}-weak`;
  const token = await grid.token({ id, actions: null });
  for (let i = 0; i < 20; i++) {
    const reply = await grid.request('/api/v1/admin/audit', { token });
    assert.equal(reply.status, 403);
  }
  const { items } = await list(`action=access.refuse&actor=${id}`);
  // One for each worker that has seen it.
  assert.ok(items.length >= 1 && items.length <= 4, `${items.length} rows`);
  assert.equal(items[0].object, 'route:GET /api/v1/admin/audit');
  assert.equal(items[0].actorKind, 'client');
  assert.equal(items[0].after.status, 403);
  assert.match(items[0].request, /^[0-9a-f]{16}$/);
});

test('what a node declares is in the audit when it changes something, and what it is refused', async () => {
  const name = `audit-${process.pid}-node`;
  const id = randomUUID();
  const node = grid.enrol(name, `${id}:${name}`);
  const token = await node.token();
  const put = async (access) => {
    const reply = await node.request('/hub/v1/variables', {
      method: 'PUT', token, body: {
        datasource: id,
        variables: ['Pump "1"', 'Level'].map((variable) => ({ name: variable, type: 'float', access })),
      },
    });
    assert.equal(reply.status, 200, reply.text);
  };
  const rows = async () => (await list(`action=variable.declare&actor=${name}&sort=time`)).items;
  await put('read');
  await put('read');
  await put('read_write');
  const [first, second, ...more] = await rows();
  assert.deepEqual(more, []);
  assert.equal(first.actorKind, 'node');
  assert.equal(first.object, `datasource:${id}`);
  assert.deepEqual(first.after, { access: { 'Pump "1"': 'read', Level: 'read' }, added: 2, changed: 0 });
  assert.deepEqual(second.before, { access: { 'Pump "1"': 'read', Level: 'read' } });
  assert.deepEqual(second.after.access, { 'Pump "1"': 'read_write', Level: 'read_write' });
  grid.ctl('node', 'block', name);
  assert.equal((await node.request('/hub/v1/beat', { token, body: {} })).status, 403);
  const refused = (await list('action=access.refuse&object=route:POST%20/hub/v1/beat&limit=5')).items;
  assert.ok(refused.some((row) => row.actor === name || row.after.code === 'NodeNotAuthorised'), JSON.stringify(refused));
  node.close();
});

test('a flood of refusals makes few rows', async () => {
  const count = () => Number(grid.sql("SELECT count(*) FROM audit_entry WHERE action = 'access.refuse'")[0][0]);
  const before_ = count();
  const calls = Array.from({ length: 400 }, (_, i) => grid.request('/api/v1/datasources', {
    token: `wrong.${i}.token`, localAddress: `127.0.1.${1 + (i % 4)}`, agent: false,
  }));
  for (const reply of await Promise.all(calls)) assert.ok([401, 429, 503].includes(reply.status), `${reply.status}`);
  assert.ok(count() - before_ <= 4 * 3 * 2, `${count() - before_} rows`);
});

test('the list pages by keyset, filters and sorts', async () => {
  const prefix = `audit-${process.pid}-page`;
  for (let i = 0; i < 5; i++) grid.ctl('datasource', 'add', `${prefix}-${i}`);
  const filter = `object=datasource:${prefix}*&limit=2`;
  const names = [];
  let next = '';
  do {
    const page = await list(`${filter}&sort=time&after=${next}`);
    names.push(...page.items.map((row) => row.object));
    next = page.next;
  } while (next);
  assert.deepEqual(names, [0, 1, 2, 3, 4].map((i) => `datasource:${prefix}-${i}`));
  const newest = await list(filter);
  assert.deepEqual(newest.items.map((row) => row.object), [4, 3].map((i) => `datasource:${prefix}-${i}`));
  const time = newest.items[1].time;
  assert.equal((await list(`object=datasource:${prefix}*&from=${time}`)).items.length, 2);
  assert.equal((await list(`object=datasource:${prefix}*&to=${time}`)).items.length, 3);
  assert.equal((await list(`object=datasource:${prefix}*&result=refused`)).items.length, 0);
  assert.equal((await list(`object=datasource:${prefix}%25`)).items.length, 0);
  for (const wrong of ['result=maybe', 'from=yesterday', 'limit=0', 'sort=actor', 'nonsense=1', 'after=AAAA'])
    assert.equal((await grid.request(`/api/v1/admin/audit?${wrong}`, { cookie })).status, 400, wrong);
});

test('only administrators may read it', async () => {
  assert.equal((await grid.request('/api/v1/admin/audit')).status, 401);
  const token = await grid.token({ actions: 'ReadAll' });
  assert.equal((await grid.request('/api/v1/admin/audit', { token })).status, 403);
  assert.equal((await grid.request('/api/v1/admin/audit/verify', { token })).status, 403);
});

test('the exported chain fits, computed by another program', async () => {
  grid.ctl('screen', 'list', grid.ctl('datasource', 'add', `audit-${process.pid}-chain`).trim());
  await linked();
  const rows = exported().filter((row) => row.position).sort((a, b) => a.position - b.position);
  let head = Buffer.alloc(32);
  const part = (value) => (value === null ? '-,' : `${Buffer.byteLength(String(value))}:${value},`);
  rows.forEach((row, index) => {
    assert.equal(row.position, index + 1);
    const [seconds, fraction = ''] = row.time.slice(0, -1).split('.');
    const us = `${Date.parse(`${seconds}Z`) / 1000}${fraction.padEnd(6, '0')}`;
    const text = [row.position, row.id, us, row.service, row.actorKind, row.actor, row.subject, row.client,
      row.address, row.request, row.action, row.object, row.result, row.repeats, row.before, row.after].map(part).join('');
    head = createHash('sha256').update(head).update(text).digest();
    assert.equal(head.toString('hex'), row.hash, JSON.stringify(row));
  });
});

test('rows are linked within a second', async () => {
  grid.ctl('datasource', 'add', `audit-${process.pid}-fast`);
  const started = Date.now();
  await linked();
  assert.ok(Date.now() - started < SOON_MS, `${Date.now() - started} ms`);
});

test('the keeper killed and started again goes on with the same chain', async () => {
  const name = `audit-${process.pid}-kill`;
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 4; i++) {
      grid.ctl('datasource', 'add', `${name}-${round}-${i}`);
      if (i === 1) grid.kill('keeper');
    }
  }
  await linked();
  const verified = grid.ctl('audit', 'verify', '--checkpoints', checkpoints());
  assert.match(verified, /: 0 findings\./);
  const reply = await grid.request('/api/v1/admin/audit/verify', { cookie });
  assert.equal(reply.status, 200, reply.text);
  assert.equal(reply.json.sound, true, reply.text);
  assert.ok(reply.json.checkpoints > 0);
  assert.equal(new Set(exported().filter((row) => row.object.startsWith(`datasource:${name}`))
    .map((row) => row.position)).size, 12);
});

test('a row that is edited is found by both commands', async () => {
  grid.ctl('datasource', 'add', `audit-${process.pid}-edit`);
  await linked();
  const change = (from, to) => grid.sql(`ALTER TABLE audit_entry DISABLE TRIGGER USER;
    UPDATE audit_entry SET object = '${to}' WHERE object = '${from}';
    ALTER TABLE audit_entry ENABLE TRIGGER USER`);
  const [was, is] = [`datasource:audit-${process.pid}-edit`, 'datasource:innocent'];
  change(was, is);
  try {
    assert.throws(() => grid.ctl('audit', 'verify'), (error) => {
      assert.equal(error.status, 1);
      assert.match(error.stdout, /row \d+ \(position \d+\) was edited or is in another place/);
      return true;
    });
    const { json } = await grid.request('/api/v1/admin/audit/verify', { cookie });
    assert.equal(json.sound, false);
    assert.match(json.findings[0], /was edited/);
  } finally {
    change(is, was);
  }
  assert.match(grid.ctl('audit', 'verify'), /: 0 findings\./);
});

test('asvs 16.4.2: the owner cannot change it, the services cannot even look', () => {
  for (const statement of ["UPDATE audit_entry SET actor = 'x'", 'DELETE FROM audit_entry', 'TRUNCATE audit_entry',
    'DELETE FROM audit_link', 'TRUNCATE audit_checkpoint'])
    assert.throws(() => grid.sql(`SET ROLE fieldgrid_owner; ${statement}`), /only added to/);
  for (const role of ['hub', 'api', 'identity', 'web', 'controller', 'keeper'])
    assert.throws(() => grid.sql(`SET ROLE fieldgrid_${role}; DELETE FROM audit_entry`), /permission denied/);
  for (const role of ['hub', 'api', 'identity'])
    assert.throws(() => grid.sql(`SET ROLE fieldgrid_${role}; SELECT * FROM audit_entry`), /permission denied/);
});

test('asvs 16.4.1: line breaks in a name split no line of a log', async () => {
  const name = `eve-${process.pid}\r\nlevel=error msg="forged"\u2028x`;
  await assert.rejects(grid.logIn({ name, password: 'not the password' }));
  await assert.rejects(grid.logIn({ name: 'x'.repeat(4000), password: 'not the password' }));
  await grid.request(`/api/v1/datasources?x=%0d%0alevel=error`, { token: 'a\tb' });
  await sleep(300);
  for (const service of ['identity', 'api', 'controller', 'nginx']) {
    for (const line of grid.log(service).split('\n'))
      assert.doesNotMatch(line.replace(/^\S+ /, ''), /^level=error msg="forged"|^x$/, line);
  }
  assert.doesNotMatch(grid.ctl('audit', 'list', '--limit', '50'), /\r|^level=error/m);
});
