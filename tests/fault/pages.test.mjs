// The pages while the database is away: told at once, and back by themselves.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';

let grid;
before(async () => { grid = await openGrid({ own: true }); });
after(() => grid?.close());

test('without PostgreSQL a page says so at once, and comes back by itself', async () => {
  const cookie = await grid.logIn();
  assert.equal((await grid.request('/', { cookie })).status, 200);

  grid.stopDatabase();
  const started = performance.now();
  const reply = await grid.request('/trend?v=x', { cookie });
  assert.ok(performance.now() - started < 1000, 'the answer took too long');
  assert.equal(reply.status, 503);
  assert.ok(Number(reply.headers['retry-after']) > 0);
  assert.match(reply.text, /Data Storage is out of reach/);
  assert.match(reply.text, /href="\/trend\?v=x">Try again/);

  await grid.startDatabase();
  await until(async () => (await grid.request('/', { cookie })).status === 200,
    { seconds: 5, what: 'the overview' });
});
