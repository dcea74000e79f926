// What rights do: in every service, in running streams, and to those who lack
// them.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SOON_MS, openGrid, sleep, until } from '../support/grid.mjs';
import { LiveReader } from '../support/live.mjs';
import { Plant } from '../support/plant.mjs';

const START = Date.now() - 3600_000;
const names = ['open/a', 'open/b', 'open/c', 'secret/a', 'secret/b', 'closed'];
const tag = randomUUID().slice(0, 8);

let grid;
let plant;
let other;
let admin; // a cookie
let seen = 0;

const call = (method, path_, body) => grid.request(`/api/v1/admin/${path_}`, {
  method, body, cookie: admin, headers: { origin: grid.url },
});

const unique = (name) => `${name}-${tag}-${++seen}`;

before(async () => {
  grid = await openGrid();
  admin = await grid.logIn();
  plant = new Plant(grid, 'Rights');
  other = new Plant(grid, 'Other rights');
  await plant.announce(names.map((name) => ({
    name, type: 'float', access: name === 'closed' ? 'none' : 'read_write',
  })));
  await other.announce([{ name: 'open/a', type: 'float', access: 'read' }]);
  await plant.send(Object.fromEntries(names.map((name) => [name, [[START, 1], [START + 1000, 2]]])), [
    { time: START, kind: 'Note', text: 'of the whole plant' },
    { time: START, kind: 'Note', text: 'of open/a', variable: 'open/a' },
    { time: START, kind: 'Note', text: 'of secret/a', variable: 'secret/a' },
    { time: START, kind: 'Note', text: 'of closed', variable: 'closed' },
  ]);
  grid.ctl('archive', 'add', plant.id, 'ALL', 'All', '--variables', '*');
  grid.ctl('archive', 'add', plant.id, 'SEC', 'Secret ones', '--variables', 'secret/*');
  const svg = path.join(grid.state, `rights-${tag}.svg`);
  fs.writeFileSync(svg, `<svg xmlns="http://www.w3.org/2000/svg"><text data-fg-text="open/a">1</text>
    <text data-fg-text="secret/a">2</text><g data-fg-faceplate="secret/b"><rect data-fg-level="closed"/></g></svg>`);
  grid.ctl('screen', 'import', plant.id, 'main', svg);
});
after(async () => {
  plant?.close();
  other?.close();
  await grid?.close();
});

/** A client and its token; "rules" are the arguments of policy grant. */
async function caller(rules, options = {}) {
  const id = unique('rights');
  const token = await grid.token({ id, actions: null, ...options });
  for (const rule of rules) grid.ctl('policy', 'grant', 'client', id, ...rule);
  return { id, token };
}

/** A user with a session. */
async function person(name = unique('person'), ...options) {
  const file = path.join(grid.state, `rights-${name}`);
  const password = `pass phrase of ${name}`;
  fs.writeFileSync(file, password, { mode: 0o600 });
  grid.ctl('user', 'add', name, '--password-file', file, ...options);
  return { name, cookie: await grid.logIn({ name, password }) };
}

const readOpen = ['ReadAll', '--datasource', () => plant.id, '--variables', 'open/*'];
const rule = (words) => words.map((word) => (typeof word === 'function' ? word() : word));
const narrow = () => caller([rule(readOpen)]);

const range = { from: new Date(START - 1000).toISOString(), to: new Date(START + 5000).toISOString() };
const timeFilter = { type: 'Absolute', ...range };

function ask(who, target, body) {
  return grid.request(target, { body, token: who.token, cookie: who.cookie, headers: { origin: grid.url } });
}

const valueNames = async (who) => {
  const reply = await ask(who, `/api/v1/datasources/${plant.id}/variables/query`, { fields: ['name'] });
  return reply.status === 200 ? reply.json.variables.map(({ name }) => name) : reply.status;
};

const within = (fn, what) => until(fn, { every: 10, what });

// --- what may not be read is not there ----------------------------------------------

