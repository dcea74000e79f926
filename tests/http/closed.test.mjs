// Every route of every program: closed to strangers, to those who have no
// rights, and to nodes of other plants; and what a caller may not see is in no
// answer. A new route that forgets its right, or is open without being named
// here, fails.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { build, openGrid, until } from '../support/grid.mjs';
import { document, resolve } from '../support/openapi.mjs';
import { Plant } from '../support/plant.mjs';

// What anybody may ask. The routes of the log-in itself are all of this kind.
const open = {
  'fieldgrid-api': ['GET /', 'GET /api/openapi.json', 'GET /api/docs', 'GET /api/docs/oauth2-redirect.html'],
  'fieldgrid-controller': ['GET /.well-known/est/cacerts', 'POST /.well-known/est/simpleenroll',
    'POST /.well-known/est/simplereenroll', 'POST /hub/v1/access', 'GET /crl', 'GET /crl.pem'],
  'fieldgrid-hub': [],
  'fieldgrid-identity': [/^\S+ \/(\.well-known|connect|login|logout|device|account|signin-|\.fieldgrid)/],
  'fieldgrid-web': [],
};

// What those without any right are answered with 200, and it says nothing.
const nothing = { 1: 0, 2: 0, 3: 0, 4: 0 };
const empty = {
  'GET /api/v1/datasources': { dataSources: [] },
  'GET /api/v2/datasources': { dataSourcesOrigin: [] },
  'GET /api/v1/alarms/summary': { unacknowledged: nothing, active: nothing, top: [] },
  'POST /api/v1/live': { variables: [], datasources: [] }, // and an address of its own
};
// What an enrolled node of another plant is answered: its own state.
const emptyForNodes = ['GET /hub/v1/position', 'GET /hub/v1/clock', 'POST /hub/v1/beat', 'GET /live/node',
  'POST /hub/v1/results'];

const tag = randomUUID().slice(0, 8);
const secret = `secret${tag}`; // in whatever must not be told
let grid;
let plant;
let other; // a node with another plant
let routes;
let ids; // what stands for the names in braces
let was; // everything that must stay as it is

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Closed');
  other = new Plant(grid, 'Other');
  const writable = (name) => ({ name, type: 'float', access: 'read_write' });
  await plant.announce([writable('open'), writable(secret)]);
  await other.announce([writable('theirs')]);
  const now = Date.now();
  const alarm = (variable, text) => ({
    id: randomUUID(), variable, limit: 'high', kind: 'came', time: now, came: now, value: 5, text,
  });
  const alarms = [alarm('open', 'Too high'), alarm(secret, secret)];
  await plant.send({ open: [[now, 5]], [secret]: [[now, 5]] },
    [{ time: now, kind: 'Note', text: secret }, { time: now, kind: 'Note', text: 'x', variable: secret }], { alarms });
  const chief = await grid.logIn();
  const make = async (method, place, body) => {
    const reply = await grid.request(place.replace('{ds}', plant.id),
      { method, body, cookie: chief, headers: { origin: grid.url } });
    assert.ok(reply.status < 300 || reply.status === 503, `${place}: ${reply.text}`);
    return reply.json.id;
  };
  const limits = '/api/v1/admin/datasources/{ds}/limits';
  ids = {
    ds: plant.id,
    alarm: alarms[1].id,
    limit: await make('POST', limits, { variable: secret, name: secret, condition: 'greater', value: 9 }),
    cause: await make('POST', '/api/v1/admin/datasources/{ds}/alarm-causes', { name: `cause ${tag}` }),
    command: await make('PATCH', `/api/v1/datasources/{ds}/variables/${secret}`, { value: 3, comment: secret }),
    selection: await make('POST', '/api/v1/datasources/{ds}/selections', { variable: secret, expires_ms: 300_000 }),
  };
  await make('PUT', '/api/v1/admin/datasources/{ds}/alarm-classes/3', { name: secret });
  grid.ctl('archive', 'add', plant.id, 'SEC', secret, '--variables', secret);
  routes = Object.keys(open).flatMap(readRoutes);
  was = state();
});
after(async () => {
  plant?.close();
  other?.close();
  await grid?.close();
});

// Whoever it was, nothing has changed.
afterEach(() => assert.deepEqual(state(), was));

