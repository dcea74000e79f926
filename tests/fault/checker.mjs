// checker: is what a source made in the grid and in the mirror, each once, in
// order, unchanged? Every scenario uses this one.

import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import { sleep } from '../support/grid.mjs';
import { padding } from './source.mjs';

const EXACT_MS = 0.001;
const SPONTANEOUS = 0x20000; // the status of every row
const CLOCK_MS = 5000; // of agents that stamp rows themselves

/** Is it the right time of row n? */
function isTimed(source, n, ms) {
  if (source.times === 'original') return Math.abs(ms - source.time(n)) < EXACT_MS;
  return ms > source.begin - CLOCK_MS && ms < Date.now() + CLOCK_MS;
}

/** Count what is wrong with the rows of history of variable n. */
export function judgeRows(source, rows) {
  const seen = new Set();
  const tally = { arrived: rows.length, missing: 0, twice: 0, strange: 0, disordered: 0, mistimed: 0 };
  let last = 0;
  for (const [time, text] of rows) {
    const n = Number(text);
    if (!Number.isInteger(n) || n < 1 || n > source.count) tally.strange += 1;
    else if (seen.has(n)) tally.twice += 1;
    else seen.add(n);
    if (n < last) tally.disordered += 1;
    last = n;
    if (!isTimed(source, n, Date.parse(time))) tally.mistimed += 1;
  }
  for (let n = 1; n <= source.count; n += 1) if (!seen.has(n)) tally.missing += 1;
  return tally;
}

/** Texts that are not those of their row: cut off, mixed up or from nowhere. */
export function spoiled(source, rows) {
  return rows.filter(([, text], i) => text.replaceAll('"', '') !== padding(i + 1, source.padBytes)).length
    + Math.abs(rows.length - source.count);
}

/** All "alarms" or "events" that the grid has of an agent. */
async function readList(agent, list, token) {
  const found = [];
  let after;
  do {
    const reply = await agent.grid.request(`/api/v1/datasources/${agent.id}/${list}/query`, {
      token,
      body: { variableFilter: { variableNames: ['*'] }, limit: 1000, ...(after && { after }) },
    });
    if (reply.status !== 200) throw new Error(`${list}: ${reply.status} ${reply.text.slice(0, 300)}`);
    found.push(...reply.json[list]);
    after = reply.json.next;
  } while (after);
  return found;
}

/** All alarms of a source, the first to come first. */
async function readAlarms(source, token) {
  const found = await readList(source.agent, 'alarms', token);
  return found.sort((one, other) => Date.parse(one.receivedTime) - Date.parse(other.receivedTime));
}

/** What the list of events has of them: kind and alarm, sorted. */
function readEvents(source) {
  return source.agent.grid.sql(`SELECT e.kind, e.about FROM event e JOIN datasource d ON d.id = e.datasource_id
    WHERE d.uuid = '${source.agent.id}' AND e.kind LIKE 'alarm.%' ORDER BY 1, 2`).map((row) => row.join(' '));
}

/** Alarms that are not there, too many or with other times; and their events. */
async function judgeAlarms(source, token) {
  const wanted = source.alarms();
  const found = await readAlarms(source, token);
  const events = found.flatMap(({ id, clearedTime }) => (
    clearedTime ? [`alarm.came ${id}`, `alarm.went ${id}`] : [`alarm.came ${id}`])).sort();
  const told = readEvents(source).sort();
  const timed = ({ came, went }, alarm) => alarm !== undefined
    && isTimed(source, came, Date.parse(alarm.receivedTime))
    && (went === undefined ? alarm.clearedTime === null : isTimed(source, went, Date.parse(alarm.clearedTime)));
  return {
    alarms: found.length,
    alarmsWrong: wanted.filter((alarm, i) => !timed(alarm, found[i])).length + Math.max(0, found.length - wanted.length),
    eventsWrong: events.filter((event) => !told.includes(event)).length
      + told.filter((event, i) => !events.includes(event) || told[i - 1] === event).length,
  };
}

async function check(source, token) {
  const tally = { ...judgeRows(source, await source.agent.history(token, 'n')), ...await judgeAlarms(source, token) };
  if (source.padBytes) tally.spoiled = spoiled(source, await source.agent.history(token, 'pad'));
  return tally;
}

// --- source, hub and mirror ---

const hash = (lines) => createHash('sha256').update(lines.join('\n')).digest('hex');