test('asvs 8.2.2: what may not be read is in no answer of any service', async () => {
  const who = await narrow();
  const ds = `/api/v1/datasources/${plant.id}`;
  assert.deepEqual(await valueNames(who), ['open/a', 'open/b', 'open/c']);
  const answers = [
    ['GET', '/api/v1/datasources'],
    ['POST', `${ds}/variables/query`, { fields: ['name', 'value', 'description'] }],
    ['POST', '/api/v1/live', { variables: [{ datasource: plant.id, names: ['*', 'secret/a'] }] }],
    ['GET', '/api/v2/datasources'], ['GET', `${ds}/archives`], ['GET', `${ds.replace('v1', 'v2')}/archives`],
    ['GET', `${ds}/archives/ALL`], ['GET', `${ds.replace('v1', 'v2')}/archives/ALL`],
    ['POST', `${ds}/archives/ALL/query`, { timeFilter, variableFilter: { variableNames: ['open/a'] } }],
    ['GET', `${ds}/variables/open%2Fa`],
    ['POST', `${ds}/events/query`, { timeFilter }],
    ['POST', `${ds}/alarms/query`, { timeFilter }],
    ['GET', `/plants/${plant.id}`], ['GET', `/plants/${plant.id}/screens/main`], ['GET', '/'], ['GET', '/trend'],
  ];
  const viewer = await person();
  grid.ctl('policy', 'grant', 'user', viewer.name, ...rule(readOpen));
  for (const [method, target, body] of answers) {
    const reply = target.startsWith('/api/') ? await ask(who, target, body) : await ask(viewer, target);
    assert.equal(reply.status, 200, `${method} ${target}: ${reply.text}`);
    assert.doesNotMatch(reply.text, /secret\/|SEC|closed"|of the whole plant|"Secret ones|Other rights/, target);
  }
});

test('what may not be read is 404 by its name, in every way to name it', async () => {
  const who = await narrow();
  const ds = `/api/v1/datasources/${plant.id}`;
  const gone = async (target, body, status = 404) => {
    const reply = await ask(who, target, body);
    assert.equal(reply.status, status, `${target}: ${reply.text}`);
    return reply;
  };
  for (const name of ['secret/a', 'closed', 'no-such'])
    await gone(`${ds}/variables/${encodeURIComponent(name)}`);
  await gone(`${ds}/archives/SEC`);
  await gone(`/api/v1/datasources/${other.id}/variables/open%2Fa`);
  await gone(`/api/v1/datasources/${other.id}/archives`);
  await gone(`/api/v1/datasources/${other.id}/events/query`, { timeFilter });
  // The same words for what is not there and for what is kept from the caller.
  const secret = await gone(`${ds}/history/query`, { variables: ['secret/a'], ...range, points: 10 }, 400);
  const nothing = await gone(`${ds}/history/query`, { variables: ['no-such'], ...range, points: 10 }, 400);
  assert.equal(secret.text.replaceAll('secret/a', 'x'), nothing.text.replaceAll('no-such', 'x'));
  const exported = (name) => ask(who, `${ds}/history.csv?variable=${encodeURIComponent(name)}&from=${range.from}&to=${range.to}`);
  assert.equal((await exported('open/a')).status, 200);
  const [hidden, missing] = [await exported('secret/a'), await exported('no-such')];
  assert.equal(hidden.status, missing.status);
  assert.ok(hidden.status >= 400);
  const viewer = await person();
  for (const target of [`/plants/${plant.id}`, `/plants/${plant.id}/screens/main`])
    assert.equal((await ask(viewer, target)).status, 404, target);
});

test('a screen names no variable that its viewer may not read', async () => {
  const viewer = await person();
  grid.ctl('policy', 'grant', 'user', viewer.name, ...rule(readOpen));
  const page = await within(async () => {
    const reply = await ask(viewer, `/plants/${plant.id}/screens/main`);
    return reply.status === 200 && reply;
  });
  assert.match(page.text, /data-fg-text="open\/a"/);
  assert.match(page.text, /data-fg-text=""/);
  assert.doesNotMatch(page.text, /secret\/|closed|data-fg-faceplate/);
  const all = await grid.request(`/plants/${plant.id}/screens/main`, { cookie: admin });
  assert.match(all.text, /data-fg-faceplate="secret\/b"/);
  assert.doesNotMatch(all.text, /data-fg-level="closed"/); // its access is none
});

