// The API as its real clients use it: the two Grafana data sources (version 1
// and 2) and the voice assistant's skill, each with its quirks, and the
// endpoints of our own pages. Every answer is held against the OpenAPI document.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openGrid } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';
import { checker } from '../support/openapi.mjs';

const START = Date.parse('2026-03-01T12:00:00.000Z');
const SECONDS = 600;
const INVALID = 2 ** 18;
const at = (second) => new Date(START + second * 1000).toISOString();
const absolute = (from, to) => ({ from: at(from), to: at(to), type: 'Absolute' });

let grid;
let plant;
let token; // may read everything
let check; // checks an answer against the document

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'API');
  await plant.announce([
    { name: 'power', type: 'float', unit: 'kW', decimals: 1 },
    { name: 'counter', type: 'int' },
    { name: 'pump/on', type: 'bool', stepped: true },
    { name: 'Robot/Global/R1_Größe', type: 'float' },
    { name: 'label', type: 'string' },
    { name: 'secret', type: 'float', access: 'none' },
  ]);
  const seconds = Array.from({ length: SECONDS }, (_, second) => second);
  await plant.send({
    power: seconds.map((second) => [START + second * 1000, second]),
    counter: [[START, 1], [START + 1000, 9007199254740993n]].map(([time, value]) => [time, Number(value)]),
    'pump/on': [[START, false], [START + 5000, true]],
    'Robot/Global/R1_Größe': [[START, -0.5, INVALID], [START + 1000, 1e-7]],
    label: [[START, 'start "now"\n'], [START + 1000, '42']],
    secret: [[START, 1]],
  }, [
    { time: START, kind: 'Note', text: 'begun' },
    { time: START + 1500, kind: 'Limit', text: 'high', variable: 'power', value: '99' },
    { time: START + 1600, kind: 'Limit', text: 'hidden', variable: 'secret' },
  ]);
  await plant.beat();
  grid.ctl('archive', 'add', plant.id, 'RAW', 'Raw values', '--variables', '*');
  grid.ctl('archive', 'add', plant.id, 'M1', 'Minutes', '--parent', 'RAW', '--calculation', 'average', '--cycle', 60);
  grid.ctl('archive', 'add', plant.id, 'M5', 'Five minutes', '--parent', 'M1', '--calculation', 'maximum', '--cycle', 300);
  grid.ctl('archive', 'add', plant.id, 'CY', 'Every ten seconds', '--variables', 'p*', '--rule', 'cyclic', '--cycle', 10);
  token = await grid.token();
  check = checker();
});
after(async () => {
  plant?.close();
  await grid?.close();
});

/** Ask; the answer must be what the document says. */
async function ask(target, options = {}) {
  const reply = await grid.request(target, { token, ...options });
  check(options.method ?? (options.body === undefined ? 'GET' : 'POST'), target, reply);
  return reply;
}

const own = (rest) => `/api/v1/datasources/${plant.id}${rest}`;
const own2 = (rest) => `/api/v2/datasources/${plant.id}${rest}`;

// What the version 1 client of Grafana does, re-written from its behaviour.
class GrafanaV1 {
  constructor(base) { this.base = base; }

  async fetch(path, body) {
    const reply = await grid.request(this.base + path, { token, body });
    if (reply.status === 400) {
      const { errorMessage, variableErrors } = reply.json;
      throw new Error(errorMessage && variableErrors
        ? `Bad Request: ${errorMessage}; Details: ${JSON.stringify(variableErrors)}` : 'Bad Request');
    }
    if (reply.status === 503) throw new Error(reply.json.errorMessage.toString());
    if (reply.status < 200 || reply.status > 299) throw new Error(`HTTP ${reply.status}`);
    return reply.json;
  }

  async test() {
    const { status } = await grid.request(`${this.base}/`);
    return status >= 200 && status < 300;
  }

