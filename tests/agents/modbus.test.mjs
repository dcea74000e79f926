// The modbus driver against devices of npm's modbus-serial, over TCP and a
// serial line, and against one that misbehaves.

import assert from 'node:assert/strict';
import { spawn, execFile } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import { sleep, top, until } from '../support/grid.mjs';
import { programOf } from '../support/program.mjs';
import { Memory, RawDevice, serialDevice, serialLine, TcpDevice } from '../support/modbus.mjs';

const program = programOf('ingress');
const started = [];

after(async () => {
  for (const one of started) await (one.close ?? one.off).call(one);
});

/** Is closed at the end, however the test ends. */
function keep(device) {
  started.push(device);
  return device;
}

const rawDevice = async (answer, host) => keep(await new RawDevice(answer, host).on());

/** fieldgrid-ingress --dump: what the driver reads, without a hub. */
class Dump {
  constructor(devices, variables, { period = 100 } = {}) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-modbus-'));
    this.latest = new Map();
    this.counts = new Map();
    this.log = '';
    this.write('devices.csv', devices);
    this.write('variables.csv', variables);
    this.write('ingress.conf', `
[hub]
url = https://localhost:9
ca = none
certificate = none
key = none
client_id = none
client_secret = none
[agent]
datasource = 00000000-0000-4000-8000-000000000000
variables = variables.csv
driver = modbus
period_ms = ${period}
[spool]
folder = spool
[modbus]
devices = devices.csv
`);
    started.push(this);
  }

  write(file, text) { fs.writeFileSync(path.join(this.folder, file), text); }

  start() {
    let rest = '';
    this.child = spawn(program, ['--config', path.join(this.folder, 'ingress.conf'), '--dump', '600']);
    this.child.stderr.setEncoding('utf8').on('data', (text) => { this.log += text; });
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) this.#take(line);
    });
    return this;
  }

  #take(line) {
    const [time, name, value, , status] = line.split('\t');
    this.latest.set(name, { time: Date.parse(time), value, invalid: status === 'INVALID' });
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  /** "7", or "INVALID 7", or undefined. */
  value(name) {
    const sample = this.latest.get(name);
    return sample && `${sample.invalid ? 'INVALID ' : ''}${sample.value}`;
  }

  async shows(wanted) {
    const read = () => Object.fromEntries(Object.keys(wanted).map((name) => [name, this.value(name)]));
    await until(() => {
      try { assert.deepEqual(read(), wanted); return true; } catch { return false; }
    }, { every: 20, what: 'the values' }).catch(() => {});
    assert.deepEqual(read(), wanted, this.log.slice(-2000));
  }

  /**
   * Is it read every 100 ms? One that waits for others is late every time, one
   * on a busy machine is not.
   */
  async isPrompt(name) {
    await until(async () => {
      const [time, count] = [this.latest.get(name).time, this.counts.get(name)];
      await until(() => this.counts.get(name) >= count + 10, { every: 10, what: `ten readings of ${name}` });
      return this.latest.get(name).time - time < 200 * (this.counts.get(name) - count);
    }, { what: `${name} to be read in time` });
  }

  async check() {
    try {
      await promisify(execFile)(program, ['--config', path.join(this.folder, 'ingress.conf'), '--check-config']);
      return { code: 0, stderr: '' };
    } catch (error) {
      return { code: error.code, stderr: error.stderr };
    }
  }

  get memory() {
    return Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))[1]) / 1024;
  }

  async close() {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill();
      await once(this.child, 'exit');
    }
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The 16-bit words of a buffer. */
const words = (buffer) => Array.from({ length: buffer.length / 2 }, (_, i) => buffer.readUInt16BE(2 * i));
function bytes(length, fill) {
  const buffer = Buffer.alloc(length);
  fill(buffer);
  return buffer;
}
const swapBytes = (list) => list.map((word) => ((word & 255) << 8) | (word >> 8));

const rows = (...lines) => `name,address,type,scale,access\n${lines.join('\n')}\n`;

