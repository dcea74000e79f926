// egress: values from the hub's feed into files, against a bare reader of the
// same feed that throws everything away.
//
// A plant has sent its values while the egress was off; what is measured is
// how fast it catches up, with a position and a sync after every page. Then,
// how long a value takes from the commit of its frame to the standard output
// of an agent that has its default settings.

import fs from 'node:fs';
import path from 'node:path';

import { Agent } from '../support/agent.mjs';
import { Egress, egressNode } from '../support/egress.mjs';
import { sleep, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const columns = 100;
const rows = 20_000;
const values = columns * rows;
const ticks = 100; // of /proc/PID/stat in a second

/** Numbers as instruments give them: a wave with noise, three decimals. */
function series() {
  const names = Array.from({ length: columns }, (_, i) => `v${i}`);
  const lines = [`time,${names.join(',')}`];
  for (let row = 0; row < rows; row += 1) {
    const time = new Date(Date.UTC(2026, 0, 1) + row * 1000).toISOString();
    const cells = names.map((_, i) => (50 + 20 * Math.sin(row / 300 + i) + ((row * 7919 + i * 104729) % 1000) / 1000).toFixed(3));
    lines.push(`${time},${cells.join(',')}`);
  }
  return { data: `${lines.join('\n')}\n`, variables: `name,type\n${names.map((name) => `${name},float\n`).join('')}` };
}

const position = (egress) => path.join(egress.folder, 'state/position');
const cursor = (egress) => JSON.parse(fs.readFileSync(position(egress), 'utf8')).frames;

/** Read everything behind "from": { cursor, bytes, seconds }. */
async function readBare(node, from) {
  const token = await node.token();
  const start = process.hrtime.bigint();
  let at = from;
  let bytes = 0;
  for (;;) {
    const reply = await node.request('/hub/v1/feed/frames', { body: { cursor: at, bytes: 1 << 20 }, token });
    if (reply.status !== 200) throw new Error(reply.text);
    const end = reply.body.indexOf(10);
    const head = JSON.parse(reply.body.subarray(0, end));
    bytes += reply.body.length - end;
    if (head.cursor === at) break;
    at = head.cursor;
  }
  return { cursor: at, bytes, seconds: Number(process.hrtime.bigint() - start) / 1e9 };
}

function cpuSeconds(pid) {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticks;
}

function countLines(folder) {
  let lines = 0;
  for (const name of fs.readdirSync(folder).filter((one) => one.startsWith('values-'))) {
    const data = fs.readFileSync(path.join(folder, name));
    for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) lines += 1;
  }
  return lines;
}

const frames = 400;

/** From the hub's answer to a frame to the mirror's line of it, ms, sorted. */
async function latencies(grid) {
  const plant = new Plant(grid, 'Quick');
  await plant.announce([{ name: 'n', type: 'int' }]);
  const node = egressNode(grid, [plant.id]);
  const egress = new Egress(grid, { node, mirror: `datasource\n${plant.id}\n`, outlet: 'stdout', options: '' });
  const stored = new Map();
  const taken = [];
  let rest = '';
  try {
    egress.start();
    egress.stdout.on('data', (text) => {
      const now = performance.now();
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) taken.push([JSON.parse(line).value, now]);
    });
    await until(() => fs.existsSync(position(egress)), { what: 'the position' });
    await sleep(1000);
    for (let i = 0; i < frames; i += 1) {
      await plant.send({ n: [[Date.now(), i]] });
      stored.set(i, performance.now());
      await sleep(((i * 7919) % 300) + 20);
    }
    await until(() => taken.length >= frames, { what: 'all values' });
    return taken.map(([value, time]) => Math.max(0, time - stored.get(value))).sort((a, b) => a - b);
  } finally {
    await egress.close();
    plant.close();
    node.close();
  }
}

export async function bench(grid, report) {
  const times = await latencies(grid);
  report({ name: 'commit of a frame to the mirror, median', value: times[frames / 2], unit: 'ms' });
  report({ name: 'commit of a frame to the mirror, p99', value: times[Math.floor(frames * 0.99)], unit: 'ms' });
  const agent = new Agent(grid, 'mirrored', {
    driver: 'csv', ...series(), options: 'file = data.csv\nspeed = 0\nat_end = wait', agent: 'frame_samples = 5000',
  });
  const node = egressNode(grid, [agent.id]);
  const egress = new Egress(grid, { node, mirror: `datasource,prefix\n${agent.id},site/\n`, options: 'folder = data\nrotate_mib = 1024' });
  try {
    egress.start();
    await until(() => fs.existsSync(position(egress)), { what: 'the position' });
    await egress.stop();
    agent.start();
    await until(() => Number(grid.sql('SELECT coalesce(sum(samples), 0) FROM frame')[0][0]) >= values,
      { seconds: 120, every: 250, what: 'all samples' });
    await agent.stop();
    await sleep(500);
    const bare = await readBare(node, cursor(egress));
    egress.start();
    await until(() => egress.log.includes('connected'), { what: 'the egress' });
    const start = Date.now();
    await until(() => cursor(egress) === bare.cursor, { seconds: 120, every: 20, what: 'the end' });
    const seconds = (Date.now() - start) / 1000;
    const cpu = cpuSeconds(egress.pid);
    const found = countLines(path.join(egress.folder, 'data'));
    if (found !== values) throw new Error(`${found} of ${values} values are in the files`);
    report({ name: 'feed of frames, bare reader', value: values / bare.seconds, unit: 'values/s' });
    report({ name: 'feed of frames, bytes of a value', value: bare.bytes / values, unit: 'bytes' });
    report({ name: 'egress mirrors into files, synced', value: values / seconds, unit: 'values/s',
      wanted: '> 100,000', ratio: bare.seconds / seconds, of: 'bare reader' });
    report({ name: 'egress, values of one CPU second', value: values / cpu, unit: 'values' });
  } finally {
    await egress.close();
    await agent.close();
    node.close();
  }
}
