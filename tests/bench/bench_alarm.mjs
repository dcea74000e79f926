// bench_alarm: the Alarm Message List with five million entries.

import https from 'node:https';
import { Plant } from '../support/plant.mjs';

const ALARMS = 5_000_000;
const VARIABLES = 1000;
const STANDING = ['UnacknowledgedActive', 'AcknowledgedActive', 'ReturnedUnacknowledged', 'Shelved', 'SuppressedByDesign', 'OutOfService'];
const ROUNDS = 200;
const FIRST = 20; // after which each worker's connection keeps a plan

const sorted = (list) => list.toSorted((a, b) => a - b);

/** 5 million occurrences over a year; 1,000 are still active, 2,000 wait for somebody. */
function fill(grid, plant) {
  const indexes = grid.sql(`SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'alarm' AND indexname <> 'alarm_pkey'`);
  grid.sql(`DROP INDEX ${indexes.map(([name]) => name)}`); // to be made anew: quicker
  grid.sql(`INSERT INTO alarm (id, datasource_id, variable_id, came_us, went_us, acknowledged_us, changed_us, limit_name, text, value
      , class_number, priority)
    SELECT lpad(to_hex(n), 32, '0')::uuid, d.id, first.id + n % ${VARIABLES}, at, CASE WHEN n % 5000 <> 0 THEN at + 60000000 END
      , CASE WHEN n % 2500 <> 0 THEN at + 120000000 END, at, 'high', 'Value too high: ' || n, n::text, n % 7, 1 + n % 4
    FROM datasource d, LATERAL (SELECT min(id) AS id FROM variable WHERE datasource_id = d.id) AS first
      , generate_series(1, ${ALARMS}) AS n
      , LATERAL (SELECT 1770000000000000 + n * 6300000::bigint AS at) AS time
    WHERE d.uuid = '${plant.id}'`);
  for (const [, sql] of indexes) grid.sql(sql);
  grid.sql('VACUUM ANALYZE alarm');
}

/** Until the last byte has come; what a client then does with it is its own. */
function ask(grid, target, token, body) {
  const text = body && JSON.stringify(body);
  const headers = { authorization: `Bearer ${token}`, ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }) };
  return new Promise((resolve, reject) => {
    https.request(new URL(target, grid.url), { method: text ? 'POST' : 'GET', headers, agent: grid.agent }, (reply) => {
      if (reply.statusCode !== 200) reject(new Error(`${target}: ${reply.statusCode}`));
      reply.resume().on('end', resolve);
    }).on('error', reject).end(text);
  });
}

async function timed(call, rounds = ROUNDS) {
  const times = [];
  for (let i = 0; i < rounds; i++) {
    const start = performance.now();
    await call(i);
    times.push(performance.now() - start);
  }
  return { median: sorted(times)[rounds >> 1], p99: sorted(times)[Math.floor(rounds * 0.99)] };
}

/** The same 100 rows by the index alone, as PostgreSQL measures it itself. */
function raw(grid, plant) {
  const times = [];
  for (let i = 0; i < 20; i++) {
    const text = grid.sql(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) SELECT * FROM alarm
      WHERE datasource_id = (SELECT id FROM datasource WHERE uuid = '${plant.id}') AND went_us IS NULL
      ORDER BY came_us DESC, id DESC LIMIT 100`).flat().join('\n');
    times.push(JSON.parse(text)[0]['Execution Time']);
  }
  return sorted(times)[10];
}

export async function bench(grid, report) {
  const plant = new Plant(grid, 'Bench alarms');
  await plant.announce(Array.from({ length: VARIABLES }, (_, i) => ({ name: `area${i % 10}/device${i}/power`, type: 'float' })));
  fill(grid, plant);
  const base = raw(grid, plant);
  report({ name: 'index scan of the 100 newest active of 5 million', value: base, unit: 'ms' });
  const place = `/api/v1/datasources/${plant.id}/alarms`;
  const all = await grid.token();
  const one = await timed((i) => ask(grid, `${place}/${(ALARMS - i).toString(16).padStart(32, '0').replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')}`, all));
  report({ name: 'one alarm by its id, over HTTPS', value: one.median, unit: 'ms' });
  const some = await grid.token({ actions: null, id: 'bench-alarm-some' });
  grid.ctl('policy', 'grant', 'client', 'bench-alarm-some', 'ReadAlarms', '--variables', 'area1/*');
  for (const [name, token, more] of [
    ['the 100 newest active alarms, over HTTPS', all, { filterFlags: ['OnlyActive'] }],
    ['  of whom may read a tenth of the variables', some, { filterFlags: ['OnlyActive'] }],
    ['  unacknowledged ones', all, { filterFlags: ['OnlyUnacknowledged'] }],
    ['  of all', all, {}],
    ['  that are not over, the most urgent first', all, { states: STANDING, sort: 'priority' }],
    ['  of one class and priority', all, { alarmClasses: [3], priorities: [1], filterFlags: ['OnlyActive'] }],
  ]) {
    const question = () => ask(grid, `${place}/query`, token, { sort: '-receivedTime', limit: 100, ...more });
    const first = await timed(question, FIRST);
    const { median, p99 } = await timed(question);
    report({ name, value: median, unit: 'ms', ratio: median / one.median, of: 'one alarm by its id', wanted: '< 10 ms' });
    report({ name: '    p99', value: p99, unit: 'ms' });
    report({ name: '    when first asked on a connection to the database', value: first.p99, unit: 'ms' });
  }
  const week = Date.parse('2026-06-01T00:00:00Z');
  const figures = await timed((i) => ask(grid, `${place}/figures`, all, {
    timeFilter: { from: new Date(week + i * 1000).toISOString(), to: new Date(week + 7 * 86400_000).toISOString() },
  }), 5);
  report({ name: 'key figures of a week, 96,000 alarms', value: figures.p99, unit: 'ms' });
  plant.close();
}
