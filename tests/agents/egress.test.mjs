// fieldgrid-egress: the mirror has what the source has, once and in order,
// whatever is killed; and only what its node may read.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { Egress, egressNode } from '../support/egress.mjs';
import { build, openGrid, sleep, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';
import { programOf } from '../support/program.mjs';

let grid;
let token;
const open = [];

before(async () => {
  grid = await openGrid({ own: true });
  grid.stop('keeper'); // it works when a test says so
  token = await grid.token();
});

after(async () => {
  for (const one of open.reverse()) await one.close();
  await grid?.close();
});

function keep(one) {
  open.push(one);
  return one;
}

/** A plant that sends the numbers 1..count as "n", "rate" a second. */
function plant(name, count, rate, setup = {}) {
  return keep(new Agent(grid, name, {
    driver: 'csv', variables: 'name,type\nn,int\n', data: numberedCsv(count, rate),
    options: 'file = data.csv\nspeed = 1\ntimes = now\nat_end = wait', ...setup,
  }));
}

/** A mirror of plants, under a prefix each. */
function mirror(plants, setup = {}) {
  const node = keep(egressNode(grid, plants.map((one) => one.id), setup.rights));
  const rows = plants.map((one, index) => `${one.id},*,site${index}/`);
  return keep(new Egress(grid, {
    mirror: `datasource,variables,prefix\n${rows.join('\n')}\n`, node, ...setup,
  }));
}

/** The keeper's work: all of it that is due, or to pack every frame. */
function keeper(what, hold = 72) {
  const conf = path.join(grid.state, 'etc/keeper-test.conf');
  fs.writeFileSync(conf, fs.readFileSync(path.join(grid.state, 'etc/keeper.conf'), 'utf8')
    .replace(/^\[keeper\]$/m, `[keeper]\nfeed_hold_h = ${hold}`));
  execFileSync(path.join(build, 'fieldgrid-keeper'), ['--config', conf, what], { stdio: 'ignore' });
}
const frames = (agent) => Number(grid.sql(`SELECT count(*) FROM frame f JOIN datasource d
  ON d.id = f.datasource_id WHERE d.uuid = '${agent.id}'`)[0][0]);

const hash = (lines) => createHash('sha256').update(lines.join('\n')).digest('hex');

/** What history has of "n", as the mirror would write it. */
async function source(agent) {
  const rows = await agent.history(token, 'n');
  return rows.map(([time, value]) => `${new Date(time).toISOString()} ${value}`);
}

const mirrored = (egress, name) => egress.records('values')
  .filter((one) => one.variable === name)
  .map((one) => `${new Date(one.time).toISOString()} ${one.value}`);

async function assertEqual(egress, agent, name, count) {
  await until(() => mirrored(egress, name).length >= count,
    { every: 200, what: `${count} values of ${name}` }).catch(() => {});
  const there = await source(agent);
  const here = mirrored(egress, name);
  assert.equal(there.length, count, agent.log.slice(-1500));
  assert.equal(here.length, there.length, egress.log.slice(-1500));
  assert.equal(hash(here), hash(there));
}

test('a mirror begins now, and has every value of two plants once', async () => {
  const one = plant('one', 400, 100);
  const other = plant('other', 300, 100);
  const egress = mirror([one, other]).start();
  await egress.begun();
  one.start();
  other.start();
  await assertEqual(egress, one, 'site0/n', 400);
  await assertEqual(egress, other, 'site1/n', 300);
  const [first] = egress.records('values');
  assert.deepEqual(Object.keys(first), ['time', 'datasource', 'variable', 'value', 'status']);
  assert.equal(await egress.stop(), 0);
});

test('kills of egress, hub and PostgreSQL and packing leave no gap and nothing twice', async () => {
  const agent = plant('kills', 3000, 150);
  const egress = mirror([agent], { options: 'folder = data\nrotate_mib = 1' });
  egress.supervise();
  await egress.begun();
  agent.supervise();
  const end = Date.now() + 16_000;
  for (let round = 0; Date.now() < end; round += 1) {
    await sleep(300 + (round * 137) % 500);
    if (egress.running) egress.strike();
    if (round % 6 === 2) grid.kill('hub');
    if (round % 11 === 6) grid.kill('postgresql');
    if (round % 9 === 4) agent.strike();
    if (round % 5 === 3 && round % 11 !== 6) {
      try { keeper('--pack-now'); } catch { /* the database is away */ }
    }
  }
  await assertEqual(egress, agent, 'site0/n', 3000);
  assert.ok(egress.starts > 10, `${egress.starts} starts`);
});

test('the hub wakes the mirror: nothing waits for its next look', async () => {
  const sender = keep(new Plant(grid, 'Awake'));
  await sender.announce([{ name: 'n', type: 'int' }]);
  const egress = mirror([sender], { egress: 'poll_ms = 60000' }).start();
  await egress.begun();
  for (const value of [1, 2, 3]) {
    await sender.send({ n: [[Date.now(), value]] }, [{ time: Date.now(), kind: 'process.note', text: `of ${value}` }]);
    await until(() => egress.records('values').length === value, { every: 20, what: 'the value' });
    await until(() => egress.records('events').filter((one) => one.kind === 'process.note').length === value,
      { every: 20, what: 'the event' });
  }
  assert.equal(await egress.stop(), 0);
});

const positionOf = (egress) => path.join(egress.folder, 'state/position');
/** The hub has noted that the mirror has all that there is. */
const isNoted = (egress) => until(() => grid.sql(`SELECT bool_and(p.sequence = s.last_sequence)
    FROM feed_position p JOIN node_position s ON s.node_id = p.source_id JOIN node n ON n.id = p.node_id
   WHERE n.name = '${egress.node.name}' AND s.last_sequence > 0`).flat().join() === 't', { what: 'its note' });

test('what was packed while the egress was off is held for it, then dropped', async () => {
  const agent = plant('held', 500, 500);
  const egress = mirror([agent]).start();
  await egress.begun();
  await egress.kill();
  agent.start();
  await until(async () => (await source(agent)).length === 500, { what: 'all values' });
  keeper('--pack-now');
  assert.ok(frames(agent) > 0, 'packed frames are held');
  assert.equal((await source(agent)).length, 500, 'readers of history leave them out');
  egress.start();
  await assertEqual(egress, agent, 'site0/n', 500);
  await isNoted(egress);
  keeper('--pack-now');
  keeper('--once');
  assert.equal(frames(agent), 0, 'everybody has them');
});

test('what was dropped before it was mirrored is filled from history, and nothing else', async () => {
  const agent = plant('expired', 400, 400);
  const beside = keep(new Plant(grid, 'Beside')); // its times lie in the gap of the other
  await beside.announce([{ name: 'n', type: 'int' }]);
  const egress = mirror([agent, beside]).start();
  await egress.begun();
  agent.start();
  await assertEqual(egress, agent, 'site0/n', 400);
  await beside.send({ n: Array.from({ length: 500 }, (_, i) => [Date.now() + i * 1000, i]) });
  await until(() => mirrored(egress, 'site1/n').length === 500, { what: 'the other plant' });
  await isNoted(egress);
  await egress.kill();
  await agent.stop();
  agent.write('data.csv', numberedCsv(900, 400));
  agent.start();
  await until(async () => (await source(agent)).length === 900, { what: 'all values' });
  keeper('--pack-now', 0);
  keeper('--once', 0);
  assert.equal(frames(agent), 0, 'the frames are gone');
  await agent.stop();
  agent.write('data.csv', numberedCsv(1000, 400)); // these are in frames
  agent.start();
  await until(async () => (await source(agent)).length === 1000, { what: 'all values' });
  egress.start();
  await until(() => mirrored(egress, 'site0/n').length >= 1000, { what: 'the rest' });
  assert.deepEqual(mirrored(egress, 'site0/n').sort(), (await source(agent)).sort(), egress.log);
  assert.ok(egress.records('events').some((one) => one.kind === 'feed.filled'), 'the gap is told');
  assert.equal(mirrored(egress, 'site1/n').length, 500, 'the other plant had no gap');
});

test('a new mirror begins with history when it is asked to', async () => {
  const agent = plant('since', 700, 700);
  agent.start();
  await until(async () => (await source(agent)).length === 700, { what: 'all values' });
  keeper('--pack-now');
  await agent.stop();
  agent.write('data.csv', numberedCsv(800, 700));
  agent.start();
  await until(async () => (await source(agent)).length === 800, { what: 'all values' });
  const egress = mirror([agent], { egress: 'since = 2026-01-01T00:00:00Z' }).start();
  await until(() => mirrored(egress, 'site0/n').length >= 800, { what: 'all of it' });
  assert.deepEqual(mirrored(egress, 'site0/n').sort(), (await source(agent)).sort(), egress.log);
});

test('rights that are taken away take the variable out of the mirror', async () => {
  const agent = plant('rights', 100000, 50, {
    variables: 'name,type\nn,int\nm,int\n',
    data: `time,n,m\n${Array.from({ length: 3000 }, (_, i) => `${new Date(1e12 + i * 20).toISOString()},${i + 1},${i + 1}`).join('\n')}\n`,
  });
  const egress = mirror([agent]).start();
  await egress.begun();
  agent.start();
  await until(() => mirrored(egress, 'site0/m').length > 20, { what: 'both' });
  grid.ctl('policy', 'grant', 'node', egress.node.name, 'ReadVariables', '--datasource', agent.id, '--variable', 'm', '--deny');
  const lastOf = (name) => Number(mirrored(egress, name).at(-1).split(' ')[1]);
  await until(() => lastOf('site0/n') > lastOf('site0/m') + 30, { what: 'the right to go' });
  const number = lastOf('site0/m');
  await until(() => lastOf('site0/n') > number + 100, { what: 'n, which goes on' });
  assert.equal(lastOf('site0/m'), number, 'no value of m any more');
});

test('a torn line, a file that is removed and a lost position harm no file; a second agent is refused', async () => {
  const sender = keep(new Plant(grid, 'Files'));
  await sender.announce([{ name: 'n', type: 'int' }]);
  const egress = mirror([sender]).start();
  await egress.begun();
  const start = Date.now();
  const put = (value) => sender.send({ n: [[start + value, value]] });
  const seen = () => egress.records('values').map((one) => one.value);
  const has = (count) => until(() => seen().length >= count, { every: 20, what: `${count} values` });
  const file = (number) => path.join(egress.folder, `data/values-00000${number}.jsonl`);
  await put(1);
  await has(1);
  const other = await egress.call();
  assert.equal(other.code, 1);
  assert.match(other.stderr, /another egress agent uses this folder/);

  await egress.kill();
  fs.appendFileSync(file(1), '{"time":"2026-01-01T00:0'); // written, not committed
  egress.start();
  await put(2);
  await has(2);
  assert.deepEqual(seen(), [1, 2]);

  fs.rmSync(file(1)); // somebody took it while it was open
  await put(3);
  await until(() => fs.existsSync(file(2)) && seen().length === 1, { what: 'the next file' });
  assert.deepEqual(seen(), [3], egress.log);
  assert.match(egress.log, /was removed while it was written/);

  await egress.stop();
  fs.rmSync(positionOf(egress));
  egress.start();
  await egress.begun();
  await egress.stop();
  egress.start();
  await put(4);
  await has(2);
  assert.deepEqual(seen(), [3, 4], 'a new mirror begins behind the files of the old one');
  assert.ok(fs.existsSync(file(3)));
});

test('a full disk under the files is waited out: nothing is missing, nothing is twice', async () => {
  const sender = keep(new Plant(grid, 'Full'));
  await sender.announce([{ name: 'n', type: 'int' }]);
  // How large a file may become stands for the disk.
  const egress = mirror([sender], { inside: ['prlimit', '--fsize=16384:'] }).start();
  await egress.begun();
  const start = Date.now();
  const send = (from) => sender.send({ n: Array.from({ length: 200 }, (_, i) => [start + from + i, from + i]) });
  await send(0);
  await until(() => egress.log.includes('File too large'), { what: 'the full disk' });
  await send(200);
  execFileSync('prlimit', ['--pid', String(egress.pid), '--fsize=unlimited:']);
  const seen = () => egress.records('values').map((one) => one.value);
  await until(() => seen().length >= 400, { seconds: 30, what: 'all values' }).catch(() => {});
  assert.deepEqual(seen(), Array.from({ length: 400 }, (_, i) => i), egress.log);
  assert.equal(await egress.stop(), 0, 'it has not ended in between');
});

test('a plant whose node is retired stays in the mirror, and another node goes on with it', async () => {
  const [old, beside] = [keep(new Plant(grid, 'Retired')), keep(new Plant(grid, 'Beside'))];
  for (const one of [old, beside]) await one.announce([{ name: 'n', type: 'int' }]);
  const egress = mirror([old, beside]).start();
  await egress.begun();
  const seen = (name) => egress.records('values').filter((one) => one.variable === name).map((one) => one.value);
  const has = (name, count) => until(() => seen(name).length >= count, { every: 20, what: `${count} values of ${name}` });
  const start = Date.now();
  await old.send({ n: [[start, 1]] });
  await has('site0/n', 1);
  await egress.kill();
  await old.send({ n: [[start + 1, 2]] });
  grid.ctl('node', 'retire', old.node.name);
  await assert.rejects(old.send({ n: [[start + 2, 99]] }), /40[13]/);
  await beside.send({ n: [[start, 1]] });
  egress.start();
  await has('site0/n', 2);
  await has('site1/n', 1);
  const next = keep(new Plant(grid, 'Next', old));
  await next.announce([{ name: 'n', type: 'int' }]);
  await next.send({ n: [[start + 3, 3]] });
  await has('site0/n', 3);
  await beside.send({ n: [[start + 1, 2]] });
  await has('site1/n', 2);
  assert.deepEqual([seen('site0/n'), seen('site1/n')], [[1, 2, 3], [1, 2]], egress.log);
});

test('a machine becomes an egress node with one command, and only of that kind', async () => {
  const agent = plant('enrolled', 50, 100);
  const program = programOf('egress');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-enrol-'));
  const name = `room-${process.pid}`;
  const code = /--token (\S+)/.exec(grid.ctl('node', 'add', name, '--kind', 'egress', '--subscribe', agent.id))[1];
  const enrol = (which, into) => execFileSync(which,
    ['enrol', grid.url, '--token', code, '--folder', path.join(folder, into)], { encoding: 'utf8', stdio: 'pipe' });
  assert.throws(() => enrol(programOf('ingress'), 'wrong'), /of the kind egress/);
  const text = enrol(program, 'wrong');
  assert.match(text, new RegExp(`It receives ".*" \\(${agent.id}\\)`));
  assert.equal(fs.readFileSync(path.join(folder, 'wrong/mirror.csv'), 'utf8'),
    `datasource,variables,prefix,alarms,events\n${agent.id},*,,yes,yes\n`);
  const check = execFileSync(program, ['--config', path.join(folder, 'wrong/egress.conf'), '--check-config'], { encoding: 'utf8' });
  assert.match(check, /1 rows of .*mirror.csv, outlet file/);
  fs.rmSync(folder, { recursive: true });
});

test('alarms and events are mirrored as the plant and its people write them', async () => {
  const sender = keep(new Plant(grid, 'Reported'));
  await sender.announce([{ name: 'a', type: 'float' }, { name: 'hidden', type: 'float', access: 'none' }]);
  const egress = mirror([sender], { rights: 'ReadAll' }).start();
  await egress.begun();
  const id = randomUUID();
  const start = Date.now();
  const change = (kind, more) => ({
    id, variable: 'a', limit: 'high', kind, time: start, came: start, reactivations: 0, value: 7.5, text: 'too much', ...more,
  });
  await sender.send({ a: [[start, 7.5]] }, [
    { time: start, kind: 'process.note', text: 'of a', variable: 'a', value: '7.5' },
    { time: start, kind: 'process.note', text: 'secret', variable: 'hidden' },
    { time: start, kind: 'process.note', text: 'of the plant' },
  ], { alarms: [change('came')] });
  await until(() => egress.records('alarms').length > 0, { what: 'the alarm' });
  await egress.kill(); // what follows is caught up with
  await sender.send({ a: [[start + 2000, 1]] }, [], { alarms: [change('went', { time: start + 2000, went: start + 2000 })] });
  egress.start();
  await until(() => egress.records('alarms').some((one) => one.clearedTime), { what: 'the end of the alarm' });
  const alarms = egress.records('alarms');
  assert.deepEqual([alarms.at(-1).id, alarms.at(-1).variableName, alarms.at(-1).text], [id, 'site0/a', 'too much']);
  await until(() => egress.records('events').some((one) => one.kind === 'alarm.went'), { what: 'its event' });
  const events = egress.records('events').filter((one) => one.datasource === sender.id);
  const texts = events.filter((one) => one.kind === 'process.note').map((one) => one.text);
  assert.deepEqual(texts.sort(), ['of a', 'of the plant'], 'each once, and not what may not be read');
  assert.deepEqual(events.map((one) => one.kind).filter((kind) => kind.startsWith('alarm.')).sort(), ['alarm.came', 'alarm.went']);
  assert.equal(new Set(events.map((one) => one.id)).size, events.length, 'nothing twice');
});

test('frames that fill a gap late are mirrored, also when the egress was off and they were packed', async () => {
  const sender = keep(new Plant(grid, 'Gaps'));
  await sender.announce([{ name: 'n', type: 'int' }]);
  const access = await sender.node.token();
  const start = Date.now();
  const frame = async (sequence) => {
    const reply = await sender.node.request('/hub/v1/frames', {
      token: access,
      body: { frames: [{ datasource: sender.id, spool: sender.spool, sequence,
        series: [{ name: 'n', time: [(start + sequence * 10) * 1000], value: [sequence] }] }] },
    });
    assert.equal(reply.status, 200, reply.text);
  };
  const egress = mirror([sender]).start();
  await egress.begun();
  const seen = () => egress.records('values').map((one) => one.value);
  for (const sequence of [1, 4, 9]) await frame(sequence);
  await until(() => seen().length === 3, { what: 'those in order' });
  await frame(3);
  await until(() => seen().length === 4, { what: 'the late one' });
  await isNoted(egress);
  await egress.kill();
  for (const sequence of [7, 10, 2]) await frame(sequence);
  keeper('--pack-now');
  keeper('--once');
  egress.start();
  await until(() => seen().length === 7, { what: 'what came meanwhile' }).catch(() => {});
  assert.deepEqual(seen().slice(0, 4), [1, 4, 9, 3]);
  assert.deepEqual(seen().sort((a, b) => a - b), [1, 2, 3, 4, 7, 9, 10], egress.log);
});
