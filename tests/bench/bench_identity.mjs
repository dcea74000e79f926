// identity: what it costs to know who asks, and to make tokens.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { sleep } from '../support/grid.mjs';
import { Client, words } from '../support/oauth.mjs';

// One address makes all the load.
export const settings = { tokenRate: 50000 };

const plant = randomUUID();
const names = Array.from({ length: 100 }, (_, i) => `bench/${String(i).padStart(3, '0')}`);
const query = { nameFilter: { variableNames: ['*'] }, fields: ['name', 'value', 'lastUpdateTime'] };
const seconds = 3;
const rounds = 3;

/** Requests a second that wrk gets; every answer must be a 200. */
function load(url, { headers, body, core, tokens = [] }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-bench-'));
  const script = path.join(folder, 'wrk.lua');
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers['${name}'] = '${value}'`);
  const turns = `local tokens = {${tokens.map((token) => `'Bearer ${token}'`)}}
local i = 0
function request()
  i = i % #tokens + 1
  wrk.headers['Authorization'] = tokens[i]
  return wrk.format()
end
`;
  fs.writeFileSync(script, `wrk.method = 'POST'\n${lines.join('\n')}\nwrk.body = [[${body}]]\n${tokens.length ? turns : ''}`);
  const wrk = ['wrk', '-t1', '-c8', `-d${seconds}`, '-s', script, url];
  const [program, ...args] = core === undefined ? wrk : ['taskset', '-c', String(core), ...wrk];
  try {
    const out = execFileSync(program, args, { encoding: 'utf8' });
    if (/Non-2xx/.test(out)) throw new Error(out);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(out)[1]);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function pin(pids, cores) {
  for (const pid of pids) execFileSync('taskset', ['-a', '-p', '-c', cores, String(pid)], { stdio: 'ignore' });
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** CPU time of a service in microseconds, over all its threads. */
function cpu(grid, service) {
  let total = 0;
  for (const pid of grid.pids(service))
    for (const task of fs.readdirSync(`/proc/${pid}/task`))
      total += Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000;
  return total;
}

/** identity alone on core 0; the load, nginx and PostgreSQL on the others. */
function benchIssue(grid, report) {
  const cores = os.cpus().length;
  const others = `1-${cores - 1}`;
  pin(grid.pids('identity'), '0');
  if (cores > 1) for (const service of ['nginx', 'postgresql']) pin(grid.pids(service), others);
  for (const algorithm of ['RS256', 'ES256']) {
    const client = new Client(grid, `bench-${algorithm}`, '--algorithm', algorithm, '--grant', 'client_credentials',
      '--scope', 'API');
    const before = cpu(grid, 'identity');
    const value = load(`${grid.url}/connect/token`, {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, core: cores > 1 ? others : undefined,
      body: `grant_type=client_credentials&client_id=${client.id}&client_secret=${client.secret}`,
    });
    const microseconds = (cpu(grid, 'identity') - before) / (value * seconds);
    report({ name: `client_credentials, ${algorithm}, identity on one core`, value, unit: 'tokens/s',
      wanted: algorithm === 'RS256' ? '>= 400' : '', ratio: value * microseconds / 1e6, of: "that core's time" });
    report({ name: `client_credentials, ${algorithm}, CPU of identity`, value: microseconds, unit: 'us',
      wanted: algorithm === 'RS256' ? '<= 2500' : '' });
  }
  for (const service of ['identity', 'nginx', 'postgresql']) pin(grid.pids(service), `0-${cores - 1}`);
}

/** Microseconds of the hub's CPU for one request; others cannot disturb that. */
function cost(grid, url, options) {
  const before = cpu(grid, 'hub');
  const rate = load(url, options);
  return (cpu(grid, 'hub') - before) / (rate * seconds);
}

/** The same online read of the same user, by token and by session, by turns. */
async function benchVerify(grid, report) {
  const user = grid.addUser('bench');
  grid.ctl('policy', 'grant', 'user', user.name, 'ReadAll');
  const cookie = await grid.logIn(user);
  const app = new Client(grid, 'bench-app', '--trusted', '--grant', 'authorization_code',
    ...words('--scope', 'openid', 'API'), '--redirect-uri', 'https://bench.test/cb');
  const tokens = [];
  while (tokens.length < 500) tokens.push((await app.tokens(cookie)).access_token);
  const url = `${grid.url}/api/v1/datasources/${plant}/variables/query`;
  const headers = { 'Content-Type': 'application/json' };
  const body = JSON.stringify(query);
  const ways = {
    session: { headers: { ...headers, Cookie: cookie, Origin: grid.url }, body },
    token: { headers: { ...headers, Authorization: `Bearer ${tokens[0]}` }, body },
    tokens: { headers, body, tokens },
  };
  const seen = { session: [], token: [], tokens: [] };
  for (let round = 0; round < rounds; round++)
    for (const way of Object.keys(ways)) seen[way].push(cost(grid, url, ways[way]));
  const session = median(seen.session);
  for (const [way, name, wanted] of [['token', 'with a token', '< 1.05'], ['tokens', 'with 500 tokens by turns', '']]) {
    const value = median(seen[way]);
    report({ name: `CPU of an online read of 100 variables ${name}`, value, unit: 'us', wanted,
      ratio: value / session, of: 'the same with a session' });
  }
}

export async function bench(grid, report) {
  const node = grid.enrol('bench', `${plant}:Bench`);
  await node.request('/hub/v1/variables', {
    method: 'PUT', token: await node.token(),
    body: { datasource: plant, variables: names.map((name) => ({ name, type: 'float' })) },
  });
  node.close();
  benchIssue(grid, report);
  await sleep(1000);
  await benchVerify(grid, report);
}
