// run: scanners that were not written by us, against a private grid.
//
//   make security                all of them
//   make security SCAN="tls"     only those whose name starts so
//
// sqlmap tries to get SQL through every parameter of the endpoints below,
// sslscan looks at what both listeners negotiate. The result is printed and
// written to var/security/result.md; anything found ends it with code 1.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { promisify } from 'node:util';
import { openGrid, plants, top } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';
import { checkTls, readScan } from './tls.mjs';

const run = promisify(execFile);
const SCAN_SECONDS = 600;
// Slower than what nginx lets one address ask for tokens.
const DELAY_SECONDS = 0.025;

/**
 * What sqlmap is given for each endpoint: { name, url, method, form or json,
 * headers, answers (with what it must answer when nothing is tried: what is
 * refused at once would show nothing), options }. "*" marks where it may try.
 */
function targets(grid, { token, cookie, csrf, plant, alarm, egress }) {
  const bearer = [`Authorization: Bearer ${token}`];
  const session = [`Cookie: ${cookie}`, 'Sec-Fetch-Site: same-origin'];
  const host = `${grid.url}/api/v1/datasources/${plants.host}`;
  const own = `${grid.url}/api/v1/datasources/${plant.id}`;
  const admin = `${grid.url}/api/v1/admin`;
  const time = { from: '2026-01-01T00:00:00Z', to: '2027-01-02T00:00:00Z' };
  const feed = (name, more) => ({
    name: `sql feed ${name}`, url: `${egress.url}/hub/v1/feed/${name}`, headers: [`Authorization: Bearer ${egress.bearer}`],
    json: { datasources: [{ id: plant.id, variables: ['n'] }], ...more }, answers: 200,
  });

  return [
    { name: 'sql token', url: `${grid.url}/connect/token`,
      form: 'grant_type=client_credentials&client_id=a&client_secret=b&scope=API' },
    { name: 'sql introspection', url: `${grid.url}/connect/introspect`, form: 'token=a&client_id=b&client_secret=c' },
    { name: 'sql authorize', url: `${grid.url}/connect/authorize?client_id=a&redirect_uri=https%3A%2F%2Fa%2F&response_type=code&scope=openid&state=b` },
    { name: 'sql login', url: `${grid.url}/login`, form: `name=a&password=b&next=%2F&csrf=${csrf.token}`,
      headers: [`Cookie: ${csrf.cookie}`, 'Sec-Fetch-Site: same-origin'], options: ['--skip', 'csrf'] },
    { name: 'sql signin', url: `${grid.url}/signin-scan*?state=a*&code=b*&iss=c*`, headers: ['Cookie: __Host-gridsignin=d*'] },
    { name: 'sql values', url: `${host}/variables/query`, headers: bearer, answers: 200,
      json: { nameFilter: { variableNames: ['cpu/load1'] }, fields: ['name', 'value'] } },
    { name: 'sql history', url: `${host}/history/query`, headers: bearer, answers: 200,
      json: { variableNames: ['cpu/load1'], ...time, points: 10 } },
    { name: 'sql alarms', url: `${own}/alarms/query`, headers: bearer, answers: 200,
      json: { timeFilter: time, variableFilter: { variableNames: ['n'] }, text: 'a', sort: '-receivedTime', limit: 5 } },
    { name: 'sql figures', url: `${own}/alarms/figures`, headers: bearer, answers: 200,
      json: { timeFilter: time, variableFilter: { variableNames: ['n'] } } },
    { name: 'sql events', url: `${own}/events/query`, headers: bearer, answers: 200,
      json: { timeFilter: time, variableFilter: { variableNames: ['n'] }, kinds: ['alarm.*'], sort: '-receivedTime', limit: 5 } },
    { name: 'sql alarm acts', url: `${own}/alarms`, method: 'PATCH', headers: session, answers: 200,
      json: { ids: [alarm], acknowledge: true, comment: 'a' } },
    { name: 'sql alarm act', url: `${own}/alarms/${alarm}*`, method: 'PATCH', headers: session, answers: 200,
      json: { comment: 'a*' } },
    { name: 'sql commands', url: `${own}/commands?limit=5&variable=n&state=expired&username=a&sort=-created`, headers: bearer, answers: 200 },
    { name: 'sql command', url: `${own}/variables/n*`, method: 'PATCH', headers: session, answers: 503,
      json: { value: '1*', expected: '0*', comment: 'a*' } },
    { name: 'sql selection', url: `${own}/selections`, headers: session, answers: 201, json: { variable: 'n', expires_ms: 1000 } },
    { name: 'sql limits', url: `${admin}/datasources/${plant.id}/limits?limit=5&sort=variable&variable=n&search=a`, headers: session, answers: 200 },
    { name: 'sql limit', url: `${admin}/datasources/${plant.id}/limits`, method: 'PUT', headers: session, answers: 200,
      json: { limits: [{ variable: 'n', name: 'high', condition: 'greater', value: 8.5, text: 'a', areas: ['b'] }] } },
    { name: 'sql causes', url: `${admin}/datasources/${plant.id}/alarm-causes/${alarm}*`, method: 'PATCH', headers: session, answers: 404,
      json: { name: 'a*' } },
    { name: 'sql classes', url: `${admin}/datasources/${plant.id}/alarm-classes/1*`, method: 'PUT', headers: session, answers: 200,
      json: { name: 'a*', colour: '#d2691e*' } },
    feed('frames', { bytes: 1000 }),
    feed('variables', { after: 0, limit: 5 }),
    feed('history', { fromUs: 1, toUs: 2 }),
    feed('alarms', { limit: 5 }),
    feed('events', { limit: 5 }),
    { name: 'sql users', url: `${admin}/users?limit=5&sort=name&name=a&after=b`, headers: session },
    { name: 'sql audit', url: `${admin}/audit?limit=5&actor=a&action=login.ok&object=b`, headers: session },
    { name: 'sql nodes', url: `${admin}/nodes?limit=5&sort=name&state=pending`, headers: session },
  ];
}

