// Another web tool of the same host behind the grid's log-in: a real server that
// nginx reaches through snippets/behind-login.conf.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';

let grid;
let tool; // it answers with what it was sent
let cookie;
const run = process.pid;
const group = `Analysts, "best" ${run}`; // a name that must not become two
const user = { name: `tool-${run}` };
let file;

const conf = (port, nginx) => `
location /tool/ {
	include "${nginx}/snippets/behind-login.conf";
	proxy_pass http://127.0.0.1:${port};
}
location /tool/analysts/ {
	set $fieldgrid_require "group:Nobody,role:ToolRole${run}";
	include "${nginx}/snippets/behind-login.conf";
	proxy_pass http://127.0.0.1:${port};
}
location /tool/admin/ {
	set $fieldgrid_require "administer";
	include "${nginx}/snippets/behind-login.conf";
	proxy_pass http://127.0.0.1:${port};
}
`;

function reload() { process.kill(grid.supervised('nginx'), 'SIGHUP'); }

before(async () => {
  grid = await openGrid();
  tool = http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: request.url, headers: request.headers, raw: request.rawHeaders }));
  });
  await new Promise((resolve) => { tool.listen(0, '127.0.0.1', resolve); });
  const nginx = path.join(grid.state, 'etc/nginx');
  fs.mkdirSync(path.join(nginx, 'local'), { recursive: true });
  file = path.join(nginx, 'local', `tool-${run}.conf`);
  fs.writeFileSync(file, conf(tool.address().port, nginx));
  user.password = /password: (\S+)/.exec(grid.ctl('user', 'add', user.name,
    '--email', 'tool@grid.test', '--full-name', 'Zoë Tool'))[1];
  grid.sql(`UPDATE account_password SET must_change = false`);
  grid.sql(`WITH made AS (INSERT INTO user_group (uuid, name) VALUES (gen_random_uuid(), '${group}') RETURNING id)
    INSERT INTO group_account (group_id, account_id)
    SELECT made.id, account.id FROM made, account WHERE account.name = '${user.name}'`);
  reload();
  await until(async () => (await grid.request('/tool/x')).status === 303, { what: 'the location' });
  cookie = await grid.logIn(user);
});
after(async () => {
  if (file) {
    fs.rmSync(file, { force: true });
    reload();
  }
  tool?.closeAllConnections();
  tool?.close();
  await grid?.close();
});

test('whoever is not logged in goes to the log-in and comes back to the same address', async () => {
  const reply = await grid.request('/tool/d?a=1&b=%2F#x'.replace('#x', ''));
  assert.equal(reply.status, 303);
  assert.equal(new URL(reply.headers.location, grid.url).searchParams.get('next'), '/tool/d?a=1&b=%2F');
  assert.match(reply.headers['cache-control'], /no-store/);
  const open = await grid.request(reply.headers.location, { cookie });
  assert.equal(open.headers.location, '/tool/d?a=1&b=%2F');
});

test('the tool learns who it is from nginx alone', async () => {
  const reply = await grid.request('/tool/x?q=1', {
    cookie: `a=1; ${cookie}; b=2`,
    headers: {
      'x-auth-user': 'admin', 'X-Auth-Groups': 'Admins', 'x-auth-roles': 'Admin', 'x-auth-email': 'e@vil.test',
      'x-auth-name': 'Evil', x_auth_user: 'admin', authorization: 'Bearer stolen',
    },
  });
  assert.equal(reply.status, 200, reply.text);
  const { headers, raw, url } = reply.json;
  assert.equal(url, '/tool/x?q=1');
  assert.equal(headers['x-auth-user'], user.name);
  assert.equal(headers['x-auth-email'], 'tool@grid.test');
  assert.equal(Buffer.from(headers['x-auth-name'], 'latin1').toString(), 'Zoë Tool');
  assert.equal(headers['x-auth-groups'], `Analysts%2C "best" ${run}`);
  assert.equal(headers['x-auth-roles'], undefined, 'an empty header is none');
  assert.equal(headers.authorization, undefined);
  for (const name of ['x-auth-user', 'x-auth-email', 'x-auth-name', 'x-auth-groups'])
    assert.equal(raw.filter((text, i) => i % 2 === 0 && text.toLowerCase() === name).length, 1, name);
  assert.ok(!/evil|Admins|stolen/i.test(JSON.stringify(reply.json)), reply.text);
});

test('the tool never sees the cookies of the grid, wherever they stand', async () => {
  const sid = /__Host-gridsid=[^;]+/.exec(cookie)[0];
  for (const [sent, got] of [
    [`${sid}`, undefined],
    [`a=1; ${sid}`, 'a=1;'],
    [`${sid}; b=2`, 'b=2'],
    [`a=1; ${sid}; b=2; __Host-gridform=x; __Host-gridstep=y; c=3`, 'a=1; b=2; c=3'],
    [`${sid}; __Host-gridform=1; __Host-gridform=2; __Host-gridform=3; __Host-gridform=4`, undefined],
  ]) {
    const reply = await grid.request('/tool/c', { cookie: sent });
    assert.equal(reply.status, 200);
    assert.equal(reply.json.headers.cookie, got, sent);
  }
});

test('without the right it is 403, with it it is not', async () => {
  const refused = await grid.request('/tool/analysts/x', { cookie });
  assert.equal(refused.status, 403);
  assert.match(refused.text, /have no right/);
  assert.equal((await grid.request('/tool/admin/x', { cookie })).status, 403);
  const admin = await grid.logIn();
  assert.equal((await grid.request('/tool/admin/x', { cookie: admin })).status, 200);
  grid.sql(`WITH made AS (INSERT INTO role (name) VALUES ('ToolRole${run}') RETURNING id)
    INSERT INTO role_grant (role_id, subject_kind, subject_id)
    SELECT made.id, 'user', account.id FROM made, account WHERE account.name = '${user.name}'`);
  const allowed = await grid.request('/tool/analysts/x', { cookie });
  assert.equal(allowed.status, 200);
  assert.equal(allowed.json.headers['x-auth-roles'], `ToolRole${run}`);
});

test('nobody else reaches the gate, at any listener', async () => {
  for (const base of [grid.url, grid.identityUrl])
    for (const address of ['/.fieldgrid/gate', '/.fieldgrid/login', '/identity-service/.fieldgrid/gate'])
      assert.equal((await grid.request(base + address, { cookie, headers: { gate: 'on', 'http-gate': 'on' } })).status,
        404, base + address);
});

test('a session that ends closes the tool at once', async () => {
  const other = await grid.logIn(user);
  assert.equal((await grid.request('/tool/x', { cookie: other })).status, 200);
  grid.sql(`DELETE FROM session USING account WHERE account.id = account_id AND name = '${user.name}'`);
  assert.equal((await grid.request('/tool/x', { cookie: other })).status, 303);
});
