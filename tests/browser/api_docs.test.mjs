// The documentation page: a person logs in there and tries a call.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser } from '../support/browser.mjs';
import { openGrid } from '../support/grid.mjs';

let grid;
let browser;

before(async () => {
  grid = await openGrid();
  browser = await openBrowser(grid);
});
after(async () => {
  await browser?.close();
  await grid?.close();
});

// Swagger UI makes only those that are near the window, in its own time: from
// top to bottom, and again when some were passed before they were made.
async function endpoints(page, wanted) {
  const found = new Set();
  await page.locator('.opblock').first().waitFor();
  for (let round = 0; round < 5 && found.size < wanted; round += 1) {
    await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }));
    for (let bottom = false; !bottom;) {
      const seen = await page.evaluate(() => {
        const ids = [...document.querySelectorAll('.opblock')].map(({ id }) => id);
        const before = scrollY;
        scrollBy({ top: innerHeight / 2, behavior: 'instant' });
        return { ids, bottom: scrollY === before };
      });
      seen.ids.forEach((id) => found.add(id));
      bottom = seen.bottom;
      await page.waitForTimeout(40 * (round + 1));
    }
  }
  return found.size;
}

test('every endpoint is there, on a phone too, and nothing breaks the policy', async () => {
  const { json } = await grid.request('/api/openapi.json');
  const operations = Object.values(json.paths).flatMap((path) =>
    Object.values(path).filter(({ operationId }) => operationId)).length;
  for (const phone of [false, true]) {
    const page = await browser.page({ login: false, phone });
    await page.goto('/api/docs');
    assert.equal(await endpoints(page, operations), operations);
    assert.ok(await page.overflow() <= 0);
    assert.deepEqual(page.problems, []);
    await page.context().close();
  }
});

test('a login with PKCE opens the calls', async () => {
  const page = await browser.page({ login: false });
  await page.goto('/api/docs');
  await page.locator('button.authorize').first().click();
  await page.locator('.modal-ux input[type=checkbox]').evaluateAll((boxes) =>
    boxes.forEach((box) => box.checked || box.click()));
  const opened = page.context().waitForEvent('page');
  await page.locator('.modal-ux .auth-container', { hasText: 'authorizationCode' })
    .locator('button.authorize').click();
  const popup = await opened;
  const closed = popup.waitForEvent('close');
  await popup.locator('input[autocomplete=username]').fill(grid.user.name);
  await popup.locator('input[type=password]').fill(grid.user.password);
  await popup.locator('[type=submit]').first().click();
  await closed;
  await page.locator('.modal-ux .close-modal').click();
  await page.context().clearCookies(); // the token alone must do

  await page.locator('#operations-Datasources-listDatasources button.opblock-summary-control').click();
  await page.locator('#operations-Datasources-listDatasources .try-out__btn').click();
  const answered = page.waitForResponse((response) => response.url().endsWith('/api/v1/datasources'));
  await page.locator('#operations-Datasources-listDatasources .execute').click();
  const response = await answered;
  assert.equal(response.status(), 200);
  assert.ok('dataSources' in await response.json());
  assert.match(await response.request().headerValue('authorization'), /^Bearer /);
  assert.deepEqual(page.problems, []);
});