function readRoutes(program) {
  return execFileSync(path.join(build, program), ['--routes'], { encoding: 'utf8' }).trim().split('\n').map((line) => {
    const [method, pattern, need] = line.split(/\s+/);
    return { program, method, pattern, need, key: `${method} ${pattern}` };
  });
}

/** Everything of the plant that a route could change. */
function state() {
  const ours = `(SELECT id FROM datasource WHERE uuid = '${plant.id}')`;
  const byPlant = ['variable', 'alarm', 'alarm_cause', 'alarm_category', 'command', 'event', 'frame', 'policy_rule'];
  const byVariable = ['alarm_hold', 'alarm_limit', 'selection'];
  const of = (table, where) => `SELECT '${table}' || coalesce(string_agg(row::text, ',' ORDER BY row::text), '')
    FROM ${table} AS row WHERE ${where}`;
  return grid.sql([...byPlant.map((table) => of(table, `datasource_id = ${ours}`)),
    ...byVariable.map((table) => of(table, `variable_id IN (SELECT id FROM variable WHERE datasource_id = ${ours})`)),
  ].join(' UNION ALL '));
}

const collections = { alarms: 'alarm', commands: 'command', selections: 'selection' };

/** The path and a body of a route that are about what is secret. */
function request({ method, pattern, key }) {
  const target = pattern.replace(/\{(\w+)[.]*\}/g, (whole, name, at) => {
    if (name === 'id') return ids[collections[pattern.slice(0, at - 1).split('/').pop()]];
    return ids[name] ?? { name: secret, kind: 'classes', key: '3', arc: 'SEC' }[name] ?? 'no-such-thing';
  });
  const operation = document.paths[pattern.replace('...}', '}')]?.[method.toLowerCase()];
  const query = (operation?.parameters ?? []).map(resolve).filter((item) => item.in === 'query' && item.required)
    .map(({ name, example }) => `${name}=${encodeURIComponent(name === 'datasource' ? plant.id : example ?? secret)}`);
  const [[type, content] = []] = Object.entries(operation?.requestBody?.content ?? {}).reverse();
  return {
    target: query.length > 0 ? `${target}?${query.join('&')}` : target, type,
    body: bodies[key]?.() ?? about(content?.example),
  };
}

// The document has no example of these.
const bodies = {
  'PUT /hub/v1/variables': () => ({ datasource: plant.id, variables: [{ name: secret, type: 'int' }] }),
  'POST /hub/v1/frames': () => ({
    frames: [{
      datasource: plant.id, spool: '0123456789abcdef', sequence: 1, series: [], alarms: [],
      events: [{ time: Date.now() * 1000, kind: 'Note', text: 'forged' }],
    }],
  }),
  'POST /hub/v1/beat': () => ({
    version: 'x', spoolFrames: 0, spoolBytes: 0, oldest: null, lostSamples: 0, clock: new Date().toISOString(),
  }),
};

/** An example of the document, turned to what is secret. */
function about(example) {
  if (example === undefined) return undefined;
  if (typeof example === 'string') return example.replace(/^line\/pressure/m, secret);
  return JSON.parse(JSON.stringify(example, (key, value) => {
    if (key === 'ids') return [ids.alarm];
    if (key === 'datasource' || key === 'dataSource') return plant.id;
    if (key === 'variable') return secret;
    if (key === 'names' || key === 'variableNames') return [secret, '*'];
    if (key === 'datasources') return value.map((one) => ({ ...one, id: plant.id }));
    if (key === 'variables')
      return value.map((one) => (typeof one === 'string' ? secret : one.name ? { ...one, name: secret } : one));
    return value;
  }));
}

/** Ask a route; "who" has a token or a cookie, and maybe a node. */
function ask(route, who = {}) {
  const { target, type, body } = request(route);
  const options = {
    method: route.method, body, token: who.token, cookie: who.cookie,
    headers: { ...(type && { 'content-type': type }), ...(who.cookie && { origin: grid.url }) },
  };
  if (who.node) return who.node.request(target, options);
  return grid.request(route.need === 'node' ? grid.nodeUrl + target : target, options);
}

/** A refusal may repeat what was asked, and an answer tells nothing secret. */
function assertQuiet(route, { status, text }) {
  const asked = status >= 400 && JSON.stringify(request(route)).includes(secret);
  assert.ok(asked || !text.includes(secret), `${route.key} tells: ${text}`);
}

const needing = (...needs) => routes.filter(({ need }) => needs.includes(need));

