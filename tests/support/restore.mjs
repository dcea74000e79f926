// restore: a grid's database as after the loss of the machine: from a dump, or
// from a base backup and the log since, to a point in time. Each way has
// keep(grid), for the moment to which restore(grid, kept) goes back.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { until } from './grid.mjs';

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

/** Stop everything, put another cluster in place as doc/OPERATIONS.md says, start. */
async function exchange(grid, fill) {
  const data = path.join(grid.state, 'postgresql');
  const before = `${data}.before`;
  for (const service of services) grid.stop(service);
  grid.stopDatabase();
  fs.renameSync(data, before);
  fs.mkdirSync(data, { mode: 0o700 });
  const owner = own(data, before);
  await fill({ data, before, owner });
  grid.ctl('migrate');
  for (const service of services) if (service !== 'keeper') grid.start(service);
  fs.rmSync(before, { recursive: true });
}

/** The folder becomes that of who has the other one. */
function own(folder, other) {
  const { uid, gid } = fs.statSync(other);
  fs.chownSync(folder, uid, gid);
  return { uid, gid };
}

/** What a person would keep: the database, and who may log in to it. */
export const fromDump = {
  keep: (grid) => ({
    database: call(grid, 'pg_dump', ['-Fc', 'fieldgrid']),
    roles: call(grid, 'pg_dumpall', ['--roles-only']),
  }),

  restore: (grid, kept) => exchange(grid, async ({ data, before, owner }) => {
    call(grid, 'initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'], owner);
    fs.copyFileSync(path.join(before, 'postgresql.conf'), path.join(data, 'postgresql.conf'));
    fs.writeFileSync(path.join(data, 'pg_hba.conf'), 'local all all trust\n');
    await grid.startDatabase('postgres');
    call(grid, 'psql', ['-X', '-q', '-d', 'postgres'], { input: kept.roles });
    call(grid, 'pg_restore', ['--create', '--dbname=postgres'], { input: kept.database });
  }),
};

/** Make a base backup and keep the log from now on; returns the way. */
export async function toPointInTime(grid) {
  const data = path.join(grid.state, 'postgresql');
  const archive = path.join(grid.state, 'archive');
  const base = path.join(grid.state, 'base');
  fs.mkdirSync(archive);
  own(archive, data);
  fs.appendFileSync(path.join(data, 'pg_hba.conf'), 'local replication all trust\n');
  fs.appendFileSync(path.join(data, 'postgresql.conf'), `
archive_mode = on
archive_command = 'cp %p ${archive}/%f'
restore_command = 'cp ${archive}/%f %p'
recovery_target_name = 'kept'
recovery_target_action = 'promote'
`);
  grid.stopDatabase();
  await grid.startDatabase();
  call(grid, 'pg_basebackup', ['-D', base, '-c', 'fast']);
  return {
    keep: () => grid.sql("SELECT pg_create_restore_point('kept')"),

    restore: () => exchange(grid, async ({ before, owner }) => {
      fs.cpSync(base, data, { recursive: true });
      for (const file of fs.readdirSync(path.join(before, 'pg_wal'), { withFileTypes: true }))
        if (file.isFile()) fs.copyFileSync(path.join(before, 'pg_wal', file.name), path.join(archive, file.name));
      fs.writeFileSync(path.join(data, 'recovery.signal'), '');
      for (const folder of [data, archive]) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, folder]);
      await grid.startDatabase();
      await until(() => grid.sql('SELECT pg_is_in_recovery()').flat().join() === 'f', { seconds: 60, what: 'the point in time' });
    }),
  };
}
