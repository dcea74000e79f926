// What a person does with their account in a browser: without scripts, with a
// second factor, consent and a device; on a desk and on a phone.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, afterEach, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid } from '../support/grid.mjs';
import { earlyTotp, totp } from '../support/totp.mjs';

let grid;
let browser;
const run = process.pid;
const sizes = [{}, { phone: true, theme: 'dark' }];
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

before(async () => {
  grid = await openGrid();
  browser = await openBrowser(grid);
  grid.ctl('client', 'add', `reports-${run}`, '--name', 'Energy Reports', '--grant', 'authorization_code',
    '--scope', 'openid', '--scope', 'API', '--redirect-uri', 'http://127.0.0.1/cb');
  grid.ctl('client', 'add', `panel-${run}`, '--public', '--name', 'Panel 7', '--grant', deviceGrant,
    '--scope', 'openid', '--scope', 'API');
});
after(async () => {
  await browser?.close();
  await grid?.close();
});
afterEach(() => browser.clean());

let count = 0;
const newUser = () => grid.addUser(`person-${run}-${++count}`);

async function logIn(page, { name, password }) {
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
}

async function fine(page) {
  assert.deepEqual(await page.axe(), [], page.url());
  assert.ok(await page.overflow() <= 0, page.url());
}

function authorizePath() {
  return `/connect/authorize?${new URLSearchParams({
    client_id: `reports-${run}`, redirect_uri: 'http://127.0.0.1:9/cb', response_type: 'code', scope: 'openid API',
    code_challenge: crypto.randomBytes(32).toString('base64url'), code_challenge_method: 'S256',
  })}`;
}

test('every page of the account is accessible and fits, on a desk and on a phone', async () => {
  for (const options of sizes) {
    const cookie = await grid.logIn(newUser());
    const page = await browser.page({ cookie, ...options });
    for (const path of ['/account', '/account/password', '/account/factor', '/device', authorizePath()]) {
      await page.goto(path);
      await fine(page);
    }
    assert.deepEqual(page.problems, []);
  }
});

test('without scripts: log in, set up the second factor, log in with it', async () => {
  const user = newUser();
  const page = await browser.page({ login: false, javaScriptEnabled: false });
  await page.goto('/account');
  await logIn(page, user);
  await page.getByRole('link', { name: 'Set it up' }).click();
  const secret = (await page.locator('.fg-secret').textContent()).trim();
  await page.getByLabel('Code', { exact: true }).fill(await earlyTotp(secret));
  await page.getByRole('button', { name: 'Turn it on' }).click();
  const codes = await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents();
  assert.equal(codes.length, 10);
  await page.getByRole('link', { name: 'I have kept them' }).click();
  await page.getByText('10 recovery codes are left').waitFor();

  const other = await browser.page({ login: false, javaScriptEnabled: false });
  await other.goto('/account');
  await logIn(other, user);
  await other.getByLabel('Code', { exact: true }).fill('000000');
  await other.getByRole('button', { name: 'Continue' }).click();
  await other.getByRole('alert').getByText('wrong or was used before').waitFor();
  await other.getByLabel('Code', { exact: true }).fill(codes[0].trim());
  await other.getByRole('button', { name: 'Continue' }).click();
  await other.getByText('9 recovery codes are left').waitFor();
});

test('the pages of a log-in with steps are accessible, and scripts do not break them', async () => {
  for (const options of sizes) {
    const user = newUser();
    const name = `careful-${run}-${count}`;
    grid.ctl('group', 'add', name, '--require-second-factor');
    grid.ctl('group', 'join', name, 'user', user.name);
    const page = await browser.page({ login: false, ...options });
    await page.goto('/account');
    await logIn(page, user);
    await page.waitForURL('**/login/enrol');
    await fine(page);
    const secret = (await page.locator('.fg-secret').textContent()).trim();
    await page.getByLabel('Code', { exact: true }).fill(await earlyTotp(secret));
    await page.getByRole('button', { name: 'Turn it on' }).click();
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor();
    await fine(page);
    const again = await browser.page({ login: false, ...options });
    await again.goto('/account');
    await logIn(again, user);
    await again.waitForURL('**/login/code');
    await fine(again);
    await again.getByLabel('Code', { exact: true }).fill(totp(secret));
    await again.getByRole('button', { name: 'Continue' }).click();
    await again.waitForURL('**/account');
    await fine(again);
    assert.deepEqual([...page.problems, ...again.problems], []);
  }
});

test('a device is connected by the person who started it', async () => {
  for (const options of sizes) {
    const started = await grid.request('/connect/deviceauthorization',
      { form: { client_id: `panel-${run}`, scope: 'openid API' } });
    const page = await browser.page({ login: false, ...options });
    await page.goto(new URL(started.json.verification_uri_complete).pathname
      + new URL(started.json.verification_uri_complete).search);
    await logIn(page, newUser());
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('only if you started this yourself').waitFor();
    await fine(page);
    await page.getByRole('button', { name: 'Connect' }).click();
    await page.getByRole('heading', { name: '“Panel 7” is connected' }).waitFor();
    await fine(page);
    const tokens = await grid.request('/connect/token', {
      form: { grant_type: deviceGrant, client_id: `panel-${run}`, device_code: started.json.device_code },
    });
    assert.equal(tokens.status, 200, tokens.text);
    assert.deepEqual(page.problems, []);
  }
});

test('a changed password: the old one is refused, other sessions have ended', async () => {
  const user = newUser();
  const there = await browser.page({ cookie: await grid.logIn(user) });
  const page = await browser.page({ cookie: await grid.logIn(user) });
  await page.goto('/account/password');
  await page.getByLabel('Current password').fill(user.password);
  await page.getByLabel('New password', { exact: true }).fill('a sentence for the pump');
  await page.getByLabel('New password again').fill('a sentence for the pump');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await page.getByRole('status').getByText('Your password was changed.').waitFor();
  await there.goto('/account');
  assert.equal(new URL(there.url()).pathname, '/login');
  await logIn(there, user);
  await there.getByRole('alert').waitFor();
  await logIn(there, { ...user, password: 'a sentence for the pump' });
  await there.waitForURL('**/account');
});