test('every table, type and order is read as the device means it', async () => {
  const device = keep(await new TcpDevice().on());
  const { memory } = device;
  const float = words(bytes(4, (b) => b.writeFloatBE(-123.5)));
  const double = words(bytes(8, (b) => b.writeDoubleBE(Math.PI)));
  const long = words(bytes(8, (b) => b.writeBigInt64BE(-1234567890123456789n)));
  memory.set('coil', 8, [true]);
  memory.set('discrete', 9, [true]);
  memory.set('input', 10, [65535]);
  memory.set('holding', 10, [65535]);
  memory.set('holding', 20, float);
  memory.set('holding', 22, swapBytes(float));
  memory.set('holding', 24, [...float].reverse());
  memory.set('holding', 26, swapBytes(float).reverse());
  memory.set('holding', 30, double);
  memory.set('holding', 34, [...long].reverse());
  memory.set('holding', 40, words(Buffer.from('Größe 7 ', 'utf8').subarray(0, 8)));
  memory.set('holding', 50, [0x1234, 0x5678]);
  memory.set('holding', 60, [1 << 12]);
  memory.set('holding', 61, [0xffff, 0xffff, 0xffff, 0xffff]);
  memory.set('holding', 1, [3], 0);
  memory.set('holding', 1, [4], 255);
  const dump = new Dump(`name,connection,order,unit\nplc,${device.address},,\nswapped,${device.address},cdab,\n`
    + `zero,${device.address},,0\nlast,${device.address},,255\n`, rows(
    'coil,plc/coil/8,bool,,', 'no coil,plc/coil/9,bool,,', 'discrete,plc/discrete/9,bool,,',
    'input,plc/input/10,int,,', 'signed,plc/holding/10:int16,int,,', 'scaled,plc/holding/10,float,0.1,',
    'abcd,plc/holding/20:float32,float,,', 'badc,plc/holding/22:float32:badc,float,,',
    'cdab,plc/holding/24:float32:cdab,float,,', 'dcba,plc/holding/26:float32:dcba,float,,',
    'by device,swapped/holding/24:float32,float,,',
    'double,plc/holding/30:float64,float,,', 'long,swapped/holding/34:int64,int,,',
    'text,plc/holding/40:string8,string,,', 'bcd,plc/holding/50:bcd32,int,,',
    'bit,plc/holding/60.12,bool,,', 'other bit,plc/holding/60.11,bool,,', 'most,plc/holding/61:uint64,float,,',
    'unit 0,zero/holding/1,int,,', 'unit 255,last/holding/1,int,,',
  )).start();
  await dump.shows({
    coil: 'true', 'no coil': 'false', discrete: 'true', input: '65535', signed: '-1', scaled: '6553.5',
    abcd: '-123.5', badc: '-123.5', cdab: '-123.5', dcba: '-123.5', 'by device': '-123.5',
    double: '3.1415926535897931', long: '-1234567890123456789', text: 'Größe', bcd: '12345678',
    bit: 'true', 'other bit': 'false', most: '1.8446744073709552e+19', 'unit 0': '3', 'unit 255': '4',
  });
  await dump.close();
  await device.off();
});

test('neighbours are read together, within the limits', async () => {
  const device = keep(await new TcpDevice().on());
  for (let i = 0; i < 400; i += 1) device.memory.set('holding', i, [i]);
  const lines = [];
  for (let i = 0; i < 300; i += 1) lines.push(`n${i},plc/holding/${i},int,,`);
  lines.push('far,plc/holding/308,int,,', 'too far,plc/holding/318,int,,');
  const dump = new Dump(`name,connection,gap\nplc,${device.address},8\n`, rows(...lines)).start();
  await dump.shows({ n0: '0', n124: '124', n125: '125', n299: '299', far: '308', 'too far': '318' });
  const { requests } = device.memory;
  const starts = [0, 125, 250, 318];
  assert.deepEqual(requests.slice(0, 4).map(({ number }) => number), starts);
  assert.deepEqual(requests.slice(0, 4).map(({ count }) => count), [125, 125, 59, 1]);
  assert.ok(requests.every(({ number }) => starts.includes(number)));
  await dump.close();
  await device.off();
});

test('a block with a hole is cut until only the hole is missing', async () => {
  const device = keep(await new TcpDevice().on());
  device.memory.hole = (table, number) => table === 'holding' && (number === 13 || number === 21);
  device.memory.set('holding', 10, [10, 11, 12, 13, 14, 15]);
  device.memory.set('holding', 20, [20, 21, 22]);
  const dump = new Dump(`name,connection\nplc,${device.address}\n`, rows(
    'a,plc/holding/10,int,,', 'b,plc/holding/12,int,,', 'c,plc/holding/14:uint32,int,,',
    'd,plc/holding/20,int,,', 'e,plc/holding/21,int,,', 'f,plc/holding/22,int,,')).start();
  await dump.shows({ a: '10', b: '12', c: String(14 * 65536 + 15), d: '20', e: 'INVALID 0', f: '22' });
  assert.match(dump.log, /plc: holding 21 to 21 cannot be read: Illegal data address/);
  const before = dump.log.split('cannot be read').length;
  await sleep(500);
  assert.equal(dump.log.split('cannot be read').length, before, 'said once');
  await dump.close();
  await device.off();
});

