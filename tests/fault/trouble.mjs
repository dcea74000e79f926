// trouble: what goes wrong, again and again until it is time; each returns how often.

import { sleep } from '../support/grid.mjs';

/** Call "strike" every "from" to "to" seconds until "end". */
export async function again(end, random, [from, to], strike) {
  let times = 0;
  for (;;) {
    const pause = (from + random() * (to - from)) * 1000;
    if (Date.now() + pause > end) return times;
    await sleep(pause);
    await strike();
    times += 1;
  }
}

/** "broken" for some seconds, then "mended". */
export function breakLine({ end, random }, broken, mended) {
  return again(end - 8000, random, [2, 6], async () => {
    broken();
    await sleep(3000 + random() * 5000);
    mended();
  });
}

/** Something else is wrong every few seconds: "strike" is called first, and later that or something with the line, if there is one. */
export function annoy(line, strike, { end, random }) {
  const kinds = [strike, ...(line ? [
    () => line.down(),
    () => line.set('pass', 'none'),
    () => line.set('pass', 'there'),
    () => line.slow(),
  ] : [])];
  let next = 0;
  return again(end - 8000, random, [2, 4], async () => {
    kinds[next]();
    next = Math.floor(random() * kinds.length);
    await sleep(2000 + random() * 4000);
    line?.heal();
  });
}
