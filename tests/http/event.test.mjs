// Events: the Chronological Event List as its clients ask for it, what leaves
// entries in it, and alarms and events in the live streams.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { openAdmin } from '../support/admin.mjs';
import { SOON_MS, openGrid } from '../support/grid.mjs';
import { LiveReader } from '../support/live.mjs';
import { checker } from '../support/openapi.mjs';
import { Plant } from '../support/plant.mjs';

const START = Date.parse('2026-03-01T12:00:00.000Z');
const at = (ms) => new Date(START + ms).toISOString();

let grid;
let plant;
let token; // reads and acknowledges
let check;
let ids; // of the variables, by name

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Events');
  const { variables } = await plant.announce([
    ...['line/a', 'line/b', 'power'].map((name) => ({ name, type: 'float', unit: 'kW' })),
    { name: 'hidden', type: 'float', access: 'none' },
  ]);
  ids = Object.fromEntries(variables.map(({ name, id }) => [name, id]));
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

const place = (rest) => `/api/v1/datasources/${plant.id}${rest}`;
const query = (body, options) => ask(place('/events/query'), { body, ...options });
async function found(body, options) {
  const reply = await query(body, options);
  assert.equal(reply.status, 200, reply.text);
  return reply.json;
}
/** A token that may do this here. */
async function tokenFor(actions, ...words) {
  const id = `event-${randomUUID().slice(0, 8)}`;
  const made = await grid.token({ id, actions: null });
  grid.ctl('policy', 'grant', 'client', id, actions, '--datasource', plant.id, ...words);
  return made;
}
const ofPlant = (events) => events.filter(({ grid: whole }) => !whole);

// --- the list ------------------------------------------------------------------

