// A page and its live stream when things go wrong: the hub gone and back, a
// plant that falls silent, a session that ends.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid, sleep, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

let grid;
let browser;
let plant;
let feeder;
let count = 0;

async function feed() {
  count += 1;
  await plant.send({ 'tank/level': [[Date.now(), count]] });
  await plant.beat();
}

before(async () => {
  grid = await openGrid({ own: true }); // its hub is stopped here
  plant = new Plant(grid, 'Live');
  await plant.announce([{ name: 'tank/level', type: 'float', unit: 'm', decimals: 0 }]);
  await feed();
  feeder = setInterval(() => feed().catch(() => {}), 400);
  browser = await openBrowser(grid);
});
after(async () => {
  clearInterval(feeder);
  await browser?.close();
  plant?.close();
  await grid?.close();
});

const level = (page) => page.locator('tr[data-fg-var="tank/level"] [data-fg-value]');

async function openPlant() {
  const page = await browser.page();
  await page.goto(`/plants/${plant.id}`);
  await until(async () => /^\d+$/.test(await level(page).textContent()), { what: 'a value' });
  return page;
}

const quality = (page) => level(page).getAttribute('class');

test('the hub is gone: a banner, stale values; it is back: live by itself', async () => {
  const page = await openPlant();
  const banner = page.locator('#fg-banner');
  assert.equal(await banner.isVisible(), false);

  grid.stop('hub');
  await banner.waitFor();
  assert.match(await banner.textContent(), /Connection lost/);
  await until(async () => /fg-stale/.test(await quality(page)));

  const before = Number(await level(page).textContent());
  grid.start('hub');
  await banner.waitFor({ state: 'hidden' });
  await until(async () => Number(await level(page).textContent()) > before, { what: 'newer values' });
  await until(async () => !/fg-stale|fg-bad|fg-nodata/.test(await quality(page)), { what: 'good values' });
});

test('a stream that the hub forgot is registered anew', async () => {
  const page = await openPlant();
  const registered = page.waitForRequest((request) => request.url().endsWith('/api/v1/live'));
  grid.kill('hub'); // its memory of streams is gone with it
  await registered;
  const before = Number(await level(page).textContent());
  await until(async () => Number(await level(page).textContent()) > before, { what: 'newer values' });
});

test('a plant that falls silent is offline and its values are stale', async () => {
  const page = await openPlant();
  clearInterval(feeder);
  await until(async () => /fg-stale/.test(await quality(page)), { what: 'stale values' });
  assert.equal((await page.locator('[data-fg-plant-state]').first().textContent()).trim(), 'Offline');
  assert.equal(await page.locator('#fg-banner').isVisible(), false);
  feeder = setInterval(() => feed().catch(() => {}), 400);
  await until(async () => !/fg-stale/.test(await quality(page)), { what: 'good values' });
});

test('a session that ends elsewhere leads to the login page and back', async () => {
  const page = await browser.page({ cookie: await grid.logIn() });
  await page.goto(`/plants/${plant.id}`);
  const other = await page.context().newPage();
  await other.goto('/');
  await other.locator('.fg-user summary').click();
  await other.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL('**/login?next=*');
  await page.getByText('Your session has ended.').waitFor();
  assert.equal(new URL(page.url()).searchParams.get('next'), `/plants/${plant.id}`);
});

test('200 live values a second cost little', async () => {
  const page = await openPlant();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' }); // not what others took from it
  const busy = async () => (await session.send('Performance.getMetrics')).metrics
    .find(({ name }) => name === 'TaskDuration').value;
  const start = await busy();
  await sleep(3000);
  const share = (await busy() - start) / 3;
  assert.ok(share < 0.5, `${Math.round(share * 100)} % of a core`); // a bound, not a figure
});
