// Alarms: the Alarm Message List as its clients ask for it, each answer held
// against an oracle and the OpenAPI document, and what people do with alarms.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';
import { checker } from '../support/openapi.mjs';
import { Plant } from '../support/plant.mjs';

const START = Date.parse('2026-03-01T12:00:00.000Z');
const HOUR = 3600_000;
const at = (ms) => new Date(START + ms).toISOString();

let grid;
let plant;
let token; // reads and acknowledges
let check;
let ids; // of the variables, by name

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Alarms');
  await plant.announce([
    ...['line/a', 'line/b', 'Größe', 'power'].map((name) => ({ name, type: 'float', unit: 'kW' })),
    { name: 'hidden', type: 'float', access: 'none' },
  ]);
  ids = Object.fromEntries(grid.sql(`SELECT v.name, v.id FROM variable v JOIN datasource d
    ON d.id = v.datasource_id WHERE d.uuid = '${plant.id}'`));
  token = await grid.token({ actions: 'ReadAll,AcknowledgeAlarms' });
  check = checker();
});
after(async () => {
  plant?.close();
  await grid?.close();
});

async function ask(target, options = {}) {
  const reply = await grid.request(target, { token, ...options });
  check(options.method ?? (options.body === undefined ? 'GET' : 'POST'), target, reply);
  return reply;
}

const place = (rest = '') => `/api/v1/datasources/${plant.id}/alarms${rest}`;
const query = (body, options) => ask(place('/query'), { body, ...options });
const found = async (body, options) => {
  const reply = await query(body, options);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
};
const change = (id, body, options) => ask(place(`/${id}`), { method: 'PATCH', body, ...options });

const quote = (value) => (value === null || value === undefined ? 'NULL'
  : Array.isArray(value) ? `ARRAY[${value.map(quote)}]::text[]`
    : typeof value === 'number' || typeof value === 'boolean' ? String(value) : `'${value.replaceAll("'", "''")}'`);

/** Put alarms straight into the list: { variable, came, went?, … }, ms. */
function put(...alarms) {
  const us = (ms) => (ms === undefined || ms === null ? null : (START + ms) * 1000);
  const rows = alarms.map((alarm) => {
    alarm.id ??= randomUUID();
    return `(${[`'${alarm.id}'::uuid`, `(SELECT id FROM datasource WHERE uuid = '${plant.id}')`, ids[alarm.variable],
      us(alarm.came), us(alarm.went), us(alarm.acknowledged), us(alarm.came),
      us(alarm.shelvedUntil), alarm.flags ?? 0, alarm.class ?? 0, alarm.group ?? 0, alarm.priority ?? 3,
      alarm.mustAcknowledge ?? true, alarm.commentRequired ?? false, alarm.causeRequired ?? false,
      alarm.suppressed ?? false, alarm.outOfService ?? false, quote(alarm.limit ?? 'high'),
      quote(alarm.text ?? 'too high'), quote(alarm.value ?? null), quote(alarm.areas ?? [])].map((value) => value ?? 'NULL')})`;
  });
  grid.sql(`INSERT INTO alarm (id, datasource_id, variable_id, came_us, went_us, acknowledged_us, changed_us,
    shelved_until_us, flags, class_number, group_number, priority, must_acknowledge, comment_required, cause_required,
    suppressed, out_of_service, limit_name, text, value, areas) VALUES ${rows}`);
  return alarms;
}

const events = (id) => grid.sql(`SELECT kind, coalesce(value, '-'), coalesce(old_value, '-'), username
  FROM event WHERE about = '${id}' ORDER BY id`);
const clear = () => grid.sql(`DELETE FROM alarm WHERE variable_id IN (${Object.values(ids)});
  DELETE FROM alarm_hold WHERE variable_id IN (${Object.values(ids)})`);

// --- the list ------------------------------------------------------------------