async function loginForm(grid) {
  const page = await grid.request('/login');
  return {
    token: /name="csrf"[^>]*value="([^"]+)"/.exec(page.text)[1],
    cookie: page.headers['set-cookie'].map((line) => line.split(';')[0]).join('; '),
  };
}

/** Nothing was injectable, and requests did reach the service. */
function readSqlmap(text) {
  if (/is vulnerable|sqlmap identified the following injection/.test(text)) return 'INJECTABLE';
  if (/all tested parameters do not appear to be injectable/.test(text)) return 'nothing found';
  return 'NOT TESTED: ' + (/\[(?:CRITICAL|ERROR)\] (.*)/.exec(text)?.[1] ?? 'no verdict');
}

/** What the endpoint answers when nothing is tried. */
async function askPlainly(grid, { url, method, json, headers = [] }) {
  const plain = (text) => text.replaceAll('*', '');
  const fields = Object.fromEntries(headers.map((line) => line.split(/: (.*)/s, 2)));
  const body = json && plain(JSON.stringify(json));
  if (json) fields['content-type'] = 'application/json';
  const reply = await (url.startsWith('https:')
    ? grid.request(plain(url), { method: method ?? (json ? 'POST' : 'GET'), body, headers: fields })
    : fetch(url, { method: 'POST', body, headers: fields }));
  return reply.status;
}

async function scanSql(grid, target, folder) {
  const { url, method, form, json, headers = [], answers, options = [] } = target;
  const status = answers && await askPlainly(grid, target);
  if (status !== answers) return { found: `NOT TESTED: it answers ${status}, not ${answers}`, detail: '' };
  const words = ['-u', url, '--batch', '--level', '2', '--risk', '1', '--flush-session',
    '--disable-coloring', '--dbms', 'PostgreSQL', '--ignore-code', '*', '--timeout', '10',
    '--delay', String(DELAY_SECONDS), '--output-dir', folder,
    ...(method ? ['--method', method] : []),
    ...(form || json ? ['--data', form ?? JSON.stringify(json)] : []),
    '--headers', [...headers, ...(json ? ['Content-Type: application/json'] : [])].join('\n'), ...options];
  const { stdout } = await run('sqlmap', words,
    { timeout: SCAN_SECONDS * 1000, maxBuffer: 64 << 20 });
  fs.writeFileSync(path.join(folder, 'last.log'), stdout);
  const codes = /HTTP error codes detected during run:\s*(.*)/.exec(stdout)?.[1] ?? 'no refusals';
  return { found: readSqlmap(stdout), detail: codes.replace(/\s+-\s+/g, ': ') };
}

