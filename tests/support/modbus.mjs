// modbus: devices for tests: npm's modbus-serial over TCP and over a serial
// line of two joined pseudo-terminals, and a raw one that may misbehave.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import modbus from 'modbus-serial';

import { freePort, sleep, until } from './grid.mjs';

/** An exception answer of the device. */
export function exception(code) { return Object.assign(new Error(`exception ${code}`), { modbusErrorCode: code }); }

/**
 * The memory of one or more units: bits and registers by unit and number.
 * "requests" counts what was asked, by kind; "hole" may name numbers whose
 * reading is refused, "delay" is in ms, "frozen" keeps what is written away,
 * "refuses" is the exception of every write.
 */
export class Memory {
  constructor() {
    this.units = new Map();
    this.requests = [];
    this.writes = [];
    this.hole = () => false;
    this.delay = () => 0;
    this.frozen = false;
    this.refuses = 0;
  }

  unit(id) {
    if (!this.units.has(id)) {
      this.units.set(id, {
        coil: new Array(65536).fill(false),
        discrete: new Array(65536).fill(false),
        input: new Uint16Array(65536),
        holding: new Uint16Array(65536),
      });
    }
    return this.units.get(id);
  }

  set(table, number, values, unit = 1) {
    values.forEach((value, i) => { this.unit(unit)[table][number + i] = value; });
  }

  get(table, number, count, unit = 1) {
    return Array.from(this.unit(unit)[table].slice(number, number + count));
  }

  async read(table, number, count, unit) {
    this.requests.push({ table, number, count, unit });
    await sleep(this.delay(unit));
    for (let i = number; i < number + count; i += 1) if (this.hole(table, i)) throw exception(2);
    return this.get(table, number, count, unit);
  }

  async write(table, number, values, unit) {
    this.writes.push({ table, number, values, unit });
    await sleep(this.delay(unit));
    if (this.refuses) throw exception(this.refuses);
    if (!this.frozen) this.set(table, number, values, unit);
  }

  /** What modbus-serial asks for. */
  get vector() {
    const one = (table) => async (number, unit) => (await this.read(table, number, 1, unit))[0];
    // It takes promises for one value, but wants a callback for several.
    const many = (table) => (number, count, unit, done) => {
      this.read(table, number, count, unit).then((values) => done(null, values), done);
    };
    return {
      getCoil: one('coil'),
      getDiscreteInput: one('discrete'),
      getInputRegister: one('input'),
      getHoldingRegister: one('holding'),
      getMultipleInputRegisters: many('input'),
      getMultipleHoldingRegisters: many('holding'),
      setCoil: (number, value, unit) => this.write('coil', number, [value], unit),
      setRegister: (number, value, unit) => this.write('holding', number, [value], unit),
      setRegisterArray: (number, values, unit) => this.write('holding', number, values, unit),
    };
  }
}

/** A TCP device of modbus-serial that can be switched off and on. */
export class TcpDevice {
  constructor(memory = new Memory()) { this.memory = memory; }

  async on() {
    this.server = new modbus.ServerTCP(this.memory.vector, { host: this.host ?? '127.0.0.1', port: this.port ?? await freePort(), unitID: 255 });
    await once(this.server, 'initialized');
    this.port = this.server._server.address().port;
    // It tells of every reset connection; that is the test's business.
    this.server.on('socketError', () => {});
    return this;
  }

  async off() {
    if (!this.server) return;
    await new Promise((done) => { this.server.close(done); });
    this.server = undefined;
  }

  get address() { return `127.0.0.1:${this.port}`; }
}

/** Two joined pseudo-terminals, near and far. */
export async function serialLine() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-line-'));
  const near = path.join(folder, 'near');
  const far = path.join(folder, 'far');
  let socat;
  const line = {
    near,
    far,
    async plug() {
      socat = spawn('socat', [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`], { stdio: 'ignore' });
      await until(() => fs.existsSync(near) && fs.existsSync(far), { what: 'the serial line' });
    },
    async unplug() {
      socat.kill();
      if (socat.exitCode === null && socat.signalCode === null) await once(socat, 'exit');
    },
    async close() {
      await line.unplug();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
  await line.plug();
  return line;
}

/** A device of modbus-serial at the far end of a serial line. */
export async function serialDevice(line, memory = new Memory(), unitID = 255) {
  const server = new modbus.ServerSerial(memory.vector,
    { path: line.far, baudRate: 19200, parity: 'none', unitID });
  await once(server, 'initialized');
  let on = true;
  return {
    memory,
    noise: (bytes) => fs.writeFileSync(line.far, bytes),
    async off() {
      if (on) await new Promise((done) => { server.close(done); });
      on = false;
    },
  };
}

/**
 * A device that answers with whatever "answer" makes of a request: a buffer to
 * be sent as the PDU, { raw } to be sent as it is, or nothing. A request is
 * { transaction, unit, code, data }.
 */
export class RawDevice {
  constructor(answer, host = '127.0.0.1') {
    this.answer = answer;
    this.host = host;
    this.sockets = new Set();
    this.connections = 0;
  }

  async on() {
    this.server = net.createServer((socket) => this.#serve(socket));
    this.server.listen(this.port ?? 0, this.host);
    await once(this.server, 'listening');
    this.port = this.server.address().port;
    return this;
  }

  #serve(socket) {
    let data = Buffer.alloc(0);
    this.connections += 1;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => {});
    socket.on('data', (more) => {
      data = Buffer.concat([data, more]);
      while (data.length >= 8 && data.length >= 6 + data.readUInt16BE(4)) {
        const length = data.readUInt16BE(4);
        this.#reply(socket, { transaction: data.readUInt16BE(0), unit: data[6], code: data[7], data: data.subarray(8, 6 + length) });
        data = data.subarray(6 + length);
      }
    });
  }

  async #reply(socket, request) {
    const reply = await this.answer(request, socket);
    if (!reply || socket.destroyed) return;
    if (reply.raw) {
      socket.write(reply.raw);
      return;
    }
    const head = Buffer.alloc(7);
    head.writeUInt16BE(request.transaction, 0);
    head.writeUInt16BE(reply.length + 1, 4);
    head[6] = request.unit;
    socket.write(Buffer.concat([head, reply]));
  }

  async off() {
    for (const socket of this.sockets) socket.destroy();
    if (this.server) await new Promise((done) => { this.server.close(done); });
    this.server = undefined;
  }

  get address() { return `127.0.0.1:${this.port}`; }
}
