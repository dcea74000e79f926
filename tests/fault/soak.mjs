// soak: the scenarios for as long as asked, "make soak SOAK=8h". Rounds of ten
// minutes, each with another seed and a grid of its own; the first that loses
// anything ends it with code 1. "CUT=10m" is how long a cable is out in the
// first round, which is then long enough for it.

import { notApart } from './apart.mjs';

import { scenarios, whyNot } from './scenarios.mjs';
import { Survival } from './survive.mjs';

const ROUND_SECONDS = 600;
const BESIDE_CUT_SECONDS = 180; // of a round, with the cable in
const units = { s: 1, m: 60, h: 3600, d: 86_400 };

function secondsOf(text) {
  const [, number, unit] = /^(\d+)([smhd])$/.exec(text) ?? [];
  if (number) return Number(number) * units[unit];
  console.error(`soak: "${text}" is no time such as 30m, 1h or 2d`);
  return process.exit(2);
}

/** One grid, all scenarios; true when nothing is wrong. */
async function round(seconds, cut, seed) {
  const possible = scenarios.filter((scenario) => !whyNot(scenario));
  const survival = await Survival.open({ scenarios: possible, seconds, cut, seed, apart: !notApart });
  try {
    await survival.run();
    await survival.judge(300);
    console.log(`${survival.report()}\n`);
    return survival.runs.every((run) => survival.isWhole(run));
  } finally {
    await survival.close();
  }
}

for (const scenario of scenarios) if (whyNot(scenario)) console.log(`without "${scenario.name}": ${whyNot(scenario)}`);
const end = Date.now() + secondsOf(process.argv[2] ?? '1h') * 1000;
let cut = process.argv[3] ? secondsOf(process.argv[3]) : undefined;
let seed = Number(process.env.FIELDGRID_SEED ?? Date.now() % 1_000_000);
while (Date.now() < end) {
  const left = Math.max(60, Math.round((end - Date.now()) / 1000));
  const seconds = Math.max(Math.min(ROUND_SECONDS, left), cut ? cut + BESIDE_CUT_SECONDS : 0);
  if (!await round(seconds, cut ?? seconds / 3, seed)) process.exit(1);
  seed += 1;
  cut = undefined;
}
