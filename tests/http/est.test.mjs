// Enrolment: tokens, certificate requests, approval, renewal, block, and the
// list of revoked certificates, with openssl as the client.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { after, before, test } from 'node:test';
import { openGrid, sleep, until } from '../support/grid.mjs';
import { Machine, administrator, parts } from '../support/est.mjs';
import { checker } from '../support/openapi.mjs';

let grid;
let admin;
let check;
const machines = [];
const plant = crypto.randomUUID();

before(async () => {
  grid = await openGrid();
  admin = await administrator(grid);
  check = checker();
  grid.ctl('datasource', 'add', `Plant ${process.pid}`, '--uuid', plant);
});

after(async () => {
  for (const machine of machines) machine.remove();
  await grid?.close();
});

function machine(kind) {
  const made = new Machine(grid);
  machines.push(made);
  return made.key(kind);
}

let count = 0;

/** A new node by REST; returns it with its token. */
async function node(more = {}) {
  const reply = await admin('POST', '/nodes', { name: `est-${process.pid}-${++count}`, ...more });
  assert.equal(reply.status, 201, reply.text);
  check('POST', '/api/v1/admin/nodes', reply);
  return { ...reply.json, token: reply.json.enrolment.token };
}

const show = async (name) => (await admin('GET', `/nodes/${name}`)).json;

/** A node that is in, on a machine. */
async function enrolled(more) {
  const made = await node(more);
  const at = machine();
  const reply = await at.enrol(made.token);
  assert.equal(reply.status, 200, reply.text);
  at.keep(reply);
  return Object.assign(at, { node: made });
}

test('the certificates to trust are public, and the token has their pin', async () => {
  const reply = await grid.request('/.well-known/est/cacerts');
  assert.equal(reply.status, 200);
  assert.match(reply.headers['content-type'], /^application\/pkcs7-mime/);
  assert.equal(reply.headers['content-transfer-encoding'], 'base64');
  const at = machine();
  const bundle = at.keep(reply, 'ca.pem').match(/-----BEGIN[^]*?END CERTIFICATE-----/g);
  assert.ok(bundle.length >= 2);
  const hash = createHash('sha256');
  for (const pem of bundle) hash.update(new X509Certificate(pem).raw);
  const { token, id } = await node();
  assert.equal(parts(token).id, id);
  assert.equal(parts(token).pin, hash.digest('hex'));
  assert.equal(Buffer.from(parts(token).secret, 'base64url').length, 16);
});

test('a machine becomes a node: its certificate says what the grid says', async () => {
  const made = await node({ publish: [plant], description: 'on the roof' });
  assert.equal(made.state, 'pending');
  const at = machine();
  const reply = await at.enrol(made.token, at.csr('-subj', '/CN=admin/O=Evil',
    '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=keyCertSign',
    '-addext', 'extendedKeyUsage=serverAuth', '-addext', 'subjectAltName=DNS:localhost,URI:urn:grid:node:other'));
  assert.equal(reply.status, 200, reply.text);
  assert.match(reply.headers['content-type'], /application\/pkcs7-mime; smime-type=certs-only/);
  at.keep(reply);
  const text = at.text();
  assert.match(text, new RegExp(`Subject: CN = ${made.id}\n`));
  assert.match(text, new RegExp(`URI:urn:grid:node:${made.id}\n`));
  assert.doesNotMatch(text, /admin|Evil|localhost|other/);
  assert.match(text, /CA:FALSE/);
  assert.match(text, /Extended Key Usage: \n\s+TLS Web Client Authentication\n/);
  assert.match(text, /Key Usage: critical\n\s+Digital Signature\n/);
  assert.match(text, /Subject Key Identifier/);
  assert.match(text, /Authority Key Identifier/);
  assert.match(at.verify(), /OK$/m);
  assert.doesNotMatch(at.verify('node.pem', '-purpose', 'sslserver'), /OK$/m);
  const certificate = new X509Certificate(at.read('node.pem'));
  const days = (Date.parse(certificate.validTo) - Date.now()) / 864e5;
  assert.ok(days > 89.9 && days < 90.1, certificate.validTo);
  assert.ok(Date.now() - Date.parse(certificate.validFrom) > 290e3, certificate.validFrom);
  assert.equal(certificate.serialNumber.length, 32);
  assert.match(certificate.serialNumber, /^[4-7]/);
  const now = await show(made.name);
  assert.equal(now.state, 'authorised');
  assert.equal(now.tokenEnds, null);
  assert.deepEqual(now.datasources.map(({ id, publish, subscribe }) => [id, publish, subscribe]), [[plant, true, false]]);
});

