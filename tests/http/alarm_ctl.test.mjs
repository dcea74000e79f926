// fieldgridctl alarm and limit; real alarm histories where they are at hand.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openGrid } from '../support/grid.mjs';

const data = process.env.FIELDGRID_DATA;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-alarm-'));
let grid;
let token;

before(async () => {
  grid = await openGrid();
  token = await grid.token();
});
after(async () => {
  fs.rmSync(folder, { recursive: true });
  await grid?.close();
});

function addPlant(name) {
  const id = randomUUID();
  grid.ctl('datasource', 'add', `${name} ${id.slice(0, 8)}`, '--uuid', id);
  return id;
}

async function query(plant, body) {
  const reply = await grid.request(`/api/v1/datasources/${plant}/alarms/query`, { token, body });
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}

/** Every alarm, page by page. */
async function all(plant, body = {}) {
  const found = [];
  for (let after; ;) {
    const page = await query(plant, { ...body, after, limit: 10_000 });
    found.push(...page.alarms);
    if (page.next === null) return found;
    after = page.next;
  }
}

function file(name, text) {
  const where = path.join(folder, name);
  fs.writeFileSync(where, text);
  return where;
}

test('a table of alarms is imported once, with its classes', async () => {
  const plant = addPlant('Import');
  const table = file('table.csv', ['# a remark, with a comma', 'variable,limit,text,came,went,kind',
    'pump/1,off,"stands, ""again""",2026-01-01T00:00:00Z,2026-01-01T00:01:00.000001Z,Stop',
    'pump/1,off,stands,2026-01-02 00:00:00,-,7', 'Größe,high,,2026-01-03T01:00:00+01:00,,Stop', ''].join('\n'));
  const run = () => grid.ctl('alarm', 'import', plant, table, '--class', '{kind}', '--priority', 2);
  assert.match(run(), /^3 of 3 alarms were new; 2 variables were made\.$/m);
  assert.match(run(), /^0 of 3 alarms were new; 0 variables/m);
  const alarms = await all(plant);
  assert.deepEqual(alarms.map(({ variableName, text, receivedTime, clearedTime, alarmClass, alarmClassName, state, priority }) =>
    [variableName, text, receivedTime, clearedTime, alarmClass, alarmClassName, state, priority]), [
    ['pump/1', 'stands, "again"', '2026-01-01T00:00:00.000Z', '2026-01-01T00:01:00.000001Z', 1, 'Stop', 'Normal', 2],
    ['pump/1', 'stands', '2026-01-02T00:00:00.000Z', null, 7, null, 'AcknowledgedActive', 2],
    ['Größe', '', '2026-01-03T00:00:00.000Z', null, 1, 'Stop', 'AcknowledgedActive', 2],
  ]);
  const kinds = grid.sql(`SELECT kind, count(*) FROM event WHERE datasource_id = (SELECT id FROM datasource WHERE uuid = '${plant}') GROUP BY 1 ORDER BY 1`);
  assert.deepEqual(kinds, [['alarm.came', '3'], ['alarm.went', '1']]);
  assert.equal(grid.ctl('alarm', 'list', plant, '--active').trim().split('\n').length, 2);
  assert.match(grid.ctl('alarm', 'list', plant, '--limit', 1), /^2026-01-03T00:00:00\.000Z\t-\tAcknowledgedActive\tGröße\thigh\t/);
});

test('what is wrong with a table is said with its line', () => {
  const plant = addPlant('Broken');
  for (const [text, words] of [
    ['variable,limit,text,came,went\na,b,c,soon,\n', /line 2: --came: "soon" is not a time/],
    ['variable,limit,came,went\na,b,2026-01-01T00:00:00Z,\n', /--text: the file has no column "text"/],
    [`variable,limit,text,came,went\na,${'x'.repeat(65)},c,2026-01-01T00:00:00Z,\n`, /a limit 1 to 64/],
  ]) assert.throws(() => grid.ctl('alarm', 'import', plant, file('broken.csv', text)), words);
  assert.throws(() => grid.ctl('alarm', 'import', plant, path.join(folder, 'nothing.csv')), /No such file/);
});

test('limits go out and come back', () => {
  const plant = addPlant('Limits');
  grid.sql(`INSERT INTO variable (datasource_id, name, kind) SELECT id, 'level', 2 FROM datasource WHERE uuid = '${plant}'`);
  const one = file('limits.csv', 'variable,name,condition,value\nlevel,high,greater,0.1\nlevel,low,less,-5\n');
  assert.match(grid.ctl('limit', 'import', plant, one), /^2 limits added, 0 changed, 0 removed/);
  const out = grid.ctl('limit', 'export', plant);
  assert.match(grid.ctl('limit', 'import', plant, file('again.csv', out)), /^0 limits added, 0 changed, 0 removed/);
  assert.match(grid.ctl('limit', 'import', plant, file('less.csv', 'variable,name,condition,value\nlevel,high,greater,0.2\n'), '--replace'),
    /^0 limits added, 1 changed, 1 removed/);
  assert.match(grid.ctl('limit', 'list', plant), /^level\thigh\tgreater\there/);
  assert.throws(() => grid.ctl('limit', 'import', plant, file('bad.csv', 'variable,name,condition,value\nlevel,x,greater,much\n')), /:2:/);
});

