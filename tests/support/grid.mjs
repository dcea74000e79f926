// grid: a whole private grid for tests: PostgreSQL, nginx and all services.
//
//   import { openGrid } from '../support/grid.mjs';
//   const grid = await openGrid();       // shared by all files of a test run
//   after(() => grid.close());
//
// tests/run starts one grid and names its state folder in FIELDGRID_GRID;
// without that, openGrid starts one of its own and close() ends it. A test
// that kills things asks for its own: openGrid({ own: true }).

import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomInt, webcrypto } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { noteChange } from './audited.mjs';
import { noteCommand, noteExchange } from './secrets.mjs';

const run = promisify(execFile);

// Node 18 has these only behind a flag or in node:crypto.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

export const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const build = process.env.FIELDGRID_BUILD || top;
const quickstart = path.join(top, 'deploy/quickstart');

// The demo plants have these for ever.
export const plants = {
  host: '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001',
  solar: '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1002',
  wind: '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1003',
};

export { sleep };

/**
 * What is promised within a second may take so long on a machine that runs all
 * tests at once, and is still not what a limit of time or another look would
 * have brought about; `make bench` measures.
 */
export const SOON_MS = 20_000;

/**
 * Call fn until it returns something true; its last error is thrown. The limit
 * costs nothing when all is well: leave it to be long.
 */
