// run: the figures that doc/PERFORMANCE.md quotes, measured on a private grid.
//
//   make bench                 all of them
//   make bench BENCH="history" only those whose file name starts so
//
// Each file bench_*.mjs beside this one exports `bench(grid, report)` and calls
// report({ name, value, unit, ratio, of, wanted }): "ratio" is value / raw
// limit, "of" names that limit, "wanted" is the goal as text. Nothing here
// fails for being slow: a figure is read, not asserted.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { openGrid } from '../support/grid.mjs';

const folder = path.dirname(fileURLToPath(import.meta.url));

function chosenFiles(names) {
  return fs.readdirSync(folder)
    .filter((file) => /^bench_.*\.mjs$/.test(file))
    .filter((file) => names.length === 0 || names.some((name) => file.startsWith(`bench_${name}`)))
    .sort();
}

function format(value) {
  if (value === undefined || value === null) return '';
  return value >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3);
}

function printLine({ name, value, unit, ratio, of, wanted }) {
  const share = ratio === undefined ? '' : `${ratio.toFixed(2)} of ${of}`;
  console.log(`${name.padEnd(52)} ${format(value).padStart(12)} ${unit.padEnd(12)} ${(wanted ?? '').padEnd(16)} ${share}`);
}

/** Real series, where a folder beside the checkout has them. */
function useSeries() {
  const beside = path.resolve(folder, '../../../shared/data');
  if (fs.existsSync(beside)) process.env.FIELDGRID_DATA ??= beside;
}

async function main() {
  const files = chosenFiles(process.argv.slice(2));
  useSeries();
  console.log(`${os.cpus().length} x ${os.cpus()[0].model}, ${Math.round(os.totalmem() / 2 ** 30)} GiB\n`);
  printLine({ name: 'what', value: null, unit: 'measured', wanted: 'wanted' });
  for (const file of files) {
    const { bench, demo = false, settings = {} } = await import(pathToFileURL(path.join(folder, file)));
    const grid = await openGrid({ own: true, demo, ...settings });
    try {
      await bench(grid, printLine);
    } finally {
      await grid.close();
    }
  }
}

await main();
