// What makes alarms and how they are sorted: limits, classes, groups, areas and
// causes, by REST and by fieldgridctl, there and back again.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openAdmin } from '../support/admin.mjs';
import { openGrid, until } from '../support/grid.mjs';
import { checker } from '../support/openapi.mjs';
import { Plant } from '../support/plant.mjs';

let grid;
let plant;
let admin;
let base;

before(async () => {
  grid = await openGrid();
  admin = await openAdmin(grid);
});
after(() => grid?.close());

/** A plant without limits. */
async function fresh() {
  plant?.close();
  plant = new Plant(grid, 'Limits');
  await plant.announce([
    ...['level', 'flow/a', 'flow/b'].map((name) => ({ name, type: 'float', unit: 'bar' })),
    { name: 'pump', type: 'bool', stepped: true }, { name: 'word', type: 'int' }, { name: 'mode', type: 'string' },
  ]);
  base = `/datasources/${plant.id}`;
  return plant;
}
after(() => plant?.close());

const limit = (more) => ({ variable: 'level', name: 'high', condition: 'greater', value: 8.5, ...more });
const code = async (promise) => { const { status, json } = await promise; return [status, json.errorCode]; };

test('a limit is made, listed, changed and removed', async () => {
  await fresh();
  const made = await admin.post(`${base}/limits`, limit({ text: 'high: {value} {unit}', areas: ['Hall "1"', 'Süd'], priority: 1, class: 7 }));
  assert.equal(made.origin, 'hub');
  assert.equal(made.evaluator, 'hub');
  assert.deepEqual(made.areas, ['Hall "1"', 'Süd']);
  assert.deepEqual(await code(admin.call('POST', `${base}/limits`, limit())), [409, 'NameTaken']);
  const changed = await admin.patch(`${base}/limits/${made.id}`, { value: 9, hysteresis: 0.5 });
  assert.deepEqual({ ...changed, changed: 0 }, { ...made, value: 9, hysteresis: 0.5, changed: 0 });
  assert.deepEqual(await admin.get(`${base}/limits/${made.id}`), changed);
  assert.equal((await admin.call('PATCH', `${base}/limits/${made.id}`, { name: 'other' })).status, 400);
  assert.deepEqual((await admin.all(`${base}/limits`)).map(({ id }) => id), [made.id]);
  assert.deepEqual((await admin.get(`${base}/alarm-areas`)).items.map(({ name }) => name).sort(), ['Hall "1"', 'Süd']);
  await admin.delete(`${base}/limits/${made.id}`);
  assert.equal((await admin.call('GET', `${base}/limits/${made.id}`)).status, 404);
});

test('another condition takes away what it has none of', async () => {
  await fresh();
  const { id } = await admin.post(`${base}/limits`, limit({ hysteresis: 0.5, onDelayMs: 1000 }));
  const change = (body) => admin.patch(`${base}/limits/${id}`, body);
  const less = await change({ condition: 'less' });
  assert.deepEqual([less.value, less.hysteresis, less.onDelayMs], [8.5, 0.5, 1000]);
  const range = await change({ condition: 'range', low: 1, high: 2 });
  assert.deepEqual([range.value, range.low, range.high, range.hysteresis], [undefined, 1, 2, 0.5]);
  assert.equal((await admin.call('PATCH', `${base}/limits/${id}`, { condition: 'change', low: 1 })).status, 400);
  const changes = await change({ condition: 'change' });
  assert.deepEqual([changes.low, changes.high, changes.hysteresis, changes.onDelayMs], [undefined, undefined, 0, 0]);
  assert.equal((await change({ condition: 'status', value: 18 })).value, 18);
});

