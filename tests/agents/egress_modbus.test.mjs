// fieldgrid-egress as a Modbus TCP server for a control system, both ways.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { after, before, test } from 'node:test';
import modbus from 'modbus-serial';

import { Agent, numberedCsv } from '../support/agent.mjs';
import { Egress, egressNode } from '../support/egress.mjs';
import { freePort, openGrid, until } from '../support/grid.mjs';

const ModbusRTU = modbus.default ?? modbus;
let grid;
const open = [];

before(async () => { grid = await openGrid(); });

after(async () => {
  for (const one of open.reverse()) await one.close();
  await grid?.close();
});

function keep(one) {
  open.push(one);
  return one;
}

async function mirror(agent, registers, { rights = 'ReadAll', egress = '', urls } = {}) {
  const port = await freePort();
  const node = keep(egressNode(grid, [agent.id], rights));
  const one = new Egress(grid, {
    node, mirror: `datasource,prefix\n${agent.id},plant/\n`, outlet: 'modbus', egress, urls,
    options: `port = ${port}\nregisters = registers.csv`,
  });
  one.write('registers.csv', registers);
  return { egress: keep(one).start(), port };
}

async function plain(port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  open.push({ close: () => socket.destroy() });
  await once(socket, 'connect');
  return socket;
}

async function client(port) {
  const one = new ModbusRTU();
  await until(() => one.connectTCP('127.0.0.1', { port }).then(() => true), { what: 'the Modbus server' });
  one.setID(1);
  one.setTimeout(60_000);
  open.push({ close: () => new Promise((done) => { one.close(done); }) });
  return one;
}

test('a control system reads the last values, also those that do not change', async () => {
  const agent = keep(new Agent(grid, 'shown', {
    driver: 'csv', variables: 'name,type\nn,int\nf,float\nb,bool\nconstant,float\n',
    data: `time,n,f,b,constant\n2026-01-01T00:00:00Z,-5,1.5,true,42.5\n${Array.from({ length: 100 },
      (_, i) => `${new Date(Date.UTC(2026, 0, 1, 0, 0, 1) + i * 200).toISOString()},${i},${i / 2},${i % 2 === 1},`).join('\n')}\n`,
    options: 'file = data.csv\nspeed = 0\ntimes = now\nat_end = wait',
  }));
  agent.start();
  const token = await grid.token();
  await until(async () => (await agent.history(token, 'n')).length >= 100, { what: 'the values' });
  const { port } = await mirror(agent, `variable,address,valid
plant/n,input/10:int32,discrete/10
plant/f,input/20:float32:cdab,
plant/b,discrete/3,
plant/constant,holding/30:float64,coil/30
plant/never,holding/40:int16,coil/40
`);
  const control = await client(port);
  await until(async () => (await control.readDiscreteInputs(10, 1)).data[0], { what: 'a valid value' });
  assert.equal((await control.readInputRegisters(10, 2)).buffer.readInt32BE(), 99);
  const words = (await control.readInputRegisters(20, 2)).data;
  const swapped = Buffer.alloc(4);
  swapped.writeUInt16BE(words[1], 0);
  swapped.writeUInt16BE(words[0], 2);
  assert.equal(swapped.readFloatBE(), 49.5);
  assert.equal((await control.readDiscreteInputs(3, 1)).data[0], true);
  assert.equal((await control.readHoldingRegisters(30, 4)).buffer.readDoubleBE(), 42.5);
  const valid = (await control.readCoils(30, 11)).data;
  assert.deepEqual([valid[0], valid[10]], [true, false]);
  await assert.rejects(control.writeRegister(40, 1), /Illegal function/);
});

