// device: a Modbus device at a plant, as a program: prints its address, then
// each write with its time, as JSON, a line each.

import { Memory, TcpDevice } from '../support/modbus.mjs';

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

class TellingMemory extends Memory {
  write(table, number, values, unit) {
    tell({ value: values[0], at: Date.now() });
    return super.write(table, number, values, unit);
  }
}

const device = await new TcpDevice(new TellingMemory()).on();
tell({ address: device.address });
