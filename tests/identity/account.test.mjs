// Accounts: log-ins with all their steps, sessions, consent, devices.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { ended } from '../support/admin.mjs';
import { cookies, openGrid, until } from '../support/grid.mjs';
import { earlyTotp, totp } from '../support/totp.mjs';

let grid;
const run = process.pid;
const origin = { 'sec-fetch-site': 'same-origin' };
// Addresses of their own, so that nobody waits for what another did.
let address = 0;
const nextAddress = () => `127.1.${1 + (run % 250)}.${++address}`;

before(async () => { grid = await openGrid(); });
after(() => grid?.close());

// --- helpers ---------------------------------------------------------------------

/** A jar of cookies that follows no redirects: one browser. */
class Browser {
  constructor(from = nextAddress()) {
    this.jar = new Map();
    this.from = from;
  }

  get cookie() { return [...this.jar].map(([name, value]) => `${name}=${value}`).join('; '); }

  async ask(target, options = {}) {
    const reply = await grid.request(target, {
      cookie: this.cookie, localAddress: this.from, ...options,
      headers: { ...(options.form && origin), ...options.headers },
    });
    for (const line of reply.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value) this.jar.set(name, value); else this.jar.delete(name);
    }
    reply.at = reply.headers.location;
    return reply;
  }

  /** Fill the form of "page" with "values" and send it. */
  send(page, values, action) {
    return this.ask(action ?? /<form method="post" action="([^"]+)"/.exec(mainOf(page.text))[1],
      { form: { ...hidden(page.text), ...values } });
  }

  async logIn({ name, password }, next = '/') {
    const page = await this.ask(`/login?next=${encodeURIComponent(next)}&fresh=1`);
    assert.equal(page.status, 200);
    return this.send(page, { name, password }, '/login');
  }
}

/** Without the header, which has a form of its own. */
function mainOf(html) { return html.slice(html.indexOf('<main')); }

