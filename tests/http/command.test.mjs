// Commands by REST: what a client is told, what is on record, and what a plant
// may say about it. The test plays the plant, over the node's real stream.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import https from 'node:https';

import { openGrid, sleep, until } from '../support/grid.mjs';
import { openStream } from '../support/node_stream.mjs';
import { checker } from '../support/openapi.mjs';
import { Plant } from '../support/plant.mjs';

let grid;
let plant;
let stream;
let token;
let base;
const check = checker();

const variables = [
  { name: 'set/float', type: 'float', unit: 'kW', decimals: 1, minimum: 0, maximum: 100, access: 'read_write' },
  { name: 'set/int', type: 'int', access: 'read_write' },
  { name: 'set/bool', type: 'bool', access: 'read_write' },
  { name: 'set/text', type: 'string', access: 'read_write' },
  { name: 'RobotSimForPA/Global/R1 Ünïcode', type: 'float', access: 'read_write' },
  { name: 'seen', type: 'float', access: 'read' },
  { name: 'hidden', type: 'float', access: 'none' },
];

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'commands');
  await plant.announce(variables);
  await plant.send({ 'set/float': [[Date.now(), 20]], 'set/int': [[Date.now(), 1]], 'set/bool': [[Date.now(), false]], 'set/text': [[Date.now(), 'idle']], seen: [[Date.now(), 1]] });
  token = await grid.token({ actions: 'ReadAll,WriteVariables' });
  base = `/api/v1/datasources/${plant.id}`;
  stream = await openStream(grid, plant.node);
  await stream.next('time');
}, { timeout: 240_000 });

after(async () => {
  stream?.close();
  plant?.close();
  await grid?.close();
});

const path = (name) => `${base}/variables/${name}`;
const patch = (name, body, options = {}) => grid.request(path(name), { method: 'PATCH', token, body, ...options });

/** What the plant says; gives the hub's answer to each. */
async function say(...results) {
  plant.token ??= await plant.node.token();
  const reply = await plant.node.request('/hub/v1/results', { token: plant.token, body: { results } });
  assert.equal(reply.status, 200, reply.text);
  return reply.json.results;
}

/** A PATCH that the plant answers so: { reply, command }. */
async function round(name, body, result = { state: 'confirmed' }, options = {}) {
  const asked = patch(name, body, options);
  const command = await Promise.race([stream.next('command'),
    asked.then((reply) => { throw new Error(`answered before it was sent: ${reply.status} ${reply.text}`); })]);
  await say({ id: command.id, time: new Date().toISOString(), ...result });
  return { reply: await asked, command };
}

const eventsOf = async (id) => grid.sql(
  `SELECT kind, coalesce(username, ''), coalesce(value, '') FROM event WHERE about = '${id}' ORDER BY id`);
const auditOf = (id) => grid.sql(
  `SELECT action, result, actor_kind FROM audit_entry WHERE object = 'command:${id}' OR new_value->>'id' = '${id}' ORDER BY id`);

test('a confirmed value is answered 200, shown at once, and every step is on record', async () => {
  const { reply, command } = await round('set/float', { value: 42.5, comment: 'by hand' });
  assert.equal(reply.status, 200);
  check('PATCH', path('set/float'), reply);
  assert.deepEqual([reply.json.id, reply.json.state, reply.json.value, reply.json.oldValue, reply.json.comment],
    [command.id, 'confirmed', 42.5, 20, 'by hand']);
  assert.deepEqual([command.datasource, command.variable, command.value, command.expected],
    [plant.id, 'set/float', 42.5, undefined]);
  assert.equal(command.expires - command.sent, 10_000_000);
  assert.ok(reply.headers['x-request-id']);
  assert.equal((await grid.request(path('set/float'), { token })).json.value, 42.5);
  const events = await eventsOf(command.id);
  assert.deepEqual(events.map(([kind]) => kind), ['command.requested', 'command.sent', 'command.confirmed']);
  assert.ok(events.every(([, user, value]) => user === reply.json.username && value === '42.5'), JSON.stringify(events));
  assert.deepEqual(auditOf(command.id), [['command.send', 'ok', 'client'], ['command.result', 'ok', 'node']]);
});