test('what is open to anybody is named here', () => {
  for (const { program, key, need } of routes) {
    const named = open[program].some((item) => (item instanceof RegExp ? item.test(key) : item === key));
    assert.equal(need === 'none', named, `${program}: ${key} needs "${need}"`);
  }
  for (const [program, keys] of Object.entries(open))
    for (const key of keys.filter((item) => typeof item === 'string'))
      assert.ok(routes.some((route) => route.program === program && route.key === key), `${key} is gone`);
});

test('asvs 8.2.1: a stranger gets nothing from any route', async () => {
  const isPage = ({ program }) => program === 'fieldgrid-web';
  for (const route of needing('api', 'admin', 'node').filter((one) => !isPage(one)))
    for (const token of [undefined, 'a.b.c']) {
      const reply = await ask(route, { token });
      assert.equal(reply.status, route.need === 'node' ? 403 : 401, `${route.key}: ${reply.text}`);
      assertQuiet(route, reply);
    }
  for (const route of routes.filter(isPage)) {
    const reply = await ask(route);
    assert.match(reply.headers.location ?? '', /\/login\b/, `${route.key}: ${reply.status}`);
  }
});

test('asvs 8.2.1: who has no rights gets nothing from any route', async () => {
  const client = { token: await grid.token({ actions: null, scopes: ['API', 'API.read', 'API.write'] }) };
  const user = { cookie: await grid.logIn(grid.addUser(`closed-${tag}`)) };
  for (const route of needing('api', 'admin'))
    for (const who of route.program === 'fieldgrid-web' ? [user] : [client, user]) {
      const reply = await ask(route, who);
      assertQuiet(route, reply);
      if (empty[route.key])
        for (const [key, value] of Object.entries(empty[route.key])) assert.deepEqual(reply.json[key], value, route.key);
      else
        assert.ok([403, 404].includes(reply.status), `${route.key}: ${reply.status} ${reply.text}`);
    }
  for (const route of needing('login')) {
    const reply = await ask(route, user);
    assertQuiet(route, reply);
    assert.equal(reply.status, route.pattern.includes('{') ? 404 : 200, route.key);
  }
});

test('asvs 8.2.2: a node gets nothing of plants that are not its own', async () => {
  const egress = grid.enrolEgress(`closed-${tag}`, other.id);
  const person = await grid.token({ actions: 'ReadAll,WriteVariables' });
  try {
    for (const node of [other.node, egress]) {
      const token = await node.token();
      for (const route of needing('node')) {
        // A token without its certificate is worth nothing, and a certificate with a token of somebody else.
        assert.equal((await ask(route, { token })).status, 403, route.key);
        assert.equal((await ask(route, { node, token: person })).status, 401, route.key);
        if (route.pattern === '/live/node') continue; // its own stream has no end
        const reply = await ask(route, { node, token });
        assertQuiet(route, reply);
        if (!emptyForNodes.includes(route.key))
          assert.ok([403, 404].includes(reply.status), `${route.key}: ${reply.status} ${reply.text}`);
      }
    }
    const token = await egress.token();
    grid.ctl('node', 'block', egress.name);
    await until(async () => (await egress.request('/hub/v1/position', { token })).status === 403, { what: 'the block' });
    for (const route of needing('node')) {
      const reply = await ask(route, { node: egress, token });
      assert.ok([401, 403].includes(reply.status), `${route.key} for a blocked node: ${reply.status}`);
    }
  } finally {
    egress.close();
  }
});

test('asvs 8.2.2: what a caller may not see is in no answer of any route', async () => {
  const name = `part-${tag}`;
  const client = { token: await grid.token({ id: name, actions: null }) };
  const user = { cookie: await grid.logIn(grid.addUser(name)) };
  const egress = grid.enrolEgress(name, plant.id);
  for (const kind of ['client', 'user', 'node'])
    grid.ctl('policy', 'grant', kind, kind === 'node' ? egress.name : name, 'ReadAll,WriteVariables,AcknowledgeAlarms,Configure',
      '--datasource', plant.id, '--variables', 'open');
  was = state();
  try {
    const node = { node: egress, token: await egress.token() };
    for (const route of routes.filter(({ need, pattern }) => need !== 'none' && pattern !== '/live/node')) {
      const who = route.need === 'node' ? node : route.program === 'fieldgrid-web' ? user : client;
      assertQuiet(route, await ask(route, who));
    }
  } finally {
    egress.close();
  }
});
