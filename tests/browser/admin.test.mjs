// The administration in a browser: every place at desk and phone, light and
// dark; making, changing and removing things; by keyboard; for administrators
// only.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { openAdmin } from '../support/admin.mjs';
import { DESK, openBrowser, PHONE } from '../support/browser.mjs';
import { openGrid, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const run = process.pid;
let grid;
let browser;
let admin;
let plant;
let person;

before(async () => {
  grid = await openGrid();
  admin = await openAdmin(grid);
  plant = new Plant(grid, 'Administered');
  await plant.announce([{ name: 'pump/power', type: 'float' }, { name: 'fan/power', type: 'float' }]);
  await plant.beat();
  person = grid.addUser(`person-${run}`, '--full-name', 'Per Son');
  await admin.post('/groups', { name: `Crew ${run}`, description: 'Those who keep it running' });
  await admin.put(`/groups/Crew%20${run}/users/${person.name}`);
  browser = await openBrowser(grid);
});
after(async () => {
  await browser?.close();
  plant?.close();
  await grid?.close();
});
afterEach(() => browser.clean());

async function open(place, options) {
  const page = await browser.page(options);
  await page.goto(place);
  await ready(page);
  return page;
}

const ready = (page) => page.waitForSelector('[data-fg-admin]:not([aria-busy])');
const button = (page, name) => page.getByRole('button', { name, exact: true });
const field = (page, name) => page.locator('.fg-admin-main').getByLabel(name);
const fact = (page, label) => page.locator('.fg-facts dt', { hasText: new RegExp(`^${label}$`) }).locator('+ dd');
const row = (page, text) => page.locator('tbody tr', { hasText: text });

/** Click, and say yes to the question that comes. */
async function sure(page, name, word = name) {
  await button(page, name).first().click();
  await page.getByRole('dialog').getByRole('button', { name: word, exact: true }).click();
}

/** The secrets of the dialog, which is put away. */
async function takeSecrets(page) {
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  const values = await dialog.getByRole('textbox').evaluateAll((inputs) => inputs.map((input) => input.value));
  await button(page, 'I have it').click();
  return values;
}

test('everybody else gets no link and no page', async () => {
  const cookie = await grid.logIn(person);
  const page = await browser.page({ cookie });
  await page.goto('/');
  assert.equal(await page.getByRole('link', { name: 'Administration' }).count(), 0);
  for (const place of ['/admin', '/admin/users', '/admin/nodes?new']) {
    assert.equal((await page.goto(place)).status(), 403);
    await page.getByRole('heading', { name: 'Not allowed' }).waitFor();
  }
  const stranger = await browser.page({ login: false });
  await stranger.goto('/admin/users');
  assert.equal(new URL(stranger.url()).pathname, '/login');
  const mine = await browser.page();
  await mine.goto('/');
  await mine.getByRole('link', { name: 'Administration' }).click();
  await mine.getByRole('heading', { level: 1, name: 'Administration' }).waitFor();
  assert.equal((await mine.goto('/admin/nothing')).status(), 404);
});

// A place is looked at by axe in one of two ways, so that lists, items and forms
// get both; its width in both.
test('every place is accessible at desk and phone, light and dark', async () => {
  const [{ id: rule }] = (await admin.get('/rules?limit=1')).items;
  const places = ['', '/users', `/users?item=${person.name}`, '/users?new', '/sessions', '/groups', `/groups?item=Crew%20${run}`,
    '/groups?new', '/roles', '/roles?item=ReadAll', '/rules', `/rules?item=${rule}`, '/rules?new', '/clients', '/clients?item=fieldgrid-docs',
    '/clients?new', '/plants', `/plants?item=${plant.id}`, '/nodes', `/nodes?item=${plant.node.name}`, '/nodes?new', '/directories', '/directories?new',
    '/providers', '/providers?new', '/keys', '/audit'];
  for (const [look, options] of [{ theme: 'light' }, { phone: true, theme: 'dark' }].entries()) {
    const page = await browser.page(options);
    const sizes = options.phone ? [DESK, PHONE] : [PHONE, DESK];
    for (const place of places.filter((_, i) => i % 2 === look)) {
      await page.goto(`/admin${place}`);
      await ready(page);
      assert.deepEqual(await page.axe(), [], place);
      for (const size of sizes) {
        await page.setViewportSize(size);
        assert.ok(await page.overflow() <= 0, `${place} is too wide at ${size.width}`);
      }
      assert.equal(await page.locator('.fg-note-bad').count(), 0, `${place}: ${await page.locator('.fg-note-bad').allTextContents()}`);
    }
    assert.deepEqual(page.problems, []);
  }
});

test('a user is made by keyboard, with the error beside its field and the password shown once', async () => {
  const name = `keys-${run}`;
  const page = await open('/admin/users?new');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'name', 'the first field has the focus');
  await page.keyboard.type('admin');
  await page.keyboard.press('Enter');
  await page.locator('.fg-problem', { hasText: 'There is a user "admin" already.' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.name), 'name', 'the field at fault has the focus');
  assert.equal(await field(page, 'User name').getAttribute('aria-invalid'), 'true');
  assert.deepEqual(await page.axe(), []);

  await page.keyboard.press('Control+A');
  await page.keyboard.type(name);
  await page.keyboard.press('Tab');
  await page.keyboard.type('Key Board');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  assert.deepEqual(await page.axe(), []);
  const [password] = await takeSecrets(page);
  assert.match(password, /^[\w-]{20}$/);
  await page.waitForURL(`**/admin/users?item=${name}`);
  await ready(page);
  assert.equal(await fact(page, 'Full name').textContent(), 'Key Board');
  assert.ok(!(await page.content()).includes(password), 'it is not shown again');

  // A question that is not answered changes nothing; Escape is no.
  await button(page, 'Disable').click();
  await page.getByRole('dialog').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Cancel');
  await page.keyboard.press('Escape');
  assert.equal((await admin.get(`/users/${name}`)).state, 'active');
  await sure(page, 'Disable');
  await fact(page, 'State').filter({ hasText: 'disabled' }).waitFor();
  await button(page, 'Enable').click();
  await fact(page, 'State').filter({ hasText: 'active' }).waitFor();

  await field(page, 'E-mail address').fill('nowhere');
  await button(page, 'Save').click();
  await page.locator('.fg-problem', { hasText: 'must be an address' }).waitFor();
  await field(page, 'E-mail address').fill(`${name}@example.org`);
  await button(page, 'Save').click();
  await fact(page, 'E-mail address').filter({ hasText: `${name}@example.org` }).waitFor();

  await page.getByLabel(`Crew ${run}`).check();
  await button(page, 'Save groups').click();
  await row(page, `Crew ${run}`).waitFor();
  await sure(page, 'New password');
  assert.notEqual((await takeSecrets(page))[0], password);
  await sure(page, 'Remove');
  await page.waitForURL('**/admin/users');
  assert.equal((await admin.call('GET', `/users/${name}`)).status, 404);
});