/** The hidden fields of a page's main form. */
function hidden(html) {
  const form = /<form[^>]*>(.*?)<\/form>/s.exec(mainOf(html))[1];
  return Object.fromEntries([...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
    .map(([, name, value]) => [name, unescape_(value)]));
}

function unescape_(text) {
  return text.replace(/&(amp|lt|gt|quot|#39);/g,
    (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]);
}

let count = 0;

/** A user with a password of their own. */
function newUser({ initial = false } = {}) {
  const name = `acc-${run}-${++count}`;
  const password = /password: (\S+)/.exec(grid.ctl('user', 'add', name, '--email', `${name}@grid.test`))[1];
  if (!initial)
    grid.sql(`UPDATE account_password SET must_change = false, expires_at = NULL
      FROM account WHERE account.id = account_id AND account.name = '${name}'`);
  return { name, password };
}

const secretIn = (page) => /fg-secret">([A-Z2-7 ]+)</.exec(page.text)[1];
const codesIn = (page) => [...page.text.matchAll(/<code>([A-Z2-7-]{19})<\/code>/g)].map(([, code]) => code);

/** Turn the second factor on by the account's page; returns secret and codes. */
async function turnOn(browser) {
  const page = await browser.ask('/account/factor');
  assert.equal(page.status, 200, page.at);
  const secret = secretIn(page);
  const done = await browser.send(page, { code: await earlyTotp(secret) });
  assert.equal(done.status, 200, done.text);
  return { secret, codes: codesIn(done) };
}

function newClient(id, ...words) {
  return /client_secret: (\S+)/.exec(grid.ctl('client', 'add', id, ...words))?.[1];
}

const back = 'https://app.test/callback';

function authorizePath(client, extra = {}) {
  return `/connect/authorize?${new URLSearchParams({
    client_id: client, redirect_uri: back, response_type: 'code', scope: 'openid API', state: 's&1',
    code_challenge: crypto.randomBytes(32).toString('base64url'), code_challenge_method: 'S256', ...extra,
  })}`;
}

/** Where a page of ours that leads away goes. */
function leaves(page) {
  assert.equal(page.status, 200, page.text);
  return new URL(unescape_(/http-equiv="refresh" content="0;url=([^"]+)"/.exec(page.text)[1]));
}

// --- passwords ---------------------------------------------------------------------

test('asvs 6.4.1: an initial password is random, must be changed at first use, and expires', async () => {
  const user = newUser({ initial: true });
  assert.ok(user.password.length >= 20);
  const browser = new Browser();
  const reply = await browser.logIn(user, '/account');
  assert.equal(reply.at, '/login/password');
  assert.ok(!browser.jar.has('__Host-gridsid'), 'no session before the change');
  assert.equal((await browser.ask('/account')).status, 303);
  const page = await browser.ask('/login/password');
  for (const [word, why] of [['short', /8 to 256/], [user.password, /another/], ['iloveyou', /list/]]) {
    const again = await browser.send(page, { new_password: word, again: word });
    assert.equal(again.status, 400);
    assert.match(again.text, why);
  }
  const differ = await browser.send(page, { new_password: 'correct horse', again: 'correct house' });
  assert.match(differ.text, /differ/);
  const done = await browser.send(page, { new_password: 'correct horse', again: 'correct horse' });
  assert.equal(done.at, '/account');
  assert.ok(browser.jar.has('__Host-gridsid'));
  assert.equal((await new Browser().logIn({ ...user, password: 'correct horse' })).at, '/');
  assert.equal((await new Browser().logIn(user)).status, 401);

  const late = newUser({ initial: true });
  grid.sql(`UPDATE account_password SET expires_at = now() FROM account
    WHERE account.id = account_id AND name = '${late.name}'`);
  const refused = await new Browser().logIn(late);
  assert.equal(refused.status, 401);
  assert.match(refused.text, /has expired/);
  const stranger = await new Browser().logIn({ ...late, password: 'wrong password' });
  assert.ok(!/expired/.test(stranger.text), 'only who knows it is told');
});

/** Change the password of a logged in browser; returns the reply. */
async function change(browser, password, wanted, extra = {}) {
  const page = await browser.ask('/account/password');
  return browser.send(page, { password, new_password: wanted, again: wanted, ...extra });
}

test('asvs 6.2.1: 7 characters are refused, 8 are not', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  assert.equal((await change(browser, user.password, 'aB3-xyz')).status, 400);
  assert.equal((await change(browser, user.password, 'aB3-xyz9')).at, '/account?done=0');
});

test('asvs 6.2.9, 6.2.8: every character counts, the 65th, case and spaces too', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const long = `${'Four words and more '.repeat(4)} `; // ends with spaces
  assert.ok(long.length > 65);
  assert.equal((await change(browser, user.password, long)).at, '/account?done=0');
  for (const wrong of [long.trimEnd(), long.toLowerCase(), `${long.slice(0, 64)}x${long.slice(65)}`])
    assert.equal((await new Browser().logIn({ ...user, password: wrong })).status, 401);
  assert.equal((await new Browser().logIn({ ...user, password: long })).status, 303);
});

test('asvs 6.2.4: a password of the list is refused, in any case', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  for (const known of ['password1', 'PASSWORD123', 'qwertyuiop', 'fieldgrid']) {
    const reply = await change(browser, user.password, known);
    assert.equal(reply.status, 400, known);
    assert.match(reply.text, /every attacker&#39;s list|every attacker's list/);
  }
});

test('asvs 6.2.5, 6.2.10: no rule of composition, and no end', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  assert.equal((await change(browser, user.password, 'only letters here')).at, '/account?done=0');
  grid.sql(`UPDATE account_password SET changed_at = now() - interval '5 years' FROM account
    WHERE account.id = account_id AND name = '${user.name}'`);
  assert.equal((await new Browser().logIn({ ...user, password: 'only letters here' })).at, '/');
});

test('asvs 6.2.3: a change needs the current password, and guessing it is slowed down', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const wrong = await change(browser, 'not this one', 'correct horse');
  assert.equal(wrong.status, 403);
  assert.match(wrong.text, /current password is wrong/);
  let last;
  for (let i = 0; i < 8; i++) last = await change(browser, 'not this one', 'correct horse');
  assert.equal(last.status, 429);
  assert.ok(Number(last.headers['retry-after']) > 0);
  assert.equal((await new Browser().logIn(user)).status, 303, 'at another address nobody waits');
});

test('asvs 6.2.7: password managers find every field', async () => {
  const user = newUser();
  const browser = new Browser();
  assert.match((await browser.ask('/login')).text, /type="password"[^>]*autocomplete="current-password"/);
  await browser.logIn(user);
  const page = await browser.ask('/account/password');
  assert.match(page.text, /autocomplete="username"/);
  assert.match(page.text, /type="password"[^>]*autocomplete="current-password"/);
  assert.equal(page.text.match(/type="password"[^>]*autocomplete="new-password"/g).length, 2);
  assert.ok(!/onpaste/.test(page.text));
});