test('of two who change a limit at once neither undoes the other', async () => {
  await fresh();
  const { id } = await admin.post(`${base}/limits`, limit());
  const turn = `pg_advisory_xact_lock(1634492782, id) FROM datasource WHERE uuid = '${plant.id}'`;
  const atOnce = async (...calls) => {
    const replies = [];
    await grid.holding(`SELECT ${turn}`, async () => {
      replies.push(...calls.map((call) => call()));
      await until(() => grid.sql('SELECT count(*) FROM pg_locks WHERE classid = 1634492782 AND NOT granted')[0][0] === '2',
        { what: 'both to wait' });
    });
    return (await Promise.all(replies)).map(({ status }) => status).sort();
  };
  const change = (body) => () => admin.call('PATCH', `${base}/limits/${id}`, body);
  assert.deepEqual(await atOnce(change({ value: 9 }), change({ text: 'too high' })), [200, 200]);
  const { value, text } = await admin.get(`${base}/limits/${id}`);
  assert.deepEqual({ value, text }, { value: 9, text: 'too high' });
  const make = (priority) => () => admin.call('POST', `${base}/limits`, limit({ name: 'new', priority }));
  assert.deepEqual(await atOnce(make(1), make(2)), [201, 409]);
});

test('limits are found by variable, origin, evaluator and text, page by page', async () => {
  await fresh();
  const many = Array.from({ length: 120 }, (_, i) => limit({ variable: ['level', 'flow/a', 'flow/b'][i % 3], name: `n${i}`, evaluatedBy: i % 2 ? 'agent' : 'hub' }));
  assert.deepEqual(await admin.put(`${base}/limits`, { limits: many }), { added: 120, changed: 0, removed: 0 });
  assert.equal((await admin.all(`${base}/limits`, 50)).length, 120);
  assert.equal((await admin.all(`${base}/limits?variable=flow/*`)).length, 80);
  assert.equal((await admin.all(`${base}/limits?evaluator=agent&sort=-changed`)).length, 60);
  assert.equal((await admin.all(`${base}/limits?search=n11`)).length, 11);
  assert.equal((await admin.all(`${base}/limits?origin=agent`)).length, 0);
});

test('what cannot be evaluated is refused, and the place is named', async () => {
  await fresh();
  for (const [more, field] of [
    [{ variable: 'nothing' }, /variable/], [{ name: '' }, /name/], [{ name: 'x'.repeat(65) }, /name/],
    [{ condition: 'sometimes' }, /condition/], [{ value: undefined }, /value/], [{ variable: 'pump' }, /condition/],
    [{ condition: 'range', value: undefined, low: 5, high: 1 }, /low|high/], [{ priority: 5 }, /priority/], [{ class: 65536 }, /class/],
    [{ areas: ['a', 'b', 'c', 'd', 'e'] }, /areas/], [{ onDelayMs: -1 }, /onDelayMs/], [{ hysteresis: -1 }, /hysteresis/],
    [{ evaluatedBy: 'moon' }, /evaluatedBy/], [{ colour: 'red' }, /colour/],
  ]) {
    const reply = await admin.call('POST', `${base}/limits`, limit(more));
    assert.equal(reply.status, 400, JSON.stringify(more));
    assert.match(reply.json.errorMessage, field, JSON.stringify(more));
  }
  const many = await admin.call('PUT', `${base}/limits`, { limits: [limit(), limit({ name: 'b', priority: 0 })] });
  assert.equal(many.status, 400);
  assert.match(many.json.errorMessage, /limits\[1\]\.priority/);
  assert.deepEqual(await code(admin.call('PUT', `${base}/limits`, { limits: [limit(), limit()] })), [400, 'GivenTwice']);
  assert.equal((await admin.all(`${base}/limits`)).length, 0, 'all or none');
});

