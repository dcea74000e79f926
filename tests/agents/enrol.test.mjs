// A machine becomes a node with one command, renews its certificate while it
// sends, and is blocked and let in again, without a sample lost.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { administrator, parts } from '../support/est.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';
import { programOf } from '../support/program.mjs';

const program = programOf('ingress');
const run = promisify(execFile);
const LIFE_S = 170; // and five minutes before: renewed 13 s after it is issued
const numbers = { driver: 'csv', variables: 'name,type\nn,int\n' };

let grid;
let admin;
let token;
let folder;
const agents = [];

before(async () => {
  grid = await openGrid({ own: true });
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-enrol-'));
  token = await grid.token();
  admin = await administrator(grid);
});

after(async () => {
  for (const agent of agents) await agent.close();
  if (folder) fs.rmSync(folder, { recursive: true });
  await grid?.close();
});

/** From now on certificates live so long. */
async function lives(seconds) {
  const file = path.join(grid.state, 'etc/controller.conf');
  const text = fs.readFileSync(file, 'utf8').replace(/^;?certificate_s = .*$/m, `certificate_s = ${seconds}`);
  fs.writeFileSync(file, text);
  grid.stop('controller');
  grid.start('controller');
  await until(async () => (await grid.request('/crl')).status === 200, { what: 'the controller' });
}

async function makeNode(name, more = {}) {
  const id = crypto.randomUUID();
  grid.ctl('datasource', 'add', `${name} ${id.slice(0, 8)}`, '--uuid', id);
  const reply = await admin('POST', '/nodes', { name, publish: [id], ...more });
  assert.equal(reply.status, 201, reply.text);
  return { id, name, token: reply.json.enrolment.token };
}

/** "fieldgrid-ingress enrol": { code, stdout, stderr }. */
async function enrol(...words) {
  try {
    return { code: 0, ...await run(program, ['enrol', grid.url, ...words], { timeout: 60_000 }) };
  } catch (error) {
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

/** An agent that enrolled itself, with the configuration of a test. */
async function enrolled(name, setup) {
  const node = await makeNode(name);
  const home = path.join(folder, name);
  const { code, stderr } = await enrol('--token', node.token, '--folder', home);
  assert.equal(code, 0, stderr);
  const agent = new Agent(grid, name, {
    ...setup,
    node: { id: node.id, node: { folder: home, name, clientId: name, clientSecret: '', close() {} } },
  });
  // As the command wrote it: all beside each other.
  const conf = path.join(agent.folder, 'ingress.conf');
  fs.writeFileSync(conf, fs.readFileSync(conf, 'utf8').replace(/^ca = .*$/m, `ca = ${path.join(home, 'ca.pem')}`));
  agent.home = home;
  agents.push(agent);
  return agent;
}

const certificates = async (name) => (await admin('GET', `/nodes/${name}/certificates`)).json.items;

/** All numbers are there, each once. */
async function whole(agent, count) {
  let last;
  await until(async () => {
    last = await agent.tally(token, count);
    return last.missing === 0;
  }, { every: 500, what: 'all numbers' }).catch(() => {});
  assert.deepEqual(last, { missing: 0, twice: 0, strange: 0, rows: count }, agent.log.slice(-3000));
}

test('one command makes a machine a node, and tells what comes next', async () => {
  const node = await makeNode('one');
  const home = path.join(folder, 'one');
  const { code, stdout, stderr } = await enrol('--token', node.token, '--folder', home);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /This machine is the node one now\./);
  assert.match(stdout, new RegExp(`It sends to "one .*" \\(${node.id}\\)`));
  assert.match(stdout, /--check-config/);
  assert.deepEqual(fs.readdirSync(home).sort(),
    ['ca.pem', 'client_secret', 'ingress.conf', 'node.key', 'node.pem', 'variables.csv']);
  for (const name of ['node.key', 'client_secret'])
    assert.equal(fs.statSync(path.join(home, name)).mode & 0o777, 0o600, name);
  const conf = path.join(home, 'ingress.conf');
  assert.match(fs.readFileSync(conf, 'utf8'), new RegExp(`url = ${grid.nodeUrl}`));
  await run(program, ['--config', conf, '--check-config']);
  // As it is it sends: this machine's own values.
  const child = spawn(program, ['--config', conf], { stdio: 'ignore' });
  try {
    await until(async () => {
      const reply = await grid.request(`/api/v1/datasources/${node.id}/variables/query`, {
        token, body: { nameFilter: { variableNames: ['*'] }, fields: ['name', 'value'] },
      });
      return reply.status === 200 && reply.text.includes('memory/usage');
    }, { what: 'its values' });
  } finally {
    child.kill();
  }
  // Again is refused, and changes nothing.
  const before_ = fs.readFileSync(conf);
  const again = await enrol('--token', node.token, '--folder', home);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /has a node already; --force/);
  assert.deepEqual(fs.readFileSync(conf), before_);
  assert.ok(!fs.readdirSync(folder).some((name) => name.includes('enrol-')));
});