describe('events/query', () => {
  const events = [
    { time: START, kind: 'process.start', text: 'Batch 100% ready' },
    { time: START + 1000, kind: 'value.set', text: 'set point', variable: 'power', value: '22', oldValue: '21.5', username: 'ann', computer: 'HMI 3', comment: 'as planned' },
    { time: START + 1000, kind: 'value.set', text: 'set point', variable: 'line/a', value: 7, oldValue: 6, username: 'Bob' },
    { time: START + 1500, kind: 'process.note', text: 'not for you', variable: 'hidden' },
    { time: START + 2000, kind: 'process.stop', text: 'done' },
  ];
  const within = { from: at(0), to: at(60_000), type: 'Absolute' };
  const texts = (list) => list.events.map(({ kind, variableName }) => `${kind} ${variableName}`);

  before(() => plant.send({}, events, { twice: true }));

  test('has every column, once, though the frame was sent twice', async () => {
    const { events: list, next } = await found({ timeFilter: within, variableFilter: { variableNames: ['*'] } });
    assert.equal(list.length, 4);
    assert.equal(next, null);
    const { id, ...rest } = list[1];
    assert.equal(typeof id, 'number');
    assert.deepEqual(rest, {
      variableName: 'power', value: '22', oldValue: '21.5', text: 'set point', comment: 'as planned',
      receivedTime: at(1000), computer: 'HMI 3', username: 'ann', userFullName: null, kind: 'value.set',
      eventClass: null, eventGroup: null, grid: false, alarmId: null, commandId: null,
    });
    assert.match(list[2].computer, /^node-/, 'the node, when the frame does not say');
  });

  test('narrows by kind, user, text and variable, all at once', async () => {
    const cases = [
      [{ kinds: ['process.*'] }, ['process.start null', 'process.stop null']],
      [{ kinds: ['value.???', 'x'] }, ['value.set power', 'value.set line/a']],
      [{ kinds: [] }, []],
      [{ users: ['ANN'] }, ['value.set power']],
      [{ users: ['*'] }, ['value.set power', 'value.set line/a']],
      [{ text: '0% R' }, ['process.start null']],
      [{ text: '1%r' }, []],
      [{ text: 'PLANNED' }, ['value.set power']],
      [{ text: 'set*int', users: ['bob'] }, ['value.set line/a']],
      [{ eventClasses: [1] }, []],
      [{ variableFilter: { variableNames: ['line/?', 'hidden'] } }, ['value.set line/a']],
    ];
    for (const [body, expected] of cases)
      assert.deepEqual(texts(await found({ timeFilter: within, ...body })), expected, JSON.stringify(body));
  });

  test('pages both ways without a gap, whatever comes meanwhile', async () => {
    for (const sort of ['receivedTime', '-receivedTime']) {
      const whole = (await found({ timeFilter: within, sort })).events.map(({ id }) => id);
      const paged = [];
      let next;
      for (let round = 0; round < 10; round++) {
        const page = await found({ timeFilter: within, sort, limit: 1, ...(next && { after: next }) });
        paged.push(...page.events.map(({ id }) => id));
        ({ next } = page);
        if (next === null) break;
      }
      assert.deepEqual(paged, whole, sort);
    }
    const ids = (await found({ timeFilter: within })).events.map(({ id }) => id);
    const down = (await found({ timeFilter: within, sort: '-receivedTime' })).events.map(({ id }) => id);
    assert.deepEqual(down, ids.reverse());
  });

  test('takes relative times', async () => {
    await plant.send({}, [{ time: Date.now() - 90_000, kind: 'process.note', text: 'a while ago' }]);
    const count = async (timeFilter) => ofPlant((await found({ timeFilter, kinds: ['process.note'] })).events).length;
    assert.equal(await count({ last: '10m', type: 'Relative' }), 1);
    assert.equal(await count({ last: '10s' }), 0);
    assert.equal(await count({ last: '1h', until: '1m' }), 1);
    assert.equal(await count({ last: '1h', until: '10m' }), 0);
  });

  test('says in words what is wrong with a question', async () => {
    const { next } = await found({ timeFilter: within, limit: 1 });
    const cases = [
      [{ sort: 'text' }, 'sort'],
      [{ limit: 0 }, 'limit'],
      [{ limit: 10001 }, 'limit'],
      [{ after: 'x' }, 'after'],
      [{ after: next, sort: '-receivedTime' }, 'after'],
      [{ kinds: 'alarm.*' }, 'kinds'],
      [{ eventClasses: [-1] }, 'eventClasses'],
      [{ timeFilter: { last: '5 minutes' } }, 'timeFilter'],
      [{ texts: 'x' }, 'texts'],
      [{ text: 'x'.repeat(257) }, 'text'],
    ];
    for (const [body, word] of cases) {
      const reply = await query(body);
      assert.equal(reply.status, 400, JSON.stringify(body));
      assert.match(reply.json.errorMessage, new RegExp(word), reply.text);
    }
  });

  test('hides what the caller may not read', async () => {
    const some = await tokenFor('ReadEvents', '--variables', 'line/*');
    const list = await found({ timeFilter: within }, { token: some });
    assert.deepEqual(texts(list), ['value.set line/a']);
    const none = await tokenFor('ReadVariables');
    assert.equal((await query({ timeFilter: within }, { token: none })).status, 403);
  });

  test('has the log-ins of the grid, with the full name', async () => {
    const person = grid.addUser(`ev-${randomUUID().slice(0, 8)}`, '--full-name', 'Eva Event');
    await grid.logIn(person);
    await assert.rejects(grid.logIn({ ...person, password: 'wrong' }));
    const { events: list } = await found({
      timeFilter: { last: '10m' }, kinds: ['login.*'], users: [person.name],
    });
    assert.deepEqual(list.map(({ kind }) => kind), ['login.ok', 'login.refused']);
    assert.equal(list[0].userFullName, 'Eva Event');
    assert.equal(list[0].grid, true);
    const other = await tokenFor('ReadEvents', '--variables', 'line/*');
    assert.deepEqual((await found({ timeFilter: { last: '10m' }, kinds: ['login.*'] }, { token: other })).events, []);
    await grid.logIn(person);
    grid.ctl('user', 'logout', person.name);
    const ended = (await found({ timeFilter: { last: '10m' }, kinds: ['login.ended'], users: [person.name] })).events;
    assert.equal(ended.length, 1, 'all sessions at once are one event');
    assert.match(ended[0].text, /^logged out everywhere by /);
  });
});