test('the answer has what the device has since, as it says', async () => {
  const time = new Date(Date.now() - 5).toISOString();
  const { reply } = await round('set/float', { value: 33.33 }, { state: 'confirmed', value: 33.3, status: 131072, time });
  assert.deepEqual([reply.status, reply.json.value], [200, 33.33]);
  assert.deepEqual([reply.json.feedback.value, reply.json.feedback.status, Date.parse(reply.json.feedback.time)], [33.3, 131072, Date.parse(time)]);
  check('PATCH', path('set/float'), reply);
  assert.equal((await grid.request(path('set/float'), { token })).json.value, 33.3);
  const differs = await round('set/float', { value: 44 }, { state: 'failed', code: 'ValueDiffers', message: 'it has another', value: 33.3, status: 131072 });
  assert.deepEqual([differs.reply.status, differs.reply.json.feedback.value, differs.reply.json.oldValue], [502, 33.3, 33.3]);
  for (const value of [{}, [1], null]) {
    const odd = await round('set/float', { value: 42.5 }, { state: 'confirmed', value });
    assert.deepEqual([odd.reply.status, odd.reply.json.feedback.value], [200, 42.5], 'no value: the one that was asked for');
  }
});

test('values are taken as clients in the field write them', async () => {
  for (const [name, given, sent] of [
    ['set/float', '20', 20], ['set/float', ' 20', 400], ['set/float', '1e1', 10], ['set/float', '0x10', 400],
    ['set/float', 'nan', 400], ['set/float', true, 400], ['set/float', null, 400], ['set/float', [1], 400],
    ['set/float', '', 400], ['set/float', '101', 400], ['set/float', -0.1, 400], ['set/float', 100, 100],
    ['set/int', '9007199254740993', '9007199254740993'], ['set/int', 7.0, 7], ['set/int', '7.5', 400], ['set/int', 7.5, 400],
    ['set/int', '9223372036854775808', 400], ['set/int', '-5', -5], ['set/int', 'five', 400],
    ['set/bool', 1, true], ['set/bool', '0', false], ['set/bool', 'On', true], ['set/bool', 'false', false],
    ['set/bool', 2, 400], ['set/bool', 'maybe', 400], ['set/bool', true, true],
    ['set/text', 'grüß', 'grüß'], ['set/text', 12, '12'], ['set/text', false, 'false'], ['set/text', {}, 400],
    ['set/text', 'x'.repeat(4097), 400],
  ]) {
    const label = `${name} ${JSON.stringify(given).slice(0, 40)}`;
    if (sent === 400) {
      const reply = await patch(name, { value: given });
      assert.equal(reply.status, 400, label);
      assert.ok(reply.json.errorMessage, label);
    } else {
      const { reply, command } = await round(name, { value: given });
      assert.equal(reply.status, 200, label);
      assert.deepEqual(command.value, sent, label);
    }
  }
});

test('what is wrong with the request is 400, and nothing is sent', async () => {
  for (const body of [{}, { value: 1, unknown: 2 }, { value: 1, expires_ms: 99 }, { value: 1, expires_ms: 300_001 },
    { value: 1, expires_ms: 'soon' }, { value: 1, comment: 'x'.repeat(1025) }, { value: 1, expected: 'x' },
    { value: 1, selection: 'x' }, '[]', '{"value":']) {
    const reply = await patch('set/float', body, { headers: { 'content-type': 'application/json' } });
    assert.equal(reply.status, 400, JSON.stringify(body));
    assert.ok(reply.json.errorMessage);
  }
  const { command } = await round('set/bool', { value: true }); // the stream is in order
  assert.equal(stream.all('command').at(-1).id, command.id);
  assert.equal(stream.all('command').filter(({ variable, value }) => variable === 'set/float' && value === 1).length, 0);
});