describe('alarms/query', () => {
  before(clear);

  test('tells every column of the list', async () => {
    const [{ id }] = put({
      variable: 'power', came: 1, went: 61_001, value: '99.5', text: 'power {x} "high"', priority: 1, class: 7, group: 9,
      areas: ['Hall 1', 'Hall 2'], flags: 3,
    });
    const { alarms, next } = await found({ timeFilter: { from: at(0), to: at(HOUR), type: 'Absolute' } });
    assert.equal(next, null);
    const { modifiedTime, ...alarm } = alarms[0];
    assert.ok(Math.abs(Date.parse(modifiedTime) - Date.now()) < 60_000);
    assert.deepEqual(alarm, {
      id, variableName: 'power', value: 99.5, text: 'power {x} "high"', comment: null, receivedTime: at(1),
      clearedTime: at(61_001), acknowledgedTime: null, computer: null, username: null, userFullName: null,
      state: 'ReturnedUnacknowledged', alarmStatus: 'cleared', status: 0, uncertain: true, chattering: true,
      activeMs: 61_000, reactivatedTime: null, reactivatedCount: 0, changedTime: at(1), limit: 'high', identification: '',
      unit: 'kW', alarmClass: 7, alarmClassName: null, alarmClassColour: null, alarmGroup: 9, alarmGroupName: null,
      alarmAreas: ['Hall 1', 'Hall 2'], priority: 1, mustAcknowledge: true, commentRequired: false, causeRequired: false,
      alarmCause: [], shelved: null, suppressed: null, outOfService: null,
    });
    clear();
  });

  test('takes what the version 1 client sends', async () => {
    put({ variable: 'line/a', came: 0 }, { variable: 'line/b', came: 10, went: 20 });
    const timeFilter = { from: at(0), to: at(HOUR), type: 'Absolute' };
    const all = { timeFilter, variableFilter: { variableNames: ['*'] } };
    assert.equal((await found(all)).alarms.length, 2);
    for (const [flags, count] of [[['OnlyActive'], 1], [['OnlyCleared'], 1], [['OnlyUnacknowledged'], 2],
      [['OnlyActive', 'OnlyCleared'], 0], [['onlycleared', 'OnlyUnacknowledged'], 1]])
      assert.equal((await found({ ...all, filterFlags: flags })).alarms.length, count, flags);
    assert.equal((await found({ timefilter: timeFilter, variableFilter: { variablenames: ['line/?'] } })).alarms.length, 2);
    assert.deepEqual((await found({ timeFilter, variableFilter: { variableNames: ['nothing'] } })), { alarms: [], next: null });
    clear();
  });

  test('knows relative times', async () => {
    const ago = (ms) => Date.now() - START - ms;
    put({ variable: 'line/a', came: ago(HOUR) }, { variable: 'line/b', came: ago(60_000) });
    const count = async (timeFilter) => (await found({ timeFilter })).alarms.length;
    assert.equal(await count({ type: 'Relative', last: '5m' }), 1);
    assert.equal(await count({ last: '2h' }), 2);
    assert.equal(await count({ type: 'relative', last: '2h', until: '30m' }), 1);
    assert.equal(await count({ type: 'Relative', last: '30s' }), 0);
    clear();
  });

  test('says what is wrong with a question', async () => {
    for (const [body, field] of [
      [{ timeFilter: { from: at(1), to: at(0) } }, /behind/],
      [{ timeFilter: { from: at(1) } }, /timeFilter.to/],
      [{ timeFilter: { type: 'Relative', last: '5 minutes' } }, /timeFilter.last/],
      [{ timeFilter: { type: 'Relative', last: '521w' } }, /timeFilter.last/],
      [{ timeFilter: { type: 'Relative', last: '5m', from: at(0) } }, /relative/],
      [{ timeFilter: { type: 'Absolute', from: at(0), to: at(1), last: '5m' } }, /absolute/],
      [{ timeFilter: { type: 'Lunar', last: '5m' } }, /"Relative"/],
      [{ filterFlags: ['OnlyLoud'] }, /OnlyActive/],
      [{ states: ['Loud'] }, /SuppressedByDesign/],
      [{ sort: 'loudness' }, /receivedTime/],
      [{ after: 'x' }, /"next"/],
      [{ after: Buffer.from('priority\n00000000-0000-4000-8000-000000000000\n1').toString('base64url') }, /"next"/],
      [{ limit: 0 }, /limit/],
      [{ limit: 10_001 }, /limit/],
      [{ alarmClasses: ['one'] }, /alarmClasses/],
      [{ alarmClasses: [-1] }, /alarmClasses/],
      [{ colour: 'red' }, /colour/],
    ]) {
      const reply = await query(body);
      assert.equal(reply.status, 400, JSON.stringify(body));
      assert.match(reply.json.errorMessage, field, JSON.stringify(body));
    }
  });

  test('shows each caller what it may see', async () => {
    put({ variable: 'line/a', came: 0 }, { variable: 'power', came: 1 }, { variable: 'hidden', came: 2 });
    const names = async (other) => (await found({}, { token: other })).alarms.map(({ variableName }) => variableName);
    assert.deepEqual(await names(token), ['line/a', 'power']);
    const some = await grid.token({ actions: null, id: `alarm-some-${process.pid}` });
    grid.ctl('policy', 'grant', 'client', `alarm-some-${process.pid}`, 'ReadAlarms', '--variables', 'line/*');
    assert.deepEqual(await names(some), ['line/a']);
    const but = await grid.token({ id: `alarm-but-${process.pid}` });
    grid.ctl('policy', 'grant', 'client', `alarm-but-${process.pid}`, 'ReadAlarms', '--variables', 'line/*', '--deny');
    assert.deepEqual(await names(but), ['power']);
    const values = await grid.token({ actions: 'ReadVariables' });
    assert.equal((await query({}, { token: values })).status, 403);
    const stranger = await grid.token({ actions: null });
    assert.equal((await query({}, { token: stranger })).status, 404);
    assert.equal((await query({}, { token: 'none' })).status, 401);
    clear();
  });
});