/** Of a time in UTC, the same text however many digits it has. */
const plainTime = (text) => {
  const [seconds, fraction = ''] = text.replace(/(?:Z|\+00:00)$/, '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
};

/** The rows [time, value, status] of one place as lines that can be compared. */
function linesOf(rows) {
  return rows.map(([time, value, status]) => `${plainTime(time)} ${value.replaceAll('"', '')} ${Number(status)}`);
}

/** What the source itself has of a variable; nobody else knows the times of rows that are stamped when they are read. */
function linesMade(source, column, hub) {
  const made = [];
  for (let n = 1; n <= source.count; n += 1) {
    const time = source.times === 'original' ? new Date(source.time(n)).toISOString() : hub[n - 1]?.[0] ?? '';
    made.push([time, String(source.value(column, n)), SPONTANEOUS]);
  }
  return linesOf(made);
}

/** An alarm comes again whenever it has changed; what counts is its last state, and none may come twice. */
export function judgeMirroredAlarms(hub, mirror) {
  const without = ({ activeMs, ...alarm }) => alarm;
  const last = new Map();
  let wrong = 0;
  for (const alarm of mirror.map(without)) {
    if (isDeepStrictEqual(last.get(alarm.id), alarm)) wrong += 1;
    last.set(alarm.id, alarm);
  }
  for (const alarm of hub.map(without)) {
    if (!isDeepStrictEqual(last.get(alarm.id), alarm)) wrong += 1;
    last.delete(alarm.id);
  }
  return wrong + last.size;
}

/** Events have numbers; each comes once. */
export function judgeMirroredEvents(hub, mirror) {
  const told = new Map();
  let wrong = 0;
  for (const event of mirror) {
    if (told.has(event.id)) wrong += 1;
    told.set(event.id, event);
  }
  for (const event of hub) {
    if (!isDeepStrictEqual(told.get(event.id), event)) wrong += 1;
    told.delete(event.id);
  }
  return wrong + told.size;
}

/** Compare by count and by hash, for each variable: source, hub and mirror. */
async function judgeValues(source, values, token) {
  const tally = { mirrored: 0, unequal: 0 };
  const hashes = [];
  for (const column of source.columns) {
    const hub = await source.agent.history(token, column);
    const mirror = linesOf(values.get(column) ?? []);
    const [first, ...others] = [mirror, linesOf(hub), linesMade(source, column, hub)].map(hash);
    if (!others.every((other) => other === first)) tally.unequal += 1;
    tally.mirrored += mirror.length;
    hashes.push(first);
  }
  return { ...tally, sha256: hash(hashes).slice(0, 8) };
}

/** Everything of a source in the mirror; what a device confirms is in the hub first. */
async function judgeMirrored(source, mirror, token) {
  const tally = { ...await judgeValues(source, mirror.of(source.agent).values, token), alarmsUnequal: 0, eventsUnequal: 0 };
  for (const agent of source.agents) {
    const { values, alarms, events } = mirror.of(agent);
    const told = (await readList(agent, 'events', token)).filter(({ grid }) => !grid);
    tally.alarmsUnequal += judgeMirroredAlarms(await readList(agent, 'alarms', token), alarms);
    tally.eventsUnequal += judgeMirroredEvents(told, events);
    if (agent === source.agent) continue;
    const hub = linesOf(await agent.history(token, 'set'));
    if (hash(hub) !== hash(linesOf(values.get('set') ?? []))) tally.unequal += 1;
  }
  return tally;
}

// --- all of it ---

/** Look until all is as it should be, or "end"; a look that fails is tried again for a while. */
async function lookUntil(end, look, isDone) {
  const last = Math.max(end, Date.now() + 30_000);
  for (;;) {
    let tally;
    try {
      tally = await look();
    } catch (error) {
      if (Date.now() > last) throw error;
    }
    if (tally && (isDone(tally) || Date.now() > end)) return tally;
    await sleep(1000);
  }
}

/** Check until nothing is missing any more (alarms come with the rows), at most until "end". */
export async function settle(source, mirror, token, end) {
  const tally = await lookUntil(end, () => check(source, token), ({ missing }) => missing === 0);
  const mirrored = await lookUntil(end, () => judgeMirrored(source, mirror, token),
    ({ unequal, alarmsUnequal, eventsUnequal }) => unequal + alarmsUnequal + eventsUnequal === 0);
  return { ...tally, ...mirrored };
}

/** Does a tally say that all is well? */
export function isWhole({ arrived, alarms, commands, confirmed, mirrored, sha256, ...wrong }) {
  return arrived > 0 && alarms > 0 && confirmed !== 0 && mirrored > 0 && Object.values(wrong).every((count) => count === 0);
}

/** Rows of cells as a table; the first row names the columns. */
export function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i] ?? '').length)));
  return rows.map((row) => row.map((cell, i) => (
    i === 0 ? String(cell ?? '').padEnd(widths[i]) : String(cell ?? '').padStart(widths[i]))).join('  ')).join('\n');
}