test('rights and access: 404 hides, 403 names what is missing', async () => {
  const reader = await grid.token({ actions: 'ReadAll' });
  const stranger = await grid.token({ actions: null });
  assert.equal((await patch('nothing', { value: 1 })).status, 404);
  assert.match((await patch('nothing', { value: 1 })).text, /"errorCode":"NotFound"/);
  assert.equal((await patch('hidden', { value: 1 })).status, 404);
  const readOnly = await patch('seen', { value: 1 });
  assert.deepEqual([readOnly.status, readOnly.json.errorCode], [403, 'AccessRefused']);
  const denied = await patch('set/float', { value: 1 }, { token: reader });
  assert.deepEqual([denied.status, denied.json.errorCode], [403, 'RightMissing']);
  assert.equal((await patch('set/float', { value: 1 }, { token: stranger })).status, 404);
  assert.equal((await patch('set/float', { value: 1 }, { token: undefined })).status, 401);
  assert.equal((await grid.request(`/api/v1/datasources/${randomUUID()}/variables/x`, { method: 'PATCH', token, body: { value: 1 } })).status, 404);
});

test('an expected old value that differs is 409, at the hub and at the plant', async () => {
  await round('set/float', { value: 30 });
  const early = await patch('set/float', { value: 31, expected: 29 });
  assert.deepEqual([early.status, early.json.errorCode, early.json.oldValue], [409, 'OldValueDiffers', 30]);
  check('PATCH', path('set/float'), early);
  assert.deepEqual((await eventsOf(early.json.id)).map(([kind]) => kind), ['command.requested', 'command.refused']);
  const good = await round('set/float', { value: 31, expected: '30' });
  assert.deepEqual([good.reply.status, good.command.expected], [200, 30]);
  const late = await round('set/float', { value: 32, expected: 31 },
    { state: 'refused', code: 'OldValueDiffers', message: 'it is 30.5', oldValue: 30.5 });
  assert.deepEqual([late.reply.status, late.reply.json.errorCode, late.reply.json.oldValue], [409, 'OldValueDiffers', 30.5]);
  assert.equal((await grid.request(path('set/float'), { token })).json.value, 31, 'what was refused is not shown');
});

test('what a plant says of the old value is told only when it is a value', async () => {
  for (const [written, told] of [['NaN', 20], ['-Infinity', 20], ['[1]', 20], [`"${'x'.repeat(5000)}"`, 20], ['21.5', 21.5]]) {
    await plant.send({ 'set/float': [[Date.now(), 20]] });
    const asked = patch('set/float', { value: 20 });
    const { id } = await stream.next('command');
    const reply = await plant.node.request('/hub/v1/results', {
      token: plant.token, headers: { 'content-type': 'application/json' },
      body: `{"results":[{"id":"${id}","state":"confirmed","oldValue":${written}}]}`,
    });
    assert.equal(reply.status, 200, reply.text);
    assert.equal((await asked).json.oldValue, told, written.slice(0, 20));
  }
  const { json } = await grid.request(`${base}/commands?limit=5`, { token });
  assert.deepEqual(json.items.map(({ oldValue }) => oldValue), [21.5, 20, 20, 20, 20]);
});

test('what the plant refuses or fails at has its own status', async () => {
  for (const [result, status] of [
    [{ state: 'refused', code: 'DeviceRefused', message: 'illegal data value' }, 422],
    [{ state: 'failed', code: 'DeviceOffline', message: 'no answer' }, 503],
    [{ state: 'expired', code: 'Expired', message: 'too late' }, 504],
  ]) {
    const { reply } = await round('set/float', { value: 50 }, result);
    assert.deepEqual([reply.status, reply.json.errorCode, reply.json.errorMessage], [status, result.code, result.message]);
    check('PATCH', path('set/float'), reply);
  }
});