const examples = [
  limit({ hysteresis: 0.1, onDelayMs: 1000, offDelayMs: 2000, text: 'a;b,"c"\n{value}', class: 1, group: 2, areas: ['x', 'y'], priority: 4 }),
  limit({ name: 'low', condition: 'less', value: -1e-7, mustAcknowledge: false, commentRequired: true, causeRequired: true }),
  limit({ name: 'band', condition: 'outside', value: undefined, low: 0.1, high: 0.30000000000000004 }),
  { variable: 'pump', name: 'on', condition: 'equal', value: 1, eachChange: true, enabled: false },
  { variable: 'word', name: 'bit', condition: 'bit', value: 3, reactivates: true, suppressedBy: 'pump' },
  { variable: 'mode', name: 'stop', condition: 'equal', value: 'STOP, "now"' },
  { variable: 'flow/a', name: 'bad', condition: 'status', value: 18, evaluatedBy: 'hub' },
];

test('limits go out as JSON and come back the same', async () => {
  await fresh();
  await admin.put(`${base}/limits`, { limits: examples });
  const out = await admin.get(`${base}/limits.json`);
  assert.equal(out.limits.length, examples.length);
  assert.deepEqual(await admin.put(`${base}/limits`, out), { added: 0, changed: 0, removed: 0 });
  await fresh();
  assert.deepEqual(await admin.put(`${base}/limits`, out), { added: examples.length, changed: 0, removed: 0 });
  assert.deepEqual(await admin.get(`${base}/limits.json`), out);
});

test('limits go out as CSV and come back the same', async () => {
  await fresh();
  await admin.put(`${base}/limits`, { limits: examples });
  const json = await admin.get(`${base}/limits.json`);
  const csv = await admin.call('GET', `${base}/limits.csv`);
  assert.equal(csv.status, 200);
  await fresh();
  const put = (text, query = '') => admin.call('PUT', `${base}/limits.csv${query}`, text, { 'content-type': 'text/csv' });
  const reply = await put(csv.text);
  assert.equal(reply.status, 200, reply.text);
  assert.deepEqual(reply.json, { added: examples.length, changed: 0, removed: 0 });
  assert.deepEqual(await admin.get(`${base}/limits.json`), json);
  assert.equal((await admin.call('GET', `${base}/limits.csv`)).text, csv.text);
  const broken = await put('variable,name,condition,value\nlevel,a,greater,much\n');
  assert.equal(broken.status, 400);
  assert.match(broken.json.errorMessage, /:2:/);
  const one = await put('variable,name,condition,value\nlevel,only,greater,1\n', '?replace=true');
  assert.deepEqual(one.json, { added: 1, changed: 0, removed: examples.length });
  assert.equal((await put('', '')).status, 400);
  assert.equal((await admin.call('PUT', `${base}/limits.csv`, '{}', { 'content-type': 'application/json' })).status, 415);
});

test('a plant may have 30,000 limits, and no more', async () => {
  await fresh();
  grid.sql(`INSERT INTO alarm_limit (datasource_id, variable_id, name, origin, condition, value)
    SELECT d.id, v.id, 'n' || n, 2, 1, n FROM datasource d JOIN variable v ON v.datasource_id = d.id AND v.name = 'level'
    , generate_series(1, 26000) AS n WHERE d.uuid = '${plant.id}'`);
  const rows = (count) => `variable,name,condition,value\n${Array.from({ length: count }, (_, i) => `flow/a,n${i},greater,${i}`).join('\n')}\n`;
  const put = (text) => admin.call('PUT', `${base}/limits.csv`, text, { 'content-type': 'text/csv' });
  assert.deepEqual((await put(rows(4000))).json, { added: 4000, changed: 0, removed: 0 });
  assert.equal((await put('variable,name,condition,value\nlevel,one more,greater,1\n')).status, 413);
  assert.equal((await admin.get(`${base}/limits?search=one%20more`)).items.length, 0);
});