// --- the oracle ----------------------------------------------------------------

/** A small generator, so that a failure can be repeated. */
function dice(seed) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return { number: (below) => Math.floor(next() * below), pick: (list) => list[Math.floor(next() * list.length)], chance: (p) => next() < p };
}

const STATES = ['Normal', 'UnacknowledgedActive', 'AcknowledgedActive', 'ReturnedUnacknowledged', 'Shelved',
  'SuppressedByDesign', 'OutOfService'];

function stateOf(alarm, now) {
  const seen = alarm.acknowledged !== undefined || !alarm.mustAcknowledge;
  if (alarm.went !== undefined && seen) return 'Normal';
  if (alarm.outOfService) return 'OutOfService';
  if (alarm.suppressed || (alarm.flags & 4) !== 0) return 'SuppressedByDesign';
  if (alarm.shelvedUntil !== undefined && START + alarm.shelvedUntil > now) return 'Shelved';
  if (alarm.went !== undefined) return 'ReturnedUnacknowledged';
  return seen ? 'AcknowledgedActive' : 'UnacknowledgedActive';
}

const matches = (pattern, text) => new RegExp(`^${pattern.replace(/[.+^$()|[\]{}\\]/g, '\\$&')
  .replaceAll('*', '[^]*').replaceAll('?', '.')}$`, 'iu').test(text);