test('a device that is off is INVALID and hurts no other', async () => {
  const on = keep(await new TcpDevice().on());
  const other = keep(await new TcpDevice().on());
  on.memory.set('holding', 0, [1]);
  other.memory.set('holding', 0, [2]);
  const never = keep(await new TcpDevice().on()); // only for a port that is free
  await never.off();
  const dump = new Dump(`name,connection,timeout_ms,back_off_s\non,${on.address},300,1\n`
    + `other,${other.address},300,1\nnever,${never.address},300,1\nnowhere,10.255.255.1,300,1\n`
    + 'unknown,no.such.host.invalid,300,1\n', rows(
    'a,on/holding/0,int,,', 'b,other/holding/0,int,,', 'c,never/holding/0,int,,',
    'd,nowhere/holding/0,float,,', 'e,unknown/holding/0:string4,string,,')).start();
  await dump.shows({ a: '1', b: '2', c: 'INVALID 0', d: 'INVALID 0', e: 'INVALID ' });
  await other.off();
  await dump.shows({ a: '1', b: 'INVALID 2' });
  await dump.isPrompt('a');
  other.memory.set('holding', 0, [3]);
  await other.on();
  await dump.shows({ b: '3' });
  assert.match(dump.log, /device\.lost: other \(127\.0\.0\.1:\d+, unit 1\) is off: /);
  assert.match(dump.log, /device\.back: other \(127\.0\.0\.1:\d+, unit 1\) is back after \d+ s/);
  assert.match(dump.log, /device\.lost: unknown .* is off/);
  await dump.close();
  await on.off();
  await other.off();
});

test('a slow device is waited for, a too slow one is off', async () => {
  const slow = keep(await new TcpDevice().on());
  const fast = keep(await new TcpDevice().on());
  slow.memory.set('holding', 0, [1]);
  fast.memory.set('holding', 0, [2]);
  slow.memory.delay = () => 150;
  const dump = new Dump(`name,connection,timeout_ms,retries,back_off_s\nslow,${slow.address},400,0,1\n`
    + `fast,${fast.address},400,0,1\n`, rows('slow,slow/holding/0,int,,', 'fast,fast/holding/0,int,,')).start();
  await dump.shows({ slow: '1', fast: '2' });
  slow.memory.delay = () => 700;
  await dump.shows({ slow: 'INVALID 1' });
  await until(() => /slow .* is off: no answer/.test(dump.log), { what: 'its loss in the log' });
  await dump.isPrompt('fast');
  slow.memory.delay = () => 0;
  // The late answers to the requests before must not be taken for new ones.
  slow.memory.set('holding', 0, [5]);
  await dump.shows({ slow: '5' });
  await dump.close();
  await slow.off();
  await fast.off();
});

test('exceptions that pass make no device off', async () => {
  const memory = new Memory();
  let code = 6;
  memory.set('holding', 0, [7]);
  const device = await rawDevice(({ code: kind, data }) => {
    if (code) return Buffer.from([kind | 0x80, code]);
    return Buffer.concat([Buffer.from([kind, 2 * data.readUInt16BE(2)]), Buffer.from([0, 7])]);
  });
  const dump = new Dump(`name,connection\nplc,${device.address}\n`, rows('a,plc/holding/0,int,,')).start();
  for (const [next, words] of [[6, 'busy'], [4, 'failure'], [1, 'Illegal function'], [3, 'Illegal data value']]) {
    code = next;
    await dump.shows({ a: dump.counts.get('a') ? 'INVALID 7' : 'INVALID 0' });
    await until(() => new RegExp(words, 'i').test(dump.log), { what: words });
    code = 0;
    await dump.shows({ a: '7' });
  }
  assert.doesNotMatch(dump.log, /device\.lost/);
  code = 11; // a gateway has no answer from its target
  await dump.shows({ a: 'INVALID 7' });
  assert.match(dump.log, /device\.lost.*Target device failed to respond/);
  await dump.close();
  await device.off();
});