test('events of no variable are for those who may read the events of all', async () => {
  const texts = async (who) => {
    const reply = await ask(who, `/api/v1/datasources/${plant.id}/events/query`, { timeFilter });
    return reply.json.events?.map(({ text }) => text).sort();
  };
  assert.deepEqual(await texts(await narrow()), ['of open/a']);
  const all = await caller([['ReadEvents', '--datasource', plant.id]]);
  assert.deepEqual(await texts(all), ['of open/a', 'of secret/a', 'of the whole plant']);
  const none = await caller([['ReadVariables', '--datasource', plant.id]]);
  const reply = await ask(none, `/api/v1/datasources/${plant.id}/events/query`, { timeFilter });
  assert.equal(reply.status, 403);
  assert.equal(reply.json.errorCode, 'RightMissing');
  assert.match(reply.json.errorMessage, /ReadEvents/);
});

// --- rules, groups, roles -----------------------------------------------------------

test('an explicit deny wins, over roles and over the flag of an administrator', async () => {
  const who = await caller([['ReadAll'], ['ReadAll', '--variables', 'secret/*', '--deny']]);
  assert.deepEqual(await valueNames(who), ['open/a', 'open/b', 'open/c']);
  const chief = await person(undefined, '--administrator');
  assert.deepEqual(await valueNames(chief), ['open/a', 'open/b', 'open/c', 'secret/a', 'secret/b']);
  grid.ctl('policy', 'grant', 'user', chief.name, 'ReadAll,Administer', '--deny');
  await within(async () => await valueNames(chief) === 404, 'the deny');
  // The administration stays, so that a slip can be mended.
  assert.equal((await grid.request('/api/v1/admin/rules', { cookie: chief.cookie })).status, 200);
});

test('named variables are taken literally, patterns by letter and case', async () => {
  const one = await caller([['ReadVariables', '--variable', 'open/a', '--variable', 'secret/b']]);
  assert.deepEqual(await valueNames(one), ['open/a', 'secret/b']);
  const letter = await caller([['ReadVariables', '--variables', 'open/?']]);
  assert.deepEqual(await valueNames(letter), ['open/a', 'open/b', 'open/c']);
  const upper = await caller([['ReadVariables', '--variables', 'OPEN/*']]);
  assert.deepEqual(await valueNames(upper), []);
});

test('rights come by nested groups and roles, and for one plant only', async () => {
  const [inner, outer] = [unique('inner'), unique('outer')];
  const user = await person();
  const role = unique('reader');
  grid.ctl('group', 'add', inner);
  grid.ctl('group', 'add', outer);
  grid.ctl('group', 'join', inner, 'user', user.name);
  grid.ctl('group', 'join', outer, 'group', inner);
  grid.ctl('role', 'add', role);
  grid.ctl('policy', 'grant', 'role', role, 'ReadVariables', '--variables', 'open/a');
  assert.equal(await valueNames(user), 404);
  grid.ctl('role', 'grant', role, 'group', outer, '--datasource', plant.id);
  await within(async () => JSON.stringify(await valueNames(user)) === '["open/a"]', 'the role');
  const elsewhere = await ask(user, `/api/v1/datasources/${other.id}/variables/open%2Fa`);
  assert.equal(elsewhere.status, 404);
  grid.ctl('group', 'leave', outer, 'group', inner);
  await within(async () => await valueNames(user) === 404, 'the loss');
});

test('the ReadAll of the original product: a group linked to a project', async () => {
  const group = unique('project');
  const user = await person();
  grid.ctl('group', 'add', group);
  grid.ctl('group', 'join', group, 'user', user.name);
  grid.ctl('role', 'grant', 'ReadAll', 'group', group, '--datasource', plant.id);
  const list = await within(async () => {
    const reply = await ask(user, '/api/v1/datasources');
    return reply.json.dataSources.length > 0 && reply.json.dataSources;
  });
  assert.deepEqual(list.map((item) => item.dataSourceId), [plant.id]);
  const write = await ask(user, '/api/v1/policy/check', {
    dataSource: plant.id, right: 'WriteVariables', variables: ['open/a'],
  });
  assert.deepEqual(write.json.allowed, [false]);
});

test('who is gone leaves no rights behind', async () => {
  const user = await person(unique('leaver'));
  const group = unique('left');
  grid.ctl('group', 'add', group);
  grid.ctl('group', 'join', group, 'user', user.name);
  grid.ctl('policy', 'grant', 'user', user.name, 'ReadAll');
  grid.ctl('role', 'grant', 'Operator', 'user', user.name);
  const id = grid.sql(`SELECT id FROM account WHERE name = '${user.name}'`)[0][0];
  assert.equal((await call('DELETE', `users/${user.name}`)).status, 204);
  assert.deepEqual(grid.sql(`SELECT count(*) FROM policy_rule WHERE subject_kind = 'user' AND subject_id = ${id}`), [['0']]);
  assert.deepEqual(grid.sql(`SELECT count(*) FROM role_grant WHERE subject_kind = 'user' AND subject_id = ${id}`), [['0']]);
  assert.deepEqual(grid.sql(`SELECT count(*) FROM group_account WHERE account_id = ${id}`), [['0']]);
});