describe('events of nodes', () => {
  test('tell who let them in and who shut them out, by command and by REST', async () => {
    const name = `ev-${randomUUID().slice(0, 8)}`;
    const node = grid.enrol(name);
    grid.ctl('node', 'block', name);
    await (await openAdmin(grid)).post(`/nodes/${name}/unblock`);
    node.close();
    const { events } = await found({ timeFilter: { last: '10m' }, kinds: ['node.*'], text: name });
    assert.deepEqual(events.map(({ kind }) => kind).filter((kind) => kind !== 'node.authorised'),
      ['node.created', 'node.blocked', 'node.unblocked']);
    assert.ok(events.every((event) => event.grid && event.username !== null));
    assert.equal(events.at(-1).username, 'admin');
  });
});

// --- alarms in frames ------------------------------------------------------------

const came = (variable, extra = {}) => {
  const time = Date.now();
  return { id: randomUUID(), variable, limit: 'high', kind: 'came', time, came: time, value: 99.5, text: 'too high', ...extra };
};
const went = (alarm) => ({ ...alarm, kind: 'went', time: alarm.came + 1, went: alarm.came + 1 });
const alarmsOf = async (body = {}) => (await ask(place('/alarms/query'), { body })).json.alarms;

describe('alarm changes in frames', () => {
  test('make one alarm and one event for each step, however often they are sent', async () => {
    const alarm = came('line/a');
    await plant.send({ 'line/a': [[alarm.time, 99.5]] }, [], { alarms: [alarm], twice: true });
    await plant.send({}, [], { alarms: [went(alarm)], twice: true });
    const list = (await alarmsOf()).filter(({ id }) => id === alarm.id);
    assert.equal(list.length, 1);
    assert.equal(list[0].value, 99.5);
    assert.equal(list[0].clearedTime, new Date(alarm.came + 1).toISOString());
    const { events } = await found({ timeFilter: { last: '10m' }, kinds: ['alarm.*'] });
    assert.deepEqual(events.filter(({ alarmId }) => alarmId === alarm.id).map(({ kind }) => kind),
      ['alarm.came', 'alarm.went']);
  });

  test('come in binary frames as well, written from the page alone', async () => {
    const us = Date.now() * 1000;
    const one = { id: randomUUID(), variable: ids.power, limit: 'high', kind: 'came', time: us, came: us, value: 7.25, text: 'hot', flags: 1 };
    const frame = plant.frame({
      version: 2, alarms: [one],
      series: [{ id: ids.power, kind: 'float', time: [us, us + 1], value: [7.25, -0.1] }],
      events: [{ time: us, variable: ids.power, kind: 'value.set', text: `binary ${one.id}`, value: '1', oldValue: '0', username: 'ann', comment: 'c' }],
    });
    for (let i = 0; i < 2; i++) await plant.post(frame);
    const [shown] = (await alarmsOf()).filter(({ id }) => id === one.id);
    assert.equal(shown.value, 7.25);
    assert.equal(shown.uncertain, true);
    const { events } = await found({ timeFilter: { last: '10m' }, text: `binary ${one.id}` });
    assert.deepEqual(events.map(({ value, oldValue, username, comment }) => [value, oldValue, username, comment]),
      [['1', '0', 'ann', 'c']]);
    const value = await ask(place('/variables/power'));
    assert.equal(value.json.value, -0.1);
  });

  test('are refused as a whole with their frame', async () => {
    const good = came('line/a');
    for (const [bad, status] of [
      [came('nothing'), 422], [came('line/a', { value: 'hot' }), 422],
      [came('line/a', { time: Date.now() + 3600_000 }), 422], [came('line/a', { limit: '' }), 400],
      [came('line/a', { limit: 'x'.repeat(65) }), 400], [came('line/a', { kind: 'left' }), 400],
    ]) await assert.rejects(plant.send({}, [], { alarms: [good, bad] }), new RegExp(` ${status} `));
    assert.deepEqual((await alarmsOf()).filter(({ id }) => id === good.id), []);
  });

  test('cannot pretend to be what the server tells of people and commands', async () => {
    const time = Date.now();
    const forged = { time, variable: 'power', text: `forged ${time}`, username: 'admin' };
    for (const kind of ['command.confirmed', 'alarm.acknowledged', 'login.ok', 'Node.Blocked'])
      await assert.rejects(plant.send({}, [{ ...forged, kind }]), / 422 .*KindReserved/);
    const frame = { version: 2, events: [{ ...forged, time: time * 1000, variable: ids.power, kind: 'login.ok' }] };
    await assert.rejects(plant.post(plant.frame(frame)), / 422 .*KindReserved/);
    assert.deepEqual((await found({ timeFilter: { last: '10m' }, text: forged.text })).events, []);
  });
});