test('wrong lengths and garbage are never taken for values', async () => {
  const good = ({ code, data }) => Buffer.concat([Buffer.from([code, 4]), Buffer.from([0, data[1], 0, 9])]);
  const head = (request, length, pdu) => {
    const bytesOfHead = Buffer.alloc(7);
    bytesOfHead.writeUInt16BE(request.transaction, 0);
    bytesOfHead.writeUInt16BE(length, 4);
    bytesOfHead[6] = request.unit;
    return { raw: Buffer.concat([bytesOfHead, pdu]) };
  };
  const wrong = {
    'one register instead of two': () => Buffer.from([3, 2, 0, 1]),
    'three registers instead of two': () => Buffer.from([3, 6, 0, 1, 0, 2, 0, 3]),
    'a byte count that lies': () => Buffer.from([3, 200, 0, 1, 0, 2]),
    'a head without registers': () => Buffer.from([3]),
    'another function': () => Buffer.from([4, 4, 0, 1, 0, 2]),
    'another transaction': (request) => head({ ...request, transaction: request.transaction + 1 }, 7, good(request)),
    'noise': () => ({ raw: Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 73) & 255)) }),
    'an answer and the end': (request, socket) => { socket.end(); },
    'a reset': (request, socket) => { socket.resetAndDestroy(); },
    'half an answer': (request) => ({ raw: head(request, 7, good(request)).raw.subarray(0, 9) }),
  };
  let misbehave = false;
  const names = Object.keys(wrong);
  const devices = await Promise.all(names.map((name) => rawDevice(
    (request, socket) => (misbehave ? wrong[name] : good)(request, socket))));
  const dump = new Dump(`name,connection,timeout_ms,retries,back_off_s\n${
    devices.map(({ address }, i) => `d${i},${address},150,0,1\n`).join('')}`,
  rows(...names.flatMap((name, i) => [`${name},d${i}/holding/3,int,,`, `${name} too,d${i}/holding/4,int,,`])),
  { period: 50 }).start();
  const all = (first, second) => Object.fromEntries(names.flatMap((name) => [[name, first], [`${name} too`, second]]));
  for (let i = 0; i < 3; i += 1) {
    misbehave = false;
    await dump.shows(all('3', '9'));
    misbehave = true;
    await dump.shows(all('INVALID 3', 'INVALID 9'));
  }
  await dump.close();
  for (const device of devices) await device.off();
});

