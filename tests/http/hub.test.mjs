// The hub through nginx: frames in, current values and live streams out.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { openGrid, sleep, until } from '../support/grid.mjs';
import { encodeFrame } from '../support/frame.mjs';
import { LiveReader } from '../support/live.mjs';

const frameType = 'application/vnd.fieldgrid.frame';
const plant = randomUUID();
const elsewhere = randomUUID();
const spool = randomBytes(8).toString('hex');
const nowUs = () => BigInt(Date.now()) * 1000n;

let grid;
let node;
let token; // of the node
let api; // token of an API client that may read everything
let ids; // of the variables, by name
let sequence = 0;

before(async () => {
  grid = await openGrid();
  node = grid.enrol(`hub-${plant.slice(0, 8)}`, `${plant}:Hub test ${plant.slice(0, 8)}`);
  token = await node.token();
  api = await grid.token();
  ids = await declare(node, token, plant, [
    { name: 'temperature', type: 'float', unit: 'degC', decimals: 1, minimum: -20, maximum: 120 },
    { name: 'count', type: 'int' },
    { name: 'Motor/running', type: 'bool', stepped: true },
    { name: 'Motor/text', type: 'string', description: 'what it does' },
    { name: 'Motor/speed', type: 'float', access: 'read_write' },
    { name: 'secret', type: 'float', access: 'none' },
  ]);
});

after(async () => {
  node?.close();
  await grid?.close();
});

async function declare(who, bearer, datasource, variables) {
  const reply = await who.request('/hub/v1/variables', {
    method: 'PUT', token: bearer, body: { datasource, variables },
  });
  assert.equal(reply.status, 200, reply.text);
  return Object.fromEntries(reply.json.variables.map(({ name, id }) => [name, id]));
}

const post = (body, options = {}) => node.request('/hub/v1/frames', {
  method: 'POST', token, body, headers: { 'content-type': frameType, ...options.headers }, ...options.more,
});

/** A frame with one number, and the next sequence. */
function numberFrame(value, { time = nowUs(), at = ++sequence, ...rest } = {}) {
  return encodeFrame({
    datasource: plant, spool, sequence: at,
    series: [{ id: ids.temperature, kind: 'float', time: [time], value: [value] }], ...rest,
  });
}

async function refused(reply, status, code) {
  const answer = await reply;
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.json.errorCode, code, answer.text);
  assert.ok(answer.json.errorMessage.length > 10);
  return answer;
}