test('asvs 7.4.3: a change of the password ends other sessions when asked to', async () => {
  const user = newUser();
  const here = new Browser();
  const there = new Browser();
  await here.logIn(user);
  await there.logIn(user);
  const before = here.jar.get('__Host-gridsid');
  const page = await here.ask('/account/password');
  assert.match(page.text, /name="others"[^>]*checked/);
  await change(here, user.password, 'correct horse 1');
  assert.notEqual(here.jar.get('__Host-gridsid'), before, 'a new id');
  assert.equal((await there.ask('/account')).status, 200, 'kept, as wished');
  await change(here, 'correct horse 1', 'correct horse 2', { others: '1' });
  assert.equal((await there.ask('/account')).at, '/login?next=%2Faccount');
  assert.equal((await here.ask('/account')).status, 200);
  assert.equal((await grid.request('/account', { cookie: `__Host-gridsid=${before}` })).status, 303);
});

// --- second factors -------------------------------------------------------------------

test('asvs 6.5.1, 6.5.5: a code of the app works once, and only with the password', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const { secret, codes } = await turnOn(browser);
  assert.equal(new Set(codes).size, 10);
  const other = new Browser();
  assert.equal((await other.logIn(user, '/account')).at, '/login/code');
  assert.ok(!other.jar.has('__Host-gridsid'));
  assert.equal((await other.ask('/account')).status, 303);
  const page = await other.ask('/login/code');
  assert.equal((await other.send(page, { code: totp(secret, -1) })).status, 401, 'used at set-up');
  assert.equal((await other.send(page, { code: totp(secret, 3) })).status, 401, 'of another time');
  const code = totp(secret);
  const done = await other.send(page, { code });
  assert.equal(done.at, '/account', done.text);
  assert.equal((await other.ask('/account')).status, 200);
  const third = new Browser();
  await third.logIn(user);
  assert.equal((await third.send(await third.ask('/login/code'), { code })).status, 401);
});

test('asvs 6.5.2, 6.5.3, 6.5.4: a recovery code is random, works once and is stored as a hash', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const { secret, codes } = await turnOn(browser);
  const use = async (code) => {
    const other = new Browser();
    await other.logIn(user);
    return other.send(await other.ask('/login/code'), { code });
  };
  assert.equal((await use(codes[3].toLowerCase().replaceAll('-', ' '))).status, 303);
  assert.equal((await use(codes[3])).status, 401);
  const stored = grid.sql('SELECT encode(hash, \'escape\') FROM recovery_code').flat().join(' ');
  assert.ok(!codes.some((code) => stored.includes(code)));
  const sealed = grid.sql('SELECT encode(sealed, \'escape\') FROM second_factor').flat().join(' ');
  assert.ok(!sealed.includes(secret.replaceAll(' ', '')));
  const account = await browser.ask('/account');
  assert.match(account.text, /9 recovery codes are left/);
  const renewed = await browser.send(account, {}, '/account/factor/codes');
  assert.equal(codesIn(renewed).length, 10);
  assert.equal((await use(codes[4])).status, 401, 'the old ones are worth nothing');
});

test('asvs 6.3.1: guessing codes is slowed down', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const { secret } = await turnOn(browser);
  const other = new Browser();
  await other.logIn(user);
  const page = await other.ask('/login/code');
  let last;
  for (let i = 0; i < 8; i++) last = await other.send(page, { code: '000000' });
  assert.equal(last.status, 429);
  assert.ok(Number(last.headers['retry-after']) > 0);
  assert.equal((await other.send(page, { code: totp(secret) })).status, 429, 'the right one waits too');
});

test('asvs 7.5.1: the second factor is changed only after a fresh log-in', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const form = await browser.ask('/account/factor');
  grid.sql(`UPDATE session SET created_at = session.created_at - interval '11 minutes' FROM account
    WHERE account.id = account_id AND name = '${user.name}'`);
  assert.equal((await browser.ask('/account/factor')).at, '/login?next=%2Faccount%2Ffactor&fresh=1');
  const sent = await browser.send(form, { code: totp(secretIn(form)) });
  assert.match(sent.at, /^\/login\?.*fresh=1/);
  assert.equal(grid.sql(`SELECT count(*) FROM second_factor JOIN account ON account.id = account_id
    WHERE name = '${user.name}'`)[0][0], '0');
});