export async function until(fn, { seconds = 60, every = 100, what = 'it' } = {}) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const result = await fn();
      if (result) return result;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`, { cause: last });
    await sleep(every);
  }
}

const listens = (server, ...where) => new Promise((resolve) => {
  server.once('error', () => resolve(false)).listen(...where, () => resolve(true));
});

/**
 * A TCP port that nobody listens on. It is none that the system gives to
 * connections, and no other test gets it while this process runs: who has the
 * socket of its name has the port.
 */
export async function freePort() {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    const claim = net.createServer().unref();
    if (!await listens(claim, `\0fieldgrid-port-${port}`)) continue;
    const server = net.createServer();
    const isFree = await listens(server, port) && await new Promise((resolve) => { server.close(() => resolve(true)); });
    if (isFree) return port;
    claim.close();
  }
}

async function freePorts(count) {
  const ports = new Set();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** Start a grid below a new folder; returns the folder. */
export async function startGrid({ demo = false, loginRate = 1000, tokenRate = 50, state, host } = {}) {
  const folder = state ?? fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-'));
  const [https_, node, api, identity] = await freePorts(4);
  await run(quickstart, [
    'start', '--state', folder, '--build', build, '--no-packages', '--no-build',
    '--https-port', https_, '--node-port', node, '--api-port', api,
    '--identity-port', identity, '--login-rate', loginRate,
    '--token-rate', tokenRate, ...(host ? ['--host', host] : []), ...(demo ? [] : ['--no-demo']),
  ].map(String), { timeout: 300_000, maxBuffer: 16 << 20 }).catch((error) => {
    throw new Error(`quickstart failed:\n${error.stdout}${error.stderr}\nstate: ${folder}`);
  });
  return folder;
}

export async function openGrid({ own = false, ...options } = {}) {
  const shared = process.env.FIELDGRID_GRID;
  if (shared && !own) return new Grid(shared, false);
  return new Grid(await startGrid(options), true);
}

function readSettings(state) {
  const text = fs.readFileSync(path.join(state, 'etc/settings'), 'utf8');
  return Object.fromEntries(text.trim().split('\n').map((line) => line.split(/=(.*)/s, 2)));
}

class Grid {
  #owned;

  constructor(state, owned) {
    const settings = readSettings(state);
    const at = (name) => `https://${settings.host}:${settings[name]}`;
    this.#owned = owned;
    this.state = state;
    this.url = at('https-port');
    this.nodeUrl = at('node-port');
    this.apiUrl = at('api-port');
    this.identityUrl = at('identity-port');
    this.caFile = path.join(state, 'pki/ca.pem');
    this.ca = fs.readFileSync(this.caFile, 'utf8');
    this.agent = new https.Agent({ ca: this.ca, keepAlive: true });
    this.user = { name: 'admin', password: this.#secret('admin.password') };
    this.seen = 0;
  }

  #secret(name) {
    const file = path.join(this.state, 'secret', name);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : '';
  }

  /** Ends the grid, when this object started it, and deletes its folder. */
  async close() {
    this.agent.destroy();
    if (!this.#owned) return;
    await run(quickstart, ['reset', '--state', this.state], { timeout: 180_000 });
  }

  /** Run fieldgridctl; returns its standard output, throws with its words. */
  ctl(...words) {
    const text = execFileSync(path.join(build, 'fieldgridctl'),
      ['--config', path.join(this.state, 'etc/fieldgridctl.conf'), ...words.map(String)],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    noteCommand(this.state, text);
    return text;
  }

  /**
   * A user with a password that is good from the start (a random one must be
   * changed first); returns { name, password } for logIn().
   */
  addUser(name, ...words) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-user-'));
    const file = path.join(folder, 'password');
    const password = randomBytes(15).toString('base64url');
    fs.writeFileSync(file, `${password}\n`, { mode: 0o600 });
    try {
      this.ctl('user', 'add', name, '--password-file', file, ...words);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
    return { name, password };
  }

  /** psql as the superuser: its arguments and options for a child process. */
  #psql(database, ...words) {
    return [['-X', '-q', '-A', '-t', '-F', '\t', '-v', 'ON_ERROR_STOP=1',
      '-h', path.join(this.state, 'run'), '-U', 'postgres', '-d', database, ...words], {
      env: { ...process.env, PGPASSWORD: this.#secret('postgres.password') },
    }];
  }

  /** Run SQL as the superuser; returns rows as arrays of text. */
  sql(text, database = 'fieldgrid') {
    const [words, options] = this.#psql(database, '-c', text);
    const out = execFileSync('psql', words, { ...options, encoding: 'utf8' });
    return out.split('\n').filter(Boolean).map((line) => line.split('\t'));
  }

  /** Run SQL in a transaction that stays open, with what it locks, during "work". */
  async holding(text, work) {
    const [words, options] = this.#psql('fieldgrid');
    const psql = spawn('psql', words, { ...options, stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(psql, 'exit');
    psql.stdin.write(`BEGIN; ${text}; SELECT 'held';\n`);
    try {
      for await (const bytes of psql.stdout.iterator({ destroyOnReturn: false }))
        if (String(bytes).includes('held')) break;
      return await work();
    } finally {
      psql.stdin.end('COMMIT;\n');
      await ended;
    }
  }

  /**
   * One HTTPS request with the grid's authority. "target" is a path (of the
   * public address) or a URL; options: method, headers, body (text, Buffer, or
   * an object, sent as JSON), form (an object, sent as a form), cert, key,
   * token, cookie, agent (false = a new connection), timeout in ms,
   * localAddress (127.0.0.x, to be somebody else for the limits).
   * Returns { status, headers, body (Buffer), text, json }.
   */
  request(target, options = {}) {
    const url = new URL(target, this.url);
    const headers = { ...options.headers };
    let { body } = options;
    if (options.form) {
      body = new URLSearchParams(options.form).toString();
      headers['content-type'] ??= 'application/x-www-form-urlencoded';
    } else if (body && !Buffer.isBuffer(body) && typeof body === 'object') {
      body = JSON.stringify(body);
      headers['content-type'] ??= 'application/json';
    }
    if (options.token) headers.authorization = `Bearer ${options.token}`;
    if (options.cookie) headers.cookie = options.cookie;
    if (body !== undefined) headers['content-length'] ??= Buffer.byteLength(body);
    const agent = options.agent ?? (options.cert ? false : this.agent);
    return new Promise((resolve, reject) => {
      // URL would normalise the path; tests of odd paths need it as written.
      const raw = /^https:\/\/[^/]+(\/.*)$/s.exec(target)?.[1] ?? target;
      const request = https.request(url, {
        method: options.method ?? (body === undefined ? 'GET' : 'POST'),
        path: raw.startsWith('/') ? raw : url.pathname + url.search,
        headers, agent, ca: this.ca, cert: options.cert, key: options.key,
        timeout: options.timeout ?? 60_000, localAddress: options.localAddress,
      }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const reply = answer(response, Buffer.concat(parts));
          noteExchange(this.state, headers, options.form, reply);
          noteChange(this.state, options.method ?? (body === undefined ? 'GET' : 'POST'), target, reply);
          resolve(reply);
        });
      });
      request.on('timeout', () => request.destroy(new Error(`${target}: no answer in time`)));
      request.on('error', reject);
      request.end(body);
    });
  }

  /**
   * Log in through the login page as a browser would; returns the value of a
   * Cookie header.
   */
  async logIn(user = this.user) {
    const page = await this.request('/login');
    const hidden = [...page.text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
      /name="([^"]*)"/.exec(tag)[1], /value="([^"]*)"/.exec(tag)?.[1] ?? '']);
    const names = inputNames(page.text);
    const reply = await this.request('/login', {
      form: {
        ...Object.fromEntries(hidden),
        [names.user]: user.name,
        [names.password]: user.password,
      },
      cookie: cookies(page),
      headers: { origin: this.url },
    });
    if (reply.status !== 303) throw new Error(`login: ${reply.status} ${reply.text.slice(0, 500)}`);
    return cookies(reply);
  }

  /** An access token for the API of a new confidential client. */
  async token({ scopes = ['API'], actions = 'ReadAll', id, datasource, variables } = {}) {
    const clientId = id ?? `test-${process.pid}-${++this.seen}`;
    const where = [...(datasource ? ['--datasource', datasource] : []), ...(variables ? ['--variables', variables] : [])];
    const secret = /client_secret: (\S+)/.exec(this.ctl('client', 'add', clientId,
      '--grant', 'client_credentials', ...scopes.flatMap((scope) => ['--scope', scope])))[1];
    if (actions) this.ctl('policy', 'grant', 'client', clientId, actions, ...where);
    const reply = await this.request('/connect/token', {
      form: {
        grant_type: 'client_credentials', client_id: clientId, client_secret: secret,
        scope: scopes.join(' '),
      },
    });
    if (reply.status !== 200) throw new Error(`token: ${reply.status} ${reply.text}`);
    return reply.json.access_token;
  }

  /**
   * Enrol a node that may publish these datasources, "UUID" or "UUID:NAME".
   * Returns { name, folder, cert, key, clientId, clientSecret, token(),
   * request() }.
   */
  enrol(name, ...publish) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-node-'));
    this.ctl('node', 'add', name, '--out', folder,
      ...publish.flatMap((datasource) => ['--publish', datasource]));
    return new Node(this, name, folder);
  }

  /** Enrol an egress node that may receive these datasources. */
  enrolEgress(name, ...subscribe) {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-node-'));
    this.ctl('node', 'add', name, '--kind', 'egress', '--out', folder,
      ...subscribe.flatMap((datasource) => ['--subscribe', datasource]));
    return new Node(this, name, folder);
  }

  /** The processes of a service: hub, api, identity, controller, web, keeper, ingress-NAME, nginx, postgresql. */
  pids(service) {
    const folders = [path.join(this.state, 'home', service), path.join(this.state, service)];
    const conf = service.startsWith('ingress-') ? `/node/${service.slice(8)}/ingress.conf` : `/etc/${service}.conf`;
    const matches = (pid) => {
      const text = (name) => fs.readFileSync(`/proc/${pid}/${name}`, 'utf8');
      // Our programs show nobody their folder (lib/guard.h), but their words.
      if (text('comm').startsWith('fieldgrid-'))
        return text('cmdline').split('\0').includes(path.join(this.state, conf));
      // In a mount namespace of its own a path may have a longer beginning.
      const folder = fs.readlinkSync(`/proc/${pid}/cwd`);
      return folders.some((own) => folder.endsWith(own)) &&
        !['sh', 'setpriv', 'multiwatch', 'find'].includes(text('comm').trim());
    };
    return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
      try {
        return matches(pid);
      } catch {
        return false; // it has ended
      }
    });
  }

  /** The process that runsv watches; 0 while there is none. */
  supervised(service) {
    return Number(fs.readFileSync(path.join(this.state, 'service', service, 'supervise/pid'), 'utf8'));
  }

  /**
   * SIGKILL a service: every worker, the master of nginx or PostgreSQL. Returns
   * the killed processes; none when it is being started at the moment.
   */
  kill(service) {
    const main = ['nginx', 'postgresql'].includes(service)
      ? [this.supervised(service)].filter((pid) => pid > 1) // 0 would be ourselves
      : this.pids(service);
    for (const pid of main) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    }
    return main;
  }

  #sv(verb, service) {
    execFileSync('sv', ['-w', '20', verb, path.join(this.state, 'service', service)],
      { stdio: 'ignore', timeout: 30_000 });
  }

  /** Stop a service and keep it stopped, until start(). */
  stop(service) { this.#sv('force-stop', service); }

  start(service) { this.#sv('start', service); }

  stopDatabase() { this.stop('postgresql'); }

  async startDatabase(database = 'fieldgrid') {
    this.start('postgresql');
    await until(() => this.sql('SELECT 1', database).length === 1, { what: 'PostgreSQL' });
  }

  /** The latest lines of a service's log. */
  log(service) {
    return fs.readFileSync(path.join(this.state, 'log', service, 'current'), 'utf8');
  }
}

class Node {
  #grid;

  #file(name) { return fs.readFileSync(path.join(this.folder, name), 'utf8'); }

  constructor(grid, name, folder) {
    this.#grid = grid;
    this.name = name;
    this.folder = folder;
    this.cert = this.#file('node.pem');
    this.key = this.#file('node.key');
    this.clientId = this.#file('client_id').trim();
    this.clientSecret = this.#file('client_secret').trim();
    this.agent = new https.Agent({ ca: grid.ca, cert: this.cert, key: this.key, keepAlive: true });
  }

  /** A request to the node listener, with the certificate. */
  request(target, options = {}) {
    return this.#grid.request(this.#grid.nodeUrl + target, {
      cert: this.cert, key: this.key, agent: this.agent, ...options,
    });
  }

  /** A token bound to the certificate. */
  async token() {
    const basic = Buffer.from(`${encodeURIComponent(this.clientId)}:${encodeURIComponent(this.clientSecret)}`);
    const reply = await this.request('/connect/token', {
      form: { grant_type: 'client_credentials', scope: 'hub' },
      headers: { authorization: `Basic ${basic.toString('base64')}` },
    });
    if (reply.status !== 200) throw new Error(`token: ${reply.status} ${reply.text}`);
    return reply.json.access_token;
  }

  close() {
    this.agent.destroy();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

function answer(response, body) {
  return {
    status: response.statusCode,
    headers: response.headers,
    body,
    get text() { return body.toString('utf8'); },
    get json() { return JSON.parse(body.toString('utf8')); },
  };
}

/** The Set-Cookie headers of an answer as the value of a Cookie header. */
export function cookies(reply) {
  return (reply.headers['set-cookie'] ?? []).map((line) => line.split(';')[0]).join('; ');
}

function inputNames(html) {
  const inputs = [...html.matchAll(/<input[^>]*>/g)].map(([tag]) => tag);
  const name = (tag) => /name="([^"]*)"/.exec(tag)?.[1];
  return {
    password: name(inputs.find((tag) => /type="password"/.test(tag)) ?? '') ?? 'password',
    user: name(inputs.find((tag) => /autocomplete="username"/.test(tag)) ?? '') ?? 'username',
  };
}

// "node grid.mjs start [--demo]" and "node grid.mjs stop STATE", for scripts.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [verb, argument] = process.argv.slice(2);
  if (verb === 'start') {
    console.log(await startGrid({ demo: argument === '--demo' }));
  } else if (verb === 'stop' && argument) {
    await run(quickstart, ['reset', '--state', argument], { timeout: 180_000 });
  } else {
    console.error('usage: node grid.mjs start [--demo] | stop STATE');
    process.exit(2);
  }
}