test('no confirmation in time is 504, and what comes then is refused', async () => {
  const begun = performance.now();
  const asked = patch('set/float', { value: 60, expires_ms: 1000 });
  const command = await stream.next('command');
  const reply = await asked;
  assert.deepEqual([reply.status, reply.json.errorCode, reply.json.id], [504, 'NoConfirmation', command.id]);
  check('PATCH', path('set/float'), reply);
  assert.ok(performance.now() - begun > 990, 'not before its time');
  assert.equal(command.expires - command.sent, 1_000_000);
  assert.deepEqual((await say({ id: command.id, state: 'confirmed' })).map(({ status, errorCode }) => [status, errorCode]), [[409, 'CommandOver']]);
  const stored = (await grid.request(`${base}/commands/${command.id}`, { token })).json;
  assert.deepEqual([stored.state, stored.lateState], ['expired', 'confirmed'], 'what the plant says late is noted beside it');
  assert.deepEqual((await eventsOf(command.id)).map(([kind]) => kind), ['command.requested', 'command.sent', 'command.expired']);
  assert.deepEqual(auditOf(command.id), [['command.send', 'ok', 'client'], ['command.expire', 'ok', 'service'], ['command.result', 'refused', 'node']]);
});

test('duplicated, late and forged results change nothing', async () => {
  const { command } = await round('set/float', { value: 61 });
  assert.deepEqual((await say({ id: command.id, state: 'failed' })).map(({ status }) => status), [409]);
  assert.equal((await grid.request(`${base}/commands/${command.id}`, { token })).json.state, 'confirmed');

  const other = new Plant(grid, 'forger');
  const asked = patch('set/float', { value: 62 });
  const next = await stream.next('command');
  const forged = await other.node.request('/hub/v1/results', { token: await other.node.token(), body: { results: [{ id: next.id, state: 'confirmed' }] } });
  assert.deepEqual(forged.json.results.map(({ status }) => status), [404]);
  assert.equal((await grid.request('/hub/v1/results', { token, body: { results: [{ id: next.id, state: 'confirmed' }] } })).status, 404, 'not for clients');
  const bare = await plant.node.request('/hub/v1/results', { body: { results: [{ id: next.id, state: 'confirmed' }] } });
  assert.equal(bare.status, 401);
  assert.deepEqual((await say({ id: randomUUID(), state: 'confirmed' })).map(({ status }) => status), [404]);
  assert.equal((await grid.request(`${base}/commands/${next.id}`, { token })).json.state, 'sent', 'it still waits');
  await say({ id: next.id, state: 'confirmed' });
  assert.equal((await asked).status, 200);
  other.close();
  assert.throws(() => grid.sql(`UPDATE command SET state = 'failed' WHERE id = '${next.id}'`), /stands/);
  assert.throws(() => grid.sql(`DELETE FROM command WHERE id = '${next.id}'`), /stands/);
  for (const body of [{}, { results: {} }, { results: [1] }, { results: [null] }, { results: [{ id: next.id, state: 'done' }] }, { results: [{ id: 'x', state: 'failed' }] }])
    assert.equal((await plant.node.request('/hub/v1/results', { token: plant.token, body })).status, 400);
});

test('respond-async is 202 with the place where the state can be read', async () => {
  const reply = await patch('set/float', { value: 70 }, { headers: { prefer: 'wait=1, respond-async' } });
  assert.deepEqual([reply.status, reply.json.state, reply.headers['preference-applied']], [202, 'sent', 'respond-async']);
  assert.equal(reply.headers.location, `${base}/commands/${reply.json.id}`);
  const command = await stream.next('command');
  assert.equal(command.id, reply.json.id);
  assert.equal((await grid.request(reply.headers.location, { token })).json.state, 'sent');
  await say({ id: command.id, state: 'confirmed' });
  const over = await grid.request(reply.headers.location, { token });
  assert.deepEqual([over.status, over.json.state], [200, 'confirmed']);
  check('GET', reply.headers.location, over);
});