  async datasources() {
    const { dataSources } = await this.fetch('/api/v1/datasources');
    for (const item of dataSources)
      for (const key of ['dataSourceId', 'name', 'state'])
        if (!(key in item)) throw new Error('Unknown/Invalid format');
    return dataSources.filter(({ state }) => state === 'Online');
  }

  async archives(ds) {
    const { archives } = await this.fetch(`/api/v1/datasources/${ds}/archives`);
    const flat = (list, aggregated) => list.flatMap((item) => [
      { value: item.identification, label: `${aggregated ? '- aggregated - ' : ''}${item.name}` },
      ...(item.aggregatedArchives ? flat(item.aggregatedArchives, true) : []),
    ]);
    return flat(archives, false);
  }

  async variables(ds, archive) {
    const { variables } = await this.fetch(`/api/v1/datasources/${ds}/archives/${archive}`);
    return variables.map(({ variableName }) => variableName);
  }

  async values(ds, archive, names, from, to) {
    const { variables } = await this.fetch(`/api/v1/datasources/${ds}/archives/${archive}/query`, {
      variableFilter: { variablenames: names }, timeFilter: absolute(from, to),
    });
    return Object.fromEntries(variables.map(({ archiveVariable, values }) => [
      archiveVariable.variableName,
      values.map(({ timestamp, value }) => [
        Date.parse(timestamp), Number.isNaN(Number(value)) ? value : Number(value)]),
    ]));
  }
}