// --- scopes -------------------------------------------------------------------------

test('asvs 10.3.2: a token that reads cannot do what its holder may', async () => {
  const id = unique('scoped');
  const full = { token: await grid.token({ id, actions: null, scopes: ['API', 'API.read', 'API.write'] }) };
  grid.ctl('role', 'grant', 'Administrator', 'client', id);
  const secret = /client_secret: (\S+)/.exec(grid.ctl('client', 'secret', id))[1];
  const token = async (scope) => ({
    token: (await grid.request('/connect/token', {
      form: { grant_type: 'client_credentials', client_id: id, client_secret: secret, scope },
    })).json.access_token,
  });
  const may = async (who, right) => (await ask(who, '/api/v1/policy/check', {
    dataSource: plant.id, right, variables: ['open/a'],
  })).json.allowed?.[0];
  await within(async () => await may(full, 'WriteVariables'), 'the role');
  const [reader, writer] = [await token('API.read'), await token('API.write')];
  assert.deepEqual(await Promise.all(['ReadVariables', 'WriteVariables', 'Configure'].map((right) => may(reader, right))),
    [true, false, false]);
  assert.deepEqual(await Promise.all(['ReadVariables', 'WriteVariables', 'Configure'].map((right) => may(writer, right))),
    [true, true, false]);
  assert.equal((await ask(reader, `/api/v1/datasources/${plant.id}/variables/open%2Fa`)).status, 200);
  for (const who of [reader, writer]) {
    const reply = await ask(who, '/api/v1/admin/rules');
    assert.equal(reply.status, 403);
    assert.equal(reply.json.errorCode, 'InsufficientScope');
    assert.match(reply.headers['www-authenticate'], /error="insufficient_scope"/);
  }
  assert.equal((await ask(full, '/api/v1/admin/rules')).status, 200);
});

// --- why ----------------------------------------------------------------------------

test('check answers a thousand names at once, in their order', async () => {
  const who = await narrow();
  const many = Array.from({ length: 1000 }, (_, i) => ['open/a', 'secret/a', 'closed', 'no-such'][i % 4]);
  const reply = await ask(who, '/api/v1/policy/check', { dataSource: plant.id, right: 'ReadVariables', variables: many });
  assert.equal(reply.status, 200, reply.text);
  assert.deepEqual(reply.json.allowed, many.map((name) => name === 'open/a'));
  const more = await ask(who, '/api/v1/policy/check', {
    dataSource: plant.id, right: 'ReadVariables', variables: [...many, 'x'],
  });
  assert.equal(more.status, 400);
  for (const [right, status] of [['ReadAll', 400], ['Fly', 400]]) {
    const bad = await ask(who, '/api/v1/policy/check', { dataSource: plant.id, right, variables: [] });
    assert.equal(bad.status, status);
  }
  const elsewhere = await ask(who, '/api/v1/policy/check', { dataSource: other.id, right: 'ReadVariables', variables: ['open/a'] });
  assert.equal(elsewhere.status, 404);
});

test('only administrators ask about others', async () => {
  const who = await narrow();
  const question = { subjectKind: 'client', subject: who.id, dataSource: plant.id, right: 'ReadVariables' };
  for (const [target, more] of [['check', { variables: ['open/a'] }], ['explain', { variable: 'open/a' }]]) {
    const reply = await ask(who, `/api/v1/policy/${target}`, { ...question, ...more });
    assert.equal(reply.status, 403, reply.text);
    assert.equal(reply.json.errorCode, 'RightMissing');
    const chief = await ask({ cookie: admin }, `/api/v1/policy/${target}`, { ...question, ...more });
    assert.equal(chief.status, 200, chief.text);
  }
});

