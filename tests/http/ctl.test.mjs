// fieldgridctl: clear errors, exit codes, and what it does takes effect.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { build, openGrid, plants, top, until } from '../support/grid.mjs';

let grid;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-ctl-'));
before(async () => { grid = await openGrid(); });
after(async () => {
  fs.rmSync(folder, { recursive: true });
  await grid?.close();
});

/** Run it; returns { status, stdout, stderr }. */
function ctl(...words) {
  return spawnSync(path.join(build, 'fieldgridctl'),
    ['--config', path.join(grid.state, 'etc/fieldgridctl.conf'), ...words], { encoding: 'utf8' });
}

const unique = (name) => `${name}-${process.pid}`;

test('wrong command lines are 2 and say what is wrong', () => {
  for (const [words, pattern] of [
    [[], /what is to be done/],
    [['--nothing'], /unknown option "--nothing"/],
    [['plant'], /unknown command "plant"/],
    [['user', 'dance'], /unknown command "user dance"/],
    [['user', 'add'], /expected NAME/],
    [['user', 'add', 'a', 'b'], /expected NAME/],
    [['user', 'add', 'a', '--colour', 'red'], /unknown option "--colour"/],
    [['user', 'add', 'a', '--email'], /--email needs ADDRESS/],
    [['user', 'add', 'a', '--administrator=yes'], /takes no value/],
  ]) {
    const { status, stderr } = ctl(...words);
    assert.equal(status, 2, words.join(' '));
    assert.match(stderr, pattern);
  }
});

