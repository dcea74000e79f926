// run: scanners that were not written by us, against a private grid.
//
//   make security                all of them
//   make security SCAN="tls"     only those whose name starts so
//
// sqlmap tries to get SQL through every parameter of the endpoints below,
// sslscan looks at what both listeners negotiate. The result is printed and
// written to var/security/result.md; anything found ends it with code 1.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { openGrid, plants, top } from '../support/grid.mjs';
import { checkTls, readScan } from './tls.mjs';

const run = promisify(execFile);
const SCAN_SECONDS = 600;
// Slower than what nginx lets one address ask for tokens.
const DELAY_SECONDS = 0.025;

/** What sqlmap is given for each endpoint; "*" marks where it may try. */
function targets(grid, { token, cookie, csrf }) {
  const bearer = ['--headers', `Authorization: Bearer ${token}\nContent-Type: application/json`];
  const session = ['--headers', `Cookie: ${cookie}\nSec-Fetch-Site: same-origin`];
  const query = `${grid.url}/api/v1/datasources/${plants.host}`;
  return [
    { name: 'sql token', url: `${grid.url}/connect/token`,
      options: ['--data', 'grant_type=client_credentials&client_id=a&client_secret=b&scope=API'] },
    { name: 'sql introspection', url: `${grid.url}/connect/introspect`,
      options: ['--data', 'token=a&client_id=b&client_secret=c'] },
    { name: 'sql authorize', url: `${grid.url}/connect/authorize?client_id=a&redirect_uri=https%3A%2F%2Fa%2F&response_type=code&scope=openid&state=b`,
      options: [] },
    { name: 'sql login', url: `${grid.url}/login`,
      options: ['--data', `name=a&password=b&next=%2F&csrf=${csrf.token}`, '--skip', 'csrf',
        '--headers', `Cookie: ${csrf.cookie}\nSec-Fetch-Site: same-origin`] },
    { name: 'sql signin', url: `${grid.url}/signin-scan*?state=a*&code=b*&iss=c*`,
      options: ['--headers', 'Cookie: __Host-gridsignin=d*'] },
    { name: 'sql values', url: `${query}/variables/query`,
      options: ['--data', '{"nameFilter":{"variableNames":["cpu/load1"]},"fields":["name","value"]}', ...bearer] },
    { name: 'sql history', url: `${query}/history/query`,
      options: ['--data', '{"variableNames":["cpu/load1"],"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","points":10}', ...bearer] },
    { name: 'sql alarms', url: `${query}/alarms/query`,
      options: ['--data', '{"timeFilter":{"from":"2026-01-01T00:00:00Z"},"nameFilter":{"variableNames":["a"]}}', ...bearer] },
    { name: 'sql users', url: `${grid.url}/api/v1/admin/users?limit=5&sort=name&name=a&after=b`, options: session },
    { name: 'sql audit', url: `${grid.url}/api/v1/admin/audit?limit=5&actor=a&action=login.ok&object=b`, options: session },
    { name: 'sql nodes', url: `${grid.url}/api/v1/admin/nodes?limit=5&sort=name&state=pending`, options: session },
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

async function scanSql(grid, { url, options }, folder) {
  const words = ['-u', url, '--batch', '--level', '2', '--risk', '1', '--flush-session',
    '--disable-coloring', '--dbms', 'PostgreSQL', '--ignore-code', '*', '--timeout', '10',
    '--delay', String(DELAY_SECONDS),
    '--output-dir', folder, ...options];
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

async function scans(grid) {
  const folder = path.join(grid.state, 'sqlmap');
  const token = await grid.token();
  const cookie = await grid.logIn();
  const csrf = await loginForm(grid);
  grid.ctl('provider', 'add', 'scan', '--issuer', 'https://127.0.0.1:1', '--client-id', 'scan',
    '--authentication', 'none');
  return [
    { name: 'tls public', scan: () => scanTls(grid.url, []) },
    { name: 'tls nodes', scan: () => scanTls(grid.nodeUrl, []) },
    ...targets(grid, { token, cookie, csrf }).map((target) => (
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
  try {
    for (const { name, scan } of await scans(grid)) {
      if (chosen.length && !chosen.some((word) => name.startsWith(word))) continue;
      const started = Date.now();
      const result = await scan().catch((error) => ({ found: `NOT TESTED: ${error.message.split('\n')[0]}`, detail: '' }));
      results.push({ name, seconds: Math.round((Date.now() - started) / 1000), ...result });
      console.log(`${name.padEnd(20)} ${result.found} ${result.detail.slice(0, 200)}`);
    }
  } finally {
    clearInterval(forgetting);
    await grid.close();
  }
  write(results);
  if (results.some(({ found }) => found !== 'nothing found')) process.exitCode = 1;
}

await main();