test('requests that prove nothing are refused, and do not cost the token', async () => {
  const { token } = await node();
  const at = machine();
  const good = at.csr();
  const tampered = Buffer.from(good, 'base64');
  tampered[tampered.length - 3] ^= 1;
  const weak = machine('rsa:1024');
  const other = machine('P-521');
  for (const [csr, status] of [
    [tampered.toString('base64'), 400], [weak.csr(), 400], [other.csr(), 400],
    ['', 400], ['not base64 !', 400], [Buffer.from('nothing').toString('base64'), 400],
    [`${'A'.repeat(17 * 1024)}`, 413], ['A'.repeat(40 * 1024), 413],
  ]) {
    const reply = await at.enrol(token, csr);
    assert.equal(reply.status, status, `${csr.slice(0, 30)}: ${reply.text}`);
    assert.ok(reply.json.errorCode && reply.json.errorMessage);
  }
  const type = await at.enrol(token, good, { headers: { 'content-type': 'application/json' } });
  assert.equal((await at.enrol(token, good)).status, 200);
  assert.notEqual(type.status, 200);
});

test('RSA 2048 and P-384 are taken, too', async () => {
  for (const kind of ['rsa:2048', 'P-384']) {
    const { token } = await node();
    const at = machine(kind);
    const reply = await at.enrol(token, at.csr().replace(/(.{64})/g, '$1\r\n'));
    assert.equal(reply.status, 200, reply.text);
    at.keep(reply);
    assert.match(at.verify(), /OK$/m);
  }
});

test('asvs 6.4.1: a token is for one machine, one day, and five attempts', async () => {
  const made = await node();
  const { id, secret } = parts(made.token);
  const at = machine();
  const without = await grid.request('/.well-known/est/simpleenroll', {
    body: at.csr(), headers: { 'content-type': 'application/pkcs10' },
  });
  assert.equal(without.status, 401);
  assert.match(without.headers['www-authenticate'], /^Basic realm=/);
  // Of another node, of no node: one answer for all.
  const stranger = await node();
  const answers = [
    await at.enrol({ id, secret: parts(stranger.token).secret }, at.csr(), { localAddress: '127.0.0.31' }),
    await at.enrol({ id: crypto.randomUUID(), secret }, at.csr(), { localAddress: '127.0.0.31' }),
    await at.enrol({ id: 'x', secret }, at.csr(), { localAddress: '127.0.0.31' }),
  ];
  for (const reply of answers) {
    assert.equal(reply.status, 401);
    assert.equal(reply.json.errorMessage, answers[0].json.errorMessage);
  }
  for (let i = 0; i < 4; i += 1)
    assert.equal((await at.enrol({ id, secret: `wrong${i}` }, at.csr(), { localAddress: '127.0.0.31' })).status, 401);
  assert.equal((await at.enrol(made.token, at.csr(), { localAddress: '127.0.0.31' })).status, 401, 'after five wrong ones');
  // A new one counts again, until it is a day old.
  const next = (await admin('POST', `/nodes/${made.name}/token`)).json.token;
  assert.equal((await at.enrol(made.token)).status, 401, 'the old one is gone');
  grid.sql(`UPDATE enrolment_token SET expires_at = now() - interval '1 second'
    FROM node WHERE node.id = node_id AND node.uuid = '${id}'`);
  assert.equal((await at.enrol(next)).status, 401, 'too old');
  const last = (await admin('POST', `/nodes/${made.name}/token`)).json;
  assert.ok(Math.abs(Date.parse(last.expires) - Date.now() - 864e5) < 60e3, last.expires);
  assert.match(last.command, /^fieldgrid-ingress enrol https:\/\/\S+ --token \S+$/);
  assert.equal((await at.enrol(last.token)).status, 200);
  assert.equal(grid.sql(`SELECT count(*) FROM enrolment_token WHERE encode(hash, 'escape') LIKE '%${secret}%'`)[0][0], '0');
});

test('a token is used up: only a lost answer is given again', async () => {
  const made = await node();
  const at = machine();
  const first = await at.enrol(made.token);
  assert.equal(first.status, 200);
  at.keep(first);
  const again = await at.enrol(made.token);
  assert.equal(again.status, 200);
  assert.equal(again.text, first.text, 'the same certificate');
  const thief = machine();
  assert.equal((await thief.enrol(made.token)).status, 401, 'another key');
  const { items } = (await admin('GET', `/nodes/${made.name}/certificates`)).json;
  assert.equal(items.length, 1);
  const print = new X509Certificate(at.read('node.pem')).fingerprint256.replaceAll(':', '').toLowerCase();
  assert.equal(items[0].fingerprint, print);
});

