// restore: a grid's database from a dump, in a cluster that was made anew, as
// after the loss of the machine.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const services = ['hub', 'api', 'identity', 'controller', 'web', 'keeper'];

function bin() {
  const all = '/usr/lib/postgresql';
  const [version] = fs.readdirSync(all).sort((a, b) => Number(b) - Number(a));
  return path.join(all, version, 'bin');
}

function call(grid, program, words, options = {}) {
  const password = fs.readFileSync(path.join(grid.state, 'secret/postgres.password'), 'utf8').trim();
  return execFileSync(path.join(bin(), program), words, {
    env: { ...process.env, PGPASSWORD: password, PGHOST: path.join(grid.state, 'run'), PGUSER: 'postgres' },
    maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'ignore'], cwd: '/', ...options,
  });
}

/** What a person would keep: the database, and who may log in to it. */
export const dump = (grid) => ({
  database: call(grid, 'pg_dump', ['-Fc', 'fieldgrid']),
  roles: call(grid, 'pg_dumpall', ['--roles-only']),
});

/** Stop everything, make a new cluster, restore, start: doc/OPERATIONS.md. */
export async function restore(grid, dumped) {
  const data = path.join(grid.state, 'postgresql');
  const before = `${data}.before`;
  for (const service of services) grid.stop(service);
  grid.stopDatabase();
  fs.renameSync(data, before);
  const { uid, gid } = fs.statSync(before);
  fs.mkdirSync(data, { mode: 0o700 });
  fs.chownSync(data, uid, gid);
  call(grid, 'initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'], { uid, gid });
  for (const file of ['postgresql.conf', 'pg_hba.conf']) fs.copyFileSync(path.join(before, file), path.join(data, file));
  fs.writeFileSync(path.join(data, 'pg_hba.conf'), 'local all all trust\n');
  await grid.startDatabase('postgres');
  call(grid, 'psql', ['-X', '-q', '-d', 'postgres'], { input: dumped.roles });
  call(grid, 'pg_restore', ['--create', '--dbname=postgres'], { input: dumped.database });
  grid.ctl('migrate');
  for (const service of services) if (service !== 'keeper') grid.start(service);
  fs.rmSync(before, { recursive: true });
}
