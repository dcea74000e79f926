// scenarios: what happens to the plants, each by itself, while the parts of the
// grid are killed at random. The test and the soak run take them from here.
//
// "options" are those of Source.open. "trouble" makes the trouble until "end"
// (a time in ms) and leaves nothing behind; it returns what it did, in words.
// "after" looks at more than samples and throws what is wrong.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { Agent } from '../support/agent.mjs';
import { sleep, until } from '../support/grid.mjs';
import { notApart } from './apart.mjs';
import { noClocks } from './source.mjs';
import { again, annoy, breakLine } from './trouble.mjs';

const DISK = '2m'; // of the agent whose disk is full
const RECORD_BYTES = 48; // before the frame, doc/AGENT.md
const SEGMENT_BYTES = 64;

/** What a power cut in the middle of a write leaves behind the last record. */
function tear(source, random) {
  const file = source.segments().at(-1);
  const bytes = fs.readFileSync(file);
  if (bytes.length < SEGMENT_BYTES + RECORD_BYTES) return false;
  const record = bytes.subarray(SEGMENT_BYTES, SEGMENT_BYTES + RECORD_BYTES + bytes.readUInt32LE(SEGMENT_BYTES));
  fs.appendFileSync(file, record.subarray(0, 1 + Math.floor(random() * (record.length - 1))));
  return true;
}

/** An agent with a copy of the spool, as of a machine that was cloned. */
async function startCopy(source, grid) {
  const copy = new Agent(grid, 'copy', { ...source.agent.setup, node: source.agent });
  fs.cpSync(source.agent.spool, copy.spool, { recursive: true });
  // Its own rows: a clone reads its own machine.
  fs.copyFileSync(path.join(source.agent.folder, 'limits.csv'), path.join(copy.folder, 'limits.csv'));
  copy.write('data.csv', fs.readFileSync(path.join(source.agent.folder, 'data.csv'), 'utf8')
    .replaceAll(/,(\d+)$/gm, (_, n) => `,${-n}`));
  return copy.start();
}

export const scenarios = [
  {
    name: 'agent killed',
    options: { rate: 100 },
    async trouble(source, { end, random }) {
      return `${await again(end, random, [1, 5], () => source.agent.running && source.agent.strike())} times`;
    },
  },
  {
    name: 'link cut',
    options: { rate: 50, line: true },
    trouble: async ({ line }, context) => `${await breakLine(context, () => line.down(), () => line.up())} times`,
  },
  {
    name: 'cable out',
    options: { rate: 50, line: true, commands: true },
    async trouble(source, { end, cut }) {
      await sleep((end - Date.now() - cut * 1000) / 3);
      source.out = { from: Date.now() };
      source.line.down();
      await sleep(cut * 1000);
      source.line.up();
      source.out.to = Date.now();
      return `for ${cut} s`;
    },
    after: ({ commander, out }) => commander.judgeOut(out),
  },
  {
    name: 'link slow and lossy',
    options: { rate: 50, line: true },
    async trouble(source, { end }) {
      source.line.slow();
      await sleep(end - Date.now());
      source.line.heal();
      return '300 ms there and back, 5 % lost each way, 256 kbit/s';
    },
  },
  {
    name: 'half open',
    options: { rate: 50, line: true },
    trouble: async ({ line }, context) => `${await breakLine(context,
      () => line.set('pass', 'none'), () => line.set('pass', 'both'))} times`,
  },
  {
    name: 'answers lost',
    options: { rate: 50, line: true },
    trouble: async ({ line }, context) => `${await breakLine(context,
      () => line.set('pass', 'there'), () => line.set('pass', 'both'))} times`,
  },
  {
    name: 'disk full',
    options: { rate: 50, line: true, padBytes: 2000, agent: { spool: 'when_full = stop' } },
    before(source) {
      fs.mkdirSync(source.agent.spool);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'spool', source.agent.spool]);
    },
    async trouble(source, { end, random }) {
      let told = 0;
      const times = await again(end - 30_000, random, [2, 5], async () => {
        source.line.down();
        await until(() => /sampling stops/.test(source.agent.log.slice(told)), { seconds: 180, what: 'a full disk' });
        source.line.up();
        await until(() => source.spooled < 1e6, { seconds: 180, what: 'room on the disk' });
        told = source.agent.log.length;
      });
      assert.ok(times > 0, 'the disk was never full');
      return `${times} times`;
    },
    async after(source) {
      await source.agent.stop();
      execFileSync('umount', [source.agent.spool]);
    },
  },
  {
    name: 'last record torn',
    options: { rate: 50 },
    async trouble(source, { end, random }) {
      let torn = 0;
      await again(end, random, [2, 5], async () => {
        await source.agent.kill();
        if (tear(source, random)) torn += 1;
        source.agent.supervise();
      });
      assert.ok(torn > 0, 'nothing was torn');
      return `${torn} times`;
    },
  },
  {
    name: 'commands',
    options: { rate: 20, line: true, commands: true },
    trouble: async ({ line, commander: { agent } }, context) => (
      `${await annoy(line, () => agent.running && agent.strike(), context)} times`),
  },
  {
    name: 'clock set',
    options: { rate: 50, clock: true, times: 'now' },
    async trouble(source, { end, random }) {
      const told = () => source.agent.log.match(/clock_held/g)?.length ?? 0;
      let direction = 1;
      const times = await again(end - 10_000, random, [3, 5], async () => {
        const before = told();
        source.setClock(3600 * direction);
        try {
          await sleep(3000);
          await until(() => told() > before || Date.now() > end, { seconds: 120, what: 'the agent to notice' });
        } finally {
          source.setClock(0);
        }
        direction = -direction;
      });
      assert.ok(told() > 0, 'the agent did not tell of its clock');
      return `an hour, ${times} times`;
    },
  },
  {
    name: 'spool copied',
    options: { rate: 50 },
    async trouble(source, { end, grid }) {
      await sleep((end - Date.now()) / 3);
      source.copy = await startCopy(source, grid);
      await sleep(end - Date.now());
      return 'once';
    },
    async after(source) {
      assert.equal(await source.copy.end(), 78, source.copy.log.slice(-2000));
      assert.match(source.copy.log, /AgentRuns|SequenceConflict/);
      const [[told]] = source.agent.grid.sql(`SELECT count(*) FROM event
        WHERE kind = 'node.doubled' AND text LIKE '%${source.agent.node.name}%'`);
      assert.ok(Number(told) > 0, 'nobody was told of the copy');
      await source.copy.close();
    },
  },
];

/** Why a scenario cannot be played on this machine; false where it can. */
export function whyNot({ options }) {
  return (options.line && notApart) || (options.clock && noClocks) || false;
}