test('a write of the control system is a command, and the register shows what the plant says', async () => {
  const agent = keep(new Agent(grid, 'written', {
    driver: 'sim', variables: 'name,type,access\npark/power_limit,float,read_write\npark/power,float,read\n',
    options: 'model = wind',
  }));
  agent.start();
  await until(() => agent.log.includes('stream is open'), { what: 'the agent' });
  // Nobody is at the first of the hub's addresses.
  const { egress, port } = await mirror(agent, `variable,address,writable
plant/park/power_limit,holding/0:float32,yes
plant/park/power,holding/2:float32,
`, {
    rights: 'ReadAll,WriteVariables', egress: 'writes = yes',
    urls: `https://127.0.0.1:${await freePort()}, ${grid.nodeUrl}`,
  });
  const control = await client(port);
  const limit = async () => (await control.readHoldingRegisters(0, 2)).buffer.readFloatBE();
  await until(async () => await limit() > 0, { what: 'the value' });
  const words = (number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatBE(number);
    return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  };
  await control.writeRegisters(0, words(7000));
  await until(() => egress.log.includes('writing plant/park/power_limit'), { what: 'the first address fails' });
  await control.writeRegisters(0, words(12000));
  await until(async () => await limit() === 12000, { what: 'the plant has it' }).catch((error) => {
    throw new Error(egress.log.slice(-1500), { cause: error });
  });
  await assert.rejects(control.writeRegisters(2, [0, 0]), /Illegal data address/);
  await assert.rejects(control.writeRegisters(0, [1]), /Illegal data address/);
  const [[user, value]] = grid.sql(`SELECT actor, value FROM command c JOIN datasource d
    ON d.id = c.datasource_id WHERE d.uuid = '${agent.id}' ORDER BY number DESC LIMIT 1`);
  assert.deepEqual([user, Number(value)], [egress.node.name, 12000]);
});

test('a request that is wrong in a part does nothing, and one client cannot hold up another', async () => {
  const agent = keep(new Agent(grid, 'requests', { driver: 'sim', options: 'model = wind', variables: 'name,type,access\npark/power_limit,float,read_write\n' }));
  const { egress, port } = await mirror(agent, `variable,address,writable
a,holding/0:float32,yes
b,holding/2:bcd16,yes
${Array.from({ length: 70 }, (_, i) => `many/${i},holding/${100 + i},yes`).join('\n')}
`, { egress: 'writes = yes' });
  const control = await client(port);
  await assert.rejects(control.writeRegisters(0, [0, 0, 0xaaaa]), /Illegal data value/);
  await assert.rejects(control.writeRegisters(100, Array(70).fill(1)), /Slave device busy/);
  assert.doesNotMatch(egress.log, /writing/, 'nothing of them was sent');

  // What stands behind a bad request is answered.
  const ask = (count) => Buffer.from([0, count, 0, 0, 0, 6, 1, 3, 0, 0, 0, count]);
  const raw = await plain(port);
  raw.write(Buffer.concat([ask(126), ask(1)]));
  let answers = Buffer.alloc(0);
  raw.on('data', (bytes) => { answers = Buffer.concat([answers, bytes]); });
  await until(() => answers.length >= 9 + 11, { what: 'both answers' });
  assert.deepEqual([answers[1], answers[7], answers[8], answers[10]], [126, 0x83, 3, 1]);

  // Nobody waits for one that takes no answers, and one that is gone is found out.
  const deaf = await plain(port);
  deaf.write(Buffer.concat(Array(60_000).fill(ask(125))));
  await until(() => egress.log.includes('takes no answers'), { seconds: 30, what: 'the end of the deaf one' });
  assert.equal((await control.readHoldingRegisters(0, 1)).data[0], 0);
  const here = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = () => fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(`:${here}`) && state === '01');
  await until(() => sockets().length > 0 && sockets().every((one) => one[5].startsWith('02:')), { what: 'keepalive' });
});

test('what cannot be is said at the start', async () => {
  const agent = keep(new Agent(grid, 'wrong', { driver: 'csv', variables: 'name,type\nn,int\n', data: numberedCsv(1, 1), options: 'file = data.csv' }));
  for (const [registers, words] of [
    ['variable,address\na,holding/1:int32\nb,holding/2\n', /a register of b has another variable/],
    ['variable,address\na,holding/65535:int32\n', /reaches out of/],
    ['variable,address\na,drum/1\n', /registers\.csv:2/],
    ['variable,address,writable\na,input/1,yes\n', /only whole coils and holding registers/],
  ]) {
    const { egress } = await mirror(agent, registers);
    await until(() => !egress.running, { what: 'its end' });
    assert.match(egress.log, words);
  }
});