test('another node takes the place only with --force, and keeps the variables', async () => {
  const home = path.join(folder, 'one');
  const node = await makeNode('other');
  fs.writeFileSync(path.join(home, 'variables.csv'), 'name,type\nx,int\n');
  assert.equal((await enrol('--token', node.token, '--folder', home)).code, 1);
  const { code, stderr } = await enrol('--token', node.token, '--folder', home, '--force');
  assert.equal(code, 0, stderr);
  assert.match(fs.readFileSync(path.join(home, 'ingress.conf'), 'utf8'), /client_id = other/);
  assert.match(fs.readFileSync(path.join(home, 'ingress.conf.before'), 'utf8'), /client_id = one/);
  assert.equal(fs.readFileSync(path.join(home, 'variables.csv'), 'utf8'), 'name,type\nx,int\n');
});

test('what is wrong is said in words', async () => {
  const node = await makeNode('wrong');
  const [uuid, secret] = node.token.split('.');
  const home = path.join(folder, 'wrong');
  const say = async (...words) => {
    const { code, stderr } = await enrol(...words, '--folder', home);
    assert.notEqual(code, 0, words.join(' '));
    return stderr;
  };
  const pin = Buffer.alloc(32, 7).toString('base64url');
  assert.match(await say('--token', `${uuid}.${secret}.${pin}`), /not the grid that the token is for/);
  assert.ok(!fs.existsSync(home));
  assert.match(await say('--token', 'abc'), /not complete/);
  assert.match(await say('--token', node.token.replace(secret, 'A'.repeat(22))), /token is not valid/);
  assert.match(await say(), /usage/);
  const nobody = await run(program, ['enrol', 'https://localhost:1', '--token', node.token, '--folder', home])
    .catch((error) => error);
  assert.match(nobody.stderr, /onnect/);
  await admin('POST', '/nodes/wrong/block');
  assert.match(await say('--token', node.token), /token is not valid/);
});

test('it waits for the consent of an administrator, killed or not', async () => {
  const node = await makeNode('patient', { approval: true });
  const home = path.join(folder, 'patient');
  const words = ['enrol', grid.url, '--token', node.token, '--folder', home];
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => { said += text; });
  await until(() => /Its key is\s+[0-9a-f]{64}/.test(said), { what: 'the question' });
  const { request } = (await admin('GET', '/nodes/patient')).json;
  assert.ok(said.includes(request.key));
  child.kill('SIGKILL');
  const soon = await enrol('--token', node.token, '--folder', home, '--wait', '1');
  assert.equal(soon.code, 1);
  assert.match(soon.stderr, /nobody has let this machine in yet/);
  assert.equal((await admin('GET', '/nodes/patient')).json.request.key, request.key, 'the same key');
  assert.equal((await admin('POST', '/nodes/patient/approve', { key: request.key })).status, 200);
  const { code, stderr } = await enrol('--token', node.token, '--folder', home);
  assert.equal(code, 0, stderr);
});

test('kill -9 at any moment of enrolling is harmless', async () => {
  const node = await makeNode('restless');
  const home = path.join(folder, 'restless');
  const words = ['enrol', grid.url, '--token', node.token, '--folder', home];
  for (let delay = 1; delay < 120 && !fs.existsSync(path.join(home, 'ingress.conf')); delay += 3) {
    const child = spawn(program, words, { stdio: 'ignore' });
    await sleep(delay);
    child.kill('SIGKILL');
    await until(() => child.exitCode !== null || child.signalCode !== null, { every: 5 });
  }
  if (!fs.existsSync(path.join(home, 'ingress.conf')))
    assert.equal((await enrol(...words.slice(2))).code, 0);
  await run(program, ['--config', path.join(home, 'ingress.conf'), '--check-config']);
  assert.equal((await certificates('restless')).length, 1);
  const child = spawn(program, ['--config', path.join(home, 'ingress.conf')], { stdio: 'ignore' });
  await until(async () => (await admin('GET', '/nodes/restless')).json.version, { what: 'its first beat' });
  child.kill();
});