test('two machines with one token at once: one becomes the node', async () => {
  const { token, name } = await node();
  const all = Array.from({ length: 6 }, () => machine());
  const replies = await Promise.all(all.map((at) => at.enrol(token, at.csr(), { agent: false })));
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 401, 401, 401, 401, 401]);
  assert.equal((await admin('GET', `/nodes/${name}/certificates`)).json.items.length, 1);
});

test('with approval the key waits for an administrator', async () => {
  const made = await node({ approval: true });
  const at = machine();
  const reply = await at.enrol(made.token);
  assert.equal(reply.status, 202, reply.text);
  assert.match(reply.headers['retry-after'], /^\d+$/);
  check('POST', '/.well-known/est/simpleenroll', reply);
  const { request, state } = await show(made.name);
  assert.equal(state, 'pending');
  assert.equal(request.key, reply.json.key);
  assert.equal(request.approved, false);
  const list = (await admin('GET', '/nodes?waiting=true&limit=500')).json.items.map(({ name }) => name);
  assert.ok(list.includes(made.name));
  // Another key with the same token takes the place, but not the approval.
  const thief = machine();
  const other = await admin('POST', `/nodes/${made.name}/approve`, { key: '0'.repeat(64) });
  assert.equal(other.status, 409);
  assert.equal((await admin('POST', `/nodes/${made.name}/approve`, { key: request.key })).status, 200);
  assert.equal((await thief.enrol(made.token)).status, 202);
  assert.equal((await at.enrol(made.token)).status, 202, 'it waits from the beginning');
  assert.equal((await admin('POST', `/nodes/${made.name}/approve`, { key: request.key })).status, 200);
  const issued = await at.enrol(made.token);
  assert.equal(issued.status, 200, issued.text);
  at.keep(issued);
  assert.match(at.verify(), /OK$/m);
  assert.equal((await show(made.name)).request, null);
});