test('a group demands a second factor: it is set up at the next log-in', async () => {
  const user = newUser();
  grid.sql(`INSERT INTO user_group (uuid, name, require_second_factor)
    VALUES (gen_random_uuid(), 'careful-${run}', true)`);
  grid.sql(`INSERT INTO group_account (group_id, account_id)
    SELECT user_group.id, account.id FROM user_group, account
     WHERE user_group.name = 'careful-${run}' AND account.name = '${user.name}'`);
  const browser = new Browser();
  assert.equal((await browser.logIn(user, '/account')).at, '/login/enrol');
  assert.equal((await browser.ask('/account')).status, 303, 'no way around');
  const page = await browser.ask('/login/enrol');
  assert.match(page.text, /<svg class="fg-qr"/);
  assert.notEqual(secretIn(await browser.ask('/login/enrol')), secretIn(page));
  const wrong = await browser.send(page, { code: '000000' });
  assert.equal(wrong.status, 401);
  assert.equal(secretIn(wrong), secretIn(page), 'the same secret again');
  const stolen = new Browser();
  await stolen.logIn(user);
  const theirs = await stolen.ask('/login/enrol');
  const mixed = await stolen.send(theirs, { offer: hidden(page.text).offer, code: totp(secretIn(page)) });
  assert.equal(mixed.status, 403, 'an offer belongs to its form');
  const done = await browser.send(page, { code: totp(secretIn(page)) });
  assert.equal(done.status, 200, done.text);
  assert.equal(codesIn(done).length, 10);
  assert.ok(browser.jar.has('__Host-gridsid'));
  assert.equal(done.at, undefined);
  assert.match(done.text, /href="\/account"/);
  assert.equal((await new Browser().logIn(user)).at, '/login/code');
});

// --- sessions ------------------------------------------------------------------------------

// tests/unit/password.c does the same with 10,000 of what they are made of.
test('asvs 7.2.3: session ids have 256 bits and differ', async () => {
  const seen = new Set();
  const user = newUser();
  const from = nextAddress();
  for (let i = 0; i < 20; i++) {
    const browser = new Browser(from);
    await browser.logIn(user);
    const id = browser.jar.get('__Host-gridsid');
    assert.equal(Buffer.from(id, 'base64url').length, 32);
    seen.add(id);
  }
  assert.equal(seen.size, 20);
});

test('asvs 7.2.4: a log-in and a second log-in make new ids; the old ones are dead', async () => {
  const user = newUser();
  const browser = new Browser();
  browser.jar.set('__Host-gridsid', 'A'.repeat(43)); // planted
  await browser.logIn(user);
  const first = browser.jar.get('__Host-gridsid');
  assert.notEqual(first, 'A'.repeat(43));
  await browser.logIn(user);
  const second = browser.jar.get('__Host-gridsid');
  assert.notEqual(second, first);
  assert.equal((await grid.request('/account', { cookie: `__Host-gridsid=${first}` })).status, 303);
  assert.equal((await grid.request('/account', { cookie: `__Host-gridsid=${second}` })).status, 200);
});

test('asvs 7.3.1, 7.3.2: a session ends 30 minutes after its use and 12 hours after its start', async () => {
  const user = newUser();
  const of = `FROM account WHERE account.id = account_id AND name = '${user.name}'`;
  for (const [column, interval] of [['seen_at', '31 minutes'], ['expires_at', '12 hours']]) {
    const browser = new Browser();
    await browser.logIn(user);
    assert.equal((await browser.ask('/account')).status, 200);
    grid.sql(`UPDATE session SET ${column} = ${column} - interval '${interval}' ${of}`);
    assert.equal((await browser.ask('/account')).status, 303, column);
    // The other services look a session up once a second.
    await until(async () => (await browser.ask('/')).status === 303, { what: column });
  }
});

test('asvs 7.4.1: after a log-out the cookie is worth nothing, and no page is kept', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const { cookie } = browser;
  const page = await browser.ask('/account');
  assert.match(page.headers['cache-control'], /no-store/);
  const out = await browser.send(await browser.ask('/logout'), {});
  assert.equal(out.at, '/login');
  assert.ok(!browser.jar.has('__Host-gridsid'));
  assert.equal((await grid.request('/account', { cookie })).status, 303);
});