test('random questions about random alarms get the answers of the oracle', async () => {
  const { number, pick, chance } = dice(20260301);
  const words = ['too high', 'too low', '100 % full', 'back_flow', 'Überdruck', 'a\\b'];
  const maybe = (p, make) => (chance(p) ? make() : undefined);
  const now = Date.now() - START;
  const alarms = Array.from({ length: 400 }, () => {
    const came = number(40) * 60_000;
    return {
      variable: pick(['line/a', 'line/b', 'Größe', 'power', 'hidden']),
      came, went: maybe(0.6, () => came + number(HOUR)), acknowledged: maybe(0.5, () => came + number(HOUR)),
      shelvedUntil: maybe(0.2, () => now + (chance(0.5) ? HOUR : -HOUR)), flags: number(8), class: number(4), group: number(3),
      priority: 1 + number(4), mustAcknowledge: chance(0.7), suppressed: chance(0.1), outOfService: chance(0.1),
      text: pick(words), areas: ['north', 'south', 'east'].filter(() => chance(0.4)),
    };
  });
  put(...alarms);
  const visible = alarms.filter(({ variable }) => variable !== 'hidden');

  const question = () => {
    const from = number(40) * 60_000;
    return {
      timeFilter: maybe(0.6, () => ({ from: at(from), to: at(from + number(HOUR)), type: 'Absolute' })),
      variableFilter: maybe(0.5, () => ({ variableNames: pick([['*'], ['line/*'], ['power', '*?'], ['G??ße'], ['LINE/a'], ['line/a', 'power']]) })),
      filterFlags: maybe(0.5, () => ['OnlyActive', 'OnlyCleared', 'OnlyUnacknowledged'].filter(() => chance(0.4))),
      states: maybe(0.3, () => STATES.filter(() => chance(0.4))),
      alarmClasses: maybe(0.3, () => [number(4), number(5)]),
      alarmGroups: maybe(0.2, () => [number(4)]),
      alarmAreas: maybe(0.2, () => [pick(['north', 'south', 'nowhere'])]),
      priorities: maybe(0.3, () => [1 + number(4), 1 + number(4)]),
      text: maybe(0.3, () => pick(['*high*', 'too ???*', '100 % *', 'back_*', 'backx*', 'ÜBER*', 'a\\b', '*'])),
      sort: maybe(0.7, () => pick(['', '-']) + pick(['receivedTime', 'clearedTime', 'acknowledgedTime', 'priority', 'variableName', 'alarmClass'])),
      limit: maybe(0.8, () => 1 + number(60)),
    };
  };
  const holds = (body, alarm) => {
    const time = START + alarm.came;
    const { timeFilter, variableFilter, filterFlags = [] } = body;
    return (!timeFilter || (time >= Date.parse(timeFilter.from) && time <= Date.parse(timeFilter.to))) &&
      (!variableFilter || variableFilter.variableNames.some((pattern) =>
        matches(pattern, alarm.variable) && (pattern !== 'LINE/a'))) &&
      (!filterFlags.includes('OnlyActive') || alarm.went === undefined) &&
      (!filterFlags.includes('OnlyCleared') || alarm.went !== undefined) &&
      (!filterFlags.includes('OnlyUnacknowledged') || alarm.acknowledged === undefined) &&
      (!body.states || body.states.includes(stateOf(alarm, Date.now()))) &&
      (!body.alarmClasses || body.alarmClasses.includes(alarm.class)) &&
      (!body.alarmGroups || body.alarmGroups.includes(alarm.group)) &&
      (!body.alarmAreas || body.alarmAreas.some((area) => alarm.areas.includes(area))) &&
      (!body.priorities || body.priorities.includes(alarm.priority)) &&
      (!body.text || matches(body.text, alarm.text));
  };
  const key = {
    receivedTime: ({ receivedTime }) => Date.parse(receivedTime), clearedTime: ({ clearedTime }) => Date.parse(clearedTime ?? 0),
    acknowledgedTime: ({ acknowledgedTime }) => Date.parse(acknowledgedTime ?? 0), priority: ({ priority, receivedTime }) => priority * 1e14 - Date.parse(receivedTime),
    variableName: ({ variableName }) => Buffer.from(variableName).toString('hex'), alarmClass: (alarm) => alarm.alarmClass,
  };

  for (let round = 0; round < 150; round++) {
    const body = question();
    const label = JSON.stringify(body);
    const got = [];
    let pages = 0;
    for (let after; ;) {
      const page = await found({ ...body, after });
      got.push(...page.alarms);
      assert.ok(page.alarms.length <= (body.limit ?? 10_000), label);
      if (page.next === null) break;
      assert.equal(page.alarms.length, body.limit, label);
      after = page.next;
      assert.ok(++pages < 500, label);
    }
    assert.deepEqual(got.map(({ id }) => id).sort(),
      visible.filter((alarm) => holds(body, alarm)).map(({ id }) => id).sort(), label);
    const sort = body.sort ?? 'receivedTime';
    const keys = got.map(key[sort.replace('-', '')]);
    for (let i = 1; i < keys.length; i++)
      assert.ok(sort.startsWith('-') ? keys[i - 1] >= keys[i] : keys[i - 1] <= keys[i], `${label} ${keys[i - 1]} ${keys[i]}`);
  }
  clear();
});

// --- what people do --------------------------------------------------------------

