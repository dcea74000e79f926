// quickstart: one command starts, stops and keeps a grid running.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { build, freePort, openGrid, sleep, top, until } from '../support/grid.mjs';

let grid;
before(async () => { grid = await openGrid({ own: true }); });
after(() => grid?.close());

function quickstart(...words) {
  const { status, stdout, stderr } = spawnSync(path.join(top, 'deploy/quickstart'), words,
    { encoding: 'utf8', timeout: 120_000 });
  return { status, text: stdout + stderr };
}

function start(...words) {
  return quickstart('start', '--state', grid.state, '--build', build, '--no-packages',
    '--no-build', '--no-demo', ...words);
}

const alive = async () => (await grid.request('/login', { agent: false })).status === 200;

test('nothing runs as root', () => {
  for (const service of ['postgresql', 'nginx', 'hub', 'api', 'identity', 'controller', 'web', 'keeper']) {
    const pids = grid.pids(service);
    assert.ok(pids.length > 0, `${service} runs`);
    for (const pid of pids) {
      const [, uid] = /^Uid:\t\d+\t(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
      assert.notEqual(uid, '0', service);
    }
  }
});

test('secrets are readable by their owner only', () => {
  const closed = ['secret/admin.password', 'secret/hub.password', 'secret/seal.key', 'secret/audit.key',
    'secret/authority.seal', 'pki/root.key', 'pki/server.key'];
  for (const file of closed) {
    assert.equal(fs.statSync(path.join(grid.state, file)).mode & 0o077, 0, file);
  }
});

test('starting twice is harmless', async () => {
  const before_ = grid.pids('postgresql')[0];
  const { status, text } = start();
  assert.equal(status, 0, text);
  assert.match(text, /runs already/);
  assert.equal(grid.pids('postgresql')[0], before_);
  assert.ok(await alive());
});

test('a taken port is named with its option', async () => {
  const port = await freePort();
  const server = net.createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-'));
  const { status, text } = quickstart('--state', state, '--build', build, '--no-packages',
    '--no-build', '--api-port', String(port), '--https-port', String(await freePort()),
    '--node-port', String(await freePort()), '--identity-port', String(await freePort()));
  server.close();
  fs.rmSync(state, { recursive: true, force: true });
  assert.equal(status, 1);
  assert.match(text, new RegExp(`port ${port} is taken`));
  assert.match(text, /--api-port/);
});

test('wrong options are 2 and say so', () => {
  assert.equal(quickstart('--https-port', 'x').status, 2);
  assert.match(quickstart('--https-port', '70000').text, /not a port number/);
  assert.match(quickstart('dance').text, /unknown argument "dance"/);
  assert.equal(quickstart('--help').status, 0);
});

test('reset deletes no folder that is not a grid', () => {
  const other = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-'));
  fs.writeFileSync(path.join(other, 'precious'), 'x');
  const { status, text } = quickstart('reset', '--state', other);
  assert.equal(status, 1);
  assert.match(text, /does not look like/);
  assert.ok(fs.existsSync(path.join(other, 'precious')));
  fs.rmSync(other, { recursive: true });
});

for (const service of ['hub', 'api', 'identity', 'controller', 'web', 'keeper', 'nginx', 'postgresql']) {
  test(`${service} is back after SIGKILL, again and again`, async () => {
    for (let round = 0; round < 4; round++) {
      const killed = await until(() => {
        const pids = grid.kill(service);
        return pids.length > 0 && pids;
      }, { what: `a running ${service}` });
      await until(() => {
        const now = grid.pids(service);
        return now.length >= killed.length && !now.some((pid) => killed.includes(pid));
      }, { every: 50, what: `${service}, round ${round}` });
      if (service !== 'keeper') {
        await until(alive, { every: 50, what: `the login page after ${service}` });
      }
      await sleep(100);
    }
  });
}

test('the supervisors themselves may be killed', async () => {
  const [hub] = grid.pids('hub');
  const multiwatch = grid.supervised('hub');
  assert.ok(multiwatch > 1);
  process.kill(multiwatch, 'SIGKILL');
  await until(() => grid.pids('hub').length === 1 && grid.pids('hub')[0] !== hub,
    { what: 'the hub' });
  await until(alive, { what: 'the login page' });
});

test('stop ends everything and start goes on with the data', async () => {
  await until(() => grid.ctl('user', 'add', 'before-stop'), { what: 'PostgreSQL' });
  const stopped = quickstart('stop', '--state', grid.state);
  assert.equal(stopped.status, 0, stopped.text);
  for (const service of ['postgresql', 'nginx', 'hub', 'api', 'identity', 'controller', 'web', 'keeper']) {
    assert.deepEqual(grid.pids(service), [], service);
  }
  assert.equal(quickstart('status', '--state', grid.state).status, 1);
  const { status, text } = start();
  assert.equal(status, 0, text);
  assert.match(grid.ctl('user', 'list'), /^before-stop\t/m);
  assert.equal(quickstart('status', '--state', grid.state).status, 0);
});
