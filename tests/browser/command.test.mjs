// Setting values: from the list of variables and from a process screen, what
// the plant says, somebody else who is faster, and a lost connection.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid, until } from '../support/grid.mjs';

const WIND = '6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1003';
const NAME = 'park/power_limit';

let grid;
let browser;
let token;

before(async () => {
  grid = await openGrid({ demo: true });
  token = await grid.token({ actions: 'ReadAll,WriteVariables' });
  browser = await openBrowser(grid);
});
after(async () => {
  await set(20500);
  await browser?.close();
  await grid?.close();
});
afterEach(() => browser.clean());

const at = (rest) => `/api/v1/datasources/${WIND}/${rest}`;
const patch = (value) => grid.request(at(`variables/${NAME}`), { method: 'PATCH', token, body: { value } });
/** Set it, as soon as the plant is there and nobody has selected it. */
const set = (value) => until(async () => (await patch(value)).status === 200, { what: `${value} to be set` });
const limit = async () => (await grid.request(at(`variables/${NAME}`), { token })).json.value;

async function openDialog(options) {
  const page = await browser.page(options);
  await page.goto(`/plants/${WIND}?filter=power_limit`);
  await page.getByRole('button', { name: `Set ${NAME} …` }).click();
  return { page, dialog: page.getByRole('dialog') };
}

async function arm(place, value) {
  await place.getByLabel('New value').fill(String(value));
  await place.getByRole('button', { name: 'Set …', exact: true }).click();
  await place.getByRole('button', { name: 'Confirm' }).waitFor();
}

test('a value is compared, confirmed, and written by the plant', async () => {
  await set(20500);
  const { page, dialog } = await openDialog();
  await until(async () => await limit() === 20500, { what: 'the limit' });
  await arm(dialog, 15000);
  assert.match(await dialog.locator('.fg-command-change').innerText(), /20,500 kW → 15,000 kW/);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.getByText(/Confirmed by the plant after \d+ ms/).waitFor();
  await until(async () => await limit() === 15000, { what: 'the new limit' });
  assert.deepEqual(page.problems, []);
});

test('what changed meanwhile is not overwritten', async () => {
  await set(16000);
  await until(async () => await limit() === 16000, { what: 'the limit' });
  const { dialog } = await openDialog();
  await arm(dialog, 12000);
  // The plant's own people turn the knob: a program with the rights of WriteVariables.
  assert.equal((await patch(17000)).status, 409, 'it is selected');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await set(17000);
  assert.equal(await limit(), 17000);
});

test('a value out of range is not even sent', async () => {
  const { dialog } = await openDialog();
  await dialog.getByLabel('New value').fill('99999');
  await dialog.getByRole('button', { name: 'Set …', exact: true }).click();
  assert.equal(await dialog.getByRole('button', { name: 'Confirm' }).count(), 0);
  assert.equal(await dialog.getByLabel('New value').evaluate((input) => input.validity.rangeOverflow), true);
});

test('without a connection nothing can be sent', async () => {
  const { dialog } = await openDialog();
  const button = dialog.getByRole('button', { name: 'Set …', exact: true });
  await until(() => button.isEnabled(), { what: 'the button' });
  grid.stop('hub');
  try {
    await until(() => button.isDisabled(), { what: 'the button is disabled' });
  } finally {
    grid.start('hub');
  }
  await until(() => button.isEnabled(), { what: 'the button is back' });
  await set(20500);
});

test('who may only read is offered nothing', async () => {
  const user = await grid.addUser(`reader-${process.pid}`);
  grid.ctl('policy', 'grant', 'user', user.name, 'ReadAll', '--datasource', WIND);
  const page = await browser.page({ cookie: await grid.logIn(user) });
  await page.goto(`/plants/${WIND}?filter=power_limit`);
  await until(async () => /\d/.test(await page.locator(`tr[data-fg-var="${NAME}"] [data-fg-value]`).innerText()), { what: 'a value' });
  assert.equal(await page.getByRole('button', { name: /^Set / }).count(), 0);
});

for (const phone of [false, true])
  test(`the faceplate of a screen sets it too, accessible, ${phone ? 'phone' : 'desk'}`, async () => {
    const page = await browser.page({ phone, theme: phone ? 'dark' : 'light' });
    await page.goto(`/plants/${WIND}/screens/plant#v=park%2Fpower_limit`);
    const plate = page.locator('.fg-faceplate');
    await plate.getByLabel('New value').waitFor();
    await page.locator('[data-fg-plant-state]', { hasText: 'Online' }).first().waitFor();
    assert.deepEqual(await page.axe(), []);
    await arm(plate, 18000);
    await plate.getByRole('button', { name: 'Confirm' }).click();
    await plate.getByText(/Confirmed by the plant/).waitFor();
    await plate.getByRole('heading', { name: 'Set values' }).waitFor();
    await plate.getByText(/→ 18000$/).first().waitFor();
    await plate.getByText(/^the park is curtailed to \d+ kW/).first().waitFor();
    await page.locator('.fg-screen .fg-screen-mark').waitFor(); // the limit is engineered as an alarm
    assert.deepEqual(page.problems, []);
  });

test('an alarm leads to its variable on its screen, and to the trend around it', async () => {
  await set(15500);
  const page = await browser.page();
  await page.goto(`/plants/${WIND}/alarms`);
  await page.getByRole('link', { name: /^Screen, the park is curtailed/ }).first().click();
  await page.waitForURL(/\/screens\/plant#v=park%2Fpower_limit$/);
  await page.locator('.fg-screen .fg-pointed').waitFor();
  await page.goBack();
  await page.getByRole('link', { name: NAME, exact: true }).first().click();
  await page.getByText(/alarm: park\/power_limit|alarms came/).waitFor();
  assert.deepEqual(page.problems, []);
});
