// apart: the tests of this file in namespaces of their own: a network with
// nobody else in it, and mounts that nobody else sees. Import it first of all.

import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';

/** The grid's address there; those of the plants begin with "198.18.1.". */
export const gridAddress = '198.18.0.1';

function enter() {
  if (process.env.FIELDGRID_APART) {
    execFileSync('ip', ['address', 'add', `${gridAddress}/32`, 'dev', 'lo']);
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    return '';
  }
  const tried = spawnSync('unshare', ['--net', '--mount', 'ip', 'link', 'set', 'lo', 'up'],
    { encoding: 'utf8' });
  if (tried.status !== 0) return `no namespaces here: ${tried.error?.message ?? tried.stderr.trim()}`;
  try {
    fs.accessSync('/dev/net/tun', fs.constants.W_OK);
  } catch (error) {
    return `no TUN interfaces here: ${error.message}`;
  }
  const { status } = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'unshare', '--net', '--mount',
    process.execPath, ...process.execArgv, ...process.argv.slice(1)],
  { stdio: 'inherit', env: { ...process.env, FIELDGRID_APART: 'yes' } });
  process.exit(status ?? 1);
}

/** Why lines cannot be cut here; empty where they can. */
export const notApart = enter();