test('classes, groups, areas and causes go out and come back', () => {
  const [plant, other] = [addPlant('Words'), addPlant('Other words')];
  const one = file('words.json', JSON.stringify({
    classes: [{ number: 7, name: 'Process', colour: '#d2691e' }], areas: [{ name: 'Hall 1/2' }],
    causes: [{ name: 'Drive', children: [{ name: 'Größe "1"' }] }],
  }));
  assert.match(grid.ctl('vocabulary', 'import', plant, one), /^4 names and causes added, 0 changed, 0 removed/);
  const out = grid.ctl('vocabulary', 'export', plant);
  assert.match(grid.ctl('vocabulary', 'import', other, file('again.json', out)), /^4 names/);
  assert.equal(grid.ctl('vocabulary', 'export', other), out);
  assert.match(grid.ctl('vocabulary', 'import', plant, file('less.json', '{"causes": [{"name": "Drive"}]}'), '--replace'), /^0 .*, 0 changed, 3 removed/);
  assert.equal(JSON.parse(grid.ctl('vocabulary', 'export', plant)).causes[0].children[0].removed, true);
  assert.throws(() => grid.ctl('vocabulary', 'import', plant, file('bad.json', '{"causes": [{}]}')), /causes\[0\]\.name/);
});

// ALPI: alarm logs of packaging machines, D. Tosato et al., CC BY 4.0, derived.
const alpi = data && path.join(data, 'alpi_alarms/alarm_episodes.csv');
test('the alarms of a packaging line, 38,153 episodes of 20 machines', { skip: !alpi || !fs.existsSync(alpi) ? 'no alpi_alarms in FIELDGRID_DATA' : false }, async () => {
  const plant = addPlant('Packaging');
  const run = () => grid.ctl('alarm', 'import', plant, alpi, '--came', '{start_time}', '--went', '{end_time}', '--variable', 'machine/{machine_id}',
    '--limit', 'code {dominant_alarm_code}', '--text', 'Code {first_alarm_code} to {last_alarm_code}, {event_count} events');
  const rows = fs.readFileSync(alpi, 'utf8').trim().split('\n').slice(1).map((line) => line.split(','));
  const [, added] = /^(\d+) of/.exec(run());
  const distinct = new Set(rows.map((row) => row.slice(0, 7).filter((_, i) => i !== 5).join() + row[5]));
  assert.equal(Number(added), distinct.size);
  assert.match(run(), /^0 of/);
  const alarms = await all(plant);
  assert.equal(alarms.length, distinct.size);
  const whole = await grid.request(`/api/v1/datasources/${plant}/alarms/query`, { token, body: {} });
  assert.deepEqual([whole.status, whole.json.errorCode], [413, 'TooManyAlarms']);
  const machine = await all(plant, { variableFilter: { variableNames: ['machine/3'] }, timeFilter: { from: '2019-03-01T00:00:00Z', to: '2019-03-31T23:59:59.999Z' } });
  assert.equal(machine.length, rows.filter(([start, , id]) => id === '3' && start.startsWith('2019-03')).length);
  const reply = await grid.request(`/api/v1/datasources/${plant}/alarms/figures`, { token, body: { timeFilter: { from: '2019-06-01T00:00:00Z', to: '2019-06-30T23:59:59.999Z' } } });
  assert.equal(reply.json.count, rows.filter(([start]) => start.startsWith('2019-06')).length);
  assert.equal(reply.json.topTen.length, 10);
});

// Kelmarsh wind farm, C. Plumley / Cubico Sustainable Investments, CC BY 4.0.
const kelmarsh = data && path.join(data, 'kelmarsh_events/Status_Kelmarsh_6_excerpt.csv');
test('the alarms of a wind turbine', { skip: !kelmarsh || !fs.existsSync(kelmarsh) ? 'no kelmarsh_events in FIELDGRID_DATA' : false }, async () => {
  const plant = addPlant('Kelmarsh 6');
  const out = grid.ctl('alarm', 'import', plant, kelmarsh, '--came', '{Timestamp start}', '--went', '{Timestamp end}', '--variable', 'status/{Code}',
    '--limit', '{Code}', '--text', '{Message}', '--class', '{Status}');
  const rows = fs.readFileSync(kelmarsh, 'utf8').trim().split('\n').filter((line) => /^\d{4}-/.test(line));
  assert.match(out, new RegExp(`^${rows.length} of ${rows.length} `));
  const alarms = await all(plant);
  const counted = (names) => [...names.reduce((found, name) => found.set(name, (found.get(name) ?? 0) + 1), new Map())].sort();
  assert.deepEqual(counted(alarms.map(({ alarmClassName }) => alarmClassName)), counted(rows.map((line) => line.split(',')[3])));
  const open = rows.filter((line) => line.split(',')[1] === '-').length;
  assert.equal((await all(plant, { filterFlags: ['OnlyActive'] })).length, open);
  assert.equal(alarms[0].receivedTime, '2016-02-07T10:20:49.000Z');
});
