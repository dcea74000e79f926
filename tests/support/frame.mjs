// frame: the binary form of doc/FRAME.md, written from that page, for tests.

const table = new Uint32Array(256).map((_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

function crc32c(...parts) {
  let crc = 0xffffffff;
  for (const part of parts) for (const byte of part) crc = table[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function varint(number) {
  const bytes = [];
  let rest = BigInt(number);
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const zigzag = (number) => varint(BigInt.asUintN(64, (BigInt(number) << 1n) ^ (BigInt(number) >> 63n)));

const text = (string) => Buffer.concat([varint(Buffer.byteLength(string)), Buffer.from(string)]);

const uuidBytes = (uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex');

const kinds = { bool: 1, float: 2, int: 3, string: 4 };

/** float64 as its bytes: xor-ed with those before, highest bytes first. */
function planes(list) {
  const out = Buffer.alloc(1 + list.length * 8);
  let before = 0n;
  const bits = Buffer.alloc(8);
  list.forEach((value, i) => {
    bits.writeDoubleBE(value);
    const now = bits.readBigUInt64BE();
    const change = Buffer.alloc(8);
    change.writeBigUInt64BE(now ^ before);
    for (let plane = 0; plane < 8; plane++) out[1 + plane * list.length + i] = change[plane];
    before = now;
  });
  return out;
}

function values(kind, list, version) {
  if (kind === 'bool') {
    const bits = Buffer.alloc(Math.ceil(list.length / 8));
    list.forEach((value, i) => { if (value) bits[i >> 3] |= 1 << (i & 7); });
    return bits;
  }
  if (kind === 'float' && version > 1) return planes(list);
  if (kind === 'float') {
    const out = Buffer.alloc(list.length * 8);
    list.forEach((value, i) => out.writeDoubleLE(value, i * 8));
    return out;
  }
  if (kind === 'string') return Buffer.concat(list.map(text));
  let last = 0n;
  return Buffer.concat(list.map((value) => {
    const step = BigInt(value) - last;
    last = BigInt(value);
    return zigzag(step);
  }));
}

/** One variable's samples: { id, kind, time: [us], value: [], status: [] }. */
function group(series, before, first, version) {
  let last = 0n;
  const steps = series.time.slice(1).map((time, i) => {
    const step = BigInt(time) - BigInt(series.time[i]);
    const longer = step - last;
    last = step;
    return zigzag(longer);
  });
  const body = Buffer.concat([
    Buffer.from([2]), varint(BigInt(series.time[0]) - BigInt(first)), ...steps,
    ...series.value.flatMap((_, i) => [varint(1), varint(series.status?.[i] ?? 0)]),
    values(series.kind, series.value, version),
  ]);
  return Buffer.concat([varint(series.id - before), Buffer.from([kinds[series.kind]]),
    varint(series.value.length), varint(body.length), body]);
}

function event(one, first, version) {
  const parts = version > 1 ? ['value', 'oldValue', 'username', 'computer', 'comment'] : ['value'];
  const present = parts.reduce((bits, name, i) => bits | (one[name] === undefined ? 0 : 1 << i), 0);
  return Buffer.concat([varint(BigInt(one.time) - BigInt(first)), varint(one.variable ?? 0),
    text(one.kind), text(one.text), Buffer.from([present]),
    ...parts.filter((name) => one[name] !== undefined).map((name) => text(one[name]))]);
}

const changeKinds = { came: 1, went: 2, reactivated: 3, changed: 4 };

/** { id, variable, limit, kind, time, came, went, reactivations, flags, status, value (a float), text }. */
function alarm(one, first) {
  const since = (time) => zigzag(BigInt(time) - BigInt(one.time));
  const times = [one.came, one.went, one.reactivated];
  const value = Buffer.alloc(8);
  value.writeDoubleLE(one.value ?? 0);
  return Buffer.concat([
    uuidBytes(one.id), varint(one.variable), text(one.limit), Buffer.from([changeKinds[one.kind]]),
    varint(BigInt(one.time) - BigInt(first)),
    Buffer.from([times.reduce((bits, time, i) => bits | (time === undefined ? 0 : 1 << i), 0)]),
    ...times.filter((time) => time !== undefined).map(since),
    varint(one.reactivations ?? 0), varint(one.flags ?? 0), varint(one.status ?? 0),
    ...(one.value === undefined ? [Buffer.from([0])] : [Buffer.from([2]), value]),
    text(one.text ?? ''),
  ]);
}

/**
 * A frame: { datasource, spool (hex), sequence, series, alarms, events } to
 * bytes of version 1, 2, or, for tests, of a future one.
 */
export function encodeFrame({ datasource, spool, sequence, series = [], alarms = [], events = [], version = 1 }) {
  const headBytes = version === 1 ? 80 : 84;
  const times = [...series.flatMap((one) => one.time), ...[...alarms, ...events].map((one) => one.time)].map(BigInt);
  const first = times.reduce((least, time) => (time < least ? time : least), times[0]);
  const latest = times.reduce((most, time) => (time > most ? time : most), times[0]);
  const sorted = [...series].sort((one, other) => one.id - other.id);
  const payload = Buffer.concat([
    ...sorted.map((one, i) => group(one, i === 0 ? 0 : sorted[i - 1].id, first, version)),
    ...alarms.map((one) => alarm(one, first)),
    ...events.map((one) => event(one, first, version)),
  ]);
  const frame = Buffer.concat([Buffer.alloc(headBytes), payload]);
  frame.write('FGFR');
  frame[4] = version;
  frame.writeUInt16LE(headBytes, 6);
  frame.writeUInt32LE(frame.length, 8);
  uuidBytes(datasource).copy(frame, 16);
  frame.writeBigUInt64LE(BigInt(`0x${spool}`), 32);
  frame.writeBigInt64LE(BigInt(sequence), 40);
  frame.writeBigInt64LE(first, 48);
  frame.writeBigInt64LE(latest, 56);
  frame.writeUInt32LE(series.reduce((sum, one) => sum + one.value.length, 0), 64);
  frame.writeUInt32LE(events.length, 68);
  frame.writeUInt32LE(payload.length, 72);
  frame.writeUInt32LE(series.length, 76);
  if (version > 1) frame.writeUInt32LE(alarms.length, 80);
  frame.writeUInt32LE(crc32c(frame.subarray(0, 12), frame.subarray(16)), 12);
  return frame;
}
