// audited: every change by REST has a row in the audit (OWASP ASVS 5.0, 16.3).
//
// What goes through grid.request with a method that changes something below
// /api/v1/admin, and worked, is noted in the grid's folder; "unaudited" says
// which of these requests the audit does not know.
//
//   node audited.mjs STATE    for tests/run: one line of TAP

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.FIELDGRID_BUILD || top;
const ledger = (state) => path.join(state, 'changes-made');

// They try something and change nothing.
const harmless = [/\/test$/];

export function noteChange(state, method, target, reply) {
  const place = new URL(target, 'https://x.test').pathname;
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || reply.status < 200 || reply.status > 299) return;
  if (!place.startsWith('/api/v1/admin/') || harmless.some((pattern) => pattern.test(place))) return;
  if (fs.existsSync(state)) fs.appendFileSync(ledger(state), `${reply.headers['x-request-id']} ${method} ${place}\n`);
}

export function unaudited(state) {
  if (!fs.existsSync(ledger(state))) return [];
  const text = execFileSync(path.join(build, 'fieldgridctl'),
    ['--config', path.join(state, 'etc/fieldgridctl.conf'), 'audit', 'export'], { encoding: 'utf8', maxBuffer: 1 << 30 });
  const known = new Set(text.split('\n').filter(Boolean).map((line) => JSON.parse(line).request));
  const made = fs.readFileSync(ledger(state), 'utf8').split('\n').filter(Boolean);
  return [...new Set(made.filter((line) => !known.has(line.split(' ')[0])).map((line) => line.split(' ').slice(1).join(' ')))];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = unaudited(process.argv[2]);
  console.log(`${found.length === 0 ? 'ok' : 'not ok'} 1 - every change by REST in this run is in the audit\n1..1`);
  for (const line of found.slice(0, 40)) console.log(`# ${line}`);
}
