// The keys that sign tokens change over by themselves. A grid of its own: keys
// are made to look old.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openGrid, until } from '../support/grid.mjs';

let grid;

before(async () => { grid = await openGrid({ own: true }); });
after(() => grid.close());

const published = async () =>
  (await grid.request('/.well-known/openid-configuration/jwks')).json.keys.map(({ kid }) => kid);
const states = () => grid.sql("SELECT kid, state FROM signing_key WHERE algorithm = 'RS256' AND state <> 'removed' ORDER BY created_at");
const kidOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
const works = async (token) => (await grid.request('/api/v1/datasources', { token })).status === 200;

/** Let time pass, and let the keeper do what is due. */
async function later(hours, wanted) {
  grid.sql(`UPDATE signing_key SET created_at = created_at - ${hours} * interval '1 hour',
    changed_at = changed_at - ${hours} * interval '1 hour'`);
  await until(() => grid.kill('keeper').length > 0, { what: 'the keeper' });
  await until(() => states().map(([, state]) => state).join(' ') === wanted,
    { what: `${wanted}, not ${states().map(([, state]) => state).join(' ')}` });
}

test('token keys are published before they sign, and known until their last token has expired', async () => {
  const [[first]] = states();
  const old = await grid.token({ id: 'rotation-old' });
  assert.equal(kidOf(old), first);

  await later(89 * 24, 'active pending');
  const second = states()[1][0];
  const between = await published();
  assert.ok(between.includes(first) && between.includes(second));
  assert.equal(kidOf(await grid.token({ id: 'rotation-between' })), first);

  await later(24, 'retiring active');
  const fresh = await grid.token({ id: 'rotation-fresh' });
  assert.equal(kidOf(fresh), second);
  assert.ok(await works(old) && await works(fresh));
  assert.ok((await published()).includes(first));

  await later(2, 'active');
  assert.ok(!(await published()).includes(first));
  assert.ok(await works(fresh));
  await until(async () => !(await works(old)), { what: 'the old key to be forgotten' });
});

test('each step is in the audit, done by the keeper', () => {
  const rows = grid.ctl('audit', 'export', '--action', 'key.rotate').trim().split('\n').map((line) => JSON.parse(line));
  const steps = rows.filter((row) => row.service === 'fieldgrid_keeper' && JSON.parse(row.after).algorithm === 'RS256')
    .map((row) => `${row.before ? JSON.parse(row.before).state : '-'} ${JSON.parse(row.after).state}`);
  assert.deepEqual(steps.sort(), ['- pending', 'active retiring', 'pending active', 'retiring removed']);
  assert.ok(rows.every((row) => row.actorKind === 'service' || row.actorKind === 'operator'));
});

test('private keys are gone when they sign no more, and sealed before', () => {
  const kept = grid.sql("SELECT state, position('PRIVATE' in encode(sealed, 'escape')) FROM signing_key JOIN signing_key_private USING (kid)");
  assert.ok(kept.length > 0);
  for (const [state, found] of kept) {
    assert.equal(state, 'active');
    assert.equal(found, '0');
  }
});