test('asvs 7.5.2, 10.7.3: a person lists and ends sessions, theirs only', async () => {
  const user = newUser();
  const here = new Browser();
  const there = new Browser();
  const stranger = new Browser();
  await here.logIn(user);
  await there.logIn(user);
  await stranger.logIn(newUser());
  const page = await here.ask('/account');
  assert.match(page.text, /this one/);
  const sids = [...page.text.matchAll(/name="sid" value="([^"]+)"/g)].map(([, sid]) => sid);
  assert.equal(sids.length, 1);
  const csrf = (text) => /name="csrf" value="([^"]+)"/.exec(text)[1];
  const foreign = await stranger.ask('/account/sessions/end',
    { form: { csrf: csrf((await stranger.ask('/account')).text), sid: sids[0] } });
  assert.equal(foreign.status, 404);
  const done = await here.ask('/account/sessions/end', { form: { csrf: csrf(page.text), sid: sids[0] } });
  assert.equal(done.at, '/account?done=1');
  assert.equal((await there.ask('/account')).status, 303);
  assert.equal((await stranger.ask('/account')).status, 200);
  assert.deepEqual(ended(grid, user), ['logged out elsewhere']);
});

test('asvs 7.5.2: a person ends all sessions but the own one, and an event tells', async () => {
  const user = newUser();
  const [here, ...others] = [new Browser(), new Browser(), new Browser()];
  for (const browser of [here, ...others]) await browser.logIn(user);
  const page = await here.ask('/account');
  const done = await here.send(page, {}, '/account/sessions/end-others');
  assert.equal(done.at, '/account?done=2');
  for (const other of others) assert.equal((await other.ask('/account')).status, 303);
  assert.equal((await here.ask('/account')).status, 200);
  assert.deepEqual(ended(grid, user), ['logged out everywhere else']);
});

test('asvs 7.4.2: a disabled user is out at once, in the middle of a log-in too', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  await turnOn(browser);
  const half = new Browser();
  await half.logIn(user);
  grid.ctl('user', 'disable', user.name);
  assert.equal((await browser.ask('/account')).status, 303);
  assert.equal((await half.ask('/login/code')).at, '/login?next=%2F');
  assert.equal((await new Browser().logIn(user)).status, 401);
});

