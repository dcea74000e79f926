// A grid from before there was a root: one self-signed authority signed the
// server and all nodes. It goes on, and its nodes come over by themselves.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';
import { Machine, administrator } from '../support/est.mjs';

const openssl = (...words) => execFileSync('openssl', words, { stdio: ['pipe', 'pipe', 'pipe'] });
const uuid = crypto.randomUUID();
const plant = crypto.randomUUID();

let state;
let grid;
let old; // text of its only authority

/** pki/ as the first version left it, and a node's certificate of it. */
function before_(folder) {
  const pki = path.join(folder, 'pki');
  const at = (name) => path.join(pki, name);
  fs.mkdirSync(pki, { recursive: true });
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3650',
    '-keyout', at('ca.key'), '-out', at('ca.pem'), '-subj', '/CN=fieldgrid private authority 0badcafe',
    '-addext', 'basicConstraints=critical,CA:TRUE,pathlen:0', '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
  openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', at('node.key'), '-out', at('node.csr'), '-subj', `/CN=${uuid}`);
  fs.writeFileSync(at('node.ext'), `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n`
    + `extendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:grid:node:${uuid}\n`);
  // Ten days are left of its year: it is due.
  openssl('x509', '-req', '-in', at('node.csr'), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial',
    '-extfile', at('node.ext'), '-days', '10', '-out', at('node.pem'));
  fs.copyFileSync(at('ca.pem'), at('ca.pem.before'));
  for (const name of ['ca.key', 'node.key']) fs.chmodSync(at(name), 0o600);
  // The grid runs as another user when the tests are root.
  if (process.getuid() === 0) execFileSync('chown', ['-R', 'www-data', folder]);
  return fs.readFileSync(at('ca.pem'), 'utf8');
}

before(async () => {
  state = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-upgrade-'));
  old = before_(state);
  grid = await openGrid({ own: true, state });
});

after(async () => {
  await grid?.close();
});

test('who trusted the only authority trusts the server still', async () => {
  assert.ok(grid.ca.includes(old.trim()), 'ca.pem has the old one, too');
  assert.equal(grid.ca.match(/BEGIN CERTIFICATE/g).length, 3);
  const out = execFileSync('curl', ['--silent', '--show-error', '--fail', '--cacert',
    path.join(state, 'pki/ca.pem.before'), `${grid.url}/.well-known/openid-configuration`], { encoding: 'utf8' });
  assert.match(out, /issuer/);
});

test('its nodes are let in, renew into the new authority, and new ones come', async () => {
  const machine = new Machine(grid);
  try {
    for (const name of ['node.key', 'node.pem'])
      fs.copyFileSync(path.join(state, 'pki', name), machine.file(name));
    const certificate = new X509Certificate(machine.read('node.pem'));
    const print = certificate.fingerprint256.replaceAll(':', '');
    // The rows of the first version: nothing else was known.
    grid.sql(`INSERT INTO node (uuid, name, kind, state) VALUES ('${uuid}', 'veteran', 'ingress', 'authorised');
      INSERT INTO node_certificate (fingerprint, node_id, serial, not_after)
      SELECT decode('${print}', 'hex'), id, '${certificate.serialNumber}', '${certificate.validTo}'
        FROM node WHERE name = 'veteran'`);
    grid.ctl('datasource', 'add', 'Old plant', '--uuid', plant);
    grid.ctl('node', 'allow', 'veteran', '--publish', plant);
    const admin = await administrator(grid);
    const renew = () => machine.call('/.well-known/est/simplereenroll', {
      body: machine.csr(), headers: { 'content-type': 'application/pkcs10' },
    });
    // Ten days of a certificate of ten days: not due, so its begin is long ago.
    const early = await renew();
    assert.equal(early.status, 409, early.text);
    assert.equal((await machine.call('/hub/v1/access', { method: 'POST' })).json.errorCode, 'AccessTaken',
      'nobody gets access data with a certificate alone');
    const next = await admin('POST', '/nodes/veteran/token');
    assert.equal(next.status, 201, next.text);
    machine.key();
    const reply = await machine.enrol(next.json.token);
    assert.equal(reply.status, 200, reply.text);
    machine.keep(reply);
    assert.match(machine.verify(), /OK$/m);
    const access = await machine.call('/hub/v1/access', { method: 'POST' });
    assert.equal(access.status, 200, access.text);
    const login = await machine.call('/connect/token', {
      form: {
        grant_type: 'client_credentials', scope: 'hub',
        client_id: access.json.clientId, client_secret: access.json.clientSecret,
      },
    });
    const token = login.json.access_token;
    assert.equal((await machine.call('/hub/v1/beat', { body: { version: 'x' }, token })).status, 200);
    await until(async () => {
      const { items } = (await admin('GET', '/nodes/veteran/certificates')).json;
      return items.length === 2 && items.find(({ fingerprint }) => fingerprint === print.toLowerCase()).reason === 'superseded';
    }, { what: 'the end of the old certificate' });
  } finally {
    machine.remove();
  }
});

test('an old certificate that is due is renewed into the new authority', async () => {
  const machine = new Machine(grid);
  try {
    const pki = (name) => path.join(state, 'pki', name);
    const id = crypto.randomUUID();
    machine.key();
    fs.writeFileSync(machine.file('ext'), `extendedKeyUsage=clientAuth\nsubjectAltName=URI:urn:grid:node:${id}\n`);
    openssl('req', '-new', '-key', machine.file('node.key'), '-out', machine.file('csr'), '-subj', `/CN=${id}`);
    const when = (days) => new Date(Date.now() + days * 864e5).toISOString().replace(/[-T:]|\.\d+/g, '');
    fs.writeFileSync(machine.file('index'), '');
    fs.writeFileSync(machine.file('conf'), `[ca]\ndefault_ca = a\n[a]\ndatabase = ${machine.file('index')}\n`
      + `new_certs_dir = ${machine.folder}\nrand_serial = yes\ndefault_md = sha256\npolicy = p\n[p]\ncommonName = supplied\n`);
    openssl('ca', '-batch', '-notext', '-config', machine.file('conf'), '-cert', pki('ca.pem.before'), '-keyfile', pki('ca.key'),
      '-in', machine.file('csr'), '-out', machine.file('node.pem'), '-startdate', when(-300), '-enddate', when(65),
      '-extfile', machine.file('ext'));
    const certificate = new X509Certificate(machine.read('node.pem'));
    grid.sql(`INSERT INTO node (uuid, name, kind, state) VALUES ('${id}', 'due', 'ingress', 'authorised');
      INSERT INTO node_certificate (fingerprint, node_id, serial, not_after)
      SELECT decode('${certificate.fingerprint256.replaceAll(':', '')}', 'hex'), id, '${certificate.serialNumber}',
        '${certificate.validTo}' FROM node WHERE name = 'due'`);
    const reply = await machine.call('/.well-known/est/simplereenroll', {
      body: machine.csr(), headers: { 'content-type': 'application/pkcs10' },
    });
    assert.equal(reply.status, 200, reply.text);
    machine.keep(reply, 'next.pem');
    assert.match(machine.verify('next.pem'), /OK$/m);
    assert.match(machine.text('next.pem'), new RegExp(`URI:urn:grid:node:${id}`));
  } finally {
    machine.remove();
  }
});