async function scanTls(url, more) {
  const { stdout } = await run('sslscan', ['--xml=-', '--no-colour', ...more, new URL(url).host],
    { timeout: SCAN_SECONDS * 1000, maxBuffer: 16 << 20 });
  const scan = readScan(stdout);
  const problems = checkTls(scan);
  return {
    found: problems.length ? problems.join('; ') : 'nothing found',
    detail: scan.ciphers.map(({ version, name }) => `${version} ${name}`).join(', '),
  };
}

/** A plant with an alarm, for what is asked about alarms, events and commands. */
async function alarmed(grid) {
  const plant = new Plant(grid, 'Scanned');
  const alarm = randomUUID();
  const time = Date.now();

  await plant.announce([{ name: 'n', type: 'int', access: 'read_write' }]);
  await plant.send({ n: [[time, 0]] }, [], { alarms: [
    { id: alarm, variable: 'n', limit: 'high', kind: 'came', time, came: time, reactivations: 0, value: 7, text: 'a' }] });
  return { plant, alarm };
}

/** An egress node of the plant: whoever asks at "url" has its certificate. */
async function reading(grid, plant) {
  const node = grid.enrolEgress('scan', plant.id);
  const front = http.createServer((request, response) => {
    const { method, url, headers } = request;
    const { ca } = grid;
    request.pipe(https.request(grid.nodeUrl + url, { method, headers, ca, cert: node.cert, key: node.key, agent: node.agent },
      (reply) => reply.pipe(response.writeHead(reply.statusCode, reply.headers)))
      .on('error', () => response.destroy()));
  });

  grid.ctl('policy', 'grant', 'node', 'scan', 'ReadAll');
  await new Promise((resolve) => front.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${front.address().port}`, bearer: await node.token(), close: () => front.close() };
}

async function scans(grid, open) {
  const folder = path.join(grid.state, 'sqlmap');
  const token = await grid.token();
  const cookie = await grid.logIn();
  const { plant, alarm } = await alarmed(grid);
  const egress = await reading(grid, plant);
  open.push(plant, egress);
  const csrf = await loginForm(grid);
  grid.ctl('provider', 'add', 'scan', '--issuer', 'https://127.0.0.1:1', '--client-id', 'scan',
    '--authentication', 'none');
  return [
    { name: 'tls public', scan: () => scanTls(grid.url, []) },
    { name: 'tls nodes', scan: () => scanTls(grid.nodeUrl, []) },
    ...targets(grid, { token, cookie, csrf, plant, alarm, egress }).map((target) => (
      { name: target.name, scan: () => scanSql(grid, target, folder) })),
  ];
}

function write(results) {
  const folder = path.join(top, 'var/security');
  const lines = results.map(({ name, found, detail, seconds }) => (
    `| ${name} | ${found} | ${detail} | ${seconds} s |`));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'result.md'),
    ['| scan | found | what was tried or seen | took |', '|---|---|---|---|', ...lines, ''].join('\n'));
}

async function main() {
  const chosen = process.argv.slice(2);
  const grid = await openGrid({ own: true, demo: true, loginRate: 1000 });
  // Whoever fails too often has to wait: a scanner would only be told so.
  const forgetting = setInterval(() => grid.sql('DELETE FROM login_failure'), 500);
  const results = [];
  const open = [];
  try {
    for (const { name, scan } of await scans(grid, open)) {
      if (chosen.length && !chosen.some((word) => name.startsWith(word))) continue;
      const started = Date.now();
      const result = await scan().catch((error) => ({ found: `NOT TESTED: ${error.message.split('\n')[0]}`, detail: '' }));
      results.push({ name, seconds: Math.round((Date.now() - started) / 1000), ...result });
      console.log(`${name.padEnd(20)} ${result.found} ${result.detail.slice(0, 200)}`);
    }
  } finally {
    clearInterval(forgetting);
    for (const one of open) one.close();
    await grid.close();
  }
  write(results);
  if (results.some(({ found }) => found !== 'nothing found')) process.exitCode = 1;
}

await main();
