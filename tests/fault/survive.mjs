// survive: run the scenarios side by side on one grid whose parts are killed at
// random, and judge what the grid has afterwards.

import { openGrid, sleep } from '../support/grid.mjs';
import { gridAddress } from './apart.mjs';
import { check, isWhole, settle, table } from './checker.mjs';
import { Source } from './source.mjs';

const kills = { hub: 7, postgresql: 4, nginx: 6 }; // a minute

/** Evenly spread numbers in 0..1 (mulberry32). */
export function generator(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** SIGKILL a part of the grid, "times" until "end", at random. */
async function killParts(grid, part, times, end, random) {
  const begin = Date.now();
  const moments = Array.from({ length: times }, () => begin + 1000 + random() * (end - begin - 2000)).sort();
  let done = 0;
  for (const at of moments) {
    await sleep(Math.max(0, at - Date.now()));
    if (grid.kill(part).length > 0) done += 1;
  }
  return done;
}

export class Survival {
  /** { scenarios, seconds (of trouble), seed, apart (there are namespaces) } */
  static async open(options) {
    const survival = Object.assign(new Survival(), options, { runs: [] });
    try {
      await survival.#begin();
    } catch (error) {
      await survival.close();
      throw error;
    }
    return survival;
  }

  async #begin() {
    this.grid = await openGrid({ own: true, host: this.apart ? gridAddress : undefined });
    this.token = await this.grid.token({ actions: 'ReadAll,WriteVariables' });
    for (const [i, scenario] of this.scenarios.entries()) {
      const source = await Source.open(this.grid, scenario.name,
        { ...scenario.options, seconds: this.seconds, seed: this.seed + i, token: this.token });
      this.runs.push({ scenario, source });
    }
  }

  /** Everything goes wrong for a while, and then nothing any more. */
  async run() {
    const { grid, seconds, seed } = this;
    const end = Date.now() + seconds * 1000;
    for (const { scenario, source } of this.runs) {
      scenario.before?.(source);
      source.start();
    }
    const parts = Object.entries(kills).map(([part, often], i) => (
      killParts(grid, part, Math.max(1, Math.round(often * seconds / 60)), end, generator(seed + 1000 + i))));
    await Promise.all(this.runs.map(async (run, i) => {
      const context = { grid, end, random: generator(seed + 2000 + i) };
      try {
        const commands = run.source.commander?.run(end, generator(seed + 3000 + i));
        run.did = await run.scenario.trouble(run.source, context);
        await commands;
      } catch (error) {
        run.error = error;
      }
      run.source.line?.heal();
    }));
    this.killed = Object.fromEntries(Object.keys(kills).map((part, i) => [part, i]));
    for (const [part, i] of Object.entries(this.killed)) this.killed[part] = await parts[i];
  }

  /** Wait for the rest, and count. */
  async judge(patience = 90) {
    await Promise.all(this.runs.map(async (run) => {
      try {
        run.tally = await settle(run.source, this.token, patience);
        if (run.source.commander) Object.assign(run.tally, await run.source.commander.judge());
        await run.scenario.after?.(run.source);
      } catch (error) {
        run.error ??= error;
      }
    }));
  }

  /** Once more, now out of the packed chunks. */
  async judgeAgain() {
    for (const run of this.runs) run.packed = { ...run.tally, ...await check(run.source, this.token) };
  }

  isWhole(run) { return run.error === undefined && run.tally !== undefined && isWhole(run.tally); }

  report() {
    const columns = ['arrived', 'missing', 'twice', 'disordered', 'mistimed', 'strange', 'spoiled', 'alarms', 'alarmsWrong', 'eventsWrong',
      'commands', 'confirmed', 'writtenTwice', 'late', 'commandsWrong'];
    const rows = [['scenario', 'rows', ...columns, 'starts', 'trouble']];
    for (const { scenario, source, tally, did, error } of this.runs) {
      rows.push([scenario.name, source.count, ...columns.map((column) => tally?.[column]),
        source.agent.starts, error ? `FAILED: ${error.message.split('\n')[0]}` : did]);
    }
    const parts = Object.entries(this.killed).map(([part, times]) => `${part} ${times} times`);
    return `seed ${this.seed}, ${this.seconds} s; killed: ${parts.join(', ')}\n${table(rows)}`;
  }

  async close() {
    for (const { source } of this.runs) await source.close();
    await this.grid?.close();
  }
}
