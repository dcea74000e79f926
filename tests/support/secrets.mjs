// secrets: what must be in no log (OWASP ASVS 5.0, 16.2.5).
//
// Every password, code, token, cookie and secret that goes through
// grid.request, or that fieldgridctl prints, is noted in the grid's folder.
// "leaks" looks for them in all logs of the grid and in its audit.
//
//   node secrets.mjs STATE    for tests/run: one line of TAP

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const build = process.env.FIELDGRID_BUILD || top;

// Shorter ones are words that logs may hold by chance, such as "password".
const SHORTEST = 12;
const inForms = ['password', 'new_password', 'current_password', 'client_secret', 'code', 'code_verifier',
  'refresh_token', 'token', 'device_code', 'user_code', 'id_token_hint', 'csrf', 'totp', 'subject_token'];
const inAnswers = ['access_token', 'refresh_token', 'id_token', 'device_code', 'client_secret', 'clientSecret',
  'password', 'secret', 'token', 'recoveryCodes'];
const inAddresses = ['code', 'access_token', 'id_token', 'id_token_hint', 'user_code', 'token'];

const ledger = (state) => path.join(state, 'secrets-used');

/** Note these texts, and the forms in which they travel. */
export function note(state, values) {
  const lines = new Set();
  for (const value of values.flat(3)) {
    if (typeof value !== 'string' || value.length < SHORTEST || /[\r\n]/.test(value)) continue;
    lines.add(value);
    lines.add(encodeURIComponent(value));
    lines.add(Buffer.from(value).toString('base64'));
  }
  if (lines.size > 0 && fs.existsSync(state)) fs.appendFileSync(ledger(state), [...lines, ''].join('\n'), { mode: 0o600 });
}

function ofHeaders(headers) {
  const found = [];
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (/^authorization$/i.test(name)) {
      const [, scheme, rest] = /^(\S+)\s+(.*)$/.exec(value) ?? [];
      found.push(rest);
      if (/^basic$/i.test(scheme ?? '')) found.push(Buffer.from(rest, 'base64').toString().split(/:(.*)/s)[1]);
    }
    if (/^cookie$/i.test(name)) found.push(value.split(/; */).map((pair) => pair.split(/=(.*)/s)[1]));
  }
  return found;
}

function ofAddress(address) {
  const found = [];
  try {
    const { searchParams } = new URL(address, 'https://x.test');
    for (const name of inAddresses) found.push(...searchParams.getAll(name));
  } catch { /* tests of odd addresses */ }
  return found;
}

function ofJson(text) {
  const found = [];
  try {
    JSON.parse(text, (key, value) => {
      if (inAnswers.includes(key)) found.push(value);
      return value;
    });
  } catch { /* not JSON */ }
  return found;
}

/** One request and its answer. */
export function noteExchange(state, headers, form, reply) {
  note(state, [
    ofHeaders(headers),
    inForms.map((name) => form?.[name]),
    (reply.headers['set-cookie'] ?? []).map((line) => line.split(';')[0].split(/=(.*)/s)[1]),
    reply.headers.location ? ofAddress(reply.headers.location) : [],
    /json/.test(reply.headers['content-type'] ?? '') ? ofJson(reply.text) : [],
  ]);
}

/** What a command printed. */
export function noteCommand(state, text) {
  note(state, [...text.matchAll(/^(?:password|client_secret|token|secret): (\S+)/gm)].map(([, value]) => value));
}

/** Files of the grid that hold a secret: ["file:line: …", …], masked. */
export function leaks(state) {
  if (!fs.existsSync(ledger(state))) return [];
  const audit = path.join(state, 'log', 'audit.export');
  fs.writeFileSync(audit, execFileSync(path.join(build, 'fieldgridctl'),
    ['--config', path.join(state, 'etc/fieldgridctl.conf'), 'audit', 'export'], { maxBuffer: 1 << 30 }));
  try {
    const wanted = path.join(state, 'secrets-wanted');
    fs.writeFileSync(wanted, [...new Set(fs.readFileSync(ledger(state), 'utf8').split('\n').filter(Boolean))].join('\n'), { mode: 0o600 });
    const grep = spawnSync('grep', ['-rnaoFf', wanted, path.join(state, 'log'), path.join(state, 'audit')],
      { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (grep.status > 1) throw new Error(grep.stderr);
    return grep.stdout.split('\n').filter(Boolean)
      .map((line) => line.replace(/^([^:]+:\d+:)(.{4}).*$/, '$1 $2…').replace(`${state}/`, ''));
  } finally {
    fs.rmSync(audit);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = leaks(process.argv[2]);
  console.log(`${found.length === 0 ? 'ok' : 'not ok'} 1 - asvs 16.2.5: no secret of this run is in a log or in the audit\n1..1`);
  for (const line of found.slice(0, 20)) console.log(`# ${line}`);
}