test('asvs 3.5.1, 3.5.3: forms of another site, without their token, or by GET change nothing', async () => {
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  const csrf = /name="csrf" value="([^"]+)"/.exec((await browser.ask('/account')).text)[1];
  const paths = ['/account/sessions/end-others', '/account/sessions/end', '/account/applications/revoke',
    '/account/password', '/account/factor', '/account/factor/codes', '/account/factor/remove', '/device',
    '/logout'];
  for (const path of paths) {
    const evil = await browser.ask(path,
      { form: { csrf }, headers: { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' } });
    assert.equal(evil.status, 403, `${path} from another site`);
    assert.equal((await browser.ask(path, { form: { csrf: 'x'.repeat(43) } })).status, 403, `${path} without token`);
  }
  for (const path of ['/account/sessions/end-others', '/account/factor/remove', '/connect/consent'])
    assert.equal((await browser.ask(path)).status, 405, path);
  await browser.ask('/logout');
  assert.equal((await browser.ask('/account')).status, 200);
});

test('asvs 16.3.1: what a person does with an account stands in the audit, without a secret', async () => {
  const user = newUser();
  const browser = new Browser();
  await new Browser().logIn({ ...user, password: 'not the right one' });
  await browser.logIn(user);
  const { secret, codes } = await turnOn(browser);
  await change(browser, user.password, 'another password');
  const account = await browser.ask('/account');
  await browser.send(account, {}, '/account/factor/remove');
  await new Browser().logIn({ name: `secret in the wrong field ${run}`, password: 'x' });
  const rows = grid.sql(`SELECT action, result, actor FROM audit_entry WHERE object = 'user:${user.name}'
    ORDER BY id`).map((row) => row.join(' '));
  assert.deepEqual(rows.filter((row) => !/account.create|account.password ok (?!acc)/.test(row)), [
    'login.refused refused ', `login.ok ok ${user.name}`, `account.factor ok ${user.name}`,
    `account.password ok ${user.name}`, `account.factor_remove ok ${user.name}`,
  ]);
  const all = grid.sql('SELECT coalesce(object, \'\') || coalesce(old_value::text, \'\') || coalesce(new_value::text, \'\') FROM audit_entry')
    .flat().join('\n');
  for (const word of [user.password, 'another password', 'not the right one', secret, secret.replaceAll(' ', ''),
    codes[0], 'wrong field']) {
    assert.ok(!all.includes(word), word);
    assert.ok(!grid.log('identity').includes(word), word);
  }
});

// --- consent --------------------------------------------------------------------------------

test('asvs 10.7.1, 10.7.2: a client of others is named with its scopes, and asks', async () => {
  const client = `third-${run}`;
  newClient(client, '--name', 'Somebody <b>else</b>', '--grant', 'authorization_code', '--grant', 'refresh_token',
    '--scope', 'openid', '--scope', 'API', '--scope', 'offline_access', '--scope', 'profile', '--redirect-uri', back);
  const user = newUser();
  const browser = new Browser();
  await browser.logIn(user);
  assert.equal(new URL((await browser.ask(authorizePath(client, { prompt: 'none' }))).at).searchParams.get('error'),
    'consent_required');
  const page = await browser.ask(authorizePath(client));
  assert.equal(page.status, 200);
  assert.match(page.text, /Somebody &lt;b&gt;else&lt;\/b&gt;/);
  assert.match(page.text, /Know who you are.*<code>openid<\/code>/);
  assert.match(page.text, /<code>API<\/code>/);
  const no = leaves(await browser.send(page, { decision: 'deny' }));
  assert.equal(no.searchParams.get('error'), 'access_denied');
  assert.equal(no.searchParams.get('state'), 's&1');
  assert.equal(no.searchParams.get('iss'), grid.url);
  assert.equal((await browser.ask(authorizePath(client))).status, 200, 'a no is not remembered');
  const yes = leaves(await browser.send(page, { decision: 'allow' }));
  assert.ok(yes.searchParams.get('code'));
  const again = await browser.ask(authorizePath(client, { scope: 'openid' }));
  assert.ok(new URL(again.at).searchParams.get('code'), 'less than before is not asked for');
  assert.equal((await browser.ask(authorizePath(client, { scope: 'openid API profile' }))).status, 200, 'more is');
  assert.equal((await browser.ask(authorizePath(client, { prompt: 'consent' }))).status, 200);
  assert.match((await browser.ask(authorizePath(client, { prompt: 'login consent' }))).at,
    /prompt%3Dconsent/, 'after the log-in it still asks');
});

test('a client cannot answer for the person, and another page cannot either', async () => {
  const client = `pushy-${run}`;
  newClient(client, '--grant', 'authorization_code', '--scope', 'openid', '--redirect-uri', back);
  const browser = new Browser();
  await browser.logIn(newUser());
  const page = await browser.ask(authorizePath(client, { scope: 'openid', decision: 'allow', csrf: 'x' }));
  assert.equal(page.status, 200);
  assert.ok(!('decision' in hidden(page.text)));
  assert.equal((await browser.send(page, { decision: 'allow', csrf: 'x'.repeat(43) })).status, 403);
  const evil = await browser.ask('/connect/consent', {
    form: { ...hidden(page.text), decision: 'allow' }, headers: { 'sec-fetch-site': 'cross-site' },
  });
  assert.equal(evil.status, 403);
  const changed = await browser.send(page, { decision: 'allow', redirect_uri: 'https://evil.test/' });
  assert.equal(changed.status, 400);
  assert.equal(changed.at, undefined);
  assert.equal(leaves(await browser.send(page, {})).searchParams.get('error'), 'access_denied');
});

test('asvs 10.4.9: a person disconnects an application, whose tokens die', async () => {
  const client = `app-${run}`;
  const secret = newClient(client, '--grant', 'authorization_code', '--grant', 'refresh_token',
    '--scope', 'openid', '--scope', 'offline_access', '--redirect-uri', back);
  const browser = new Browser();
  await browser.logIn(newUser());
  const verifier = crypto.randomBytes(32).toString('base64url');
  const page = await browser.ask(authorizePath(client, {
    scope: 'openid offline_access',
    code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url'),
  }));
  const code = leaves(await browser.send(page, { decision: 'allow' })).searchParams.get('code');
  const tokens = await grid.request('/connect/token', {
    form: {
      grant_type: 'authorization_code', code, redirect_uri: back, code_verifier: verifier,
      client_id: client, client_secret: secret,
    },
  });
  assert.equal(tokens.status, 200, tokens.text);
  assert.equal((await grid.request('/connect/userinfo', { token: tokens.json.access_token })).status, 200);
  const account = await browser.ask('/account');
  assert.match(account.text, new RegExp(`<code>${client}</code>`));
  const csrf = /name="csrf" value="([^"]+)"/.exec(account.text)[1];
  const done = await browser.ask('/account/applications/revoke', { form: { csrf, client_id: client } });
  assert.equal(done.at, '/account?done=3');
  assert.ok(!(await browser.ask('/account')).text.includes(client));
  const refresh = await grid.request('/connect/token', {
    form: {
      grant_type: 'refresh_token', refresh_token: tokens.json.refresh_token,
      client_id: client, client_secret: secret,
    },
  });
  assert.equal(refresh.json.error, 'invalid_grant');
  await until(async () =>
    (await grid.request('/connect/userinfo', { token: tokens.json.access_token })).status === 401);
  assert.equal((await browser.ask(authorizePath(client, { scope: 'openid' }))).status, 200, 'it asks again');
});