test('the running agent renews its certificate and loses no sample', async () => {
  await lives(LIFE_S);
  const agent = await enrolled('renews', {
    ...numbers, data: numberedCsv(3500, 100), options: 'file = data.csv\nspeed = 1',
  });
  const key = () => fs.readFileSync(path.join(agent.home, 'node.key'), 'utf8');
  const first = key();
  agent.start();
  await until(() => /certificate was renewed/.test(agent.log), { what: 'the renewal' });
  await until(() => agent.log.match(/certificate was renewed/g).length >= 2, { what: 'the next' });
  assert.notEqual(key(), first, 'a new key');
  await whole(agent, 3500);
  const all = await certificates('renews');
  assert.ok(all.length >= 3);
  assert.deepEqual(all.slice(1).map(({ reason }) => reason), all.slice(1).map(() => 'superseded'));
  assert.equal(all[0].reason, null);
  assert.ok(!fs.existsSync(path.join(agent.home, 'node.key.next')));
  const events = grid.sql(`SELECT count(*) FROM event WHERE text LIKE '%certificate of this node is good until%'`);
  assert.ok(Number(events[0][0]) >= 1);
  assert.equal(await agent.stop(), 0);
});

test('kill -9 at any moment of renewing is harmless', async () => {
  await lives(120); // due as soon as it is there: it renews all the time
  const agent = await enrolled('hasty', {
    ...numbers, data: numberedCsv(1500, 100), options: 'file = data.csv\nspeed = 1',
  });
  // It takes a slow machine longer to get to the end of a renewal.
  const renewed = async () => (await certificates('hasty')).length >= 3;
  for (let i = 0; i < 25 || (i < 80 && !await renewed()); i += 1) {
    agent.start();
    await sleep(20 + Math.random() * Math.max(400, i * 20));
    await agent.kill();
  }
  await lives(7776000);
  agent.start();
  await whole(agent, 1500);
  assert.ok(await renewed());
  assert.equal(await agent.stop(), 0);
});

test('every state that a crash of renewing leaves is a good one', async () => {
  const agent = await enrolled('crashed', {
    ...numbers, data: numberedCsv(300, 10), options: 'file = data.csv\nspeed = 1',
  });
  const at = (name) => path.join(agent.home, name);
  const pair = () => ['node.key', 'node.pem'].map((name) => fs.readFileSync(at(name), 'utf8'));
  const reconnects = async () => {
    const before_ = agent.log.length;
    agent.start();
    await until(() => agent.log.slice(before_).includes('connected'), { what: 'the connection' });
    assert.equal(await agent.stop(), 0, agent.log);
    for (const name of ['node.key.next', 'node.pem.next']) assert.ok(!fs.existsSync(at(name)), name);
  };
  const [key, pem] = pair();
  // The next key alone; with a certificate of another key.
  fs.writeFileSync(at('node.key.next'), key.replace(/./, '-'));
  await reconnects();
  fs.writeFileSync(at('node.pem.next'), pem);
  fs.rmSync(at('node.pem.next'));
  fs.writeFileSync(at('node.key.next'), 'half a k');
  await reconnects();
  assert.deepEqual(pair(), [key, pem]);
  // A whole pair that the hub does not know: it is tried, and the old one stays.
  const other = await makeNode('crashed-2');
  assert.equal((await enrol('--token', other.token, '--folder', at('other'))).code, 0);
  fs.copyFileSync(at('other/node.key'), at('node.key.next'));
  fs.copyFileSync(at('other/node.pem'), at('node.pem.next'));
  await reconnects();
  assert.deepEqual(pair(), [key, pem]);
  // Between the two renames: the key is the new one, the certificate not yet.
  fs.writeFileSync(at('node.pem.next'), pem);
  fs.copyFileSync(at('other/node.pem'), at('node.pem'));
  await reconnects();
  assert.deepEqual(pair(), [key, pem]);
});

test('a blocked agent says so, buffers, and sends it all when it is let in', async () => {
  const agent = await enrolled('blocked', {
    ...numbers, data: numberedCsv(800, 50), options: 'file = data.csv\nspeed = 1',
  });
  agent.start();
  await until(() => agent.log.includes('connected'), { what: 'the connection' });
  await admin('POST', '/nodes/blocked/block');
  await until(() => /node blocked is blocked/.test(agent.log), { what: 'the words' });
  const waiting = async () => (await agent.tally(token, 800)).rows;
  const rows = await waiting();
  const before = agent.spooled;
  await until(() => agent.spooled > before + 1000, { what: 'the spool to grow' });
  assert.equal(await waiting(), rows, 'nothing comes in');
  assert.ok(agent.running);
  await admin('POST', '/nodes/blocked/unblock');
  await whole(agent, 800);
  assert.equal(await agent.stop(), 0);
});

test('the token is in no log of the agent, and no secret is readable by others', async () => {
  const { secret } = parts((await makeNode('quiet')).token);
  for (const agent of agents) {
    assert.ok(!agent.log.includes(secret));
    assert.ok(!agent.log.includes(fs.readFileSync(path.join(agent.home, 'client_secret'), 'utf8').trim()), agent.name);
    assert.equal(fs.statSync(path.join(agent.home, 'node.key')).mode & 0o777, 0o600);
  }
});
