// bench_frame: alarm changes into the hub, and what real plant data cost on the
// wire.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const run = promisify(execFile); // the meter goes on meanwhile

const CHANGES = 1000; // in a frame
const FRAMES = 2; // in a request
const REQUESTS = 40;

/** Requests of changes: all of one come, and go with the next. */
function makeRequests(plant, ids) {
  const requests = [];
  let open = [];
  for (let i = 0; i < REQUESTS; i++) {
    const us = Date.now() * 1000 + i;
    const changes = i % 2 === 0
      ? Array.from({ length: FRAMES * CHANGES }, (_, k) => ({
        id: randomUUID(), variable: ids[k % ids.length], limit: 'high', kind: 'came', time: us, came: us,
        value: k / 7, status: 1 << 17, text: `Value too high: ${k}`,
      }))
      : open.map((change) => ({ ...change, kind: 'went', time: us, went: us }));
    open = changes;
    requests.push(Array.from({ length: FRAMES }, (_, k) =>
      plant.frame({ version: 2, alarms: changes.slice(k * CHANGES, (k + 1) * CHANGES) })));
  }
  return requests;
}

/** As many rows, an alarm and its event each, with nothing but a key. */
function rawRate(grid) {
  const rows = FRAMES * CHANGES;
  grid.sql(`CREATE TABLE bench_alarm (id uuid PRIMARY KEY, variable_id integer, came_us bigint, went_us bigint, text text, value text);
    CREATE TABLE bench_event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, variable_id integer, time_us bigint, kind text, text text, about uuid)`);
  const begin = performance.now();
  grid.sql(`DO $$ BEGIN FOR i IN 1..${REQUESTS / 2} LOOP
    INSERT INTO bench_alarm SELECT md5((i * ${rows} + n)::text)::uuid, n, i, NULL, 'Value too high: ' || n, n::text FROM generate_series(1, ${rows}) AS n;
    INSERT INTO bench_event (variable_id, time_us, kind, text, about) SELECT n, i, 'alarm.came', 'Value too high: ' || n, md5((i * ${rows} + n)::text)::uuid FROM generate_series(1, ${rows}) AS n;
    COMMIT;
    UPDATE bench_alarm SET went_us = i + 1 WHERE id IN (SELECT md5((i * ${rows} + n)::text)::uuid FROM generate_series(1, ${rows}) AS n);
    INSERT INTO bench_event (variable_id, time_us, kind, text, about) SELECT n, i, 'alarm.went', 'Value too high: ' || n, md5((i * ${rows} + n)::text)::uuid FROM generate_series(1, ${rows}) AS n;
    COMMIT; END LOOP; END $$`);
  const rate = REQUESTS * rows / ((performance.now() - begin) / 1000);
  grid.sql('DROP TABLE bench_alarm, bench_event');
  return rate;
}

async function benchAlarms(report, grid) {
  const plant = new Plant(grid, 'Bench frames');
  const { variables } = await plant.announce(Array.from({ length: 200 }, (_, i) => ({ name: `device${i}/power`, type: 'float' })));
  const requests = makeRequests(plant, variables.map(({ id }) => id));
  const limit = rawRate(grid);
  const begin = performance.now();
  for (const frames of requests) await plant.post(...frames);
  const rate = REQUESTS * FRAMES * CHANGES / ((performance.now() - begin) / 1000);
  const [[stored]] = grid.sql(`SELECT count(*) FROM event e JOIN datasource d ON d.id = e.datasource_id
    WHERE d.uuid = '${plant.id}' AND kind LIKE 'alarm.%'`);
  if (Number(stored) !== REQUESTS * FRAMES * CHANGES) throw new Error(`${stored} events`);
  report({
    name: `alarm changes in frames, ${FRAMES} x ${CHANGES} a request, durable`, value: rate, unit: 'changes/s',
    wanted: '> 10,000', ratio: rate / limit, of: 'plain INSERTs and UPDATEs of alarm and event rows',
  });
  plant.close();
}

/** A door to the nodes' port that counts what goes through, both ways. */
async function openMeter(grid) {
  const to = new URL(grid.nodeUrl);
  const meter = { bytes: 0 };
  const server = net.createServer((inner) => {
    const outer = net.connect(Number(to.port), to.hostname);
    for (const [from, into] of [[inner, outer], [outer, inner]]) {
      from.on('data', (part) => { meter.bytes += part.length; });
      from.on('error', () => into.destroy());
      from.pipe(into);
    }
  });
  await new Promise((resolve) => { server.listen(0, to.hostname, resolve); });
  meter.url = `${to.protocol}//${to.hostname}:${server.address().port}`;
  meter.close = () => server.close();
  return meter;
}

async function benchWire(report, grid) {
  const series = ['TAEFC1044741', 'ZT162185000441C1203', 'fixture_timeseries'].map((name) => `pv_multisite/${name}.csv`);
  const plant = randomUUID();
  const node = grid.enrol(`wire-${plant.slice(0, 8)}`, `${plant}:Wire ${plant.slice(0, 8)}`);
  const token = await node.token();
  const reply = await node.request('/hub/v1/variables', {
    method: 'PUT', token, body: { datasource: plant, variables: Array.from({ length: 50 }, (_, i) => ({ name: `v${i}`, type: 'float' })) },
  });
  const ids = reply.json.variables.map(({ id }) => id);
  let first = 1;
  for (const frames of [1, 16]) {
    const meter = await openMeter(grid);
    const words = {
      form: 'zstd', frames, seconds: 5, first, datasource: plant, ids: ids.join(','), series: series.join(','),
      url: `${meter.url}/hub/v1/frames`, ca: grid.caFile, token,
      cert: path.join(node.folder, 'node.pem'), key: path.join(node.folder, 'node.key'),
    };
    const { stdout } = await run(path.join(build, 'tests/bench/ingest'),
      ['post', ...Object.entries(words).map(([key, value]) => `${key}=${value}`)]);
    const [, body, requests] = stdout.trim().split(' ').map(Number);
    report({
      name: `solar plants, 50 variables, ${frames} x 1,000 samples a request: frame`, value: body, unit: 'B/sample', wanted: '< 4',
    });
    report({
      name: `solar plants, ${frames} x 1,000 samples a request: with TLS and HTTP, both ways`,
      value: meter.bytes / (requests * frames * 1000), unit: 'B/sample', wanted: '< 4',
    });
    meter.close();
    first += 1e8;
  }
  node.close();
}

export async function bench(grid, report) {
  await benchAlarms(report, grid);
  if (process.env.FIELDGRID_DATA === undefined) console.log('bytes on the wire: FIELDGRID_DATA is not set: skipped');
  else await benchWire(report, grid);
}
