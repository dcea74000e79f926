// The pages in a browser: log in, live values, filter, themes, phone size,
// keyboard, accessibility, log out.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200" role="group">
  <rect class="s-panel" x="1" y="1" width="398" height="198"/>
  <text class="s-value" x="200" y="100" data-fg-text="site/power">–</text></svg>`;

let grid;
let browser;
let plant;
let feeder;
let count = 0;

/** One more sample of each variable, as an agent sends them. */
async function feed() {
  const now = Date.now();
  count += 1;
  await plant.send({
    'site/power': [[now, 100 + count]],
    'site/temperature': [[now, 20 + Math.sin(count), 1 << 18]],
    'site/running': [[now, count % 2 === 0]],
    'site/message': [[now, `message ${count}`]],
  });
  await plant.beat();
}

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Browser');
  await plant.announce([
    { name: 'site/power', type: 'float', unit: 'kW', decimals: 1, minimum: 0, maximum: 500, description: 'Power to the grid' },
    { name: 'site/temperature', type: 'float', unit: '°C', decimals: 1 },
    { name: 'site/running', type: 'bool', stepped: true },
    { name: 'site/message', type: 'string', stepped: true },
    { name: 'site/silent', type: 'float', unit: 'V' },
  ]);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-browser-'));
  fs.writeFileSync(path.join(folder, 'screen.svg'), SVG);
  grid.ctl('screen', 'import', plant.id, 'site', path.join(folder, 'screen.svg'), '--title', 'Site');
  fs.rmSync(folder, { recursive: true });
  await feed();
  feeder = setInterval(() => feed().catch(() => {}), 500);
  browser = await openBrowser(grid);
});
after(async () => {
  clearInterval(feeder);
  await browser?.close();
  plant?.close();
  await grid?.close();
});

afterEach(() => browser.clean());

const pages = () => ({
  overview: '/',
  variables: `/plants/${plant.id}`,
  screen: `/plants/${plant.id}/screens/site`,
  trend: `/trend?v=${plant.id}:site%2Fpower&v=${plant.id}:site%2Frunning&range=5m`,
  'empty trend': '/trend',
});

/** Go there and wait for what it is about. */
async function show(page, name) {
  await page.goto(pages()[name]);
  const number = { hasText: /\d/ };
  const found = {
    overview: () => page.locator(`[data-fg-plant="${plant.id}"] [data-fg-var="site/power"] [data-fg-value]`, number),
    variables: () => page.locator('tr[data-fg-var="site/power"] [data-fg-value]', number),
    screen: () => page.locator('[data-fg-text="site/power"]', number),
    trend: () => page.locator('.fg-trend-plot canvas'),
    'empty trend': () => page.locator('.fg-empty'),
  };
  await found[name]().first().waitFor();
}

const row = (page, name) => page.locator(`tr[data-fg-var="${name}"]`);

test('log in by the form, come back to the page, log out', async () => {
  const page = await browser.page({ login: false });
  await page.goto(`/plants/${plant.id}`);
  await page.getByLabel('User name').fill(grid.user.name);
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('alert').filter({ hasText: /wrong|password/i }).waitFor();
  assert.deepEqual(await page.axe(), []);

  await page.getByLabel('User name').fill(grid.user.name);
  await page.getByLabel('Password').fill(grid.user.password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL(`**/plants/${plant.id}`);
  assert.match(await page.title(), /^Browser .* · fieldgrid$/);

  await page.locator('.fg-user summary').click();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL((url) => !url.pathname.startsWith('/plants'));
  await page.goto(`/plants/${plant.id}`);
  assert.equal(new URL(page.url()).pathname, '/login');
});

test('a live value changes on the overview, in the table and on the screen', async () => {
  const page = await browser.page();
  for (const [target, selector] of [
    ['/', `[data-fg-plant="${plant.id}"] [data-fg-var="site/power"] [data-fg-value]`],
    [pages().variables, 'tr[data-fg-var="site/power"] [data-fg-value]'],
    [pages().screen, '[data-fg-text="site/power"]'],
  ]) {
    await page.goto(target);
    const value = page.locator(selector);
    const first = await until(async () => /^\d+\.\d$/.exec((await value.textContent()).trim()),
      { what: `a value at ${target}` });
    await until(async () => Number(await value.textContent()) > Number(first[0]),
      { what: `a newer value at ${target}` });
  }
  assert.deepEqual(page.problems, []);
});

test('a bad value does not look like a good one, none is a dash', async () => {
  const page = await browser.page();
  await page.goto(pages().variables);
  await row(page, 'site/power').locator('[data-fg-value]', { hasText: /\d/ }).waitFor();
  assert.match(await row(page, 'site/temperature').locator('[data-fg-value]').getAttribute('class'), /fg-bad/);
  assert.doesNotMatch(await row(page, 'site/power').locator('[data-fg-value]').getAttribute('class'), /fg-(bad|stale|nodata)/);
  const silent = row(page, 'site/silent').locator('[data-fg-value]');
  assert.match(await silent.getAttribute('class'), /fg-nodata/);
  assert.equal((await silent.textContent()).trim(), '–');
  const style = (name) => row(page, name).locator('[data-fg-value]').evaluate((cell) => {
    const { color, textDecorationLine, backgroundImage } = getComputedStyle(cell);
    return { color, textDecorationLine, backgroundImage };
  });
  const [good, bad] = [await style('site/power'), await style('site/temperature')];
  assert.notEqual(bad.color, good.color);
  assert.equal(bad.textDecorationLine, 'line-through');
  assert.notEqual(bad.backgroundImage, 'none');
});

test('the filter keeps what matches, says how many and is in the address', async () => {
  const page = await browser.page();
  await page.goto(pages().variables);
  await page.keyboard.press('/');
  await page.keyboard.type('power');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'fg-filter');
  await until(async () => (await page.locator('tr[data-fg-var]:visible').count()) === 1);
  assert.match(await page.locator('#fg-count').textContent(), /1 of 5/);
  await page.reload();
  assert.equal(await page.locator('#fg-filter').inputValue(), 'power');
  await until(async () => (await page.locator('tr[data-fg-var]:visible').count()) === 1);
});

test('the theme follows the system until somebody chooses, and is kept', async () => {
  const page = await browser.page({ theme: 'dark' });
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme);
  const light = () => page.evaluate(() => {
    const [red, green, blue] = getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g);
    return Number(red) + Number(green) + Number(blue) > 382;
  });
  await page.goto('/');
  assert.equal(await theme(), 'dark');
  assert.equal(await light(), false);
  const button = page.locator('[data-fg-theme]');
  await button.click(); // auto -> light
  assert.equal(await theme(), 'light');
  assert.equal(await light(), true);
  await page.reload();
  assert.equal(await theme(), 'light');
  await button.click(); // light -> dark
  assert.equal(await theme(), 'dark');
});

test('no page is wider than a phone, and what is touched is large enough', async () => {
  const page = await browser.page({ phone: true });
  for (const name of Object.keys(pages())) {
    await show(page, name);
    assert.ok(await page.overflow() <= 0, `${name} is ${await page.overflow()} px too wide`);
    const small = await page.evaluate(() => [...document.querySelectorAll('button, .fg-button, .fg-nav a, .fg-tabs a, .fg-menu summary, input, select')]
      .filter((element) => element.checkVisibility() && !element.closest('[hidden]'))
      .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
      .filter(([, box]) => box.width > 1 && box.height < 43.5)
      .map(([html, box]) => `${Math.round(box.height)} px: ${html}`));
    assert.deepEqual(small, [], name);
  }
});

test('the keyboard reaches everything, with a focus that shows', async () => {
  const page = await browser.page();
  await page.goto('/');
  await page.keyboard.press('Tab');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip to content/);
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'fg-main');

  const reached = [];
  await page.goto('/');
  for (let i = 0; i < 200; i += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      return element === document.body ? null : {
        what: element.textContent.trim().replace(/\s+/g, ' ') || element.getAttribute('aria-label'),
        ring: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        seen: box.bottom > 0 && box.top < innerHeight,
      };
    });
    if (stop === null) break;
    assert.ok(stop.ring && stop.seen, JSON.stringify(stop));
    reached.push(stop.what);
  }
  for (const wanted of ['Overview', 'Trend', plant.name, 'All variables', 'Power to the grid'])
    assert.ok(reached.some((what) => what.includes(wanted)), `${wanted} in ${reached.join(', ')}`);

  await page.locator('.fg-user summary').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Log out' }).waitFor({ state: 'visible' });
});

for (const [theme, phone] of [['light', false], ['dark', true]])
  test(`axe finds nothing: ${theme}, ${phone ? 'phone' : 'desk'}`, async () => {
    const page = await browser.page({ theme, phone });
    for (const name of Object.keys(pages())) {
      await show(page, name);
      assert.deepEqual(await page.axe(), [], name);
    }
    assert.deepEqual(page.problems, []);
    await page.goto('/plants/none');
    assert.deepEqual(await page.axe(), [], 'fault');
  });

test('on paper a page is black on white, without navigation', async () => {
  const page = await browser.page({ theme: 'dark' });
  await page.goto(pages().variables);
  await page.emulateMedia({ media: 'print' });
  const { background, nav } = await page.evaluate(() => ({
    background: getComputedStyle(document.documentElement).backgroundColor,
    nav: getComputedStyle(document.querySelector('.fg-nav')).display,
  }));
  assert.equal(background, 'rgb(255, 255, 255)');
  assert.equal(nav, 'none');
});