test('lists search, sort and page by their address', async () => {
  grid.sql(`INSERT INTO user_group (name) SELECT 'Paged ${run} ' || to_char(i, 'FM00') FROM generate_series(0, 54) AS i`);
  const page = await open('/admin/groups');
  await field(page, 'Name or description').fill(`Paged ${run}`);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.searchParams.get('search') === `Paged ${run}`);
  await ready(page);
  const first = () => page.locator('tbody th').first().textContent();
  assert.equal(await page.locator('tbody tr').count(), 50);
  assert.match(await first(), / 00$/);

  await page.getByRole('link', { name: 'Next page' }).click();
  await page.waitForURL((url) => url.searchParams.has('after'));
  await ready(page);
  assert.equal(await page.locator('tbody tr').count(), 5);
  await page.goBack();
  await ready(page);
  assert.match(await first(), / 00$/);

  await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click();
  await page.waitForURL((url) => url.searchParams.has('sort'));
  await ready(page);
  if (await page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort') === 'ascending') {
    await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click();
    await page.waitForURL((url) => url.searchParams.get('sort') === '-name');
    await ready(page);
  }
  assert.equal(await page.getByRole('columnheader', { name: 'Name' }).getAttribute('aria-sort'), 'descending');
  assert.match(await first(), / 54$/);
  await field(page, 'Name or description').fill('no such group anywhere');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing matches.').waitFor();
  for (const { id } of await admin.all(`/groups?search=Paged%20${run}`)) await admin.delete(`/groups/${id}`);
});

