// Process screens: every binding, the faceplate, the layout of a phone, and the
// three screens of the demo plants.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid, plants, top, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const INVALID = 2 ** 18;
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 300" data-fg-narrow-viewbox="0 0 300 600" role="group">
  <g transform="translate(0 0)" data-fg-faceplate="pump/speed"><title>Pump</title>
    <rect class="s-panel" x="1" y="1" width="298" height="298" data-fg-color="pump/state" data-fg-map="1:run 3:fault"/>
    <text id="speed" x="20" y="40" data-fg-text="pump/speed" data-fg-format="0.0 unit">–</text>
    <text id="state" x="20" y="60" data-fg-text="pump/state" data-fg-format="1:running 3:fault">–</text>
    <text id="bad" x="20" y="80" data-fg-text="pump/bad">–</text>
    <text id="none" x="20" y="100" data-fg-text="pump/none">–</text>
    <g id="spin" transform="translate(100 200)" data-fg-rotate="pump/speed" data-fg-spin="rpm"><path class="s-blade" d="M0 0L5 -50L-5 -50Z"/></g>
    <g id="angle" transform="translate(200 200)" data-fg-rotate="pump/angle"><path class="s-needle" d="M0 0L5 -50L-5 -50Z"/></g>
    <rect id="bar" class="s-bar" x="250" y="100" width="20" height="100" data-fg-level="pump/level" data-fg-min="0" data-fg-max="200"/>
    <circle id="arc" class="s-arc" cx="150" cy="250" r="20" data-fg-level="pump/level" data-fg-min="0" data-fg-max="200"/>
    <text id="alarm" x="20" y="140" data-fg-visible="pump/state" data-fg-when="3">fault</text>
  </g>
  <g id="second" transform="translate(400 0)" data-fg-narrow="0 300"><rect class="s-panel" width="298" height="298"/></g>
</svg>`;

let grid;
let browser;
let plant;
let page;
let beats;

function importScreen(id, name, svg) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-screen-'));
  fs.writeFileSync(path.join(folder, 'screen.svg'), svg);
  try {
    grid.ctl('screen', 'import', id, name, path.join(folder, 'screen.svg'), '--title', name);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function put(values) {
  const now = Date.now();
  await plant.send(Object.fromEntries(Object.entries(values)
    .map(([name, [value, status]]) => [`pump/${name}`, [[now, value, status]]])));
  await plant.beat();
}

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Screen');
  await plant.announce([
    { name: 'pump/speed', type: 'float', unit: '1/min', decimals: 1, minimum: 0, maximum: 60 },
    { name: 'pump/state', type: 'int', stepped: true },
    { name: 'pump/angle', type: 'float', unit: '°' },
    { name: 'pump/level', type: 'float', unit: 'l' },
    { name: 'pump/bad', type: 'float', decimals: 1 },
    { name: 'pump/none', type: 'float' },
  ]);
  importScreen(plant.id, 'pump', SVG);
  await put({ speed: [12.34], state: [1], angle: [90], level: [50], bad: [7, INVALID] });
  beats = setInterval(() => plant.beat().catch(() => {}), 2000);
  browser = await openBrowser(grid);
  page = await browser.page();
  await page.goto(`/plants/${plant.id}/screens/pump`);
  await page.locator('#speed', { hasText: '12.3' }).waitFor();
});
after(async () => {
  clearInterval(beats);
  await browser?.close();
  plant?.close();
  await grid?.close();
});

test('text, colour, level, angle and visibility follow the values', async () => {
  const read = (selector, name) => page.locator(selector).getAttribute(name);
  assert.equal(await page.locator('#speed').textContent(), '12.3 1/min');
  assert.equal(await page.locator('#state').textContent(), 'running');
  assert.equal(await read('#bar', 'height'), '25.00');
  assert.equal(await read('#bar', 'y'), '175.00');
  assert.match(await read('#arc', 'stroke-dasharray'), /^0\.25/);
  assert.equal(await read('#angle', 'transform'), 'translate(200 200) rotate(90)');
  assert.match(await read('.s-panel >> nth=0', 'class'), /fg-c-run/);
  assert.equal(await page.locator('#alarm').isVisible(), false);

  await put({ state: [3], speed: [0] });
  await page.locator('#alarm').waitFor();
  assert.match(await read('.s-panel >> nth=0', 'class'), /fg-c-fault/);
  assert.equal(await page.locator('#state').textContent(), 'fault');
});

test('what runs turns, what stands does not', async () => {
  const angle = () => page.locator('#spin').evaluate((element) => element.style.transform);
  await put({ speed: [30], state: [1] });
  await page.locator('#speed', { hasText: '30.0' }).waitFor();
  const before = await angle();
  await until(async () => await angle() !== before, { what: 'a turn' });
  await put({ speed: [30, INVALID] });
  await until(async () => /fg-bad/.test(await page.locator('#spin').getAttribute('class')));
  const stopped = await angle();
  await page.waitForTimeout(400);
  assert.equal(await angle(), stopped, 'a value that is not good moves nothing');
  await put({ speed: [30] });
});

test('bad has a mark, none is a dash', async () => {
  assert.equal(await page.locator('#bad').textContent(), '? 7.0');
  assert.match(await page.locator('#bad').getAttribute('class'), /fg-bad/);
  assert.equal(await page.locator('#none').textContent(), '–');
});

test('the faceplate opens by click and key, has an address, closes by Esc', async () => {
  const plate = page.locator('#fg-faceplate');
  await page.locator('#speed').click();
  await plate.locator('h2', { hasText: 'pump/speed' }).waitFor();
  assert.equal(new URL(page.url()).hash, '#v=pump%2Fspeed');
  await plate.locator('.fg-plate-number', { hasText: '30.0' }).waitFor();
  assert.match(await plate.textContent(), /good/);
  assert.match(await plate.textContent(), /0\.0 … 60\.0 1\/min/);
  await until(async () => /^M/.test(await plate.locator('.fg-spark-line').getAttribute('d')), { what: 'a mini trend' });
  assert.match(await plate.getByRole('link', { name: 'Open trend' }).getAttribute('href'), /\/trend\?v=.*pump%2Fspeed/);

  await plate.getByRole('link', { name: 'state' }).click();
  await plate.locator('h2', { hasText: 'pump/state' }).waitFor();
  await page.goBack();
  await plate.locator('h2', { hasText: 'pump/speed' }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await plate.isVisible(), false);
  assert.equal(new URL(page.url()).hash, '');

  await page.getByRole('button', { name: 'Pump' }).focus();
  await page.keyboard.press('Enter');
  await plate.locator('h2', { hasText: 'pump/speed' }).waitFor();
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Pump');

  await page.goto(`/plants/${plant.id}/screens/pump#v=pump/level`);
  await page.reload();
  await plate.locator('h2', { hasText: 'pump/level' }).waitFor();
  await page.keyboard.press('Escape');
});

