// The lists of alarms and events: what is shown, acknowledging, shelving, new
// ones while somebody reads, the banner, export, themes, phone, accessibility.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { openAdmin } from '../support/admin.mjs';
import { openBrowser } from '../support/browser.mjs';
import { openGrid, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

let grid;
let browser;
let plant;
let beats;
let admin;

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Alarm pages');
  await plant.announce([
    { name: 'boiler/pressure', type: 'float', unit: 'bar', decimals: 1 },
    { name: 'boiler/level', type: 'float', unit: '%' },
  ]);
  await plant.send({ 'boiler/pressure': [[Date.now(), 3.5]] });
  admin = await openAdmin(grid);
  await admin.post(`/datasources/${plant.id}/limits`, { variable: 'boiler/pressure', name: 'urgent', condition: 'greater',
    value: 12, priority: 1, evaluatedBy: 'agent', mustAcknowledge: true });
  beats = setInterval(() => plant.beat().catch(() => {}), 1000);
  browser = await openBrowser(grid);
});
after(async () => {
  clearInterval(beats);
  await browser?.close();
  plant?.close();
  await grid?.close();
});
afterEach(() => browser.clean());

/** Raise an alarm as the agent does; with "went" it is over already. */
async function raise(text, { variable = 'boiler/pressure', limit = 'high', value = 9.5, went } = {}) {
  const came = Date.now() - 60_000;
  const alarm = { id: randomUUID(), variable, limit, text, value, came };
  const steps = [{ ...alarm, kind: 'came', time: came }];
  if (went) steps.push({ ...alarm, kind: 'went', time: came + 1000, went: came + 1000 });
  await plant.send({ 'boiler/level': [[Date.now(), 50]] }, [], { alarms: steps });
  return alarm.id;
}

const place = (rest = 'alarms') => `/plants/${plant.id}/${rest}`;
const row = (page, id) => page.locator(`tr[data-fg-id="${id}"]`);

async function open(path, options) {
  const page = await browser.page(options);
  await page.goto(path);
  return page;
}

test('an alarm appears by itself, is acknowledged and leaves the list', async () => {
  const page = await open(place());
  await page.getByText('No alarm needs attention.').waitFor();
  await page.locator('[data-fg-plant-state]', { hasText: 'Online' }).waitFor();
  const id = await raise('pressure high');
  await row(page, id).getByText('pressure high').waitFor();
  assert.match(await row(page, id).innerText(), /Active/);
  await row(page, id).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await row(page, id).getByText('Active, acknowledged').waitFor();
  assert.match(await row(page, id).innerText(), new RegExp(grid.user.name));
  const went = Date.now();
  await plant.send({}, [], { alarms: [{ id, variable: 'boiler/pressure', limit: 'high', kind: 'went', time: went,
    came: went - 60_000, went, text: 'pressure high', value: 9.5 }] });
  await row(page, id).waitFor({ state: 'detached' });
  assert.deepEqual(page.problems, []);
});

test('new alarms wait behind a pill while somebody has chosen rows', async () => {
  const first = await raise('first');
  const page = await open(place());
  await row(page, first).getByRole('checkbox').check();
  const second = await raise('second');
  const pill = page.getByRole('button', { name: '1 new: show' });
  await pill.waitFor();
  assert.equal(await row(page, second).count(), 0);
  await pill.click();
  await row(page, second).waitFor();
  assert.ok(await row(page, first).getByRole('checkbox').isChecked());
});

test('shelving asks for a reason and moves the alarm to its own view', async () => {
  const id = await raise('to be shelved', { variable: 'boiler/level', limit: 'low' });
  const page = await open(place());
  await row(page, id).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Shelve …', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('sensor is being replaced');
  await dialog.getByLabel('For').selectOption('1 hour');
  await dialog.getByRole('button', { name: 'Shelve' }).click();
  await row(page, id).waitFor({ state: 'detached' });
  await page.getByLabel('Show', { exact: true }).selectOption('held');
  await row(page, id).getByText(/sensor is being replaced until/).waitFor();
  await row(page, id).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Unshelve' }).click();
  await row(page, id).waitFor({ state: 'detached' });
});

