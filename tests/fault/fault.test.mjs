// The test that matters most: agents send numbered rows while everything fails
// that can fail; afterwards every row is in history exactly once.
//
// FIELDGRID_SEED repeats a run's schedule; FIELDGRID_FAULT_SECONDS its length;
// FIELDGRID_SCENARIO names a single one.

import { notApart } from './apart.mjs';

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { build } from '../support/grid.mjs';
import { isWhole } from './checker.mjs';
import { scenarios, whyNot } from './scenarios.mjs';
import { Survival } from './survive.mjs';

const seconds = Number(process.env.FIELDGRID_FAULT_SECONDS ?? 60);
const seed = Number(process.env.FIELDGRID_SEED ?? Date.now() % 1_000_000);
const chosen = scenarios.filter(({ name }) => [undefined, name].includes(process.env.FIELDGRID_SCENARIO));
const possible = chosen.filter((scenario) => !whyNot(scenario));

let survival;
before(async () => {
  survival = await Survival.open({ scenarios: possible, seconds, cut: seconds / 3, seed, apart: !notApart });
  await survival.run();
  await survival.judge();
  console.log(survival.report());
});
after(() => survival?.close());

for (const scenario of chosen) {
  const skip = whyNot(scenario);
  test(`${scenario.name}: every row is in history once, in order`, { skip }, () => {
    const run = survival.runs.find((one) => one.scenario === scenario);
    const log = run.source.agent.log.slice(-3000);
    if (run.error) throw new Error(`${run.error.message}\n${log}`, { cause: run.error });
    assert.ok(isWhole(run.tally), `${JSON.stringify(run.tally)}\n${log}`);
  });
}

test('hub, database, nginx and mirror were killed', () => {
  for (const [part, times] of Object.entries(survival.killed)) assert.ok(times > 0, part);
  assert.ok(survival.mirror.egress.starts > 1, 'mirror');
});

test('and still after the keeper has packed the frames', async () => {
  execFileSync(path.join(build, 'fieldgrid-keeper'),
    ['--config', path.join(survival.grid.state, 'etc/keeper.conf'), '--pack-now'], { stdio: 'ignore' });
  await survival.judgeAgain();
  for (const run of survival.runs) assert.deepEqual(run.packed, run.tally, run.scenario.name);
});
