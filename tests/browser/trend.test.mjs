// The trend page: its address is its state, no spike is lost, gaps are gaps.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const HOUR = 3_600_000;
const INVALID = 2 ** 18;

let grid;
let browser;
let plant;
let end;

/** Two hours of seconds: a sine with one spike and a gap of five minutes. */
function history() {
  const rows = [];
  for (let i = 0; i < 7200; i += 1) {
    const time = end - 2 * HOUR + i * 1000;
    const inGap = i >= 3000 && i < 3300;
    rows.push([time, i === 5000 ? 999 : 50 + 10 * Math.sin(i / 300), inGap ? INVALID : 0]);
  }
  return rows;
}

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Trend');
  end = Math.floor(Date.now() / 1000) * 1000;
  await plant.announce([
    { name: 'kiln/temperature', type: 'float', unit: '°C', decimals: 1 },
    { name: 'kiln/fan', type: 'float', unit: '1/min', decimals: 0 },
    { name: 'kiln/lit', type: 'bool', stepped: true },
    { name: 'kiln/note', type: 'string', stepped: true },
  ]);
  const rows = history();
  for (let i = 0; i < rows.length; i += 1200)
    await plant.send({ 'kiln/temperature': rows.slice(i, i + 1200) });
  await plant.send({
    'kiln/fan': [[end - HOUR, 900], [end - 1000, 950]],
    'kiln/lit': [[end - HOUR, true], [end - HOUR / 2, false]],
    'kiln/note': [[end - HOUR, 'heating up'], [end - HOUR / 2, 'soaking']],
  });
  browser = await openBrowser(grid);
});
after(async () => {
  await browser?.close();
  plant?.close();
  await grid?.close();
});

const iso = (time) => new Date(time).toISOString();
const address = (names, rest) => `/trend?${names.map((name) => `v=${plant.id}:kiln/${name}`).join('&')}&${rest}`;
const fixed = (names) => address(names, `from=${iso(end - 2 * HOUR)}&to=${iso(end)}&zone=UTC`);
const query = (page) => new URL(page.url()).searchParams;
const span = (page) => Date.parse(query(page).get('to')) - Date.parse(query(page).get('from'));
const cell = (page, name, column) => page.locator('.fg-trend-table tbody tr', { hasText: name }).locator(`td.fg-trend-${column}`);

async function open(target, options) {
  const page = await browser.page(options);
  page.queries = [];
  page.on('request', (request) => {
    if (request.url().includes('/history/query')) page.queries.push(request.postDataJSON());
  });
  await page.goto(target);
  await page.locator('.fg-trend-plot canvas').waitFor();
  await settled(page);
  return page;
}

const settled = (page) => until(async () => page.queries.length > 0
  && /°C|UTC/.test(await page.locator('#fg-trend-state').textContent())
  && !await page.locator('.fg-loading').count());

test('an envelope keeps the spike, says what it is, and asks once', async () => {
  const page = await open(fixed(['temperature']));
  assert.match(await page.locator('#fg-trend-state').textContent(), /min\/max of \d/);
  assert.match(await page.locator('#fg-trend-state').textContent(), /UTC/);
  assert.equal(await cell(page, 'temperature', 'maximum').textContent(), '999.0');
  assert.equal(page.queries.length, 1);
  assert.ok(page.queries[0].points > 500 && page.queries[0].points < 1400);
});

test('dragging zooms, Back returns; the address is the state', async () => {
  const page = await open(fixed(['temperature']));
  const box = await page.locator('.u-over').boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 50, { steps: 5 });
  await page.mouse.up();
  await until(() => Math.abs(span(page) - HOUR / 2) < 60_000, { what: 'half an hour' });
  await until(() => page.queries.length === 2);
  const zoomed = page.url();
  await page.goBack();
  await until(() => page.queries.length === 3);
  assert.equal(span(page), 2 * HOUR);
  await page.goForward();
  await until(() => page.queries.length === 4);
  assert.equal(page.url(), zoomed);
  assert.deepEqual(page.problems, []);
});

test('buttons, wheel, keys and typing zoom and move as well', async () => {
  const page = await open(fixed(['temperature']));
  await page.getByRole('button', { name: 'Zoom in' }).click();
  await until(() => span(page) === HOUR);
  const from = query(page).get('from');
  await page.getByRole('button', { name: 'Earlier' }).click();
  await until(() => query(page).get('from') < from && span(page) === HOUR);
  await page.locator('.u-over').hover();
  await page.mouse.wheel(0, -400);
  await until(() => span(page) < HOUR * 0.6);
  await page.locator('.fg-trend-plot').focus();
  await page.keyboard.press('-');
  await until(() => span(page) > HOUR * 0.6);
  await page.getByLabel('From').fill('2026-01-02T03:00:01');
  await page.getByLabel('To', { exact: true }).fill('2026-01-02T04:30:01');
  await page.getByRole('button', { name: 'Show' }).click();
  await until(() => query(page).get('from') === '2026-01-02T03:00:01.000Z' && span(page) === 1.5 * HOUR);
  await page.locator('.fg-empty', { hasText: /No samples between 2026-01-02 03:00:01/ }).waitFor();
});