// --- live ------------------------------------------------------------------------

const everything = () => [{ datasource: plant.id, names: ['*'] }];

async function listen(lists, { as = token, lastId } = {}) {
  const reply = await grid.request('/api/v1/live', { token: as, body: lists });
  assert.equal(reply.status, 200, reply.text);
  return open(reply.json.url, as, lastId);
}

const open = (url, as, lastId) => LiveReader.open(grid, url, {
  token: as, headers: lastId ? { 'last-event-id': lastId } : {},
}).then((reader) => Object.assign(reader, { url }));

const told = (reader, list) => reader.events.flatMap(({ data }) => data[list] ?? []);
const alarmTold = (reader, id, test = () => true) => reader.next(({ data }) =>
  data.alarms?.some(({ alarm }) => alarm.id === id && test(alarm)));

describe('live', () => {
  const readers = [];
  const listening = async (...words) => {
    const reader = await listen(...words);
    readers.push(reader);
    await reader.next(({ event }) => event === 'snapshot');
    return reader;
  };
  after(() => readers.forEach((reader) => reader.close()));

  test('tells alarms and events within a second, each once', async () => {
    const reader = await listening({ variables: everything(), alarms: everything(), events: everything() });
    const alarm = came('power');
    const begin = performance.now();
    await plant.send({}, [{ time: alarm.time, kind: 'process.note', text: `n ${alarm.id}`, variable: 'line/a' }],
      { alarms: [alarm] });
    const first = await alarmTold(reader, alarm.id);
    assert.ok(first.at - begin < SOON_MS, `${first.at - begin} ms`);
    const [{ dataSourceId, alarm: shown }] = first.data.alarms;
    assert.equal(dataSourceId, plant.id);
    assert.deepEqual(shown, (await alarmsOf()).map((one) => ({ ...one, activeMs: shown.activeMs }))
      .find(({ id }) => id === alarm.id));
    await plant.send({}, [], { alarms: [went(alarm)] });
    await alarmTold(reader, alarm.id, ({ clearedTime }) => clearedTime !== null);
    await reader.next(({ data }) => data.events?.some(({ event }) => event.alarmId === alarm.id && event.kind === 'alarm.went'));
    await reader.next(({ data }) => data.events?.some(({ event }) => event.text === `n ${alarm.id}`));
    const events = told(reader, 'events').map(({ event }) => event);
    assert.equal(events.filter(({ text }) => text === `n ${alarm.id}`).length, 1);
    assert.deepEqual(events.filter(({ alarmId }) => alarmId === alarm.id).map(({ kind }) => kind),
      ['alarm.came', 'alarm.went']);
    assert.equal(told(reader, 'alarms').filter((one) => one.alarm.id === alarm.id).length, 2);
  });

  test('tells what another service changed, within a second', async () => {
    const reader = await listening({ alarms: [{ datasource: plant.id }], events: [{ datasource: plant.id }] });
    const alarm = came('power');
    await plant.send({}, [], { alarms: [alarm] });
    await alarmTold(reader, alarm.id);
    const begin = performance.now();
    const reply = await ask(place(`/alarms/${alarm.id}`), { method: 'PATCH', body: { acknowledge: true, comment: 'seen' } });
    assert.equal(reply.status, 200, reply.text);
    const event = await alarmTold(reader, alarm.id, ({ acknowledgedTime }) => acknowledgedTime !== null);
    assert.ok(event.at - begin < SOON_MS, `${event.at - begin} ms`);
    await reader.next(({ data }) => data.events?.some((one) =>
      one.event.kind === 'alarm.acknowledged' && one.event.alarmId === alarm.id));
  });

  test('tells only what may be read', async () => {
    const some = await tokenFor('ReadAlarms,ReadEvents', '--variables', 'line/*');
    const events = await tokenFor('ReadEvents');
    const narrow = await listening({ alarms: everything(), events: everything() }, { as: some });
    const other = await listening({ alarms: everything(), events: everything() }, { as: events });
    const [seen, unseen, hidden] = [came('line/b'), came('power'), came('hidden')];
    await plant.send({}, [{ time: seen.time, kind: 'process.note', text: `whole ${seen.id}` }],
      { alarms: [hidden, unseen, seen] });
    await alarmTold(narrow, seen.id);
    assert.ok(told(narrow, 'alarms').every(({ alarm }) => alarm.variableName.startsWith('line/')));
    await narrow.next(({ data }) => data.events?.some(({ event }) => event.alarmId === seen.id));
    assert.ok(told(narrow, 'events').every(({ event }) => event.variableName?.startsWith('line/')));
    await other.next(({ data }) => data.events?.some(({ event }) => event.text === `whole ${seen.id}`));
    assert.deepEqual(told(other, 'alarms'), []);
    assert.ok(told(other, 'events').every(({ event }) => event.variableName !== 'hidden'));
  });

  test('tells of one plant to those who asked for it, and of log-ins with the whole', async () => {
    const reader = await listening({ events: everything() });
    const person = grid.addUser(`ev-${randomUUID().slice(0, 8)}`);
    await grid.logIn(person);
    const event = await reader.next(({ data }) => data.events?.some((one) => one.event.username === person.name));
    const one = event.data.events.find((each) => each.event.username === person.name);
    assert.equal(one.dataSourceId, null);
    assert.equal(one.event.kind, 'login.ok');
    const values = await listening({ variables: everything() });
    await plant.send({ power: [[Date.now(), 1]] }, [{ time: Date.now(), kind: 'process.note', text: 'x' }]);
    await values.next(({ data }) => data.values?.length > 0);
    assert.deepEqual(told(values, 'events'), []);
  });

  test('misses nothing after a break, and says when it must begin anew', async () => {
    const reader = await listening({ alarms: everything() });
    const [first, second] = [came('power'), came('power')];
    await plant.send({}, [], { alarms: [first] });
    const last = await alarmTold(reader, first.id);
    reader.close();
    await plant.send({}, [], { alarms: [second] });
    const again = await open(reader.url, token, last.id);
    readers.push(again);
    await alarmTold(again, second.id);
    assert.ok(!told(again, 'alarms').some(({ alarm }) => alarm.id === first.id));
    assert.ok(!again.events.some(({ event }) => event === 'snapshot'));
    again.close();
    const anew = await open(reader.url, token, `${last.id.slice(0, 16)}-999999999-999999999`);
    readers.push(anew);
    await anew.next(({ event }) => event === 'snapshot');
    assert.deepEqual(told(anew, 'alarms'), []);
  });

  test('ends when a right that was used, or was missing, changes', async () => {
    const id = `event-${randomUUID().slice(0, 8)}`;
    const as = await grid.token({ id, actions: null });
    grid.ctl('policy', 'grant', 'client', id, 'ReadAlarms', '--datasource', plant.id);
    const reader = await listening({ alarms: everything(), events: everything() }, { as });
    grid.ctl('policy', 'grant', 'client', id, 'ReadEvents', '--datasource', plant.id);
    const end = await reader.next(({ event }) => event === 'end');
    assert.equal(end.data.reason, 'rights_changed');
  });

  test('says in words what is wrong with a registration', async () => {
    for (const body of [{}, { alarms: 'all' }, { variables: [{ datasource: plant.id }] }, { alarm: [] }]) {
      const reply = await grid.request('/api/v1/live', { token, body });
      assert.equal(reply.status, 400, JSON.stringify(body));
    }
  });
});