test('classes, groups and areas get names and colours, which alarms then tell', async () => {
  await fresh();
  assert.deepEqual(await admin.put(`${base}/alarm-classes/7`, { name: 'Process', colour: '#d2691e' }),
    { number: 7, name: 'Process', colour: '#d2691e', description: '' });
  assert.equal((await admin.put(`${base}/alarm-classes/7`, { description: 'of the process' })).name, 'Process');
  await admin.put(`${base}/alarm-groups/9`, { name: 'Filling' });
  await admin.put(`${base}/alarm-areas/${encodeURIComponent('Hall 1/2')}`, { description: 'where' });
  assert.deepEqual((await admin.get(`${base}/alarm-areas`)).items, [{ name: 'Hall 1/2', colour: '', description: 'where' }]);
  for (const [place, body] of [['alarm-classes/65536', { name: 'x' }], ['alarm-classes/x', { name: 'x' }], ['alarm-classes/1', {}],
    ['alarm-classes/1', { name: 'x', colour: 'red' }], ['alarm-areas/a', { name: 'b' }]])
    assert.equal((await admin.call('PUT', `${base}/${place}`, body)).status, 400, place);
  grid.sql(`INSERT INTO alarm (id, datasource_id, variable_id, came_us, changed_us, limit_name, class_number, group_number)
    SELECT '${randomUUID()}', d.id, v.id, 1770000000000000, 1770000000000000, 'high', 7, 9
    FROM datasource d JOIN variable v ON v.datasource_id = d.id AND v.name = 'level' WHERE d.uuid = '${plant.id}'`);
  const { alarms } = (await grid.request(`/api/v1/datasources/${plant.id}/alarms/query`, { cookie: admin.cookie, headers: { origin: grid.url }, body: {} })).json;
  assert.deepEqual([alarms[0].alarmClassName, alarms[0].alarmClassColour, alarms[0].alarmGroupName], ['Process', '#d2691e', 'Filling']);
  await admin.delete(`${base}/alarm-classes/7`);
  assert.equal((await admin.get(`${base}/alarm-classes`)).items.length, 0);
  assert.equal((await admin.call('DELETE', `${base}/alarm-classes/7`)).status, 404);
  assert.equal((await admin.call('GET', `${base}/alarm-colours`)).status, 404);
});

test('causes are a tree of five levels; an entry can be removed, not deleted', async () => {
  await fresh();
  let parent;
  for (const name of ['Drive', 'Belt', 'Slips', 'Worn', 'Old'])
    parent = (await admin.post(`${base}/alarm-causes`, { name, parent })).id;
  assert.deepEqual(await code(admin.call('POST', `${base}/alarm-causes`, { name: 'Six', parent })), [400, 'TooDeep']);
  assert.deepEqual(await code(admin.call('POST', `${base}/alarm-causes`, { name: 'Drive' })), [409, 'NameTaken']);
  assert.equal((await admin.call('POST', `${base}/alarm-causes`, { name: 'x', parent: randomUUID() })).status, 400);
  const { causes } = await admin.get(`${base}/alarm-causes`);
  const names = (list) => list.flatMap(({ name, children }) => [name, ...names(children)]);
  assert.deepEqual(names(causes), ['Drive', 'Belt', 'Slips', 'Worn', 'Old']);
  const belt = causes[0].children[0];
  assert.equal((await admin.patch(`${base}/alarm-causes/${belt.id}`, { removed: true })).removed, true);
  assert.equal((await admin.patch(`${base}/alarm-causes/${belt.id}`, { removed: false, name: 'V-belt' })).name, 'V-belt');
  assert.equal((await admin.call('PATCH', `${base}/alarm-causes/${randomUUID()}`, { removed: true })).status, 404);
});

const vocabulary = {
  classes: [{ number: 0, name: 'None', colour: '', description: '' }, { number: 7, name: 'Process "A"', colour: '#d2691e', description: 'Süd' }],
  groups: [{ number: 7, name: 'Filling', colour: '', description: '' }],
  areas: [{ name: 'Hall 1/2', colour: '#000000', description: '' }],
  causes: [{
    name: 'Drive', description: 'of the belt', removed: false, children: [
      { name: 'Belt', description: '', removed: true, children: [] },
      { name: 'Motor', description: '', removed: false, children: [{ name: 'Belt', description: '', removed: false, children: [] }] }],
  }, { name: 'Power', description: '', removed: false, children: [] }],
};