test('members, roles and rules are given and taken, and explained', async () => {
  const page = await open(`/admin/groups?item=Crew%20${run}`);
  await field(page, 'Name').fill('nobody at all');
  await button(page, 'Put in').click();
  await page.getByRole('alert').or(page.locator('.fg-problem:not(:empty)')).first().waitFor();
  await field(page, 'Name').fill('admin');
  await button(page, 'Put in').click();
  const member = page.locator('tbody tr', { has: page.getByRole('rowheader', { name: 'admin', exact: true }) });
  await member.getByRole('button', { name: 'Take out' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take out' }).click();
  await member.waitFor({ state: 'detached' });

  await page.goto('/admin/roles?item=ReadAll');
  await ready(page);
  await field(page, 'Kind').selectOption('group');
  await field(page, 'Name').fill(`Crew ${run}`);
  await field(page, 'Plant').selectOption(plant.id);
  await button(page, 'Give').click();
  await row(page, `Crew ${run}`).filter({ hasText: plant.name }).waitFor();

  await page.goto('/admin/rules?new');
  await ready(page);
  await field(page, 'Kind').selectOption('user');
  await field(page, 'Who').fill(person.name);
  await field(page, 'Effect').selectOption('deny');
  await button(page, 'Create').click();
  await page.getByRole('alert').or(page.locator('.fg-problem:not(:empty)')).first().waitFor(); // no right is chosen
  await page.getByLabel('ReadVariables').check();
  await field(page, 'Plant').selectOption(plant.id);
  await field(page, 'Variables by pattern').fill('pump/*');
  await field(page, 'Description').fill(`Browser ${run}`);
  await button(page, 'Create').click();
  await page.waitForURL('**/admin/rules?item=*');
  await ready(page);
  assert.equal(await fact(page, 'Variables').textContent(), 'pump/*');

  await page.goto('/admin/rules');
  await ready(page);
  await page.getByText('Why may somebody do this, or why not?').click();
  const form = page.locator('.fg-explain form');
  for (const [variable, allowed] of [['pump/power', false], ['fan/power', true]]) {
    await form.getByLabel('Kind').selectOption('user');
    await form.getByLabel('Who').fill(person.name);
    await form.getByLabel('Right').selectOption('ReadVariables');
    await form.getByLabel('Plant').selectOption(plant.id);
    await form.getByLabel('Variable').fill(variable);
    await form.getByRole('button', { name: 'Explain' }).click();
    await page.locator('.fg-explain .fg-word', { hasText: allowed ? /^allowed$/ : /^not allowed$/ }).first().waitFor();
    await page.locator('.fg-explain tbody tr', { hasText: allowed ? 'role ReadAll' : 'pump/*' }).first().waitFor();
  }
  assert.deepEqual(await page.axe(), []);
  await field(page, 'Pattern or description').fill(`Browser ${run}`);
  await button(page, 'Search').click();
  await page.waitForURL((url) => url.searchParams.has('search'));
  await ready(page);
  await row(page, `user ${person.name}`).getByRole('link').first().click();
  await page.waitForURL('**/admin/rules?item=*');
  await ready(page);
  await sure(page, 'Remove');
  await page.waitForURL('**/admin/rules');
});

test('a node gets its token once, is blocked in two clicks and let in again', async () => {
  const name = `site-${run}`;
  const page = await open('/admin/nodes?new');
  await field(page, 'Name').fill(name);
  await page.getByLabel(plant.name).first().check();
  await button(page, 'Create').click();
  const secrets = await takeSecrets(page);
  assert.ok(secrets.some((text) => text.includes('enrol')), secrets.join());
  await page.waitForURL(`**/admin/nodes?item=${name}`);
  await ready(page);
  assert.equal(await fact(page, 'State').textContent(), 'pending');
  await row(page, plant.name).filter({ hasText: 'yes' }).waitFor();

  await page.goto(`/admin/nodes?item=${plant.node.name}`);
  await ready(page);
  await sure(page, 'Block');
  await fact(page, 'State').filter({ hasText: 'blocked' }).waitFor();
  await until(() => plant.beat().then(() => false, (error) => / 403 /.test(error.message)), { what: 'the block' });
  await button(page, 'Unblock').click();
  await fact(page, 'State').filter({ hasText: 'authorised' }).waitFor();
  plant.token = undefined; // those from before died with the block
  await until(() => plant.beat(), { what: 'to be let in' });
});

test('limits, classes and causes of a plant are made, changed and kept in files', async () => {
  const base = `/datasources/${plant.id}`;
  const page = await open('/admin/plants');
  await page.locator('.fg-admin-main').getByRole('link', { name: plant.name }).click();
  await ready(page);
  const part = (name) => page.getByRole('region', { name, exact: true });
  const add = (name, label) => part(name).locator('summary', { hasText: label }).click();
  await add('Limits', 'Add limit');
  await part('Limits').getByLabel('Variable', { exact: false }).first().fill('no/such');
  await part('Limits').getByLabel('Name of the limit').fill('high');
  await part('Limits').getByLabel('Value, or number').fill('80');
  await part('Limits').getByRole('button', { name: 'Add limit' }).click();
  await part('Limits').locator('.fg-problem', { hasText: 'names no variable' }).waitFor();
  await part('Limits').getByLabel('Variable', { exact: false }).first().fill('pump/power');
  await part('Limits').getByRole('button', { name: 'Add limit' }).click();
  await part('Limits').getByRole('row', { name: /pump\/power high above 80/ }).waitFor();
  await part('Limits').getByRole('button', { name: 'Change' }).click();
  assert.equal(await part('Limits').getByLabel('Value, or number').last().inputValue(), '80');
  await part('Limits').getByLabel('Value, or number').last().fill('90.5');
  await part('Limits').getByRole('button', { name: 'Save' }).click();
  await part('Limits').getByRole('row', { name: /above 90\.5/ }).waitFor();
  assert.equal((await admin.get(`${base}/limits.json`)).limits[0].value, 90.5);

  await add('Classes', 'Add class');
  await part('Classes').getByLabel('Number').fill('7');
  await part('Classes').getByLabel('Name').fill('Process');
  await part('Classes').getByLabel('Colour').fill('red');
  await part('Classes').getByRole('button', { name: 'Add class' }).click();
  await part('Classes').locator('.fg-problem', { hasText: '#rrggbb' }).waitFor();
  await part('Classes').getByLabel('Colour').fill('#d2691e');
  await part('Classes').getByRole('button', { name: 'Add class' }).click();
  await part('Classes').getByRole('row', { name: /7 Process #d2691e/ }).waitFor();
  await add('Causes', 'Add cause');
  await part('Causes').getByLabel('Name').fill('Drive');
  await part('Causes').getByRole('button', { name: 'Add cause' }).click();
  await part('Causes').getByRole('row', { name: /^Drive/ }).waitFor();
  await add('Causes', 'Add cause');
  await part('Causes').getByLabel('Name').fill('Belt');
  await part('Causes').getByLabel('Below').selectOption({ label: 'Drive' });
  await part('Causes').getByRole('button', { name: 'Add cause' }).click();
  await part('Causes').getByRole('row', { name: /^Drive › Belt/ }).waitFor();
  assert.deepEqual(await page.axe(), []);

  const words = part('Classes, groups, areas and causes as a file');
  const [download] = await Promise.all([page.waitForEvent('download'), words.getByRole('link', { name: /^Export/ }).click()]);
  const file = JSON.parse(fs.readFileSync(await download.path(), 'utf8'));
  assert.deepEqual(file, await admin.get(`${base}/alarm-vocabulary`));
  const bring = async (text, replace) => {
    await words.getByLabel('File to import').setInputFiles({ name: 'words.json', mimeType: 'application/json', buffer: Buffer.from(text) });
    if (replace) await words.getByLabel('Remove what the file').check();
    await words.getByRole('button', { name: /^Import/ }).click();
  };
  await bring('{"causes": [{}]}');
  await words.locator('.fg-problem', { hasText: '"causes[0].name" is missing.' }).waitFor();
  await bring(JSON.stringify({ ...file, classes: [] }), true);
  await page.getByText('0 added, 0 changed, 1 removed.').waitFor();
  await part('Classes').getByText('No class has a name yet.').waitFor();
  assert.equal(page.problems.length, 3, `only the three refusals: ${page.problems}`);
});

test('a client gets its secret once', async () => {
  const page = await open('/admin/clients?new');
  await field(page, 'Client id').fill(`browser-${run}`);
  await page.getByLabel('act for itself').check();
  await page.getByLabel('API', { exact: true }).check();
  await button(page, 'Create').click();
  const [secret] = await takeSecrets(page);
  const reply = await grid.request('/connect/token', {
    form: { grant_type: 'client_credentials', client_id: `browser-${run}`, client_secret: secret, scope: 'API' },
  });
  assert.equal(reply.status, 200, reply.text);
  await page.waitForURL(`**/admin/clients?item=browser-${run}`);
  await ready(page);
  await sure(page, 'Disable');
  await fact(page, 'State').filter({ hasText: 'disabled' }).waitFor();
});

test('asvs 7.4.5: an administrator ends a session on the page', async () => {
  const cookie = await grid.logIn(person);
  const page = await open(`/admin/sessions?user=${person.name}`);
  const before = await page.locator('tbody tr').count();
  assert.ok(before > 0);
  for (let left = before; left > 0; left--) {
    await page.getByRole('button', { name: 'End' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await page.waitForFunction((count) => document.querySelectorAll('tbody tr').length === count, left - 1);
  }
  assert.equal((await grid.request('/api/v1/datasources', { cookie })).status, 401);
});

test('the audit is filtered, shows old and new values, and is checked', async () => {
  await admin.patch(`/users/${person.name}`, { fullName: 'Per Sonne' });
  const page = await open(`/admin/audit?object=user:${person.name}&action=account.change`);
  assert.equal(await page.locator('tbody tr').count(), 1);
  await page.locator('tbody summary').click();
  await page.locator('tbody pre', { hasText: 'Per Sonne' }).waitFor();
  assert.match(await page.locator('tbody pre').textContent(), /"before"[^]*Per Son"[^]*"after"/);
  await button(page, 'Check that nothing was changed or removed').click();
  await page.locator('output', { hasText: 'Whole:' }).waitFor();
});

test('a service that does not answer is said in words, where it belongs', async () => {
  const page = await browser.page();
  await page.route('**/api/v1/admin/users**', (route) => route.fulfill({ status: 503, contentType: 'application/json',
    body: '{"errorCode":"Unavailable","errorMessage":"The database is out of reach."}' }));
  await page.goto('/admin/users');
  await page.getByRole('alert').filter({ hasText: 'The database is out of reach.' }).waitFor();
  assert.deepEqual(await page.axe(), []);
});
