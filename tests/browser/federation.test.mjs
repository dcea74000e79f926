// The way of a person from the login page to a provider and back, by its button.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid } from '../support/grid.mjs';
import { makePki, openAzure } from '../support/upstream.mjs';

const run = process.pid;
const name = `azure-${run}`;
const title = `Example ${run}`;
let grid;
let browser;
let pki;
let azure;

before(async () => {
  grid = await openGrid();
  browser = await openBrowser(grid);
  pki = makePki();
  azure = await openAzure(pki);
  azure.people.set('anna', { oid: '0f6c1f3a-3a43-4d52-8f5f-6d1f3c1f0a01', name: 'Anna Auer',
    preferred_username: `anna-${run}`, email: 'anna@example.org' });
  azure.callback(`${grid.url}/signin-${name}`);
  grid.ctl('provider', 'add', name, '--title', title, '--issuer', azure.issuer, '--client-id', azure.clientId,
    '--secret-file', pki.secretFile(azure.clientSecret), '--ca', pki.caFile);
});
after(async () => {
  grid?.ctl('provider', 'remove', name);
  await browser?.close();
  await azure?.close();
  pki?.remove();
  await grid?.close();
});
afterEach(() => browser.clean());

const button = (page) => page.getByRole('link', { name: `Log in with ${title}` });

async function signIn(page, account) {
  await page.waitForURL(`${azure.base}/interaction/**`);
  await page.getByLabel('Account').fill(account);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('the button leads to the provider and back to the page that was wanted', async () => {
  const page = await browser.page({ login: false });
  await page.goto('/?from=mail');
  assert.equal(new URL(page.url()).pathname, '/login');
  await button(page).click();
  await signIn(page, 'anna');
  await page.waitForURL(`${grid.url}/?from=mail`);
  assert.ok((await page.content()).includes(`anna-${run}`));
  const names = (await page.context().cookies(grid.url)).map((cookie) => cookie.name);
  assert.ok(names.includes('__Host-gridsid'));
  assert.ok(!names.includes('__Host-gridsignin'));
  assert.deepEqual(page.problems, []);

  // Single sign-on there: the second browser tab needs no form at all.
  await page.context().clearCookies({ name: '__Host-gridsid' });
  await page.goto('/login');
  await button(page).click();
  await page.waitForURL(`${grid.url}/`);
});

test('who is refused there reads why, and has ways to go on', async () => {
  for (const options of [{}, { phone: true, theme: 'dark' }]) {
    const page = await browser.page({ login: false, ...options });
    await page.goto('/login');
    assert.deepEqual(await page.axe(), []);
    assert.ok(await page.overflow() <= 0);
    await button(page).focus();
    await page.keyboard.press('Enter');
    await signIn(page, 'nobody');
    await page.getByRole('alert').getByText(`${title} did not let you in`).waitFor();
    assert.deepEqual(await page.axe(), []);
    assert.ok(await page.overflow() <= 0);
    await page.getByRole('link', { name: 'Try again' }).click();
    await signIn(page, 'anna');
    await page.waitForURL(`${grid.url}/`);
    await page.context().clearCookies({ name: '__Host-gridsid' });
    await page.goto(`/signin-${name}?state=x`);
    await page.getByRole('link', { name: 'Other ways to log in' }).click();
    await page.waitForURL('**/login');
  }
});

test('a person links the own account on its page, and unlinks it', async () => {
  const user = grid.addUser(`browser-link-${run}`);
  azure.people.set('linker', { oid: '0f6c1f3a-3a43-4d52-8f5f-6d1f3c1f0a02', preferred_username: 'other' });
  for (const options of [{}, { phone: true, theme: 'dark' }]) {
    const page = await browser.page({ cookie: await grid.logIn(user), ...options });
    await page.goto('/account');
    assert.deepEqual(await page.axe(), []);
    assert.ok(await page.overflow() <= 0);
    await page.getByRole('button', { name: `Link ${title}`, exact: true }).click();
    await signIn(page, 'linker');
    await page.getByRole('status').getByText('Your account is linked.').waitFor();
    assert.deepEqual(page.problems, []);
    await page.context().clearCookies();
    await page.goto('/login');
    await button(page).click();
    await signIn(page, 'linker');
    await page.waitForURL(`${grid.url}/`);
    assert.ok((await page.content()).includes(user.name));
    const own = await browser.page({ cookie: await grid.logIn(user), ...options });
    await own.goto('/account');
    await own.getByRole('button', { name: `Unlink ${title}` }).click();
    await own.getByRole('status').getByText('The link is gone.').waitFor();
  }
});