test('many at once: each its own command, all checked before any is sent', async () => {
  const before_ = stream.all('command').length;
  const wrong = await grid.request(`${base}/variables`, { method: 'PATCH', token, body: { variables: [
    { name: 'set/float', value: 80 }, { name: 'seen', value: 1 }, { name: 'gone', value: 1 }, { name: 'set/int', value: 'x' }, { name: 'set/float', value: 81 }] } });
  assert.equal(wrong.status, 400);
  assert.deepEqual(wrong.json.variableErrors.map(({ variableName, errorCode }) => [variableName, errorCode]),
    [['seen', 'AccessRefused'], ['gone', 'NotFound'], ['set/int', 'BadValue'], ['set/float', 'BadRequest']]);
  await round('set/bool', { value: false }); // the stream is in order
  assert.equal(stream.all('command').length, before_ + 1, 'nothing was sent');

  const bulk = (body) => grid.request(`${base}/variables`, { method: 'PATCH', token, body });
  const asked = bulk({ comment: 'all', variables: [{ name: 'set/float', value: 80 }, { name: 'set/int', value: '8' }, { name: 'set/bool', value: 'on', comment: 'own' }] });
  const commands = [await stream.next('command'), await stream.next('command'), await stream.next('command')];
  await say(...commands.map(({ id }) => ({ id, state: 'confirmed' })));
  const good = await asked;
  assert.equal(good.status, 200);
  check('PATCH', `${base}/variables`, good);
  assert.deepEqual(good.json.commands.map(({ status, variable, value, comment }) => [status, variable, value, comment]),
    [[200, 'set/float', 80, 'all'], [200, 'set/int', 8, 'all'], [200, 'set/bool', true, 'own']]);

  const mixed = bulk({ variables: [{ name: 'set/float', value: 81 }, { name: 'set/int', value: 9 }, { name: 'set/text', value: 'x', expected: 'not this' }] });
  const [one, two] = [await stream.next('command'), await stream.next('command')];
  await say({ id: one.id, state: 'confirmed' }, { id: two.id, state: 'failed', code: 'DeviceOffline' });
  const reply = await mixed;
  assert.deepEqual([reply.status, reply.json.commands.map(({ status }) => status)], [207, [200, 503, 409]]);
  for (const body of [{}, { variables: [] }, { variables: {} }, { variables: [1] }, { variables: [[]] }, { variables: [{ value: 1 }] }, { variables: [{ name: 'set/int' }] }])
    assert.equal((await bulk(body)).status, 400, JSON.stringify(body));
});

test('a selection is exclusive, used up by one command, and ends', async () => {
  const rival = await grid.token({ actions: 'ReadAll,WriteVariables' });
  const select = (body, who = token) => grid.request(`${base}/selections`, { token: who, body });
  const made = await select({ variable: 'set/float' });
  assert.equal(made.status, 201);
  check('POST', `${base}/selections`, made);
  const other = await select({ variable: 'set/float' }, rival);
  assert.deepEqual([other.status, other.json.errorCode], [409, 'SelectedByAnother']);
  const blocked = await patch('set/float', { value: 90 }, { token: rival });
  assert.deepEqual([blocked.status, blocked.json.errorCode], [409, 'SelectedByAnother']);
  const stolen = await patch('set/float', { value: 90, selection: made.json.id }, { token: rival });
  assert.deepEqual([stolen.status, stolen.json.errorCode], [409, 'SelectionEnded']);
  assert.equal((await round('set/float', { value: 90, selection: made.json.id })).reply.status, 200);
  assert.equal((await patch('set/float', { value: 91, selection: made.json.id })).status, 409, 'it is used up');
  assert.equal((await round('set/float', { value: 91 }, undefined, { token: rival })).reply.status, 200);

  for (const variable of ['set/float', 'set/bool']) assert.equal((await select({ variable, expires_ms: 5000 })).status, 201);
  grid.sql(`UPDATE selection SET boot = gen_random_uuid() WHERE variable_id = (SELECT v.id FROM variable v JOIN datasource d ON d.id = v.datasource_id WHERE d.uuid = '${plant.id}' AND v.name = 'set/bool')`);
  assert.equal((await patch('set/float', { value: 92 }, { token: rival })).status, 409);
  assert.equal((await patch('set/bool', { value: true }, { token: rival })).status, 409, 'also when a hub on another machine made it');
  await sleep(5000);
  assert.equal((await round('set/float', { value: 92 }, undefined, { token: rival })).reply.status, 200, 'it has ended');
  assert.equal((await round('set/bool', { value: true }, undefined, { token: rival })).reply.status, 200, 'it has ended there as well');

  const given = await select({ variable: 'set/float' });
  const drop = (who) => grid.request(`${base}/selections/${given.json.id}`, { method: 'DELETE', token: who });
  assert.equal((await drop(rival)).status, 404);
  assert.equal((await drop(token)).status, 204);
  assert.equal((await round('set/float', { value: 93 }, undefined, { token: rival })).reply.status, 200);
  assert.equal((await select({ variable: 'seen' })).status, 403);
});