describe('an alarm', () => {
  before(clear);

  test('is acknowledged once, by whom and from where, and leaves one event', async () => {
    const [{ id }] = put({ variable: 'power', came: 0 });
    const before_ = Date.now();
    const reply = await change(id, { acknowledge: true, comment: 'seen, "Ü"' });
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.json.state, 'AcknowledgedActive');
    assert.ok(Date.parse(reply.json.acknowledgedTime) >= before_ - 1000);
    assert.equal(reply.json.comment, 'seen, "Ü"');
    assert.match(reply.json.username, /^test-/);
    assert.equal(reply.json.computer, '127.0.0.1');
    const again = await change(id, { acknowledge: true, comment: 'seen, "Ü"' });
    assert.equal(again.status, 200);
    assert.equal(again.json.acknowledgedTime, reply.json.acknowledgedTime);
    assert.deepEqual(events(id).map(([kind]) => kind), ['alarm.commented', 'alarm.acknowledged']);
    assert.equal((await found({ filterFlags: ['OnlyUnacknowledged'] })).alarms.length, 0);
    const audited = grid.sql(`SELECT count(*) FROM audit_entry WHERE action = 'alarm.change' AND object = 'alarm:${id}'`);
    assert.deepEqual(audited, [['1']]);
    clear();
  });

  test('names the person who acknowledged', async () => {
    const name = `alarm-anna-${process.pid}`;
    const user = grid.addUser(name, '--full-name', 'Anna Ampere');
    grid.ctl('policy', 'grant', 'user', name, 'ReadAll,AcknowledgeAlarms');
    const cookie = await grid.logIn(user);
    const [{ id }] = put({ variable: 'power', came: 0 });
    const reply = await change(id, { acknowledge: true }, { token: undefined, cookie, headers: { origin: grid.url } });
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.json.username, name);
    assert.equal(reply.json.userFullName, 'Anna Ampere');
    clear();
  });

  test('keeps every comment in the events', async () => {
    const [{ id }] = put({ variable: 'power', came: 0 });
    await change(id, { comment: 'one' });
    await change(id, { comment: 'two' });
    await change(id, { comment: 'two' });
    assert.deepEqual(events(id).map(([kind, value, old]) => [kind, value, old]),
      [['alarm.commented', 'one', '-'], ['alarm.commented', 'two', 'one']]);
    clear();
  });

  test('is on record in words that everybody can read, whatever a client wrote', async () => {
    const [{ id }] = put({ variable: 'power', came: 0 });
    const reply = await change(id, '{"comment":"half a \\ud800 pair"}', { headers: { 'content-type': 'application/json' } });
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(grid.sql(`SELECT new_value->'request'->>'comment' FROM audit_entry WHERE object = 'alarm:${id}'`),
      [['half a \ufffd pair']]);
    clear();
  });

  test('is not acknowledged without the comment or the cause that it demands', async () => {
    const [one, two] = put({ variable: 'power', came: 0, commentRequired: true }, { variable: 'power', came: 1, causeRequired: true });
    const refused = await change(one.id, { acknowledge: true });
    assert.deepEqual([refused.status, refused.json.errorCode], [422, 'CommentRequired']);
    const other = await change(two.id, { acknowledge: true, comment: 'no cause' });
    assert.deepEqual([other.status, other.json.errorCode], [422, 'CauseRequired']);
    assert.equal((await ask(place(`/${two.id}`))).json.comment, null, 'nothing of a refused request is done');
    assert.equal((await change(one.id, { acknowledge: true, comment: 'here' })).status, 200);
    clear();
  });

  test('gets a cause out of the tree, five levels deep, but not one that was removed', async () => {
    grid.sql(`WITH RECURSIVE d AS (SELECT id FROM datasource WHERE uuid = '${plant.id}')
      INSERT INTO alarm_cause (datasource_id, level, name) SELECT id, 1, 'Drive' FROM d`);
    for (const [level, name] of [[2, 'Belt'], [3, 'Slips'], [4, 'Worn'], [5, 'Old']])
      grid.sql(`INSERT INTO alarm_cause (datasource_id, parent_id, level, name)
        SELECT datasource_id, id, ${level}, '${name}' FROM alarm_cause
        WHERE datasource_id = (SELECT id FROM datasource WHERE uuid = '${plant.id}') AND level = ${level - 1}`);
    const [{ id }] = put({ variable: 'power', came: 0, causeRequired: true });
    const path = ['Drive', 'Belt', 'Slips', 'Worn', 'Old'];
    const reply = await change(id, { acknowledge: true, alarmCause: path });
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(reply.json.alarmCause, path);
    assert.equal((await change(id, { alarmCause: ['Drive', 'Slips'] })).json.errorCode, 'CauseUnknown');
    assert.equal((await change(id, { alarmCause: [...path, 'Six'] })).status, 400);
    grid.sql(`UPDATE alarm_cause SET removed = true WHERE name = 'Slips'`);
    assert.equal((await change(id, { alarmCause: path.slice(0, 4) })).json.errorCode, 'CauseRemoved');
    assert.deepEqual((await change(id, { alarmCause: ['Drive', 'Belt'] })).json.alarmCause, ['Drive', 'Belt']);
    assert.deepEqual(events(id).filter(([kind]) => kind === 'alarm.caused').map(([, value, old]) => [value, old]),
      [['Drive / Belt / Slips / Worn / Old', '-'], ['Drive / Belt', 'Drive / Belt / Slips / Worn / Old']]);
    clear();
  });

  test('is shelved with its limit until the time is over', async () => {
    const [one, two, other] = put({ variable: 'power', came: 0 }, { variable: 'power', came: 1 }, { variable: 'power', came: 2, limit: 'low' });
    const soon = new Date(Date.now() + 2500).toISOString();
    const reply = await change(one.id, { shelve: { reason: 'works on it', until: soon } });
    assert.equal(reply.status, 200, reply.text);
    assert.equal(reply.json.state, 'Shelved');
    assert.equal(reply.json.shelved.reason, 'works on it');
    assert.equal(reply.json.shelved.until, soon);
    assert.equal((await ask(place(`/${two.id}`))).json.state, 'Shelved', 'the same limit');
    assert.equal((await ask(place(`/${other.id}`))).json.state, 'UnacknowledgedActive', 'another limit');
    assert.equal((await change(one.id, { shelve: { reason: 'works on it', until: soon } })).status, 200);
    await until(async () => (await ask(place(`/${two.id}`))).json.shelved === null, { what: 'the end of shelving' });
    assert.equal((await ask(place(`/${one.id}`))).json.state, 'UnacknowledgedActive');
    assert.deepEqual(events(one.id).map(([kind]) => kind), ['alarm.shelved']);
    const ended = grid.sql(`SELECT old_value FROM event WHERE kind = 'alarm.unshelved' AND variable_id = ${ids.power}`);
    assert.deepEqual(ended, [['works on it']]);
    clear();
  });

  test('is unshelved, suppressed, released, taken out of service and back', async () => {
    const engineer = await grid.token({ actions: 'ReadAll,AcknowledgeAlarms,Configure' });
    const [{ id }] = put({ variable: 'power', came: 0 });
    for (const [body, state] of [
      [{ shelve: { reason: 'a', minutes: 60 } }, 'Shelved'], [{ unshelve: true }, 'UnacknowledgedActive'],
      [{ suppress: { reason: 'b' } }, 'SuppressedByDesign'], [{ outOfService: { reason: 'c' } }, 'OutOfService'],
      [{ release: true }, 'OutOfService'], [{ inService: true }, 'UnacknowledgedActive'],
      [{ inService: true, unshelve: true, release: true }, 'UnacknowledgedActive'],
    ]) {
      const reply = await change(id, body, { token: engineer });
      assert.equal(reply.status, 200, reply.text);
      assert.equal(reply.json.state, state, JSON.stringify(body));
    }
    assert.deepEqual(events(id).map(([kind]) => kind), ['alarm.shelved', 'alarm.unshelved', 'alarm.suppressed',
      'alarm.out_of_service', 'alarm.released', 'alarm.in_service']);
    clear();
  });

  test('is changed only by who may', async () => {
    const [{ id }, hidden] = put({ variable: 'power', came: 0 }, { variable: 'hidden', came: 0 });
    const reader = await grid.token();
    const refused = await change(id, { acknowledge: true }, { token: reader });
    assert.equal(refused.status, 403);
    assert.match(refused.json.errorMessage, /AcknowledgeAlarms/);
    const suppress = await change(id, { suppress: { reason: 'x' } });
    assert.equal(suppress.status, 403);
    assert.match(suppress.json.errorMessage, /Configure/);
    const blind = await grid.token({ actions: 'ReadVariables,AcknowledgeAlarms' });
    for (const [which, other] of [[id, blind], [hidden.id, token], [randomUUID(), token], ['x', token]]) {
      const reply = await change(which, { acknowledge: true }, { token: other });
      assert.equal(reply.status, 404);
      assert.ok(reply.text.includes('"errorCode":"NotFound"'));
    }
    assert.equal((await ask(place(`/${hidden.id}`))).status, 404);
    assert.deepEqual(events(id), []);
    clear();
  });

  test('is not changed by a request that makes no sense', async () => {
    const [{ id }] = put({ variable: 'power', came: 0 });
    for (const body of [{}, { acknowledge: false }, { shelve: { reason: 'x', minutes: 1 }, unshelve: true },
      { shelve: { reason: 'x' } }, { shelve: { minutes: 5 } }, { shelve: { reason: '', minutes: 5 } },
      { shelve: { reason: 'x', minutes: 5, until: at(0) } }, { shelve: { reason: 'x', until: at(0) } },
      { shelve: { reason: 'x', until: '2126-01-01T00:00:00Z' } }, { comment: '' }, { comment: 'x'.repeat(4097) },
      { suppress: { reason: 'x' }, release: true }, { outOfService: {} }, { acknowledge: 'yes' }, { ids: [id] }]) {
      const reply = await change(id, body);
      assert.equal(reply.status, 400, JSON.stringify(body));
      assert.ok(reply.json.errorMessage.length > 10);
    }
    assert.deepEqual(events(id), []);
    clear();
  });
});