test('answers with any damage to their heads give the right value or none', async () => {
  let seed = 7;
  const draw = (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  let answers = 0;
  const device = await rawDevice(({ transaction, unit }) => {
    const raw = Buffer.from([transaction >> 8, transaction & 255, 0, 0, 0, 7, unit, 3, 4, 0, 9, 0, 9]);
    answers += 1;
    for (let i = draw(3); i > 0; i -= 1) raw[draw(9)] = draw(256);
    const cut = draw(8) === 0 ? draw(13) : 13;
    return { raw: draw(8) === 0 ? Buffer.concat([raw, raw]) : raw.subarray(0, cut) };
  }, '0.0.0.0');
  const devices = Array.from({ length: 40 }, (_, i) => `d${i},127.0.0.${i + 1}:${device.port},${i},50,10,1\n`);
  const dump = new Dump(`name,connection,unit,timeout_ms,retries,back_off_s\n${devices.join('')}`,
    rows(...devices.map((_, i) => `v${i},d${i}/holding/0:uint32,int,,`)), { period: 10 }).start();
  await until(() => answers > 3000, { what: '3,000 answers' });
  const values = new Set(Array.from(dump.latest.keys(), (name) => dump.value(name)));
  for (const value of values) assert.match(value, /^(INVALID )?(589833|0)$/);
  assert.ok(values.has('589833'));
  assert.ok(![...values].includes('0'), 'only what is INVALID is 0');
  assert.equal(dump.child.exitCode, null);
  await dump.close();
  await device.off();
});

test('a device that is silent about some registers keeps the others', async () => {
  const device = await rawDevice(({ code, data }) => {
    const start = data.readUInt16BE(0);
    const count = data.readUInt16BE(2);
    if (start <= 3 && start + count > 3) return undefined; // it has no 3
    const list = Array.from({ length: count }, (_, i) => [0, start + i]).flat();
    return Buffer.from([code, 2 * count, ...list]);
  });
  const dump = new Dump(`name,connection,timeout_ms,retries,back_off_s,gap\nplc,${device.address},200,1,2,0\n`,
    rows('two,plc/holding/2,int,,', 'three,plc/holding/3,int,,', 'four,plc/holding/4,int,,',
      'fifty,plc/holding/50,int,,', 'sixty,plc/holding/60,int,,')).start();
  await dump.shows({ two: '2', three: 'INVALID 0', four: '4', fifty: '50', sixty: '60' });
  const before = { ...Object.fromEntries(dump.counts) };
  const since = (name) => dump.counts.get(name) - before[name];
  await until(() => since('two') >= 12 && since('sixty') >= 12, { what: 'twelve readings' });
  assert.ok(since('three') <= since('two') / 4, `${since('three')} tries of what it has not`);
  assert.equal(dump.value('three'), 'INVALID 0');
  await dump.close();
  await device.off();
});

test('a lost answer is asked for again, as often as the device allows', async () => {
  let requests = 0;
  const device = await rawDevice(() => {
    requests += 1;
    return requests % 2 === 1 ? undefined : Buffer.from([3, 2, 0, 5]);
  });
  const dump = new Dump(`name,connection,timeout_ms,retries\nplc,${device.address},300,1\n`,
    rows('a,plc/holding/0,int,,')).start();
  await until(() => (dump.counts.get('a') ?? 0) >= 5, { what: 'five readings' });
  assert.equal(dump.value('a'), '5');
  assert.doesNotMatch(dump.log, /device\.lost/);
  assert.ok(Math.abs(requests - 2 * dump.counts.get('a')) <= 2, `${requests} requests`);
  await dump.close();
  await device.off();
});

test('a device that is off is tried less and less often', async () => {
  const times = [];
  const device = await rawDevice(() => { times.push(Date.now()); });
  const dump = new Dump(`name,connection,timeout_ms,retries,back_off_s\nplc,${device.address},50,2,2\n`,
    rows('a,plc/holding/0,int,,')).start();
  await until(() => times.length >= 6, { every: 20, what: 'six requests' });
  const pauses = times.slice(1).map((time, i) => Math.round((time - times[i]) / 100) / 10);
  // Two retries at once, then pauses of 1, 2 and never more than 2 seconds; a busy machine adds to each.
  assert.ok(Math.min(pauses[0], pauses[1]) <= 0.8, String(pauses));
  assert.ok(pauses[2] >= 0.9, String(pauses));
  assert.ok(pauses.slice(3).every((pause) => pause >= 1.9), String(pauses));
  assert.ok(Math.min(...pauses.slice(3)) < 3.5, String(pauses));
  assert.equal(dump.log.split('device.lost').length, 2, 'told once');
  await dump.close();
  await device.off();
});

test('a device that closes idle connections is read all the same', async () => {
  const device = await rawDevice((request, socket) => {
    setTimeout(() => socket.end(), 20);
    return Buffer.from([3, 2, 0, 5]);
  });
  const dump = new Dump(`name,connection\nplc,${device.address}\n`, rows('a,plc/holding/0,int,,')).start();
  await until(() => (dump.counts.get('a') ?? 0) > 10, { what: 'ten readings' });
  assert.equal(dump.value('a'), '5');
  assert.doesNotMatch(dump.log, /device\.lost/);
  assert.ok(device.connections > 5, `${device.connections} connections`);
  await dump.close();
  await device.off();
});

test('several units share a serial line, one of them dead', async () => {
  const line = keep(await serialLine());
  const device = keep(await serialDevice(line, new Memory(), 3));
  const { memory } = device;
  memory.set('holding', 5, [...words(bytes(4, (b) => b.writeFloatBE(0.5))), 77], 3);
  memory.set('coil', 1, [true], 3);
  const header = 'name,connection,unit,parity,timeout_ms,retries,back_off_s\n';
  const dump = new Dump(`${header}boiler,${line.near},3,none,400,1,30\ndead,${line.near},4,none,100,0,30\n`, rows(
    'float,boiler/holding/5:float32,float,,', 'int,boiler/holding/7,int,,', 'coil,boiler/coil/1,bool,,',
    'dead,dead/holding/0,int,,')).start();
  await dump.shows({ float: '0.5', int: '77', coil: 'true', dead: 'INVALID 0' });
  const before = dump.counts.get('int');
  memory.set('holding', 7, [78], 3);
  await dump.shows({ int: '78' });
  await until(() => dump.counts.get('int') > before + 5, { what: 'more readings' });
  await dump.close();
  await device.off();
  await line.close();
});

test('noise on a serial line is not taken for an answer', async () => {
  const line = keep(await serialLine());
  const device = keep(await serialDevice(line, new Memory(), 3));
  device.memory.set('holding', 0, [1], 3);
  const dump = new Dump('name,connection,unit,parity,timeout_ms,retries\n'
    + `boiler,${line.near},3,none,300,6\n`, rows('a,boiler/holding/0,int,,')).start();
  await dump.shows({ a: '1' });
  for (let i = 2; i < 12; i += 1) {
    device.noise(Buffer.from([3, 3, 2, 0, 99, i])); // half an answer, with no good check
    device.memory.set('holding', 0, [i], 3);
    await dump.shows({ a: String(i) });
  }
  assert.doesNotMatch(dump.log, /device\.lost/);
  await dump.close();
  await device.off();
  await line.close();
});

test('a serial line that goes away and comes back is opened anew', async () => {
  const line = keep(await serialLine());
  let device = keep(await serialDevice(line, new Memory(), 3));
  device.memory.set('holding', 0, [1], 3);
  const dump = new Dump('name,connection,unit,parity,timeout_ms,retries,back_off_s\n'
    + `boiler,${line.near},3,none,200,0,1\n`, rows('a,boiler/holding/0,int,,')).start();
  await dump.shows({ a: '1' });
  await device.off();
  await line.unplug();
  await dump.shows({ a: 'INVALID 1' });
  await line.plug();
  device = keep(await serialDevice(line, new Memory(), 3));
  device.memory.set('holding', 0, [2], 3);
  await dump.shows({ a: '2' });
  await dump.close();
  await device.off();
  await line.close();
});

test('bad addresses and devices are refused at the start with their place', async () => {
  const devices = 'name,connection\nplc,localhost\n';
  const dump = new Dump(devices, rows('a,plc/holding/0,int,,'));
  const refuses = async (variables, pattern, list = devices) => {
    dump.write('variables.csv', variables);
    dump.write('devices.csv', list);
    const { code, stderr } = await dump.check();
    assert.equal(code, 78, stderr);
    assert.match(stderr, pattern);
  };
  await refuses(rows('a,plc/register/0,int,,'), /variables\.csv:2:3: address table .*register.*coil, discrete, input or holding/);
  await refuses(rows('b,plc/coil/1,bool,,', 'a,other/holding/0,int,,'), /variables\.csv:3:3: .*no device .*other.* in .*devices\.csv/);
  await refuses(rows('a,plc/holding/0:string4,int,,'), /variables\.csv:2:3: .*a text is no int/);
  await refuses(rows('a,plc/holding/0,string,,'), /variables\.csv:2:3: .*a number is no string/);
  await refuses(rows('a,plc/input/0,int,,read_write'), /variables\.csv:2:3: .*nothing can be written/);
  await refuses(rows('a,plc/holding/65535:int32,int,,'), /variables\.csv:2:3: .*out of 0 to 65535/);
  await refuses(rows('a,plc/holding/0:int64,int,,'), /more than the 2 registers/,
    'name,connection,max_registers\nplc,localhost,2\n');
  await refuses(rows('a,plc/holding/0,int,,'), /devices\.csv:2:15: timeout_ms .*10 to 60000/,
    'name,connection,timeout_ms\nplc,localhost,1\n');
  dump.write('variables.csv', fs.readFileSync(path.join(top, 'deploy/conf/modbus-variables.csv')));
  dump.write('devices.csv', fs.readFileSync(path.join(top, 'deploy/conf/modbus-devices.csv')));
  assert.doesNotMatch((await dump.check()).stderr, /csv:/, 'the example');
});

test('a hundred devices with ten thousand values cost little memory', async () => {
  const devices = [];
  const lines = [];
  const device = keep(await new TcpDevice().on());
  for (let i = 0; i < 100; i += 1) {
    // Each has a connection of its own, as the texts differ.
    devices.push(`d${i},127.0.0.${i + 1}:${device.port},${i}`);
    for (let j = 0; j < 100; j += 1) lines.push(`d${i}/${j},d${i}/holding/${j},int,,`);
    device.memory.set('holding', 99, [i], i);
  }
  await device.off();
  device.host = '0.0.0.0';
  await device.on();
  const dump = new Dump(`name,connection,unit\n${devices.join('\n')}\n`, rows(...lines), { period: 1000 }).start();
  await dump.shows({ 'd0/99': '0', 'd50/99': '50', 'd99/99': '99' });
  await until(() => dump.counts.get('d99/99') >= 2, { what: 'a second reading' });
  assert.ok(dump.memory < 20, `${dump.memory} MiB`);
  await dump.close();
  await device.off();
});