// --- devices --------------------------------------------------------------------------------

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';

async function startDevice(client, extra = {}) {
  return grid.request('/connect/deviceauthorization',
    { form: { client_id: client, scope: 'openid API', ...extra } });
}

function newDeviceClient() {
  const id = `device-${run}-${++count}`;
  grid.ctl('client', 'add', id, '--public', '--name', 'Panel 7', '--grant', deviceGrant,
    '--scope', 'openid', '--scope', 'API');
  return id;
}

test('a device gets a code, a person sees who asks and decides', async () => {
  const client = newDeviceClient();
  const started = await startDevice(client);
  assert.equal(started.status, 200, started.text);
  assert.match(started.headers['cache-control'], /no-store/);
  const { user_code: code, device_code: device, ...rest } = started.json;
  assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  assert.ok(Buffer.from(device, 'base64url').length >= 16);
  assert.deepEqual(rest, {
    verification_uri: `${grid.url}/device`, verification_uri_complete: `${grid.url}/device?user_code=${code}`,
    expires_in: 600, interval: 5,
  });
  const browser = new Browser();
  const user = newUser();
  assert.equal((await browser.ask(`/device?user_code=${code}`)).at,
    `/login?next=%2Fdevice%3Fuser_code%3D${code}`);
  await browser.logIn(user);
  const entry = await browser.ask(`/device?user_code=${code}`);
  assert.match(entry.text, new RegExp(`value="${code}"`));
  assert.equal(grid.sql(`SELECT count(*) FROM device_code WHERE state = 'pending'
    AND client_id = (SELECT id FROM client WHERE client_id = '${client}')`)[0][0], '1', 'a GET decides nothing');
  const question = await browser.send(entry, { user_code: code.toLowerCase().replace('-', ' ') });
  assert.match(question.text, /Panel 7/);
  assert.match(question.text, /only if you started this/);
  assert.match(question.text, /<code>API<\/code>/);
  const done = await browser.send(question, { decision: 'allow' });
  assert.match(done.text, /is connected/);
  const again = await browser.send(entry, { user_code: code });
  assert.equal(again.status, 400);
});

/** fetch with the grid's authority, as openid-client wants it. */
async function fetchGrid(url, options = {}) {
  const headers = Object.fromEntries(new Headers(options.headers).entries());
  const reply = await grid.request(String(url), { method: options.method, headers, body: options.body?.toString() });
  return new Response(reply.body, {
    status: reply.status,
    headers: Object.entries(reply.headers).flatMap(([name, value]) => [value].flat().map((one) => [name, one])),
  });
}

async function decide(code, decision, user = newUser()) {
  const browser = new Browser();
  await browser.logIn(user);
  const question = await browser.send(await browser.ask('/device'), { user_code: code });
  assert.equal(question.status, 200, question.text);
  assert.equal((await browser.send(question, { decision })).status, 200);
  return browser;
}

