// checker: is what a source made in the grid, each once, in order, unchanged?
// Every scenario uses this one.

import { sleep } from '../support/grid.mjs';
import { padding } from './source.mjs';

const EXACT_MS = 0.001;
const CLOCK_MS = 5000; // of agents that stamp rows themselves

/** Is it the right time of row n? */
function isTimed(source, n, ms) {
  if (source.times === 'original') return Math.abs(ms - source.time(n)) < EXACT_MS;
  return ms > source.begin - CLOCK_MS && ms < Date.now() + CLOCK_MS;
}

/** Count what is wrong with the rows of history of variable n. */
function judge(source, rows) {
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
function spoiled(source, rows) {
  return rows.filter(([, text], i) => text.replaceAll('"', '') !== padding(i + 1, source.padBytes)).length
    + Math.abs(rows.length - source.count);
}

/** All alarms of a source, the first to come first. */
async function readAlarms(source, token) {
  const found = [];
  let after;
  do {
    const reply = await source.agent.grid.request(`/api/v1/datasources/${source.agent.id}/alarms/query`, {
      token,
      body: {
        timeFilter: { from: '2024-01-01T00:00:00Z', to: '2030-01-01T00:00:00Z', type: 'Absolute' },
        limit: 1000, ...(after && { after }),
      },
    });
    if (reply.status !== 200) throw new Error(`alarms: ${reply.status} ${reply.text.slice(0, 300)}`);
    found.push(...reply.json.alarms);
    after = reply.json.next;
  } while (after);
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

export async function check(source, token) {
  const tally = { ...judge(source, await source.agent.history(token, 'n')), ...await judgeAlarms(source, token) };
  if (source.padBytes) tally.spoiled = spoiled(source, await source.agent.history(token, 'pad'));
  return tally;
}

/** Check until nothing is missing any more (alarms come with the rows), at most for "seconds". */
export async function settle(source, token, seconds) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const tally = await check(source, token).catch((error) => {
      if (Date.now() > end) throw error;
      return { missing: source.count };
    });
    if (tally.missing === 0 || Date.now() > end) return tally;
    await sleep(1000);
  }
}

/** Does a tally say that all is well? */
export function isWhole({ arrived, alarms, commands, confirmed, ...wrong }) {
  return arrived > 0 && alarms > 0 && confirmed !== 0 && Object.values(wrong).every((count) => count === 0);
}

/** Rows of cells as a table; the first row names the columns. */
export function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => String(row[i] ?? '').length)));
  return rows.map((row) => row.map((cell, i) => (
    i === 0 ? String(cell ?? '').padEnd(widths[i]) : String(cell ?? '').padStart(widths[i]))).join('  ')).join('\n');
}