test('a cause is chosen from its tree where the limit demands one', async () => {
  const at = `/datasources/${plant.id}`;
  const mechanical = await admin.post(`${at}/alarm-causes`, { name: 'Mechanical' });
  await admin.post(`${at}/alarm-causes`, { name: 'Belt', parent: mechanical.id });
  await admin.post(`${at}/limits`, { variable: 'boiler/level', name: 'caused', condition: 'greater', value: 80,
    evaluatedBy: 'agent', mustAcknowledge: true, causeRequired: true });
  const id = await raise('wants a cause', { variable: 'boiler/level', limit: 'caused' });
  const page = await open(place());
  await row(page, id).getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Cause (required)').selectOption('Mechanical');
  await dialog.getByLabel('More precisely, level 2').selectOption('Belt');
  await dialog.getByRole('button', { name: 'Acknowledge' }).click();
  await row(page, id).getByText('Mechanical › Belt').waitFor();
  assert.deepEqual(page.problems, []);
});

test('more rows come below at once, also for whoever has scrolled and chosen', async () => {
  const long = new Plant(grid, 'Long list');
  const came = Date.now();
  await long.announce([{ name: 'v', type: 'float' }]);
  await long.send({ v: [[came, 1]] }, [], { alarms: Array.from({ length: 250 }, () => ({ id: randomUUID(), variable: 'v',
    limit: 'high', text: 'long', value: 1, kind: 'came', time: came, came })) });
  const page = await open(`/plants/${long.id}/alarms`);
  const rows = page.locator('#fg-list tbody tr');
  await page.getByText('100+ alarms').waitFor();
  const last = await rows.nth(99).getAttribute('data-fg-id');
  await row(page, last).getByRole('checkbox').check();
  for (const count of ['200+', '250']) {
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.getByText(`${count} alarms`).waitFor();
  }
  assert.equal(await rows.nth(99).getAttribute('data-fg-id'), last);
  assert.ok(await row(page, last).getByRole('checkbox').isChecked());
  assert.deepEqual(page.problems, []);
  long.close();
});

test('a flood takes no row from under the finger, and ends on the first page', async () => {
  const flooded = new Plant(grid, 'Flood');
  const many = (count) => Array.from({ length: count }, () => ({ id: randomUUID(), variable: 'v', limit: 'high',
    text: 'flood', value: 1, kind: 'came', time: Date.now(), came: Date.now() }));
  await flooded.announce([{ name: 'v', type: 'float' }]);
  await flooded.send({ v: [[Date.now(), 1]] }, [], { alarms: many(20) });
  const page = await open(`/plants/${flooded.id}/alarms`);
  const box = await page.locator('#fg-list tbody tr').nth(2).boundingBox();
  const point = [box.x + 300, box.y + box.height / 2];
  const under = () => page.evaluate((at) => document.elementFromPoint(...at).closest('tr').dataset.fgId, point);
  let restless = true;
  const hand = (async () => {
    for (let i = 0; restless; i++) await page.mouse.move(point[0] + i % 2, point[1]);
  })();
  const id = await under();
  await until(async () => {
    await flooded.send({}, [], { alarms: many(20) });
    return page.locator('#fg-list-new').isVisible();
  }, { what: 'new ones wait' });
  assert.equal(await under(), id);
  restless = false;
  await hand;
  await page.mouse.move(0, 0);
  await flooded.send({}, [], { alarms: many(200) });
  await page.getByText('100+ alarms').waitFor(); // by itself, soon after the hand has gone
  assert.equal(await page.locator('#fg-list tbody tr').count(), 100);
  assert.notEqual(await under(), id);
  assert.deepEqual(page.problems, []);
  flooded.close();
});

test('the key figures count what came, and lead to it', async () => {
  await raise('counted');
  const page = await open(place('alarms/figures?last=24h'));
  const link = page.getByRole('region', { name: 'Most frequent' }).getByRole('link', { name: 'boiler/pressure' }).first();
  await link.click();
  await page.waitForURL(/view=history&names=boiler%2Fpressure/);
  await page.getByText('counted').first().waitFor();
  assert.deepEqual(page.problems, []);
});