test('explain names every rule that decides, and the way it comes', async () => {
  const user = await person();
  const group = unique('explained');
  grid.ctl('group', 'add', group);
  grid.ctl('group', 'join', group, 'user', user.name);
  grid.ctl('role', 'grant', 'Operator', 'group', group, '--datasource', plant.id);
  grid.ctl('policy', 'grant', 'user', user.name, 'WriteVariables', '--variables', 'secret/*', '--deny',
    '--description', 'hands off');
  const explain = async (variable, right, more = {}) => (await ask({ cookie: admin }, '/api/v1/policy/explain', {
    subjectKind: 'user', subject: user.name, dataSource: plant.id, right, variable, ...more,
  })).json;
  const denied = await explain('secret/a', 'WriteVariables');
  assert.deepEqual([denied.allowed, denied.because, denied.access], [false, 'Denied', 'read_write']);
  assert.deepEqual(denied.rules.map((item) => [item.effect, item.subjectKind, item.subject, item.heldByKind, item.heldBy]), [
    ['deny', 'user', user.name, null, null], ['allow', 'role', 'Operator', 'group', group]]);
  assert.equal(denied.rules[0].description, 'hands off');
  assert.equal(denied.rules[0].pattern, 'secret/*');
  assert.equal(denied.rules[1].dataSource, plant.id);
  const because = async (...words) => {
    const answer = await explain(...words);
    return [answer.allowed, answer.because];
  };
  assert.deepEqual(await because('open/a', 'WriteVariables'), [true, 'Allowed']);
  assert.deepEqual(await because('open/a', 'Configure'), [false, 'NoRule']);
  assert.deepEqual(await because('closed', 'ReadVariables'), [false, 'Access']);
  assert.deepEqual(await because('no-such', 'ReadVariables'), [false, 'NoVariable']);
  assert.deepEqual(await because('open/a', 'WriteVariables', { scopes: ['API.read'] }), [false, 'Scope']);
  // The same on the command line.
  const text = grid.ctl('policy', 'explain', 'user', user.name, 'WriteVariables', plant.id, 'secret/a');
  assert.match(text, /^Denied: user/);
  assert.match(text, /allowed by rule .* of role Operator.*held by group/);
  assert.match(grid.ctl('policy', 'check', 'user', user.name, 'WriteVariables', plant.id, 'open/a', 'secret/a', 'x'),
    /open\/a\tallowed\nsecret\/a\trefused\nx\tno variable/);
  // Its own rights a user may know, of what it may read.
  await within(async () => (await valueNames(user)).length === 5, 'the role');
  const own = await ask(user, '/api/v1/policy/explain', { dataSource: plant.id, right: 'WriteVariables', variable: 'secret/a' });
  assert.equal(own.json.because, 'Denied');
  const hidden = await ask(user, '/api/v1/policy/explain', { dataSource: plant.id, right: 'ReadVariables', variable: 'closed' });
  assert.equal(hidden.status, 404);
});

// --- a change reaches everybody -------------------------------------------------------

test('a change of rights reaches every service within a second', async () => {
  const who = await caller([]);
  const user = await person();
  const looks = [
    async () => (await ask(who, '/api/v1/datasources')).json.dataSources.length > 0, // api
    async () => (await ask(who, `/api/v1/datasources/${plant.id}/variables/open%2Fa`)).status === 200, // hub
    async () => (await ask(user, `/plants/${plant.id}`)).status === 200, // web
    async () => (await ask(who, '/api/v1/policy/check', { // controller
      dataSource: plant.id, right: 'ReadVariables', variables: ['open/a'],
    })).json.allowed?.[0] === true,
  ];
  const all = (wanted) => Promise.all(looks.map((look) => within(async () => await look() === wanted, String(look))));
  await all(false);
  for (let round = 0; round < 3; round++) {
    grid.ctl('policy', 'grant', 'client', who.id, 'ReadAll', '--datasource', plant.id);
    grid.ctl('policy', 'grant', 'user', user.name, 'ReadAll', '--datasource', plant.id);
    await all(true);
    grid.ctl('policy', 'clear', 'client', who.id);
    grid.ctl('policy', 'clear', 'user', user.name);
    await all(false);
  }
});

/** Sends a new value every 50 ms until stopped; "last" is when the last began. */
function sender() {
  const state = { going: true, value: 0 };
  state.done = (async () => {
    while (state.going) {
      const value = ++state.value;
      await plant.send(Object.fromEntries(['open/a', 'secret/a'].map((name) => [name, [[Date.now(), value]]])));
      await sleep(50);
    }
  })();
  state.stop = () => { state.going = false; return state.done; };
  return state;
}