describe('many alarms', () => {
  const many = (body, options) => ask(place(), { method: 'PATCH', body, ...options });

  test('are acknowledged at once, with a result for each', async () => {
    const good = put(...Array.from({ length: 20 }, (_, i) => ({ variable: 'line/a', came: i })));
    const [strict, hidden] = put({ variable: 'power', came: 0, commentRequired: true }, { variable: 'hidden', came: 0 });
    const nobody = randomUUID();
    const asked = [...good.map(({ id }) => id), strict.id, hidden.id, nobody, 'x', good[0].id];
    const reply = await many({ ids: asked, acknowledge: true });
    assert.equal(reply.status, 200, reply.text);
    const { results } = reply.json;
    assert.deepEqual(results.map(({ id }) => id), asked);
    assert.deepEqual(results.map(({ status }) => status), [...good.map(() => 200), 422, 404, 404, 404, 200]);
    assert.equal(results[20].errorCode, 'CommentRequired');
    assert.ok(results.slice(0, 20).every(({ changed, errorCode }) => changed && errorCode === null));
    const again = (await many({ ids: asked, acknowledge: true })).json.results;
    assert.ok(again.every(({ changed }) => !changed));
    for (const { id } of good) assert.equal(events(id).length, 1);
    clear();
  });

  test('of one limit are shelved together', async () => {
    const list = put(...Array.from({ length: 5 }, (_, i) => ({ variable: 'line/b', came: i })));
    const { results } = (await many({ ids: list.map(({ id }) => id), shelve: { reason: 'noise', minutes: 5 } })).json;
    assert.ok(results.every(({ changed }) => changed));
    const kinds = list.flatMap(({ id }) => events(id).map(([kind]) => kind));
    assert.deepEqual(kinds, ['alarm.shelved']);
    clear();
  });

  test('of the same limits, in the hands of several people at once, wait for each other', async () => {
    clear();
    const limits = Array.from({ length: 20 }, (_, i) => `limit ${i}`);
    const rows = put(...['line/a', 'line/b'].flatMap((variable) => limits.flatMap((limit) => [
      { variable, limit, came: 1, went: 2 }, { variable, limit, came: 3 }])));
    // Each has other alarms of the same limits, one from the front and one from behind.
    const hands = [rows.filter((_, i) => i % 2 === 0), rows.filter((_, i) => i % 2 === 1).reverse()];
    const wishes = [{ shelve: { reason: 'works', minutes: 5 } }, { unshelve: true }, { comment: 'so' }];
    const operator = await grid.token({ actions: 'ReadAll,AcknowledgeAlarms' });
    const replies = await Promise.all(Array.from({ length: 24 }, (_, i) => grid.request(place(), {
      method: 'PATCH', token: operator, body: { ids: hands[i % 2].map(({ id }) => id), ...wishes[i % 3] },
    })));
    assert.deepEqual(replies.map(({ status }) => status), replies.map(() => 200));
    clear();
  });

  test('are a thousand at most', async () => {
    const ids_ = Array.from({ length: 1001 }, () => randomUUID());
    assert.equal((await many({ ids: ids_, acknowledge: true })).status, 400);
    assert.equal((await many({ ids: ids_.slice(1), acknowledge: true })).status, 200);
    assert.equal((await many({ ids: [] , acknowledge: true })).status, 200);
    assert.equal((await many({ acknowledge: true })).status, 400);
  });
});