test('a typed range is read in the zone that is chosen', async () => {
  const page = await open(address(['temperature'], 'range=1h&zone=Europe/Vienna'));
  await page.getByLabel('From').fill('2026-07-01T12:00:01');
  await page.getByLabel('To', { exact: true }).fill('2026-07-01T13:00:01');
  await page.getByRole('button', { name: 'Show' }).click();
  await until(() => query(page).get('from') === '2026-07-01T10:00:01.000Z');
  assert.match(await page.locator('#fg-trend-state').textContent(), /Europe\/Vienna, UTC\+02:00/);
});

test('a range that ends now goes on by itself', async () => {
  const page = await open(address(['fan'], 'range=15m'));
  const now = Date.now();
  await plant.beat();
  await plant.send({ 'kiln/fan': [[now, 1234]] });
  await until(async () => await cell(page, 'fan', 'at').textContent() === '1,234', { what: 'the new value' });
  await until(async () => await cell(page, 'fan', 'maximum').textContent() === '1,234', { what: 'the new maximum' });
  assert.equal(page.queries.length, 1);
});

test('two cursors, their values and the difference', async () => {
  const page = await open(fixed(['temperature', 'fan']));
  const box = await page.locator('.u-over').boundingBox();
  await page.mouse.click(box.x + box.width * 0.3, box.y + 60);
  await page.mouse.click(box.x + box.width * 0.6, box.y + 60);
  await until(() => query(page).has('a') && query(page).has('b'));
  assert.match(await cell(page, 'temperature', 'delta').textContent(), /^[+-]?\d+\.\d$/);
  assert.match(await page.locator('#fg-trend-state').textContent(), /B − A = /);
  await page.reload();
  await settled(page);
  await until(async () => /\d/.test(await cell(page, 'temperature', 'a').textContent()), { what: 'the cursor after a reload' });
  await page.getByRole('button', { name: 'A|B' }).click();
  await until(() => !query(page).has('a'));
});

test('variables are found, added and removed; text is shown at the cursor', async () => {
  const page = await open(fixed(['temperature']));
  await page.keyboard.press('/');
  await page.keyboard.type('kiln lit');
  await page.getByRole('option').first().waitFor();
  await page.keyboard.press('Enter');
  await until(() => query(page).getAll('v').length === 2);
  await page.locator('#fg-trend-search').fill(`${plant.name} note`);
  await page.getByRole('option').first().click();
  await until(() => query(page).getAll('v').length === 3);
  assert.deepEqual(query(page).getAll('v').map((text) => text.slice(37)), ['kiln/temperature', 'kiln/lit', 'kiln/note']);
  await page.keyboard.press('Escape');
  await until(async () => await cell(page, 'kiln/note', 'at').textContent() === 'soaking');
  await until(async () => await cell(page, 'kiln/lit', 'at').textContent() === 'off');
  await page.getByRole('button', { name: 'Remove kiln/lit' }).click();
  await until(() => query(page).getAll('v').length === 2);
  assert.deepEqual(page.problems, []);
});

test('a name that does not exist says so, the others are drawn', async () => {
  const page = await open(fixed(['temperature', 'nothing']));
  assert.match(await page.locator('#fg-trend-state').textContent(), /kiln\/nothing: /);
  assert.match(await cell(page, 'kiln/temperature', 'maximum').textContent(), /999/);
});

test('the export has the range and the zone that are shown', async () => {
  const page = await open(fixed(['temperature', 'fan']));
  const waiting = page.waitForEvent('download');
  await page.getByRole('link', { name: 'CSV' }).click();
  const download = await waiting;
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  assert.match(text, /UTC/);
  assert.match(text, /kiln\/temperature/);
  assert.ok(text.split('\n').length > 7000);
  assert.match(text, /,999(\.0)?\b/);
});

test('a chart that nothing was chosen for says what to do', async () => {
  const page = await browser.page();
  await page.goto('/trend');
  await page.locator('.fg-empty', { hasText: 'No variable is chosen' }).waitFor();
});

test('a finger moves the window on a phone', async () => {
  const page = await open(fixed(['temperature']), { phone: true });
  const from = query(page).get('from');
  const box = await page.locator('.u-over').boundingBox();
  const session = await page.context().newCDPSession(page);
  const touch = (type, x) => session.send('Input.dispatchTouchEvent', { type,
    touchPoints: type === 'touchEnd' ? [] : [{ x, y: box.y + 60 }] });
  await touch('touchStart', box.x + 50);
  for (let x = 60; x <= 150; x += 15) await touch('touchMove', box.x + x);
  await touch('touchEnd');
  await until(() => query(page).get('from') < from, { what: 'an earlier window' });
  assert.ok(Math.abs(span(page) - 2 * HOUR) < 1000);
});