async function openStream(who, wanted) {
  const registered = await ask(who, '/api/v1/live', { variables: [{ datasource: plant.id, names: wanted }] });
  assert.equal(registered.status, 200, registered.text);
  const reader = await LiveReader.open(grid, registered.json.url, { token: who.token, cookie: who.cookie });
  return { reader, names: registered.json.variables.map(({ name }) => name) };
}

/** Time from "change" until the stream said why it ended; nothing came after. */
async function endsAfter(reader, change) {
  const from = performance.now();
  change();
  const end = await reader.next(({ event }) => event === 'end');
  assert.equal(end.data.reason, 'rights_changed');
  await until(() => reader.ended, { what: 'the end of the stream' });
  assert.equal(reader.events.at(-1), end);
  return end.at - from;
}

test('what is taken away stops within a second in a running stream', async () => {
  const who = await caller([['ReadVariables', '--datasource', plant.id]]);
  const values = sender();
  try {
    const { reader } = await openStream(who, ['open/a', 'secret/a']);
    await reader.next(({ event }) => event === 'values');
    const took = await endsAfter(reader, () => grid.ctl('policy', 'grant', 'client', who.id,
      'ReadVariables', '--variables', 'secret/*', '--deny'));
    assert.ok(took < SOON_MS, `${took} ms`);
    const { reader: again, names: left } = await openStream(who, ['open/a', 'secret/a']);
    assert.deepEqual(left, ['open/a']);
    await again.next(({ event }) => event === 'values');
    again.close();
  } finally {
    await values.stop();
  }
});

test('what is given appears within a second', async () => {
  const who = await caller([['ReadVariables', '--datasource', plant.id, '--variables', 'open/*']]);
  const { reader, names: first } = await openStream(who, ['*']);
  assert.deepEqual(first, ['open/a', 'open/b', 'open/c']);
  const took = await endsAfter(reader, () => grid.ctl('policy', 'grant', 'client', who.id,
    'ReadVariables', '--datasource', plant.id, '--variables', 'secret/*'));
  assert.ok(took < SOON_MS, `${took} ms`);
  const { reader: again, names: more } = await openStream(who, ['*']);
  assert.deepEqual(more, ['open/a', 'open/b', 'open/c', 'secret/a', 'secret/b']);
  const snapshot = await again.next(({ event }) => event === 'snapshot');
  assert.equal(snapshot.data.values.length, 5);
  again.close();
});

test('a stream of a group\'s member ends when the group loses its role', async () => {
  const user = await person();
  const group = unique('streaming');
  grid.ctl('group', 'add', group);
  grid.ctl('group', 'join', group, 'user', user.name);
  grid.ctl('role', 'grant', 'ReadAll', 'group', group);
  await within(async () => Array.isArray(await valueNames(user)), 'the role');
  const { reader } = await openStream(user, ['open/*']);
  await reader.next(({ event }) => event === 'snapshot');
  const took = await endsAfter(reader, () => grid.ctl('role', 'revoke', 'ReadAll', 'group', group));
  assert.ok(took < SOON_MS, `${took} ms`);
});

test('a variable whose access becomes none leaves the streams', async () => {
  const who = await caller([['ReadVariables', '--datasource', plant.id]]);
  const { reader } = await openStream(who, ['open/b']);
  await reader.next(({ event }) => event === 'snapshot');
  const took = await endsAfter(reader, () => grid.sql(
    `UPDATE variable SET access = 0 WHERE name = 'open/b'
       AND datasource_id = (SELECT id FROM datasource WHERE uuid = '${plant.id}')`));
  assert.ok(took < SOON_MS, `${took} ms`);
  grid.sql(`UPDATE variable SET access = 2 WHERE name = 'open/b'`);
});

test('a change that does not concern a stream leaves it alone', async () => {
  const who = await caller([['ReadVariables', '--datasource', plant.id, '--variables', 'open/*']]);
  const { reader } = await openStream(who, ['*']);
  await reader.next(({ event }) => event === 'snapshot');
  await caller([['ReadAll']]);
  grid.ctl('policy', 'grant', 'client', who.id, 'WriteVariables');
  await sleep(700);
  assert.equal(reader.ended, false);
  assert.ok(!reader.events.some(({ event }) => event === 'end'));
  reader.close();
});