test('access data are given once, over mutual TLS, and both are needed', async () => {
  const at = await enrolled({ publish: [plant] });
  const reply = await at.call('/hub/v1/access', { method: 'POST' });
  assert.equal(reply.status, 200, reply.text);
  check('POST', '/hub/v1/access', reply);
  assert.equal(reply.headers['cache-control'], 'no-store');
  assert.deepEqual(reply.json.datasources.map(({ id }) => id), [plant]);
  const { clientId } = reply.json;
  // An answer that was lost is made anew until the node has been heard.
  const again = await at.call('/hub/v1/access', { method: 'POST' });
  assert.equal(again.status, 200);
  assert.notEqual(again.json.clientSecret, reply.json.clientSecret);
  const login = (secret, options) => at.call('/connect/token', {
    form: { grant_type: 'client_credentials', scope: 'hub' },
    headers: { authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}` },
    ...options,
  });
  assert.equal((await login(reply.json.clientSecret)).status, 401, 'the first secret is gone');
  const { access_token: token } = (await login(again.json.clientSecret)).json;
  assert.equal((await at.call('/hub/v1/beat', { body: { version: 'test' } })).status, 401, 'a certificate alone');
  assert.equal((await at.call('/hub/v1/beat', { body: { version: 'test' }, token })).status, 200);
  const late = await at.call('/hub/v1/access', { method: 'POST' });
  assert.equal(late.status, 409);
  assert.equal(late.json.errorCode, 'AccessTaken');
  // Without a certificate there is nothing to get at all.
  const without = await grid.request(`${grid.nodeUrl}/hub/v1/access`, { method: 'POST', agent: false });
  assert.equal(without.status, 403);
  const open = await grid.request('/hub/v1/access', { method: 'POST' });
  assert.notEqual(open.status, 200);
  const now = await show(at.node.name);
  assert.equal(now.version, 'test');
  assert.ok(Math.abs(now.clockOffsetMs) < 5000);
  assert.ok(Date.now() - Date.parse(now.lastSeen) < 60e3);
});

test('renewal is refused before two thirds of the life, and without the certificate', async () => {
  const at = await enrolled();
  const post = (options) => at.call('/.well-known/est/simplereenroll', {
    body: at.csr(), headers: { 'content-type': 'application/pkcs10' }, ...options,
  });
  const early = await post();
  assert.equal(early.status, 409);
  assert.equal(early.json.errorCode, 'RenewalTooEarly');
  const day = /renewed from (\S+)\.$/.exec(early.json.errorMessage)[1];
  assert.ok(Math.abs((Date.parse(day) - Date.now()) / 864e5 - 60) < 0.1, day);
  const forged = await grid.request('/.well-known/est/simplereenroll', {
    body: at.csr(),
    headers: { 'content-type': 'application/pkcs10', 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': encodeURIComponent(at.read('node.pem')) },
  });
  assert.equal(forged.status, 403);
});

test('asvs 6.3.3: a block shuts out at once, by every way; unblock lets in again', async () => {
  const at = await enrolled({ publish: [plant] });
  const { name } = at.node;
  const access = (await at.call('/hub/v1/access', { method: 'POST' })).json;
  const login = () => at.call('/connect/token', {
    form: { grant_type: 'client_credentials', scope: 'hub' },
    headers: { authorization: `Basic ${Buffer.from(`${access.clientId}:${access.clientSecret}`).toString('base64')}` },
  });
  const position = (token) => at.call('/hub/v1/position', { token });
  const { access_token: before } = (await login()).json;
  assert.equal((await position(before)).status, 200);
  const fresh = (await admin('POST', `/nodes/${name}/token`)).json.token;
  assert.equal((await admin('POST', `/nodes/${name}/block`)).json.state, 'blocked');
  await until(async () => (await position(before)).status === 403, { every: 50, what: 'the block' });
  assert.match((await position(before)).json.errorMessage, /blocked/);
  assert.notEqual((await login()).status, 200, 'no new access token');
  const renewal = await at.call('/.well-known/est/simplereenroll', {
    body: at.csr(), headers: { 'content-type': 'application/pkcs10' },
  });
  assert.equal(renewal.status, 403);
  assert.equal((await at.call('/hub/v1/access', { method: 'POST' })).status, 403);
  assert.equal((await at.enrol(fresh)).status, 401, 'its token is gone');
  assert.equal((await admin('POST', `/nodes/${name}/token`)).status, 409);
  // Its key is no way in as another node, either.
  const other = await node();
  const refused = await at.enrol(other.token);
  assert.equal(refused.status, 403);
  assert.equal(refused.json.errorCode, 'KeyRefused');
  assert.equal((await admin('POST', `/nodes/${name}/unblock`)).json.state, 'authorised');
  assert.equal((await admin('POST', `/nodes/${name}/unblock`)).status, 409);
  await until(async () => (await login()).status === 200, { every: 100, what: 'a new token' });
  const { access_token: anew } = (await login()).json;
  await until(async () => (await position(anew)).status === 200, { every: 100, what: 'to be let in' });
  assert.notEqual((await position(before)).status, 200, 'tokens from before stay dead');
});

test('a retired node never comes back', async () => {
  const at = await enrolled();
  const { name } = at.node;
  assert.equal((await admin('POST', `/nodes/${name}/retire`)).json.state, 'retired');
  for (const verb of ['unblock', 'block', 'token'])
    assert.equal((await admin('POST', `/nodes/${name}/${verb}`)).status, 409, verb);
  assert.equal((await admin('DELETE', `/nodes/${name}`)).status, 409);
  const other = await node();
  assert.equal((await at.enrol(other.token)).json.errorCode, 'KeyRefused');
  await sleep(1100);
  assert.equal((await at.call('/hub/v1/access', { method: 'POST' })).status, 403);
});

test('a revoked certificate counts no more, nor does its key', async () => {
  const at = await enrolled();
  const { name } = at.node;
  const [{ fingerprint }] = (await admin('GET', `/nodes/${name}/certificates`)).json.items;
  assert.equal((await admin('DELETE', `/nodes/${name}/certificates/${fingerprint}`)).status, 204);
  assert.equal((await admin('DELETE', `/nodes/${name}/certificates/${fingerprint}`)).status, 404);
  const reply = await at.call('/hub/v1/access', { method: 'POST' });
  assert.equal(reply.json.errorCode, 'UnknownCertificate');
  const { token } = (await admin('POST', `/nodes/${name}/token`)).json;
  assert.equal((await at.enrol(token)).json.errorCode, 'KeyRefused');
  at.key();
  assert.equal((await at.enrol(token)).status, 200, 'a new key is welcome');
});

test('the list of revoked certificates is what openssl believes', async () => {
  const at = await enrolled();
  const crl = () => {
    const file = at.file('crl.pem');
    return grid.request('/crl.pem').then((reply) => {
      assert.equal(reply.status, 200);
      fs.writeFileSync(file, reply.text);
      return execFileSync('openssl', ['crl', '-in', file, '-noout', '-text'], { encoding: 'utf8' });
    });
  };
  await crl();
  assert.match(at.verify('node.pem', '-crl_check', '-CRLfile', at.file('crl.pem')), /OK$/m);
  await admin('POST', `/nodes/${at.node.name}/block`);
  assert.match(await crl(), /Certificate Hold/);
  assert.match(at.verify('node.pem', '-crl_check', '-CRLfile', at.file('crl.pem')), /certificate revoked/);
  await admin('POST', `/nodes/${at.node.name}/unblock`);
  const text = await crl();
  assert.match(at.verify('node.pem', '-crl_check', '-CRLfile', at.file('crl.pem')), /OK$/m);
  const [, last] = /Last Update: (.*)\n/.exec(text);
  const [, next] = /Next Update: (.*)\n/.exec(text);
  assert.equal(Date.parse(next) - Date.parse(last), 2 * 864e5);
  const der = await grid.request('/crl');
  assert.equal(der.headers['content-type'], 'application/pkix-crl');
  fs.writeFileSync(at.file('crl.der'), der.body);
  assert.match(execFileSync('openssl', ['crl', '-inform', 'DER', '-in', at.file('crl.der'), '-noout', '-crlnumber'], { encoding: 'utf8' }), /crlNumber=/);
});

test('nodes are listed, changed and removed by REST', async () => {
  const one = await node({ publish: [plant], kind: 'egress' });
  const list = async (query) => {
    const reply = await admin('GET', `/nodes?${query}`);
    assert.equal(reply.status, 200, reply.text);
    check('GET', '/api/v1/admin/nodes', reply);
    return reply.json.items.map(({ name }) => name);
  };
  assert.deepEqual(await list(`search=${one.name}`), [one.name]);
  assert.ok((await list('state=pending&sort=-created&limit=500')).includes(one.name));
  assert.ok(!(await list('kind=service&limit=500')).includes(one.name));
  assert.ok((await list(`dataSource=${plant}&limit=500`)).includes(one.name));
  const paged = [];
  let after_ = '';
  do {
    const reply = await admin('GET', `/nodes?limit=3&sort=name${after_ && `&after=${encodeURIComponent(after_)}`}`);
    paged.push(...reply.json.items.map(({ name }) => name));
    after_ = reply.json.next;
  } while (after_);
  assert.deepEqual(paged, [...new Set(paged)].sort());
  const changed = await admin('PATCH', `/nodes/${one.name}`, { description: 'changed', approval: true });
  assert.equal(changed.status, 200, changed.text);
  check('PATCH', `/api/v1/admin/nodes/${one.name}`, changed);
  assert.equal(changed.json.description, 'changed');
  const both = await admin('PUT', `/nodes/${one.id}/datasources/${plant}`, { subscribe: true });
  assert.deepEqual(both.json.datasources.map(({ publish, subscribe }) => [publish, subscribe]), [[false, true]]);
  assert.equal((await admin('DELETE', `/nodes/${one.id}/datasources/${plant}`)).status, 204);
  assert.deepEqual((await show(one.id)).datasources, []);
  for (const [body, status] of [[{ name: one.name }, 409], [{ name: 'a b' }, 400], [{ name: '' }, 400],
    [{ name: 'x', kind: 'plant' }, 400], [{ name: 'x', publish: [crypto.randomUUID()] }, 400], [{}, 400],
    [{ name: 'x', colour: 'red' }, 400]])
    assert.equal((await admin('POST', '/nodes', body)).status, status, JSON.stringify(body));
  assert.equal((await admin('DELETE', `/nodes/${one.name}`)).status, 204);
  assert.equal((await admin('GET', `/nodes/${one.name}`)).status, 404);
  const authority = await admin('GET', '/ca');
  assert.equal(authority.status, 200, authority.text);
  check('GET', '/api/v1/admin/ca', authority);
  assert.equal(authority.json.authorities[0].signs, true);
});

test('asvs 16.2.5: what nodes and administrators did is in the audit, without a secret', async () => {
  const at = await enrolled();
  await admin('POST', `/nodes/${at.node.name}/block`);
  const rows = grid.sql(`SELECT action, result, actor FROM audit_entry
    WHERE object = 'node:${at.node.name}' ORDER BY id`);
  assert.deepEqual(rows.map(([action, result]) => `${action} ${result}`),
    ['node.create ok', 'node.token ok', 'node.enrol ok', 'node.block ok']);
  assert.equal(rows[0][2], 'admin');
  const { secret } = parts(at.node.token);
  assert.equal(grid.sql(`SELECT count(*) FROM audit_entry WHERE (old_value::text || new_value::text) LIKE '%${secret}%'`)[0][0], '0');
  for (const service of ['controller', 'nginx', 'hub'])
    assert.ok(!grid.log(service).includes(secret), service);
});