test('every command has its help', () => {
  const { stdout } = ctl('--help');
  const commands = [...stdout.matchAll(/^ {2}([a-z]+)(?: ([a-z]+))?(?: [A-Z[].*)?$/gm)];
  assert.ok(commands.length > 20);
  for (const [, noun, verb] of commands) {
    const help = ctl(...[noun, verb].filter(Boolean), '--help');
    assert.equal(help.status, 0, `${noun} ${verb}`);
    assert.match(help.stdout, /^usage: fieldgridctl /);
  }
});

test('a configuration that is not there or wrong is named', () => {
  const file = path.join(folder, 'wrong.conf');
  fs.writeFileSync(file, '[database]\nport = many\n');
  const run = (config) => spawnSync(path.join(build, 'fieldgridctl'),
    ['--config', config, 'user', 'list'], { encoding: 'utf8' });
  assert.match(run(file).stderr, /wrong\.conf:2: .*port/);
  assert.match(run('/none.conf').stderr, /none\.conf: No such file/);
  assert.equal(run(file).status, 1);
});

test('migrate is idempotent and refuses a newer database', () => {
  assert.match(ctl('migrate').stdout, /0 applied now/);
  grid.sql("INSERT INTO schema_migration (version, name, checksum) VALUES (9999, '9999-later', 'x')");
  try {
    const { status, stderr } = ctl('migrate');
    assert.equal(status, 1);
    assert.match(stderr, /9999.*is newer/s);
  } finally {
    grid.sql('DELETE FROM schema_migration WHERE version = 9999');
  }
  assert.equal(ctl('migrate').status, 0);
});

test('migrate refuses a migration that was changed afterwards', () => {
  const [[before_]] = grid.sql('SELECT checksum FROM schema_migration WHERE version = 1');
  grid.sql("UPDATE schema_migration SET checksum = 'other' WHERE version = 1");
  try {
    assert.match(ctl('migrate').stderr, /0001-.* was changed/);
  } finally {
    grid.sql(`UPDATE schema_migration SET checksum = '${before_}' WHERE version = 1`);
  }
});

test('a user is created with a password shown once, disabled and enabled', async () => {
  const name = unique('anna');
  const added = ctl('user', 'add', name, '--full-name', 'Anna Auer', '--email', 'anna@example.org');
  const password = /^password: (\S{20})$/m.exec(added.stdout)[1];
  const cookie = await grid.logIn({ name, password });
  assert.ok(cookie);
  assert.match(ctl('user', 'list').stdout, new RegExp(`^${name}\tAnna Auer\tanna@example.org\tactive`, 'm'));
  assert.match(ctl('user', 'add', name).stderr, /already/);
  assert.equal(ctl('user', 'disable', name).status, 0);
  await assert.rejects(grid.logIn({ name, password }), /login: /);
  assert.equal(ctl('user', 'enable', name).status, 0);
  assert.ok(await grid.logIn({ name, password }));
  assert.match(ctl('user', 'disable', unique('nobody')).stderr, /There is no user/);
});

test('a weak password is refused with words', () => {
  const file = path.join(folder, 'weak');
  fs.writeFileSync(file, 'short\n', { mode: 0o600 });
  const { status, stderr } = ctl('user', 'add', unique('weak'), '--password-file', file);
  assert.equal(status, 1);
  assert.match(stderr, /8/);
});

test('a node gets files that only their owner may read', () => {
  const out = path.join(folder, 'node');
  const name = unique('node');
  assert.equal(ctl('node', 'add', name, '--publish', plants.host, '--out', out).status,
    grid.sql(`SELECT 1 FROM datasource WHERE uuid = '${plants.host}'`).length ? 0 : 1);
  const node = grid.enrol(unique('other'), `${crypto.randomUUID()}:${unique('Plant')}`);
  for (const file of ['ca.pem', 'node.pem', 'node.key', 'client_id', 'client_secret']) {
    assert.equal(fs.statSync(path.join(node.folder, file)).mode & 0o777, 0o600, file);
  }
  assert.match(ctl('node', 'list').stdout, new RegExp(`\t${unique('other')}\tingress\tauthorised`));
  node.close();
});

test('what a node may send and receive is given and taken away', () => {
  const name = unique('sender');
  const uuid = crypto.randomUUID();
  const shown = () => ctl('node', 'show', name).stdout;
  assert.equal(ctl('node', 'add', name, '--publish', `${uuid}:${unique('Sent')}`).status, 0);
  assert.match(shown(), new RegExp(uuid));
  assert.equal(ctl('node', 'allow', name, '--none', uuid).status, 0);
  assert.doesNotMatch(shown(), new RegExp(uuid));
});

test('a blocked node is shut out on the same connection, and let in again', async () => {
  const node = grid.enrol(unique('stolen'), `${crypto.randomUUID()}:${unique('Stolen')}`);
  const position = async () => node.request('/hub/v1/position', { token: await node.token() });
  try {
    assert.equal((await position()).status, 200);
    const token = await node.token();
    assert.equal(ctl('node', 'block', unique('stolen')).status, 0);
    const reply = await until(async () => {
      const tried = await node.request('/hub/v1/position', { token });
      return tried.status !== 200 && tried;
    }, { what: 'the block' });
    assert.equal(reply.status, 403);
    assert.equal(reply.json.errorCode, 'NodeNotAuthorised');
    assert.equal(ctl('node', 'authorise', unique('stolen')).status, 0);
    await until(async () => (await position()).status === 200, { what: 'to be let in' });
  } finally {
    node.close();
  }
});

test('node add refuses what is not a datasource', () => {
  const { status, stderr } = ctl('node', 'add', unique('n'), '--publish', 'x', '--out', folder);
  assert.equal(status, 1);
  assert.match(stderr, /x: not a UUID/);
  const gone = ctl('node', 'add', unique('n'), '--publish', crypto.randomUUID(), '--out', folder);
  assert.match(gone.stderr, /there is no datasource/);
  assert.match(ctl('node', 'add', unique('n')).stdout, /enrol https:\/\/HOST --token \S{22}\.\S{22}\.\S{43}\n/);
});

test('every example configuration passes --check-config', () => {
  for (const name of ['hub', 'api', 'identity', 'controller', 'web', 'keeper']) {
    const { status, stderr } = spawnSync(path.join(build, `fieldgrid-${name}`),
      ['--check-config', '--config', path.join(top, `deploy/conf/${name}.conf`)], { encoding: 'utf8' });
    assert.equal(status, 0, `${name}: ${stderr}`);
  }
});

test('the authority is shown, renewed with the root only, and its list is read by openssl', () => {
  const show = ctl('ca', 'show');
  assert.equal(show.status, 0, show.stderr);
  assert.match(show.stdout, /^sha256\t[0-9a-f]{64}$/m);
  assert.match(show.stdout, /^signs\t[0-9a-f]{40}\tfrom /m);
  assert.equal(ctl('ca', 'renew', '--due').stdout, 'The authority is as it should be.\n');
  const away = ctl('ca', 'renew', '--root', folder);
  assert.equal(away.status, 1);
  assert.match(away.stderr, /root\.key is not there: bring the root's key back/);
  assert.equal(fs.statSync(path.join(grid.state, 'pki/root.key')).mode & 0o777, 0o400);
  const file = path.join(folder, 'crl.pem');
  assert.equal(ctl('ca', 'crl', '--out', file).status, 0);
  const read = spawnSync('openssl', ['crl', '-in', file, '-noout', '-text'], { encoding: 'utf8' });
  assert.match(read.stdout, /CRL Number/);
});

test('a node from its token to its retirement on the command line', () => {
  const name = unique('life');
  assert.equal(ctl('node', 'add', name, '--approval', '--description', 'on the roof').status, 0);
  assert.match(ctl('node', 'show', name).stdout, /^state\tpending$/m);
  assert.match(ctl('node', 'show', name).stdout, /^description\ton the roof$/m);
  assert.match(ctl('node', 'token', name).stdout, /--token \S+/);
  assert.match(ctl('node', 'approve', name).stderr, /No machine waits/);
  assert.match(ctl('node', 'approve', name, '--key', 'xyz').stderr, /64 hexadecimal/);
  assert.match(ctl('node', 'unblock', name).stderr, /not blocked/);
  assert.equal(ctl('node', 'block', name).status, 0);
  assert.match(ctl('node', 'token', name).stderr, /gets no token/);
  assert.equal(ctl('node', 'unblock', name).status, 0);
  assert.match(ctl('node', 'show', name).stdout, /^state\tpending$/m);
  assert.equal(ctl('node', 'change', name, '--description', 'in the cellar', '--approval', 'no').status, 0);
  assert.match(ctl('node', 'show', name).stdout, /^description\tin the cellar$/m);
  assert.match(ctl('node', 'change', name, '--approval', 'perhaps').stderr, /yes or no/);
  assert.equal(ctl('node', 'certificates', name).stdout, '');
  assert.match(ctl('node', 'revoke', name, 'a'.repeat(64)).stderr, /no such certificate/);
  assert.match(ctl('node', 'revoke', name, 'abc').stderr, /64 hexadecimal/);
  const spare = unique('spare');
  assert.equal(ctl('node', 'add', spare).status, 0);
  assert.equal(ctl('node', 'remove', spare).status, 0);
  assert.match(ctl('node', 'show', spare).stderr, /there is no node/);
  assert.equal(ctl('node', 'retire', name).status, 0);
  assert.match(ctl('node', 'remove', name).stderr, /retire it instead/);
  assert.match(ctl('node', 'authorise', name).stderr, /never comes back/);
  assert.match(ctl('node', 'show', unique('nobody')).stderr, /there is no node/);
  assert.match(ctl('node', 'add', 'a b').stderr, /letters, digits/);
});
