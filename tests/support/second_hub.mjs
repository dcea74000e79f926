// second_hub: another hub of a grid as on a machine of its own: a process of
// fieldgrid-hub over the same database, and an nginx in front of it.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { build, freePort, until } from './grid.mjs';

async function answers(socket) {
  return new Promise((resolve) => {
    const to = socket.includes('/') ? { path: socket } : { port: socket, host: '127.0.0.1' };
    const client = net.connect(to, () => { client.destroy(); resolve(true); });
    client.on('error', () => resolve(false));
  });
}

/**
 * Start it; "settings" are lines for its [hub]. Returns the grid with the
 * addresses of this nginx and: start(), kill(signal), close().
 */
export async function openSecondHub(grid, { name = 'second', settings = [] } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-hub-'));
  const read = (file) => fs.readFileSync(path.join(grid.state, 'etc', file), 'utf8');
  const write = (file, text) => fs.writeFileSync(path.join(folder, file), text, { mode: 0o600 });
  const fcgi = path.join(folder, 'hub.sock');
  const live = path.join(folder, 'live.sock');
  const log = fs.openSync(path.join(folder, 'log'), 'a');
  const urls = {};
  let site = read('fieldgrid.nginx.conf')
    .replaceAll(path.join(grid.state, 'run/hub.sock'), fcgi)
    .replaceAll(path.join(grid.state, 'run/live.sock'), live);
  for (const member of ['url', 'nodeUrl', 'apiUrl', 'identityUrl']) {
    const port = await freePort();
    site = site.replaceAll(new RegExp(`(listen (\\[::\\]:)?)${new URL(grid[member]).port} `, 'g'), `$1${port} `);
    urls[member] = grid[member].replace(/\d+$/, port);
  }
  const configure = (lines) => write('hub.conf', read('hub.conf').replace(/^live_socket = .*$/m,
    [`live_socket = ${live}`, `name = ${name}`, ...lines].join('\n')));
  configure(settings);
  write('site.conf', site);
  write('nginx.conf', read('nginx.conf')
    .replace(path.join(grid.state, 'run/nginx.pid'), path.join(folder, 'nginx.pid'))
    .replaceAll(path.join(grid.state, 'nginx'), folder)
    .replace(path.join(grid.state, 'etc/fieldgrid.nginx.conf'), path.join(folder, 'site.conf')));
  // Nothing of a grid runs as root, and its user may not reach the build.
  fs.copyFileSync(path.join(build, 'fieldgrid-hub'), path.join(folder, 'fieldgrid-hub'));
  const { uid, gid } = fs.statSync(grid.state);
  for (const file of ['.', ...fs.readdirSync(folder)]) fs.chownSync(path.join(folder, file), uid, gid);
  const user = process.getuid() === 0 ? [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] : [];
  const launch = (program, ...words) => spawn('setpriv', [...user, '--pdeathsig', 'TERM', program, ...words], { stdio: ['ignore', log, log], cwd: folder });
  const nginx = launch('nginx', '-e', 'stderr', '-c', path.join(folder, 'nginx.conf'));
  let hub;
  const second = Object.assign(Object.create(grid), urls, {
    name,
    agent: grid.agent,
    /** Other lines for its [hub], from its next start on. */
    configure,
    async start() {
      fs.rmSync(fcgi, { force: true });
      fs.rmSync(live, { force: true });
      hub = launch('spawn-fcgi', '-n', '-s', fcgi, '-M', '0600', '--',
        path.join(folder, 'fieldgrid-hub'), '--config', path.join(folder, 'hub.conf'));
      await until(() => answers(live), { what: 'the second hub' });
    },
    /** Ends it, by SIGKILL if nothing else is said, or stops it for a while. */
    async kill(signal = 'SIGKILL') {
      const ended = new Promise((resolve) => { hub.once('exit', resolve); });
      hub.kill(signal);
      if (!['SIGSTOP', 'SIGCONT'].includes(signal)) await ended;
    },
    log: () => fs.readFileSync(path.join(folder, 'log'), 'utf8'),
    async close() {
      if (hub.exitCode === null && hub.signalCode === null) await this.kill('SIGTERM');
      nginx.kill('SIGTERM');
      await new Promise((resolve) => { nginx.once('exit', resolve); });
      fs.closeSync(log);
      fs.rmSync(folder, { recursive: true });
    },
  });
  await second.start();
  await until(() => second.request('/', { agent: false }).then(({ status }) => status < 500), { what: 'its nginx' });
  return second;
}