test('openid-client runs the device flow while a person decides', async () => {
  const oidc = await import('openid-client');
  const client = newDeviceClient();
  const user = newUser();
  const config = await oidc.discovery(new URL(grid.url), client, undefined, oidc.None(),
    { [oidc.customFetch]: fetchGrid });
  const started = await oidc.initiateDeviceAuthorization(config, { scope: 'openid API' });
  const polling = oidc.pollDeviceAuthorizationGrant(config, { ...started, interval: 6 });
  const browser = await decide(started.user_code, 'allow', user);
  const tokens = await polling;
  const [[uuid]] = grid.sql(`SELECT uuid FROM account WHERE name = '${user.name}'`);
  assert.equal(tokens.claims().sub, uuid);
  assert.deepEqual(tokens.claims().amr, ['pwd']);
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, uuid)).sub, uuid);
  // It is a grant of its own: the browser's log-out leaves the panel working.
  await browser.send(await browser.ask('/logout'), {});
  assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, uuid)).sub, uuid);
  const again = await poll(client, started.device_code);
  assert.equal(again.json.error, 'invalid_grant');
  grid.ctl('user', 'disable', user.name);
  await until(async () => (await grid.request('/connect/userinfo', { token: tokens.access_token })).status === 401);
});

function poll(client, code) {
  return grid.request('/connect/token',
    { form: { grant_type: deviceGrant, client_id: client, device_code: code } });
}

test('a device that polls hears pending, slow_down for good, access_denied and expired_token', async () => {
  const client = newDeviceClient();
  const says = async (code, error) => {
    const reply = await poll(client, code);
    assert.equal(reply.status, 400);
    assert.equal(reply.json.error, error, reply.text);
  };
  const { device_code: code, user_code: typed } = (await startDevice(client)).json;
  const pass = (seconds) => grid.sql(`UPDATE device_code SET polled_at = polled_at - interval '${seconds} s'`);
  await says(code, 'authorization_pending');
  await says(code, 'slow_down');
  pass(6); // five more from now on
  await says(code, 'slow_down');
  pass(30);
  await says(code, 'authorization_pending');
  assert.equal((await poll(newDeviceClient(), code)).json.error, 'invalid_grant', 'of another client');
  await decide(typed, 'deny');
  pass(30);
  await says(code, 'access_denied');
  const late = (await startDevice(client)).json;
  grid.sql('UPDATE device_code SET expires_at = now()');
  await says(late.device_code, 'expired_token');
  const browser = new Browser();
  await browser.logIn(newUser());
  assert.equal((await browser.send(await browser.ask('/device'), { user_code: late.user_code })).status, 400);
});

test('deviceauthorization refuses what it must', async () => {
  const client = newDeviceClient();
  const refused = async (reply, error, status = 400) => {
    assert.equal(reply.status, status, reply.text);
    assert.equal(reply.json.error, error);
  };
  refused(await startDevice(client, { scope: 'openid hub' }), 'invalid_scope');
  refused(await startDevice(client, { scope: 'openid profile' }), 'invalid_scope');
  refused(await startDevice('nobody'), 'invalid_client', 401);
  refused(await grid.request('/connect/deviceauthorization', { body: { client_id: client } }), 'invalid_request');
  const other = `nodevice-${run}`;
  newClient(other, '--public', '--grant', 'authorization_code', '--scope', 'openid', '--redirect-uri', back);
  refused(await startDevice(other, { scope: 'openid' }), 'unauthorized_client');
  assert.equal((await grid.request('/connect/deviceauthorization')).status, 405);
});

test('five wrong codes of a device, then everybody at this address waits', async () => {
  const browser = new Browser();
  await browser.logIn(newUser());
  const page = await browser.ask('/device');
  for (let i = 0; i < 5; i++)
    assert.equal((await browser.send(page, { user_code: 'BBBB-BBBB' })).status, 400);
  const reply = await browser.send(page, { user_code: 'BBBB-BBBB' });
  assert.equal(reply.status, 429);
  assert.ok(Number(reply.headers['retry-after']) > 0);
  const code = (await startDevice(newDeviceClient())).json.user_code;
  assert.equal((await browser.send(page, { user_code: code })).status, 429, 'the right one as well');
  const same = new Browser(browser.from);
  await same.logIn(newUser());
  assert.equal((await same.send(await same.ask('/device'), { user_code: code })).status, 429, 'another session');
  const elsewhere = new Browser();
  await elsewhere.logIn(newUser());
  assert.match((await elsewhere.send(await elsewhere.ask('/device'), { user_code: code })).text, /Panel 7/);
});