for (const [name, base] of [['its own port', () => grid.apiUrl], ['/iiot-api', () => `${grid.url}/iiot-api`]]) {
  describe(`Grafana version 1 at ${name}`, () => {
    let client;
    before(() => { client = new GrafanaV1(base()); });

    test('tests the connection', async () => assert.ok(await client.test()));

    test('finds the plant while it is online', async () => {
      await plant.beat();
      const found = (await client.datasources()).find((item) => item.dataSourceId === plant.id);
      assert.equal(found.name, plant.name);
    });

    test('finds archives and the aggregated ones below', async () => {
      assert.deepEqual(await client.archives(plant.id), [
        { value: 'CY', label: 'Every ten seconds' },
        { value: 'RAW', label: 'Raw values' },
        { value: 'M1', label: '- aggregated - Minutes' },
        { value: 'M5', label: '- aggregated - Five minutes' },
      ]);
    });

    test('finds the variables of an archive', async () => {
      assert.deepEqual(await client.variables(plant.id, 'RAW'),
        ['Robot/Global/R1_Größe', 'counter', 'label', 'power', 'pump/on']);
      assert.deepEqual(await client.variables(plant.id, 'CY'), ['power', 'pump/on']);
    });

    test('reads values by the key that it spells in lower case', async () => {
      const values = await client.values(plant.id, 'RAW', ['power', 'label', 'pump/on'], 0, 5);
      assert.deepEqual(values.power, [0, 1, 2, 3, 4, 5].map((second) => [START + second * 1000, second]));
      assert.deepEqual(values.label, [[START, 'start "now"\n'], [START + 1000, 42]]);
      assert.deepEqual(values['pump/on'], [[START, 0], [START + 5000, 1]]);
    });

    test('shows why a question was wrong', async () => {
      await assert.rejects(client.values(plant.id, 'RAW', ['power', 'nobody'], 0, 5),
        /^Error: Bad Request: The archive does not have all these variables\.; Details: \[\{"variableName":"nobody"/);
    });
  });
}

describe('Grafana version 2', () => {
  test('finds the plant by its origins', async () => {
    await plant.beat();
    const { dataSourcesOrigin } = (await ask('/api/v2/datasources')).json;
    assert.deepEqual(dataSourcesOrigin.find(({ dataSourceId }) => dataSourceId === plant.id), {
      dataSourceId: plant.id,
      name: plant.name,
      dataOrigin: [{ type: 'ServiceEngine', state: 'Available' }, { type: 'DataStorage', state: 'Available' }],
    });
  });

  test('finds an origin on every archive, aggregated ones too', async () => {
    const { archives } = (await ask(own2('/archives'))).json;
    const walk = (list) => list.forEach((item) => {
      assert.deepEqual(item.dataOrigin, ['ServiceEngine', 'DataStorage']);
      walk(item.aggregatedArchives);
    });
    assert.equal(archives.length, 2);
    walk(archives);
    assert.equal((await ask(own2('/archives/RAW'))).json.variables.length, 5);
  });

  test('reads from either origin while the plant is online, else from storage', async () => {
    const question = (origin) => ask(own2('/archives/RAW/query'), {
      body: {
        variableFilter: { variableNames: ['power'] }, timeFilter: absolute(0, 1), ...(origin && { origin }),
      },
    });
    await plant.beat();
    for (const origin of ['ServiceEngine', 'DataStorage', 'datastorage', undefined])
      assert.equal((await question(origin)).json.variables[0].values.length, 2, origin);
    assert.equal((await question('Moon')).status, 400);
    grid.sql(`UPDATE node_status SET seen_at = now() - interval '1 minute' FROM node
      WHERE node.id = node_id AND node.name = '${plant.node.name}'`);
    const refused = await question('ServiceEngine');
    assert.equal(refused.status, 503);
    assert.match(refused.json.errorMessage, /offline/);
    assert.equal((await question('DataStorage')).status, 200);
    const { dataSources } = (await ask('/api/v1/datasources')).json;
    assert.equal(dataSources.find(({ dataSourceId }) => dataSourceId === plant.id).state, 'Offline');
  });
});

describe('the skill of the voice assistant', () => {
  test('gets exactly 200 and a value for a name in the path, however it is escaped', async () => {
    for (const path of ['Robot/Global/R1_Gr%C3%B6%C3%9Fe', 'Robot%2FGlobal%2fR1_Gr%c3%b6%c3%9fe', '/Robot/Global/R1_Gr%C3%B6%C3%9Fe']) {
      const reply = await grid.request(`${grid.apiUrl}/api/v1/datasources/${plant.id}/variables/${path}`, { token });
      assert.equal(reply.status, 200, path);
      assert.equal(Number(reply.json.value), 1e-7);
    }
  });

  test('finds "errorCode":"NotFound" in the body when there is no such variable', async () => {
    const reply = await grid.request(own('/variables/nobody'), { token });
    assert.equal(reply.status, 404);
    assert.ok(reply.text.includes('"errorCode":"NotFound"'));
  });

  test('hears 401 without a token', async () => {
    const reply = await grid.request(own('/variables/power'));
    assert.equal(reply.status, 401);
    assert.match(reply.json.errorCode, /^Unauth/);
  });

  test('hears 400, not silence, when its length counts letters instead of bytes', async () => {
    const body = JSON.stringify({ nameFilter: { variableNames: ['Robot/Global/R1_Größe'] } });
    const reply = await grid.request(own('/variables/query'), {
      token, body: Buffer.from(body).subarray(0, body.length), headers: { 'content-type': 'application/json' },
    });
    assert.equal(reply.status, 400);
  });
});

describe('archives', () => {
  async function values(archive, name, from, to) {
    const { variables } = (await ask(own(`/archives/${archive}/query`), {
      body: { variableFilter: { variableNames: [name] }, timeFilter: absolute(from, to) },
    })).json;
    assert.equal(variables[0].archiveVariable.variableName, name);
    return variables[0].values;
  }

  test('answers are compact JSON with times in UTC', async () => {
    const { text } = await ask(own('/archives/RAW/query'), {
      body: { variableFilter: { variableNames: ['power'] }, timeFilter: absolute(1, 1) },
    });
    assert.equal(text, '{"variables":[{"archiveVariable":{"variableName":"power"},'
      + '"values":[{"timestamp":"2026-03-01T12:00:01.000Z","value":1}]}]}');
  });

  test('what is not good says so', async () => {
    assert.deepEqual(await values('RAW', 'Robot/Global/R1_Größe', 0, 9), [
      { timestamp: at(0), value: -0.5, statusFlags: INVALID },
      { timestamp: at(1), value: 1e-7 },
    ]);
  });

  test('a cyclic archive has the value that held at every cycle', async () => {
    assert.deepEqual((await values('CY', 'power', 3, 31)).map(({ timestamp, value }) => [timestamp, value]),
      [[at(10), 10], [at(20), 20], [at(30), 30]]);
    assert.deepEqual((await values('CY', 'pump/on', 0, 11)).map(({ value }) => value), [0, 1]);
  });

  test('averages are those of the cycle that ends, maxima those of the averages', async () => {
    const averages = await values('M1', 'power', 0, SECONDS);
    assert.deepEqual(averages.map(({ timestamp }) => timestamp),
      Array.from({ length: 10 }, (_, minute) => at(60 * (minute + 1))));
    averages.forEach(({ value }, minute) => assert.ok(Math.abs(value - (60 * minute + 29.5)) < 1e-9, `${value}`));
    const maxima = await values('M5', 'power', 0, SECONDS);
    assert.deepEqual(maxima.map(({ timestamp }) => timestamp), [at(300), at(600)]);
    assert.ok(Math.abs(maxima[0].value - 269.5) < 1e-9);
    assert.ok(Math.abs(maxima[1].value - 569.5) < 1e-9);
  });

  test('the same question twice has the same answer, and a variable named twice comes once', async () => {
    const body = { variableFilter: { variableNames: ['power', 'power'] }, timeFilter: absolute(0, 3) };
    const first = await ask(own('/archives/RAW/query'), { body });
    assert.equal(first.text, (await ask(own('/archives/RAW/query'), { body })).text);
    assert.equal(first.json.variables.length, 1);
  });

  test('every wrong question is told what is wrong', async () => {
    const good = { variableFilter: { variableNames: ['power'] }, timeFilter: absolute(0, 1) };
    const wrong = [
      ['{', 400, 'BadRequest'],
      ['[]', 400, 'BadRequest'],
      ['{"a":1}', 400, 'BadRequest'],
      [{ ...good, timeFilter: undefined }, 400, 'BadRequest'],
      [{ ...good, timeFilter: { from: 'yesterday', to: at(1) } }, 400, 'BadRequest'],
      [{ ...good, timeFilter: absolute(1, 0) }, 400, 'BadRequest'],
      [{ ...good, timeFilter: { ...absolute(0, 1), type: 'Relative' } }, 400, 'BadRequest'],
      [{ ...good, variableFilter: { variableNames: 'power' } }, 400, 'BadRequest'],
      [{ ...good, variableFilter: { variableNames: ["power' OR '1'='1"] } }, 400, 'BadRequest'],
      [{ ...good, variableFilter: { variableNames: Array(1001).fill('power') } }, 400, 'BadRequest'],
    ];
    for (const [body, status, code] of wrong) {
      const reply = await ask(own('/archives/RAW/query'), {
        method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      });
      assert.equal(reply.status, status, JSON.stringify(body));
      assert.equal(reply.json.errorCode, code);
      assert.ok(reply.json.errorMessage.length > 10);
    }
    const form = await ask(own('/archives/RAW/query'), { form: { a: 1 }, method: 'POST' });
    assert.equal(form.status, 415);
    assert.equal((await ask(own('/archives/none'))).status, 404);
    assert.equal((await ask(own("/archives/RAW'--"))).status, 404);
    assert.equal((await ask('/api/v1/datasources/none/archives')).status, 404);
    assert.equal((await ask(`/api/v1/datasources/${crypto.randomUUID()}/archives`)).status, 404);
    const method = await grid.request(own('/archives'), { method: 'DELETE', token });
    assert.equal(method.status, 405);
    assert.match(method.headers.allow, /GET/);
    assert.equal((await grid.request(own('/archives/%ff'), { token })).status, 400);
  });
});

describe('history for trends', () => {
  const query = async (body) => (await ask(own('/history/query'), { body })).json;

  test('few samples come as they are, with one before and one behind', async () => {
    const { variables: [found] } = await query({
      variableNames: ['power'], from: at(10), to: at(13), points: 100,
    });
    assert.equal(found.form, 'raw');
    assert.deepEqual(found.value, [9, 10, 11, 12, 13]);
    assert.deepEqual(found.time, [9, 10, 11, 12, 13].map((second) => START + second * 1000));
    assert.equal(found.unit, 'kW');
  });

  test('many come as extremes, and no spike is lost', async () => {
    const { variables: [found] } = await query({
      variableNames: ['power'], from: at(0), to: at(SECONDS), points: 20,
    });
    assert.equal(found.form, 'envelope');
    assert.equal(found.bucket, 30);
    assert.equal(found.samples, SECONDS);
    assert.deepEqual(found.minimum, Array.from({ length: 20 }, (_, part) => part * 30));
    assert.deepEqual(found.maximum, Array.from({ length: 20 }, (_, part) => part * 30 + 29));
    assert.deepEqual(found.last, found.maximum);
  });

  test('a bad value is a gap, text is text, a bool is 0 or 1', async () => {
    const { variables } = await query({
      variableNames: ['Robot/Global/R1_Größe', 'label', 'pump/on'], from: at(0), to: at(SECONDS),
    });
    assert.deepEqual(variables.map(({ value }) => value), [[null, 1e-7], ['start "now"\n', '42'], [0, 1]]);
    assert.equal(variables[0].status[0], INVALID);
  });

  test('limits are said in words', async () => {
    const good = { variableNames: ['power'], from: at(0), to: at(1) };
    for (const [change, words] of [
      [{ points: 9 }, /10 to 10000/],
      [{ points: 10001 }, /10 to 10000/],
      [{ to: at(0) }, /before/],
      [{ from: '2010-01-01T00:00:00Z' }, /ten years/],
      [{ variableNames: [] }, /at least one/],
      [{ variableNames: Array(51).fill('power') }, /50/],
      [{ variableNames: ['power', 'secret'] }, /does not have all/],
    ]) {
      const reply = await ask(own('/history/query'), { body: { ...good, ...change } });
      assert.equal(reply.status, 400, JSON.stringify(change));
      assert.match(reply.json.errorMessage, words);
    }
  });
});

describe('export', () => {
  const csv = (query) => ask(own(`/history.csv?${query}`));

  test('a table in the time zone that was asked, with its offset', async () => {
    const reply = await csv(`variable=power&variable=label&from=${at(0)}&to=${at(2)}&zone=Europe/Vienna`);
    assert.equal(reply.status, 200);
    assert.match(reply.headers['content-type'], /^text\/csv/);
    assert.match(reply.headers['content-disposition'], /^attachment; filename="API-[0-9a-f]+-history\.csv"$/);
    assert.equal(reply.text.replaceAll('\r\n', '\n').split('\n').slice(1).join('\n'), [
      'time,"power [kW]","power status","label","label status"',
      '2026-03-01T13:00:00.000+01:00,0,0,"start ""now""',
      '",0',
      '2026-03-01T13:00:01.000+01:00,1,0,"42",0',
      '# end', '',
    ].join('\n'));
    assert.match(reply.text, /^# "API [0-9a-f]+" from 2026-03-01T13:00:00\.000\+01:00 to /);
  });

  test('what is wrong is said before the first byte', async () => {
    const good = `variable=power&from=${at(0)}&to=${at(2)}`;
    for (const query of ['', `from=${at(0)}&to=${at(2)}`, `${good}&zone=../../etc/passwd`, `${good}&zone=Moon`,
      `variable=secret&from=${at(0)}&to=${at(2)}`, `variable=power&from=now&to=${at(2)}`, `${good}&variable=%ff`,
      `${good}${'&variable=power'.repeat(50)}`])
      assert.equal((await csv(query)).status, 400, query);
  });
});

describe('events and alarms', () => {
  const query = (list, body) => ask(own(`/${list}/query`), { body });
  const all = { timeFilter: { from: at(0), to: at(10), type: 'Absolute' }, variableFilter: { variableNames: ['*'] } };

  test('events come by time and by the pattern of their variable', async () => {
    const { events } = (await query('events', all)).json;
    assert.deepEqual(events.map(({ text, variableName, value, receivedTime }) => [text, variableName, value, receivedTime]), [
      ['begun', null, null, at(0)],
      ['high', 'power', '99', at(1.5)],
    ]);
    const some = (await query('events', { ...all, variableFilter: { variableNames: ['pow*'] } })).json.events;
    assert.deepEqual(some.map(({ text }) => text), ['high']);
    const late = (await query('events', { ...all, timeFilter: absolute(2, 3) })).json.events;
    assert.deepEqual(late, []);
  });

  test('the list of alarms is there, and its question is checked', async () => {
    assert.equal((await query('alarms', { ...all, filterFlags: ['OnlyActive', 'OnlyUnacknowledged'] })).text, '{"alarms":[],"next":null}');
    assert.equal((await query('alarms', { ...all, filterFlags: ['Loud'] })).status, 400);
  });
});

describe('rights', () => {
  async function limited(...rules) {
    const id = `limited-${crypto.randomUUID().slice(0, 8)}`;
    const made = await grid.token({ id, actions: null });
    for (const [actions, ...options] of rules) grid.ctl('policy', 'grant', 'client', id, actions, ...options);
    return made;
  }

  test('what nobody has granted does not exist', async () => {
    const nobody = await limited();
    assert.deepEqual((await ask('/api/v1/datasources', { token: nobody })).json, { dataSources: [] });
    assert.deepEqual((await ask('/api/v2/datasources', { token: nobody })).json, { dataSourcesOrigin: [] });
    for (const rest of ['/archives', '/archives/RAW'])
      assert.equal((await ask(own(rest), { token: nobody })).status, 404);
  });

  test('a pattern opens these variables and no other', async () => {
    const some = await limited(['ReadAll', '--datasource', plant.id, '--variables', 'pump/*']);
    const one = await ask(own('/archives/RAW'), { token: some });
    assert.deepEqual(one.json.variables, [{ variableName: 'pump/on' }]);
    const refused = await ask(own('/archives/RAW/query'), {
      token: some, body: { variableFilter: { variableNames: ['power'] }, timeFilter: absolute(0, 1) },
    });
    assert.equal(refused.status, 400);
    const { events } = (await ask(own('/events/query'), {
      token: some, body: { timeFilter: absolute(0, 10), variableFilter: { variableNames: ['*'] } },
    })).json;
    assert.ok(events.every(({ variableName }) => variableName !== 'power'));
    assert.equal((await ask(own('/history/query'), {
      token: some, body: { variableNames: ['power'], from: at(0), to: at(1) },
    })).status, 400);
  });

  test('a refusal wins over what is allowed', async () => {
    const most = await limited(['ReadAll'], ['ReadArchives', '--variables', 'power', '--deny']);
    const { variables } = (await ask(own('/archives/RAW'), { token: most })).json;
    assert.ok(!variables.some(({ variableName }) => variableName === 'power'));
    assert.ok(variables.length >= 4);
  });

  test('access none hides a variable from everybody', async () => {
    const { variables } = (await ask(own('/archives/RAW'))).json;
    assert.ok(!variables.some(({ variableName }) => variableName === 'secret'));
  });

  test('current values without history are no way to history', async () => {
    const now = await limited(['ReadVariables']);
    assert.deepEqual((await ask(own('/archives'), { token: now })).json, { archives: [] });
    assert.equal((await ask(own('/alarms/query'), {
      token: now, body: { timeFilter: absolute(0, 1) },
    })).status, 403);
  });
});