async function accepted(reply) {
  const answer = await reply;
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

const value = async (name) => (await grid.request(
  `/api/v1/datasources/${plant}/variables/${name}`, { token: api })).json;

const query = (body, options = {}) => grid.request(
  `/api/v1/datasources/${plant}/variables/query`, { token: api, body, ...options });

// --- frames ---------------------------------------------------------------------

test('a new node is at position 0', async () => {
  const fresh = grid.enrol(`hub-fresh-${plant.slice(0, 8)}`, plant);
  const reply = await fresh.request('/hub/v1/position', { token: await fresh.token() });
  assert.equal(reply.status, 200, reply.text);
  assert.deepEqual(reply.json, { sequence: 0, spool: '0000000000000000' });
  fresh.close();
});

test('a binary frame is stored and is the current value', async () => {
  const time = nowUs();
  const body = encodeFrame({
    datasource: plant, spool, sequence: ++sequence,
    series: [
      { id: ids.temperature, kind: 'float', time: [time - 1000n, time], value: [20, 21.25], status: [0, 1 << 17] },
      { id: ids.count, kind: 'int', time: [time], value: [2n ** 60n] },
      { id: ids['Motor/running'], kind: 'bool', time: [time], value: [true] },
      { id: ids['Motor/text'], kind: 'string', time: [time], value: ['läuft "so"'] },
    ],
  });
  assert.deepEqual(await accepted(post(body)), { sequence });
  const temperature = await value('temperature');
  assert.equal(temperature.value, 21.25);
  assert.equal(temperature.status, 1 << 17);
  assert.equal(temperature.statusText, 'SPONT');
  assert.equal(temperature.unit, 'degC');
  assert.equal(temperature.type, 'float');
  assert.equal(Date.parse(temperature.lastUpdateTime), Number(time / 1000n));
  assert.equal((await value('count')).value, String(2n ** 60n));
  assert.equal((await value('Motor/running')).value, true);
  assert.equal((await value('Motor%2Ftext')).value, 'läuft "so"');
  const [[samples]] = grid.sql(`SELECT sum(samples) FROM frame f JOIN datasource d
    ON d.id = f.datasource_id WHERE d.uuid = '${plant}'`);
  assert.equal(samples, '5');
});

test('a JSON frame is stored in the same form', async () => {
  const time = Number(nowUs());
  const reply = await post(JSON.stringify({ frames: [{
    datasource: plant, spool, sequence: ++sequence, time: [time, time + 1],
    series: [
      { name: 'temperature', value: [22, 22.5] },
      { name: 'count', value: [7, '9007199254740993'], status: [0, 262144] },
      { name: 'Motor/running', time: [time], value: [false] },
    ],
    events: [{ time, kind: 'agent', text: 'lost 3 samples', variable: 'count', value: 3 }],
  }] }), { headers: { 'content-type': 'application/json; charset=utf-8' } });
  assert.deepEqual(await accepted(reply), { sequence });
  assert.equal((await value('temperature')).value, 22.5);
  const count = await value('count');
  assert.equal(count.value, '9007199254740993');
  assert.equal(count.statusText, 'INVALID');
  const [[magic]] = grid.sql(`SELECT convert_from(substr(body, 1, 4), 'UTF8') FROM frame
    ORDER BY id DESC LIMIT 1`);
  assert.equal(magic, 'FGFR');
  assert.deepEqual(grid.sql(`SELECT e.kind, e.text, e.value, v.name FROM event e
    JOIN variable v ON v.id = e.variable_id JOIN datasource d ON d.id = e.datasource_id
    WHERE d.uuid = '${plant}'`), [['agent', 'lost 3 samples', '3', 'count']]);
});

test('zstd bodies of both forms are taken', async () => {
  const pack = (bytes) => execFileSync('zstd', ['-q', '-c'], { input: bytes });
  await accepted(post(pack(numberFrame(31)), { headers: { 'content-encoding': 'zstd' } }));
  assert.equal((await value('temperature')).value, 31);
  const json = JSON.stringify({ frames: [{ datasource: plant, spool, sequence: ++sequence,
    time: [Number(nowUs())], series: [{ name: 'temperature', value: [32] }] }] });
  await accepted(post(pack(json), {
    headers: { 'content-type': 'application/json', 'content-encoding': 'zstd' } }));
  assert.equal((await value('temperature')).value, 32);
  const packed = pack(numberFrame(33, { at: sequence + 1 }));
  await refused(post(packed.subarray(0, packed.length - 9), { headers: { 'content-encoding': 'zstd' } }),
    400, 'FrameTruncated');
  await refused(post(Buffer.from('not zstd at all'), { headers: { 'content-encoding': 'zstd' } }),
    400, 'FrameMalformed');
  await refused(post(packed, { headers: { 'content-encoding': 'br' } }), 415, 'UnsupportedEncoding');
  const bomb = pack(Buffer.alloc(64 << 20));
  await refused(post(bomb, { headers: { 'content-encoding': 'zstd' } }), 413, 'TooLarge');
});

test('several frames in one body, and late samples lose', async () => {
  const time = nowUs();
  await accepted(post(Buffer.concat([numberFrame(41, { time }), numberFrame(40, { time: time - 5_000_000n })])));
  assert.equal((await value('temperature')).value, 41);
  await accepted(post(numberFrame(42, { time })));
  assert.equal((await value('temperature')).value, 42, 'of equal times the later arrival wins');
});

const stored = () => Number(grid.sql(`SELECT count(*) FROM frame f JOIN datasource d
  ON d.id = f.datasource_id WHERE d.uuid = '${plant}'`)[0][0]);

test('duplicates and partial overlap are stored once', async () => {
  const body = numberFrame(50, { events: [{ time: nowUs(), kind: 'k', text: `once ${plant}` }] });
  await accepted(post(body));
  const count = stored();
  assert.deepEqual(await accepted(post(body)), { sequence });
  assert.equal(stored(), count);
  const next = numberFrame(51);
  assert.deepEqual(await accepted(post(Buffer.concat([body, next]))), { sequence });
  assert.equal(stored(), count + 1);
  assert.equal((await value('temperature')).value, 51);
  assert.equal(grid.sql(`SELECT count(*) FROM event WHERE text = 'once ${plant}'`)[0][0], '1');
  const position = await node.request('/hub/v1/position', { token });
  assert.deepEqual(position.json, { sequence, spool });
});

test('a sequence that goes backwards with other content is a conflict', async () => {
  const count = stored();
  const other = numberFrame(99, { at: sequence });
  await refused(post(other), 409, 'SequenceConflict');
  await refused(post(Buffer.concat([other, numberFrame(98, { at: sequence + 1 })])), 409, 'SequenceConflict');
  await refused(post(numberFrame(97, { at: sequence, spool: '00000000000000aa' })), 409, 'SequenceConflict');
  assert.equal(stored(), count, 'nothing of a refused body is stored');
  assert.notEqual((await value('temperature')).value, 99);
});

test('a frame of a gap that comes late is stored', async () => {
  const late = numberFrame(60, { time: nowUs() - 1_000_000n });
  const next = numberFrame(61);
  await accepted(post(next));
  const count = stored();
  assert.deepEqual(await accepted(post(late)), { sequence });
  assert.equal(stored(), count + 1);
  assert.deepEqual(await accepted(post(late)), { sequence });
  assert.equal(stored(), count + 1);
  assert.equal((await value('temperature')).value, 61);
});

test('concurrent posts of one node lose and double nothing', async () => {
  const count = stored();
  const bodies = Array.from({ length: 40 }, (_, i) => numberFrame(100 + i));
  const replies = await Promise.all([...bodies, ...bodies].map((body) => post(body)));
  for (const reply of replies) assert.equal(reply.status, 200, reply.text);
  assert.equal(stored(), count + 40);
  const [[least]] = grid.sql(`SELECT min(last_sequence) FROM node_position p
    JOIN node n ON n.id = p.node_id WHERE n.name = '${node.name}'`);
  assert.equal(Number(least), sequence);
});

test('what is malformed is refused in words', async () => {
  const whole = numberFrame(1, { at: sequence + 1 });
  const flipped = Buffer.from(whole);
  flipped[whole.length - 1] ^= 1;
  await refused(post(Buffer.alloc(100, 'hello')), 400, 'FrameMalformed');
  await refused(post(whole.subarray(0, 40)), 400, 'FrameTruncated');
  await refused(post(whole.subarray(0, whole.length - 1)), 400, 'FrameTruncated');
  await refused(post(flipped), 400, 'FrameCrc');
  await refused(post(numberFrame(1, { at: sequence + 1, version: 3 })), 415, 'FrameVersion');
  await refused(post(''), 400, 'FrameMalformed');
  await refused(post(numberFrame(1, { at: 0 })), 400, 'FrameMalformed');
  await refused(post(Buffer.concat([whole, whole])), 400, 'FrameMalformed');
  await refused(post('{"frames":[', { headers: { 'content-type': 'application/json' } }), 400, 'FrameMalformed');
  await refused(post('x', { headers: { 'content-type': 'text/plain' } }), 415, 'UnsupportedMediaType');
  await refused(post(Buffer.alloc(9 << 20)), 413, 'TooLarge');
  await refused(post(Buffer.concat(Array.from({ length: 65 }, (_, i) => numberFrame(1, { at: sequence + 1 + i })))),
    413, 'TooLarge');
});

test('what does not fit the plant is refused in words', async () => {
  const at = sequence + 1;
  const one = (series) => post(encodeFrame({ datasource: plant, spool, sequence: at, series: [series] }));
  const time = [nowUs()];
  await refused(one({ id: 2_000_000_000, kind: 'float', time, value: [1] }), 422, 'UnknownVariable');
  await refused(one({ id: ids.count, kind: 'float', time, value: [1] }), 422, 'WrongType');
  await refused(one({ id: ids.count, kind: 'int', time: [1n], value: [1] }), 422, 'TimeOutOfRange');
  await refused(one({ id: ids.count, kind: 'int', time: [nowUs() + 700_000_000n], value: [1] }), 422, 'TimeOutOfRange');
  await refused(post(encodeFrame({ datasource: elsewhere, spool, sequence: at,
    series: [{ id: 1, kind: 'float', time, value: [1] }] })), 403, 'DatasourceNotAllowed');
  const json = (series) => post(JSON.stringify({ frames: [{ datasource: plant, spool, sequence: at, series }] }),
    { headers: { 'content-type': 'application/json' } });
  const us = [Number(nowUs())];
  await refused(json([{ name: 'nobody', time: us, value: [1] }]), 422, 'UnknownVariable');
  await refused(json([{ name: 'count', time: us, value: [1.5] }]), 422, 'WrongType');
  await refused(json([{ name: 'Motor/running', time: us, value: [1] }]), 422, 'WrongType');
  await refused(json([{ name: 'Motor/text', time: us, value: ['x'.repeat(5000)] }]), 422, 'WrongType');
  await refused(json([{ name: 'count', time: [-1], value: [1] }]), 422, 'TimeOutOfRange');
  await refused(json([{ name: 'count', time: us, value: [1, 2] }]), 400, 'FrameMalformed');
});

test('variables are declared again, but keep their type', async () => {
  const again = await declare(node, token, plant, [{ name: 'temperature', type: 'float', unit: 'K' }]);
  assert.equal(again.temperature, ids.temperature);
  assert.equal((await value('temperature')).unit, 'K');
  const put = (body) => node.request('/hub/v1/variables', { method: 'PUT', token, body });
  const conflict = await put({ datasource: plant, variables: [{ name: 'temperature', type: 'int' }] });
  assert.equal(conflict.status, 409, conflict.text);
  await refused(put({ datasource: elsewhere, variables: [] }), 403, 'DatasourceNotAllowed');
  assert.equal((await put({ datasource: plant, variables: [{ name: 'x', type: 'complex' }] })).status, 400);
  assert.equal((await put({ datasource: plant, variables: [{ type: 'float' }] })).status, 400);
  assert.equal((await put({ datasource: plant, variables: 'all' })).status, 400);
  const twice = await put({ datasource: plant, variables: [{ name: 'x', type: 'float' }, { name: 'x', type: 'float' }] });
  assert.equal(twice.status, 400, twice.text);
});

test('who has no right to send is told why', async () => {
  const other = grid.enrol(`hub-other-${plant.slice(0, 8)}`, plant);
  const theirs = await other.token();
  const frame = numberFrame(1, { at: sequence + 1 });
  await refused(post(frame, { more: { token: theirs } }), 401, 'TokenNotBound');
  await refused(post(frame, { more: { token: 'abc' } }), 401, 'InvalidToken');
  await refused(post(frame, { more: { token: undefined } }), 401, 'InvalidToken');
  await refused(post(frame, { more: { token: api } }), 401, 'InvalidToken');
  grid.ctl('node', 'block', other.name);
  await until(async () => (await other.request('/hub/v1/position', { token: theirs })).status === 403,
    { what: 'the block' });
  await refused(other.request('/hub/v1/position', { token: theirs }), 403, 'NodeNotAuthorised');
  other.close();
});

test('without a certificate, or with one of another authority, nobody gets in', async () => {
  await refused(grid.request(`${grid.nodeUrl}/hub/v1/position`, { agent: false, token }), 403, 'NoCertificate');
  const folder = node.folder;
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-subj', '/CN=impostor', '-days', '2', '-keyout', `${folder}/x.key`, '-out', `${folder}/x.pem`], { stdio: 'ignore' });
  await refused(grid.request(`${grid.nodeUrl}/hub/v1/position`, {
    agent: false, token, cert: readFileSync(`${folder}/x.pem`), key: readFileSync(`${folder}/x.key`) }),
  403, 'NoCertificate');
});

test('a beat makes the plant online and tells the time', async () => {
  const begun = Date.now();
  const reply = await node.request('/hub/v1/beat', { token, body: {
    version: '0.1', spoolFrames: 3, spoolBytes: 99, oldest: null, lostSamples: 0,
    clock: new Date(begun + 60_000).toISOString(),
  } });
  const time = Date.parse((await accepted(reply)).time);
  assert.ok(time >= begun - 1 && time <= Date.now() + 1, `${time - begun} ms`);
  const [[frames, offset]] = grid.sql(`SELECT spool_frames, clock_offset_us FROM node_status s
    JOIN node n ON n.id = s.node_id WHERE n.name = '${node.name}'`);
  assert.equal(frames, '3');
  assert.ok(Math.abs(Number(offset) - 60_000_000) <= (Date.now() - begun + 1) * 1000, offset);
  assert.equal((await node.request('/hub/v1/beat', { token, body: { clock: 'now' } })).status, 400);
});

// --- current values --------------------------------------------------------------

test('a query is a projection and knows wildcards', async () => {
  const named = await accepted(query({ nameFilter: { variableNames: ['Motor/r*', 'co?nt', 'temperature', 'nobody'] },
    fields: ['name', 'type'] }));
  assert.deepEqual(named.variables, [
    { name: 'Motor/running', type: 'bool' }, { name: 'count', type: 'int' }, { name: 'temperature', type: 'float' }]);
  const all = await accepted(query({ NAMEFILTER: { variablenames: ['*'] }, Fields: ['NAME'] }));
  assert.deepEqual(all.variables.map(({ name }) => name),
    ['Motor/running', 'Motor/speed', 'Motor/text', 'count', 'temperature'], 'access none is not there');
  const plain = await accepted(query({ nameFilter: { variableNames: ['Motor/speed'] } }));
  assert.deepEqual(plain.variables, [{ name: 'Motor/speed', value: null, lastUpdateTime: null }]);
  const twice = await accepted(query({ nameFilter: { variableNames: ['count', 'c*', 'count'] }, fields: ['name'] }));
  assert.equal(twice.variables.length, 1);
});

test('a bad query is a 400, what is not there a 404 with compact JSON', async () => {
  assert.equal((await query('{"nameFilter":', { headers: { 'content-type': 'application/json' } })).status, 400);
  assert.equal((await query({ fields: ['colour'] })).status, 400);
  assert.equal((await query({ filter: {} })).status, 400);
  assert.equal((await query({ nameFilter: { variableNames: 'x' } })).status, 400);
  const missing = await grid.request(`/api/v1/datasources/${plant}/variables/nobody`, { token: api });
  assert.equal(missing.status, 404);
  assert.ok(missing.text.includes('"errorCode":"NotFound"'));
  for (const path of [`${plant}/variables/secret`, `${elsewhere}/variables/x`, 'no-uuid/variables/x']) {
    await refused(grid.request(`/api/v1/datasources/${path}`, { token: api }), 404, 'NotFound');
  }
  assert.equal((await query({}, { token: undefined })).status, 401);
  assert.equal((await grid.request(`/iiot-api/api/v1/datasources/${plant}/variables/count`, { token: api })).status, 200);
});

test('rights decide what is there', async () => {
  const id = `hub-narrow-${plant.slice(0, 8)}`;
  const narrow = await grid.token({ id, actions: null });
  await refused(query({}, { token: narrow }), 404, 'NotFound');
  grid.ctl('policy', 'grant', 'client', id, 'ReadVariables', '--datasource', plant, '--variables', 'Motor/*');
  const seen = await until(async () => {
    const reply = await query({ fields: ['name'] }, { token: narrow });
    return reply.status === 200 && reply.json.variables.map(({ name }) => name);
  }, { what: 'the right' });
  assert.deepEqual(seen, ['Motor/running', 'Motor/speed', 'Motor/text']);
});

// --- live --------------------------------------------------------------------------

const register = (names, options = {}) => grid.request('/api/v1/live', {
  token: api, body: { variables: [{ datasource: plant, names }] }, ...options });

test('a stream starts with a snapshot, goes on with values and resumes', async () => {
  const stream = await accepted(register(['temp*', 'Motor/*', 'secret', 'nobody']));
  assert.deepEqual(stream.variables.map(({ name }) => name), ['temperature', 'Motor/running', 'Motor/speed', 'Motor/text']);
  assert.equal(stream.variables[0].ref, 0);
  assert.equal(stream.datasources[0].id, plant);
  const reader = await LiveReader.open(grid, stream.url, { token: api });
  assert.equal(reader.status, 200);
  assert.match(reader.response.headers['content-type'], /^text\/event-stream/);
  const snapshot = await reader.next(({ event }) => event === 'snapshot');
  assert.equal(snapshot.data.values.length, 4);
  assert.deepEqual(snapshot.data.values[2], [2, null, null, 0]);
  assert.equal(snapshot.data.datasources[0][0], plant);
  await accepted(post(numberFrame(70.5)));
  const changed = await reader.next(({ event, data }) => event === 'values' && data.values.length > 0);
  assert.equal(changed.data.values[0][0], 0);
  assert.equal(changed.data.values[0][1], 70.5);
  assert.equal(changed.data.values.length, 1);
  await reader.next(({ event }) => event === 'beat');
  reader.close();
  await accepted(post(numberFrame(71.5)));
  const again = await LiveReader.open(grid, stream.url, { token: api, headers: { 'last-event-id': changed.id } });
  const missed = await again.next(({ event }) => event !== 'beat');
  assert.equal(missed.event, 'values');
  assert.deepEqual(missed.data.values.map(([ref, number]) => [ref, number]), [[0, 71.5]]);
  again.close();
  const anew = await LiveReader.open(grid, stream.url, { token: api, headers: { 'last-event-id': '0123456789abcdef-5' } });
  await anew.next(({ event }) => event === 'snapshot');
  anew.close();
});

test('a stream belongs to its login', async () => {
  const stream = await accepted(register(['temperature']));
  const stranger = await grid.token();
  for (const [options, status] of [[{ token: stranger }, 401], [{}, 401], [{ cookie: '__Host-gridsid=x' }, 401]]) {
    const reply = await grid.request(stream.url, options);
    assert.equal(reply.status, status, reply.text);
  }
  assert.equal((await grid.request('/live/nothing', { token: api })).status, 404);
  assert.equal((await grid.request(stream.url, { token: api, method: 'POST', body: '' })).status, 405);
  assert.equal((await register(['x'], { token: undefined })).status, 401);
  assert.equal((await grid.request('/api/v1/live', { token: api, body: { variables: [{ names: ['x'] }] } })).status, 400);
});

test('many changes are conflated to ten texts a second', async () => {
  const stream = await accepted(register(['temperature']));
  const reader = await LiveReader.open(grid, stream.url, { token: api });
  await reader.next(({ event }) => event === 'snapshot');
  const begun = performance.now();
  let last = 0;
  for (let i = 0; i < 200; i += 1) await accepted(post(numberFrame(last = i + Math.random())));
  await reader.next(({ event, data }) => event === 'values' && data.values.some((item) => item[1] === last));
  const tenths = (performance.now() - begun) / 100;
  const texts = reader.events.filter(({ event, data }) => event === 'values' && data.values.length > 0).length;
  assert.ok(texts <= tenths + 2, `${texts} texts in ${tenths} tenths of a second`);
  reader.close();
});

test('logging out ends the streams of the session', async () => {
  const cookie = await grid.logIn();
  const headers = { 'sec-fetch-site': 'same-origin' };
  const stream = await accepted(register(['*'], { token: undefined, cookie, headers }));
  const reader = await LiveReader.open(grid, stream.url, { cookie });
  await reader.next(({ event }) => event === 'snapshot');
  const hash = createHash('sha256').update(/__Host-gridsid=([^;]*)/.exec(cookie)[1]).digest('hex');
  grid.sql(`DELETE FROM session WHERE hash = '\\x${hash}'`);
  const end = await reader.next(({ event }) => event === 'end');
  assert.equal(end.data.reason, 'logged_out');
  await until(() => reader.ended, { what: 'the end' });
  assert.equal((await grid.request(stream.url, { cookie })).status, 404);
});

test('losing a right ends the streams that need it', async () => {
  const id = `hub-loser-${plant.slice(0, 8)}`;
  const loser = await grid.token({ id });
  const stream = await accepted(register(['temperature'], { token: loser }));
  const reader = await LiveReader.open(grid, stream.url, { token: loser });
  await reader.next(({ event }) => event === 'snapshot');
  grid.ctl('policy', 'clear', 'client', id);
  const end = await reader.next(({ event }) => event === 'end');
  assert.equal(end.data.reason, 'rights_changed');
});

test('a reader that stops reading is left out and catches up', async () => {
  const names = Array.from({ length: 400 }, (_, i) => `slow/${String(i).padStart(3, '0')}`);
  const slow = await declare(node, token, plant, names.map((name) => ({ name, type: 'string' })));
  const stream = await accepted(register(['slow/*']));
  const reader = await LiveReader.open(grid, stream.url, { token: api });
  await reader.next(({ event }) => event === 'snapshot');
  reader.response.pause();
  const text = 'x'.repeat(2000);
  for (let round = 0; round < 30; round++) {
    const time = [nowUs()];
    await accepted(post(encodeFrame({ datasource: plant, spool, sequence: ++sequence,
      series: names.map((name) => ({ id: slow[name], kind: 'string', time, value: [`${round} ${text}`] })) })));
    await sleep(60);
  }
  reader.response.resume();
  const latest = new Map();
  await until(() => {
    for (const { event, data } of reader.events) {
      if (event === 'values' || event === 'snapshot') for (const [ref, content] of data.values) latest.set(ref, content);
    }
    return latest.size === 400 && [...latest.values()].every((content) => content?.startsWith('29 '));
  }, { what: 'the last values' });
  const texts = reader.events.filter(({ event, data }) => event !== 'beat' && data.values.length > 0);
  assert.ok(texts.length < 31, `${texts.length} texts`);
  reader.close();
});

// --- when things break ----------------------------------------------------------------

test('with PostgreSQL gone everything is a 503, and comes back', async () => {
  const own = await openGrid({ own: true });
  try {
    const one = own.enrol('breaker', `${plant}:Breaking`);
    const bearer = await one.token();
    const reader = await own.token();
    const [id] = Object.values(await declare(one, bearer, plant, [{ name: 'number', type: 'float' }]));
    const frame = (at, number) => encodeFrame({ datasource: plant, spool, sequence: at,
      series: [{ id, kind: 'float', time: [nowUs()], value: [number] }] });
    const send = (body) => one.request('/hub/v1/frames', {
      method: 'POST', token: bearer, body, headers: { 'content-type': frameType } });
    await accepted(send(frame(1, 1)));
    own.stopDatabase();
    const refusal = await send(frame(2, 2));
    assert.equal(refusal.status, 503, refusal.text);
    assert.equal(refusal.json.errorCode, 'Unavailable');
    await own.startDatabase();
    const second = frame(2, 2);
    await until(async () => (await send(second)).status === 200, { what: 'the hub' });
    const current = () => own.request(`/api/v1/datasources/${plant}/variables/number`, { token: reader });
    assert.equal((await current()).json.value, 2);

    // A frame that was committed but never applied must appear after a crash.
    own.stop('hub');
    own.sql(`INSERT INTO frame (node_id, datasource_id, sequence, first_us, last_us, samples, crc, body)
      SELECT node_id, datasource_id, 3, first_us, last_us, 1, 0, '\\x${frame(3, 3).toString('hex')}'
        FROM frame ORDER BY id DESC LIMIT 1`);
    own.sql('UPDATE node_position SET last_sequence = 3');
    own.start('hub');
    await until(async () => (await current()).json.value === 3, { what: 'the replay' });

    // Killed without a word, it comes back with what was acknowledged.
    await accepted(send(frame(4, 4)));
    own.kill('hub');
    await until(async () => (await current()).json.value === 4, { what: 'the rebuilt image' });
    one.close();
  } finally {
    await own.close();
  }
});
