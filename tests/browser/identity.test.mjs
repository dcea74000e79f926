// The pages of the identity service in a browser, and the way of a person from
// an application on another origin to the login and back.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { after, afterEach, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid } from '../support/grid.mjs';

let grid;
let browser;
let app; // the application: a server on a port of this machine
let back;
const clientId = `browser-app-${process.pid}`;

before(async () => {
  grid = await openGrid();
  browser = await openBrowser(grid);
  app = http.createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>app</title><link rel="icon" href="data:,"><h1>App</h1>');
  });
  await new Promise((resolve) => { app.listen(0, '127.0.0.1', resolve); });
  back = `http://127.0.0.1:${app.address().port}`;
  grid.ctl('client', 'add', clientId, '--trusted', '--grant', 'authorization_code',
    '--scope', 'openid', '--scope', 'API', '--redirect-uri', 'http://127.0.0.1/callback',
    '--logout-uri', `${back}/bye`);
});
after(async () => {
  await browser?.close();
  app?.close();
  await grid?.close();
});

afterEach(() => browser.clean());

const verifier = crypto.randomBytes(32).toString('base64url');

function authorizePath(extra = {}) {
  return `/connect/authorize?${new URLSearchParams({
    client_id: clientId, redirect_uri: `${back}/callback`, response_type: 'code', scope: 'openid API',
    state: 'a&b', code_challenge_method: 'S256',
    code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'), ...extra,
  })}`;
}

async function logIn(page, { name, password } = grid.user) {
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click();
}

test('from the application to the login, back with a code, and out again', async () => {
  const page = await browser.page({ login: false });
  await page.goto(authorizePath());
  assert.equal(new URL(page.url()).pathname, '/login');
  await logIn(page);
  await page.waitForURL(`${back}/callback?**`);
  const answer = new URL(page.url()).searchParams;
  assert.equal(answer.get('state'), 'a&b');
  assert.equal(answer.get('iss'), grid.url);
  assert.ok(answer.get('code'));

  // Single sign-on: the second time nobody is asked.
  await page.goto(authorizePath({ state: 'again' }));
  assert.equal(new URL(page.url()).searchParams.get('state'), 'again');
  await page.goto('/');
  assert.equal(new URL(page.url()).pathname, '/');

  await page.goto(`/connect/endsession?${new URLSearchParams({
    client_id: clientId, post_logout_redirect_uri: `${back}/bye`, state: 'x',
  })}`);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL(`${back}/bye?state=x`);
  await page.goto('/');
  assert.equal(new URL(page.url()).pathname, '/login');
  assert.deepEqual(page.problems, []);
});

test('the pages are accessible and fit, on a desk and on a phone', async () => {
  for (const options of [{}, { phone: true, theme: 'dark' }]) {
    const page = await browser.page({ login: false, ...options });
    const fine = async () => {
      assert.deepEqual(await page.axe(), [], page.url());
      assert.ok(await page.overflow() <= 0, page.url());
    };
    await page.goto('/login');
    await fine();
    await page.goto('/logout'); // nobody is logged in: goodbye
    await fine();
    await page.goto('/connect/authorize?client_id=nobody');
    await page.getByText('It is not known here.').waitFor();
    await fine();
    await page.goto('/login?next=/logout');
    await logIn(page);
    await page.waitForURL('**/logout');
    await fine();
    await page.getByRole('main').getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL('**/login');
  }
});

test('a wrong password says so, keeps the name, and is announced', async () => {
  const page = await browser.page({ login: false });
  await page.goto('/login');
  await logIn(page, { name: `nobody-${process.pid}`, password: 'wrong password' });
  await page.getByRole('alert').getByText('User name or password is wrong.').waitFor();
  assert.equal(await page.getByLabel('User name').inputValue(), `nobody-${process.pid}`);
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  assert.ok(await page.getByLabel('Password').evaluate((field) => field === document.activeElement));
});