test('classes, groups, areas and causes go out as one file and come back the same', async () => {
  await fresh();
  const put = (body, query = '') => admin.put(`${base}/alarm-vocabulary${query}`, body);
  const get = () => admin.get(`${base}/alarm-vocabulary`);
  assert.deepEqual(await get(), { classes: [], groups: [], areas: [], causes: [] });
  assert.deepEqual(await put(vocabulary), { added: 9, changed: 0, removed: 0 });
  assert.deepEqual(await get(), vocabulary);
  assert.deepEqual(await put(await get()), { added: 0, changed: 0, removed: 0 });
  const ids = ({ causes }) => causes.map(({ id }) => id);
  const before = ids(await admin.get(`${base}/alarm-causes`));
  assert.deepEqual(await put({ classes: [{ number: 7, name: 'P' }], causes: [{ name: 'Drive', children: [{ name: 'New' }] }] }),
    { added: 1, changed: 2, removed: 0 }, 'a class and a description change, the rest stays');
  assert.deepEqual(await put(vocabulary, '?replace=true'), { added: 0, changed: 2, removed: 1 });
  const { causes, ...names } = await get();
  assert.deepEqual({ ...names, causes: vocabulary.causes }, vocabulary);
  assert.deepEqual(causes[0].children.map(({ name, removed }) => [name, removed]), [['Belt', true], ['Motor', false], ['New', true]]);
  assert.deepEqual(ids(await admin.get(`${base}/alarm-causes`)), before, 'alarms keep their causes');
  assert.deepEqual(await put({}, '?replace=true'), { added: 0, changed: 0, removed: 8 });
  assert.ok((await get()).causes.every(({ removed }) => removed), 'causes are never deleted');
});

test('a file of words that is wrong is refused as a whole, and the place is named', async () => {
  await fresh();
  const deep = (levels) => ({ name: 'x', ...(levels > 1 && { children: [deep(levels - 1)] }) });
  for (const [body, errorCode, place] of [
    [{ classes: [{ number: 1, name: 'a' }, { name: 'b' }] }, 'BadRequest', /classes\[1\]\.number/],
    [{ groups: [{ number: 65536, name: 'a' }] }, 'BadRequest', /groups\[0\]\.number/],
    [{ areas: [{ name: 'a', number: 1 }] }, 'BadRequest', /areas\[0\]\.number/],
    [{ areas: [{ name: ' a' }] }, 'BadName', /areas\[0\]/],
    [{ classes: [{ number: 1, name: 'a', colour: 'red' }] }, 'BadColour', /classes\[0\]/],
    [{ classes: {} }, 'BadRequest', /classes/],
    [{ classes: [1] }, 'BadRequest', /classes\[0\]/],
    [{ causes: [{ name: 'a', children: [{ name: '' }] }] }, 'BadName', /causes\[0\]\.children\[0\]/],
    [{ causes: [deep(6)] }, 'TooDeep', /five|5/],
    [{ causes: [{ name: 'a', children: [{ name: 'b' }, { name: 'b' }] }] }, 'GivenTwice', /a \/ b/],
    [{ classes: [{ number: 4, name: 'a' }, { number: 4, name: 'b' }] }, 'GivenTwice', /class 4/],
    [{ causes: [{ name: 'a', id: randomUUID() }] }, 'BadRequest', /causes\[0\]\.id/],
    [{ words: [] }, 'BadRequest', /words/],
  ]) {
    const reply = await admin.call('PUT', `${base}/alarm-vocabulary`, { areas: [{ name: 'good' }], ...body });
    assert.deepEqual([reply.status, reply.json.errorCode], [400, errorCode], JSON.stringify(body));
    assert.match(reply.json.errorMessage, place);
  }
  assert.equal((await admin.call('PUT', `${base}/alarm-vocabulary?replace=perhaps`, {})).status, 400);
  assert.equal((await admin.call('PUT', `${base}/alarm-vocabulary`, '[]', { 'content-type': 'text/csv' })).status, 415);
  const many = (count) => ({ causes: [{ name: 'all', children: Array.from({ length: count - 1 }, (_, i) => ({ name: `n${i}` })) }] });
  assert.deepEqual(await admin.put(`${base}/alarm-vocabulary`, many(10_000)), { added: 10_000, changed: 0, removed: 0 });
  assert.deepEqual(await code(admin.call('PUT', `${base}/alarm-vocabulary`, { causes: [{ name: 'one more' }] })), [413, 'TooManyCauses']);
  assert.deepEqual(await code(admin.call('PUT', `${base}/alarm-vocabulary`, many(10_001))), [413, 'TooManyCauses']);
  assert.deepEqual((await admin.get(`${base}/alarm-areas`)).items, [], 'all or none');
});