test('who may not read a variable sees a dash and no name', async () => {
  const user = grid.addUser(`narrow-${plant.id.slice(0, 8)}`);
  grid.ctl('policy', 'grant', 'user', user.name, 'ReadAll', '--datasource', plant.id, '--variables', 'pump/s*');
  const narrow = await browser.page({ cookie: await grid.logIn(user) });
  await narrow.goto(`/plants/${plant.id}/screens/pump`);
  await narrow.locator('#speed', { hasText: '30.0' }).waitFor();
  assert.equal(await narrow.locator('#bad').textContent(), '–');
  assert.doesNotMatch(await narrow.content(), /pump\/(bad|level|angle|none)/);
  await narrow.locator('#bad').click(); // its group's plate
  await narrow.locator('#fg-faceplate h2', { hasText: 'pump/speed' }).waitFor();
  assert.deepEqual(narrow.problems, []);
  await narrow.close();
});

test('a phone gets its own places', async () => {
  const phone = await browser.page({ phone: true });
  await phone.goto(`/plants/${plant.id}/screens/pump`);
  await until(async () => await phone.locator('.fg-screen svg').getAttribute('viewBox') === '0 0 300 600');
  assert.equal(await phone.locator('#second').getAttribute('transform'), 'translate(0 300)');
  assert.ok(await phone.overflow() <= 0);
});

test('the screens of the demo plants are accepted, bind what exists, and are accessible', async () => {
  for (const name of Object.keys(plants)) {
    const svg = fs.readFileSync(path.join(top, 'deploy/demo', name, 'screen.svg'), 'utf8');
    const known = new Set(fs.readFileSync(path.join(top, 'deploy/demo', name, 'variables.csv'), 'utf8')
      .split('\n').map((line) => line.split(',')[0]));
    const bound = [...svg.matchAll(/data-fg-(?:text|color|visible|rotate|level|faceplate)="([^"]+)"/g)].map(([, variable]) => variable);
    assert.ok(bound.length > 20);
    assert.deepEqual([...new Set(bound)].filter((variable) => !known.has(variable)), [], name);
    importScreen(plant.id, name, svg);
    await page.goto(`/plants/${plant.id}/screens/${name}`);
    await page.locator('.fg-screen svg').waitFor();
    assert.deepEqual(await page.axe(), [], name);
  }
  assert.deepEqual(page.problems, []);
});