test('a variable can demand to be selected first', async () => {
  const require = (required, who) => grid.request(`${base}/selections`, { method: 'PATCH', token: who, body: { variable: 'set/int', required } });
  const engineer = await grid.token({ actions: 'ReadAll,WriteVariables,Configure', scopes: ['iiotServicesAPI'] });
  assert.equal((await require(true, token)).status, 403, 'not without Configure');
  const on = await require(true, engineer);
  assert.equal(on.status, 200, on.text);
  const bare = await patch('set/int', { value: 3 });
  assert.deepEqual([bare.status, bare.json.errorCode], [409, 'SelectionRequired']);
  const { id } = (await grid.request(`${base}/selections`, { token, body: { variable: 'set/int' } })).json;
  assert.equal((await round('set/int', { value: 3, selection: id })).reply.status, 200);
  await plant.announce(variables);
  assert.equal((await patch('set/int', { value: 4 })).status, 409, 'a plant that announces itself anew does not lift it');
  assert.equal((await require(false, engineer)).status, 200);
  assert.equal((await round('set/int', { value: 4 })).reply.status, 200);
});

test('the history can be filtered and paged', async () => {
  const list = async (query, who = token) => (await grid.request(`${base}/commands?${query}`, { token: who }));
  const all = await list('limit=500');
  check('GET', `${base}/commands`, all);
  const { items } = all.json;
  assert.ok(items.length > 20);
  assert.deepEqual(items.map(({ created }) => created), items.map(({ created }) => created).sort().reverse());
  const pages = [];
  for (let after_ = ''; after_ !== null;) {
    const page = (await list(`limit=7${after_ && `&after=${encodeURIComponent(after_)}`}`)).json;
    pages.push(...page.items);
    after_ = page.next;
  }
  assert.deepEqual(pages.map(({ id }) => id), items.map(({ id }) => id));
  for (const state of ['confirmed', 'refused', 'expired', 'failed']) {
    const found = (await list(`limit=500&state=${state}`)).json.items;
    assert.deepEqual(found.map(({ id }) => id), items.filter((item) => item.state === state).map(({ id }) => id), state);
    assert.ok(found.length > 0, state);
  }
  assert.ok((await list('limit=500&variable=set/b*')).json.items.every(({ variable }) => variable === 'set/bool'));
  assert.equal((await list(`from=${new Date(Date.now() + 1000).toISOString()}`)).json.items.length, 0);
  for (const query of ['state=odd', 'limit=0', 'after=x', 'colour=red']) assert.equal((await list(query)).status, 400, query);

  const lines = grid.ctl('command', 'list', plant.id, '--state', 'confirmed', '--variable', 'set/b*').trim().split('\n');
  assert.deepEqual(lines.map((line) => line.split('\t').at(-1)),
    items.filter(({ state, variable }) => state === 'confirmed' && variable === 'set/bool').map(({ id }) => id));
  assert.match(grid.ctl('command', 'select', plant.id, 'set/text', 'required'), /required/);
  assert.equal((await patch('set/text', { value: 'x' })).json.errorCode, 'SelectionRequired');
  grid.ctl('command', 'select', plant.id, 'set/text', 'optional');
  assert.throws(() => grid.ctl('command', 'select', plant.id, 'none', 'required'), /there is no variable/);

  const writer = await grid.token({ actions: 'ReadVariables,WriteVariables' }).catch(() => null);
  if (writer) {
    const { reply } = await round('set/float', { value: 11 }, undefined, { token: writer });
    const own = (await list('', writer)).json.items;
    assert.deepEqual(own.map(({ id }) => id), [reply.json.id], 'without ReadEvents only the own ones');
  }
  const stranger = await grid.token({ actions: null });
  assert.equal((await list('', stranger)).status, 404);
});

