// survive: run the scenarios side by side on one grid whose parts are killed at
// random, and judge what the grid has afterwards.

import { openGrid, sleep } from '../support/grid.mjs';
import { gridAddress } from './apart.mjs';
import { isWhole, settle, table } from './checker.mjs';
import { GridClock } from './grid_clock.mjs';
import { Mirror } from './mirror.mjs';
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
  /**
   * { scenarios, seconds (of trouble), cut (seconds of them, of the cable), seed, apart (there are namespaces),
   * setsClock (of the grid's machine) }
   */
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
    if (this.setsClock) this.clock = await GridClock.open(this.grid);
    const renew = () => this.grid.token({ actions: 'ReadAll,WriteVariables' });
    this.token = await renew();
    for (const [i, scenario] of this.scenarios.entries()) {
      const source = await Source.open(this.grid, scenario.name,
        { ...scenario.options, seconds: this.seconds, seed: this.seed + i, renew });
      this.runs.push({ scenario, source });
    }
    this.mirror = await Mirror.open(this.grid, this.runs.flatMap(({ source }) => source.agents),
      { seed: this.seed + 4000, line: this.apart });
  }

  /** Everything goes wrong for a while, and then nothing any more. */
  async run() {
    const { grid, clock, seconds, seed, cut, mirror } = this;
    await mirror.begin();
    const end = Date.now() + seconds * 1000;
    for (const { scenario, source } of this.runs) {
      scenario.before?.(source);
      source.start();
    }
    const parts = Object.entries(kills).map(([part, often], i) => (
      killParts(grid, part, Math.max(1, Math.round(often * seconds / 60)), end, generator(seed + 1000 + i))));
    const mirrored = mirror.suffer({ end, random: generator(seed + 4000) });
    await Promise.all(this.runs.map(async (run, i) => {
      const context = { grid, clock, end, cut, random: generator(seed + 2000 + i) };
      const commands = run.source.commander?.run(end, generator(seed + 3000 + i));
      try {
        run.did = await run.scenario.trouble(run.source, context);
      } catch (error) {
        run.error = error;
      }
      run.source.line?.heal();
      await commands;
    }));
    this.killed = Object.fromEntries(Object.keys(kills).map((part, i) => [part, i]));
    for (const [part, i] of Object.entries(this.killed)) this.killed[part] = await parts[i];
    await mirrored;
  }

  /** Wait for the rest, at most so many seconds, and count. */
  async judge(patience = 240) {
    const end = Date.now() + patience * 1000;
    for (const run of this.runs) {
      try {
        run.tally = await settle(run.source, this.mirror, this.token, end);
        if (run.source.commander) Object.assign(run.tally, await run.source.commander.judge());
        await run.scenario.after?.(run.source);
      } catch (error) {
        run.error ??= error;
      }
    }
  }

  /** Once more, now out of the packed chunks. */
  async judgeAgain() {
    for (const run of this.runs)
      run.packed = { ...run.tally, ...await settle(run.source, this.mirror, this.token, Date.now() + 60_000) };
  }

  isWhole(run) { return run.error === undefined && run.tally !== undefined && isWhole(run.tally); }

  report() {
    const columns = ['arrived', 'missing', 'twice', 'disordered', 'mistimed', 'strange', 'spoiled', 'alarms', 'alarmsWrong', 'eventsWrong',
      'mirrored', 'sha256', 'unequal', 'alarmsUnequal', 'eventsUnequal', 'commands', 'confirmed', 'writtenTwice', 'late', 'commandsWrong'];
    const rows = [['scenario', 'rows', ...columns, 'starts', 'trouble']];
    for (const { scenario, source, tally, did, error } of this.runs) {
      rows.push([scenario.name, source.count, ...columns.map((column) => tally?.[column]),
        source.agent.starts, error ? `FAILED: ${error.message.split('\n')[0]}` : did]);
    }
    const parts = Object.entries(this.killed).map(([part, times]) => `${part} ${times} times`);
    const { egress, troubles } = this.mirror;
    return `seed ${this.seed}, ${this.seconds} s; killed: ${parts.join(', ')}; `
      + `the mirror: ${troubles} troubles, ${egress.starts} starts\n${table(rows)}`;
  }

  /** What cannot be closed, such as a disk that is still mounted, must not keep the grid running. */
  async close() {
    for (const one of [this.mirror, ...this.runs.map(({ source }) => source)])
      await one?.close().catch((error) => console.error(`close: ${error.message}`));
    await this.grid?.close();
    this.clock?.close();
  }
}