// --- key figures -----------------------------------------------------------------

describe('alarm key figures', () => {
  const figures = (body, options) => ask(place('/figures'), { body, ...options });
  before(clear);

  test('are those of the oracle', async () => {
    const { number, pick, chance } = dice(7);
    const minute = 60_000;
    const alarms = Array.from({ length: 300 }, () => ({
      variable: pick(['line/a', 'line/b', 'power', 'hidden']), limit: pick(['high', 'low', 'off']),
      // half of them within two floods
      came: chance(0.5) ? number(24 * 60) * minute : pick([5, 17]) * HOUR + number(30 * 60) * 1000,
      went: chance(0.9) ? 24 * HOUR : undefined, priority: 1 + number(4), flags: chance(0.05) ? 2 : 0,
    }));
    put(...alarms);
    const all = alarms.filter(({ variable }) => variable !== 'hidden').sort((a, b) => a.came - b.came);
    const { json } = await figures({ timeFilter: { from: at(0), to: at(24 * HOUR) } });
    assert.equal(json.count, all.length);
    const slots = new Map();
    for (const { came } of all) slots.set(Math.floor(came / (10 * minute)), (slots.get(Math.floor(came / (10 * minute))) ?? 0) + 1);
    assert.ok(Math.abs(json.perTenMinutes.average - all.length / 144) < 1e-9);
    assert.equal(json.perTenMinutes.peak, Math.max(...slots.values()));
    const floods = [];
    let flood = null;
    for (let i = 0; i <= 144; i++) {
      const count = slots.get(i) ?? 0;
      if (flood ? count < 5 : true) flood = count > 10 ? { from: at(i * 10 * minute), count: 0, peak: 0 } : null;
      if (!flood) continue;
      if (flood.count === 0) floods.push(flood);
      Object.assign(flood, { to: at((i + 1) * 10 * minute), count: flood.count + count, peak: Math.max(flood.peak, count) });
    }
    assert.ok(floods.length >= 2);
    assert.deepEqual(json.floods, floods.map(({ from, to, count, peak }) => ({ from, to, count, peak })));
    for (const priority of [1, 2, 3, 4])
      assert.equal(json.priorities[priority], all.filter((alarm) => alarm.priority === priority).length);
    const by = (list) => Object.values(list.reduce((found, { variable, limit }) => {
      (found[`${variable} ${limit}`] ??= { variableName: variable, limit, count: 0 }).count++;
      return found;
    }, {})).sort((a, b) => b.count - a.count || (a.variableName < b.variableName ? -1 : a.variableName > b.variableName ? 1 : a.limit < b.limit ? -1 : 1)).slice(0, 10);
    assert.deepEqual(json.topTen, by(all));
    const restless = all.filter((alarm, i) => {
      const earlier = all.slice(0, i).filter(({ variable, limit }) => variable === alarm.variable && limit === alarm.limit);
      return (alarm.flags & 2) !== 0 || (earlier.length > 1 && alarm.came - earlier.at(-2).came <= minute);
    });
    assert.deepEqual(json.chattering, by(restless));
    const standing = all.filter(({ went }) => went === undefined);
    assert.equal(json.standingCount, standing.length);
    assert.deepEqual(json.standing.map(({ receivedTime }) => receivedTime), standing.slice(0, 10).map(({ came }) => at(came)));
    assert.deepEqual((await figures({ timeFilter: { from: at(0), to: at(24 * HOUR) }, variableFilter: { variableNames: ['line/*'] } })).json.count,
      all.filter(({ variable }) => variable.startsWith('line/')).length);
    clear();
  });

  test('of nothing are nothing, and are asked for sensibly', async () => {
    const { json } = await figures({ timeFilter: { last: '1h' } });
    assert.deepEqual([json.count, json.perTenMinutes.label, json.perTenMinutes.peakTime, json.floods, json.standingCount],
      [0, 'VeryLikelyAcceptable', null, [], 0]);
    assert.equal((await figures({})).status, 400);
    assert.equal((await figures({ timeFilter: { last: '400d' } })).status, 400);
    assert.equal((await figures({ timeFilter: { last: '1h' } }, { token: await grid.token({ actions: 'ReadVariables' }) })).status, 403);
  });
});