test('a node writes under its own rights, at the node port', async () => {
  const control = new Plant(grid, 'control');
  const target = `/hub/v1/datasources/${plant.id}/variables/set/float`;
  const write = async () => control.node.request(target, { method: 'PATCH', token: control.token ??= await control.node.token(), body: { value: 12 } });
  assert.equal((await write()).status, 404, 'what it may not read is not there');
  grid.ctl('policy', 'grant', 'node', control.node.name, 'ReadAll,WriteVariables');
  const asked = until(() => write().then((tried) => tried.status !== 404 && tried), { what: 'the right' });
  const command = await stream.next('command');
  await say({ id: command.id, state: 'confirmed' });
  const reply = await asked;
  assert.deepEqual([reply.status, reply.json.username], [200, control.node.name]);
  control.close();
});

// --- the original product's Alexa demo, as it sends and what it expects ---------

/** setValuePost and getValueGet of COPA-DATA's demo, in behaviour. */
function alexa(method, name, data) {
  const url = new URL(grid.apiUrl);
  return new Promise((resolve, reject) => {
    const request = https.request({
      host: url.hostname, port: url.port, method, ca: grid.ca, agent: false,
      path: `${base}/variables/${name}`,
      headers: {
        Authorization: `Bearer ${token}`, 'Content-Type': 'application/json',
        ...(data !== undefined && { 'Content-Length': data.length }), // UTF-16 units
      },
    }, (response) => {
      let body = '';
      response.on('data', (part) => { body += part; });
      response.on('end', () => {
        let status = response.statusCode;
        if (status !== 200 && body.includes('"errorCode":"NotFound"')) status = 404;
        resolve({ status, body });
      });
    });
    request.on('error', reject);
    request.setTimeout(60_000, () => request.destroy(new Error('it hangs')));
    request.end(data === undefined ? undefined : Buffer.from(data, 'utf8').subarray(0, data.length));
  });
}

test('the Alexa demo of the original product works unchanged', async () => {
  const confirm = async () => {
    const command = await stream.next('command');
    await say({ id: command.id, state: 'confirmed', time: new Date().toISOString() });
    return command;
  };
  for (const [name, value, shown] of [['set/float', '20', 20], ['set/bool', 1, true], ['set/text', 'hello', 'hello']]) {
    const asked = alexa('PATCH', name, JSON.stringify({ value }));
    await confirm();
    assert.equal((await asked).status, 200, name);
    const got = await alexa('GET', name);
    assert.equal(got.status, 200);
    assert.deepEqual(JSON.parse(got.body).value, shown);
  }
  const odd = alexa('PATCH', encodeURI('RobotSimForPA/Global/R1 Ünïcode'), JSON.stringify({ value: '3' }));
  assert.equal((await confirm()).variable, 'RobotSimForPA/Global/R1 Ünïcode');
  assert.equal((await odd).status, 200);
  assert.equal((await alexa('PATCH', 'no/such', JSON.stringify({ value: '20' }))).status, 404);
  assert.equal((await alexa('PATCH', 'set/text', JSON.stringify({ value: 'Größe' }))).status, 400, 'a body cut short by its length');
});