test('the history is filtered by the address and exported in the zone of the page', async () => {
  const id = await raise('over, "quoted"', { went: true });
  await raise('another');
  const page = await open(place('alarms?view=history&text=over'));
  await row(page, id).waitFor();
  assert.equal(await page.locator('#fg-list tbody tr').count(), 1);
  const [download] = await Promise.all([page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export CSV' }).click()]);
  const lines = fs.readFileSync(await download.path(), 'utf8').trim().split('\r\n');
  assert.equal(lines.length, 2);
  assert.match(lines[0], /received \(Europe\/Vienna\)/);
  assert.match(lines[1], /"over, ""quoted"""/);
  assert.ok(lines[1].includes(id));
});

test('every page says what nobody has acknowledged, and stops when somebody has', async () => {
  const id = await raise('banner alarm', { limit: 'urgent' });
  const page = await open('/trend');
  const bar = page.locator('#fg-alarm-bar');
  await bar.getByText('banner alarm').waitFor();
  assert.equal(await bar.getAttribute('href'), place());
  const answer = await grid.request(`/api/v1/datasources/${plant.id}/alarms/query`,
    { token: await grid.token({ actions: 'ReadAll,AcknowledgeAlarms' }), body: { filterFlags: ['OnlyUnacknowledged'] } });
  const ids = answer.json.alarms.map((alarm) => alarm.id);
  assert.ok(ids.includes(id));
  const list = await open(place());
  await row(list, id).waitFor();
  await list.getByLabel('Select all that are shown').check();
  await list.getByRole('button', { name: 'Acknowledge' }).click();
  const dialog = list.getByRole('dialog', { name: /^Acknowledge all \d+ alarms that are shown$/ });
  await dialog.getByLabel('Comment').fill('all looked at');
  await dialog.getByRole('button', { name: 'Acknowledge' }).click();
  await list.getByText(/changed\./).waitFor();
  await bar.getByText('banner alarm').waitFor({ state: 'detached' });
  await row(list, id).getByText('all looked at').waitFor();
});

test('without a connection nothing can be done', async () => {
  const id = await raise('while cut off');
  const page = await open(place());
  await row(page, id).getByRole('checkbox').check();
  const button = page.getByRole('button', { name: 'Acknowledge' });
  await until(() => button.isEnabled(), { what: 'the button' });
  grid.stop('hub');
  try {
    await page.getByText(/Connection lost/).waitFor();
    await until(() => button.isDisabled(), { what: 'the button is disabled' });
  } finally {
    grid.start('hub');
  }
  await until(() => button.isEnabled(), { what: 'the button is back' });
});

test('events come with what people did', async () => {
  const id = await raise('to be commented');
  const token = await grid.token({ actions: 'ReadAll,AcknowledgeAlarms' });
  await grid.request(`/api/v1/datasources/${plant.id}/alarms/${id}`,
    { method: 'PATCH', token, body: { comment: 'seen from the road' } });
  const page = await open(place('events'));
  await page.getByText('alarm.commented').first().waitFor();
  await page.getByText('seen from the road').first().waitFor();
  assert.deepEqual(page.problems, []);
});

// Events look as alarms do, and the figures have little: two looks will do.
for (const [name, path, looks] of [['alarms', 'alarms?view=history', 4], ['events', 'events', 2], ['figures', 'alarms/figures', 2]])
  for (const theme of ['light', 'dark'])
    for (const phone of looks === 4 ? [false, true] : [theme === 'dark'])
      test(`${name}: accessible, ${theme}, ${phone ? 'phone' : 'desk'}`, async () => {
        const page = await open(place(path), { theme, phone });
        await page.locator('main tbody tr').first().waitFor();
        assert.deepEqual(await page.axe(), []);
        assert.ok(await page.overflow() <= 0, 'nothing is cut off');
        if (process.env.FIELDGRID_SHOTS)
          await page.screenshot({ path: `${process.env.FIELDGRID_SHOTS}/${name}-${theme}-${phone ? 'phone' : 'desk'}.png` });
      });