describe('alarms/summary', () => {
  // A right for this plant alone, so that other plants of the grid do not count.
  const summary = async (actions = 'ReadAlarms') => {
    const reply = await ask('/api/v1/alarms/summary', { token: await grid.token({ actions, datasource: plant.id }) });
    assert.equal(reply.status, 200, reply.text);
    return reply.json;
  };

  test('counts what wants attention, and names the most urgent', async () => {
    clear();
    const late = Date.now() - START + HOUR;
    const [, urgent] = put(
      { variable: 'line/a', came: 1, priority: 2 },
      { variable: 'line/a', came: 3, priority: 1 },
      { variable: 'line/b', came: 2, priority: 1 },
      { variable: 'line/b', came: 4, went: 5, priority: 4 },
      { variable: 'line/b', came: 4, acknowledged: 5, priority: 3 },
      { variable: 'line/b', came: 4, went: 5, acknowledged: 6, priority: 3 },
      { variable: 'power', came: 9, priority: 1, shelvedUntil: late },
      { variable: 'power', came: 9, priority: 1, suppressed: true },
      { variable: 'power', came: 9, priority: 1, outOfService: true },
      { variable: 'power', came: 9, went: 10, priority: 1, mustAcknowledge: false },
      { variable: 'hidden', came: 9, priority: 1 },
    );
    const { unacknowledged, active, top, dataSources } = await summary();
    assert.deepEqual(dataSources, [{ dataSource: plant.id, unacknowledged, active }]);
    assert.deepEqual(unacknowledged, { 1: 2, 2: 1, 3: 0, 4: 1 });
    assert.deepEqual(active, { 1: 2, 2: 1, 3: 1, 4: 0 });
    assert.deepEqual(top.map(({ dataSource, alarm }) => [dataSource, alarm.id]), [[plant.id, urgent.id]]);
  });

  test('says nothing of plants and variables that may not be read', async () => {
    const { top, dataSources } = await summary('ReadVariables');
    assert.deepEqual([top, dataSources], [[], []]);
    const token = await grid.token({ actions: 'ReadAlarms', datasource: plant.id, variables: 'line/b' });
    const { json } = await ask('/api/v1/alarms/summary', { token });
    assert.deepEqual(json.unacknowledged, { 1: 1, 2: 0, 3: 0, 4: 1 });
    clear();
  });
});