// --- waiting ---------------------------------------------------------------------

test('clients that wait hold no worker', async () => {
  let over = 0;
  const waiting = Array.from({ length: 120 }, () => patch('set/float', { value: 5, expires_ms: 300_000 }, { agent: false })
    .finally(() => { over += 1; }));
  const commands = [];
  for (const _ of waiting) commands.push(await stream.next('command'));
  for (let i = 0; i < 20; i += 1) assert.equal((await grid.request(path('seen'), { token })).status, 200);
  assert.equal(over, 0, 'all of them wait while others read');
  for (let i = 0; i < commands.length; i += 40)
    await say(...commands.slice(i, i + 40).map(({ id }) => ({ id, state: 'confirmed' })));
  const statuses = (await Promise.all(waiting)).map(({ status }) => status);
  assert.deepEqual(statuses.filter((status) => status !== 200), []);
});

test('a client that goes away leaves its command on record', async () => {
  const url = new URL(grid.url);
  const request = https.request({ host: url.hostname, port: url.port, method: 'PATCH', ca: grid.ca, agent: false, path: path('set/float'),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
  request.on('error', () => {});
  request.end(JSON.stringify({ value: 6 }));
  const command = await stream.next('command');
  request.destroy();
  await sleep(200);
  await say({ id: command.id, state: 'confirmed' });
  assert.equal((await grid.request(`${base}/commands/${command.id}`, { token })).json.state, 'confirmed');
});

test('SIGKILL of the hub: nothing is sent again, and the result still counts', { timeout: 300_000 }, async () => {
  const asked = patch('set/float', { value: 7, expires_ms: 120_000 }, { agent: false });
  const command = await stream.next('command');
  await until(() => grid.kill('hub').length > 0, { what: 'the hub to kill' });
  assert.ok((await asked).status >= 500, 'the client is told that nobody knows');
  stream = await until(async () => {
    const tried = await openStream(grid, plant.node);
    return tried.status === 200 ? tried : undefined;
  }, { what: 'a new stream' });
  await stream.next('time');
  await sleep(1000);
  assert.deepEqual(stream.all('command'), [], 'it is not sent again');
  const told = await until(async () => {
    const [result] = await say({ id: command.id, state: 'confirmed', time: new Date().toISOString() });
    return result;
  }, { what: 'the hub to listen' });
  assert.equal(told.status, 200);
  assert.equal((await grid.request(`${base}/commands/${command.id}`, { token })).json.state, 'confirmed');

  patch('set/float', { value: 8, expires_ms: 4000 }, { agent: false }).catch(() => {});
  const lost = await stream.next('command');
  await until(() => grid.kill('hub').length > 0, { what: 'the hub to kill' });
  await until(async () => (await grid.request(`${base}/commands/${lost.id}`, { token })).json.state === 'expired',
    { what: 'the expiry of a command that its hub did not live to see' });
  stream = await until(async () => {
    const tried = await openStream(grid, plant.node);
    return tried.status === 200 ? tried : undefined;
  }, { what: 'a new stream' });
  await stream.next('time');
});

test('a plant without a stream is 503, and nothing is kept for it', async () => {
  stream.close();
  const reply = await until(async () => { // the hub may learn of it a moment later
    const tried = await patch('set/float', { value: 9, expires_ms: 500 });
    return tried.status === 503 && tried;
  }, { what: 'the hub to know' });
  assert.deepEqual([reply.status, reply.json.errorCode, reply.json.state], [503, 'PlantOffline', 'refused']);
  check('PATCH', path('set/float'), reply);
  assert.ok(reply.json.errorMessage && reply.json.id);
  stream = await openStream(grid, plant.node);
  await stream.next('time');
  const { command } = await round('set/float', { value: 10 });
  assert.deepEqual(stream.all('command').map(({ id }) => id), [command.id]);
  assert.deepEqual((await eventsOf(reply.json.id)).map(([kind]) => kind), ['command.requested', 'command.refused']);
});