test('who may configure a variable may configure its limits, and no others', async () => {
  await fresh();
  await admin.post(`${base}/limits`, limit());
  const check = checker();
  const some = `limit-some-${process.pid}`;
  const token = await grid.token({ actions: 'ReadAll', id: some });
  grid.ctl('policy', 'grant', 'client', some, 'Configure', '--variables', 'flow/*');
  const ask = async (method, place, body, options = {}) => {
    const target = `/api/v1/admin${base}${place}`;
    const reply = await grid.request(target, { method, body, token, ...options });
    check(method, target, reply);
    return reply;
  };
  assert.equal((await ask('POST', '/limits', limit())).status, 403);
  const made = await ask('POST', '/limits', limit({ variable: 'flow/a' }));
  assert.equal(made.status, 201, made.text);
  assert.deepEqual((await ask('GET', '/limits')).json.items.map(({ variable }) => variable), ['flow/a']);
  assert.deepEqual((await ask('GET', '/limits.json')).json.limits.map(({ variable }) => variable), ['flow/a']);
  assert.equal((await ask('PUT', '/limits', { limits: [limit({ name: 'x' })] })).status, 403);
  assert.equal((await ask('PUT', '/limits', { limits: [], replace: true })).status, 403);
  const blind = `limit-blind-${process.pid}`; // knows of flow/* alone
  const blindToken = await grid.token({ actions: null, id: blind });
  grid.ctl('policy', 'grant', 'client', blind, 'ReadAll,Configure', '--variables', 'flow/*');
  for (const method of ['PUT', 'POST'])
    assert.deepEqual(await Promise.all(['level', 'nothing'].map(async (variable) => {
      const body = method === 'PUT' ? { limits: [limit({ variable })] } : limit({ variable });
      const reply = await ask(method, '/limits', body, { token: blindToken });
      return [reply.status, reply.json.errorMessage];
    })), Array(2).fill([400, `"${method === 'PUT' ? 'limits[0].' : ''}variable" names no variable.`]), method);
  const other = (await admin.all(`${base}/limits?variable=level`))[0];
  for (const [method, body] of [['GET'], ['PATCH', { value: 1 }], ['DELETE']])
    assert.equal((await ask(method, `/limits/${other.id}`, body)).status, 403, method);
  assert.equal((await ask('PUT', '/alarm-classes/1', { name: 'x' })).status, 403);
  assert.equal((await ask('POST', '/alarm-causes', { name: 'x' })).status, 403);
  assert.equal((await ask('GET', '/alarm-vocabulary')).status, 403);
  assert.equal((await ask('PUT', '/alarm-vocabulary', {})).status, 403);
  assert.equal((await ask('GET', '/alarm-causes')).status, 200);
  const reader = await grid.token();
  assert.equal((await ask('GET', '/limits', undefined, { token: reader })).status, 403);
  const nobody = await grid.token({ actions: null });
  assert.equal((await ask('GET', '/limits', undefined, { token: nobody })).status, 404);
});
