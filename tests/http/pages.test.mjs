// The pages of fieldgrid-web as HTML: who sees what, and what they say when
// there is nothing to see.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openGrid } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">'
  + '<text x="1" y="5" data-fg-text="a/power">–</text></svg>';

let grid;
let plant;
let admin;
let operator;
let folder;

/** A user with a password of its own, logged in; returns the cookie. */
async function user(name, ...grants) {
  const password = 'correct horse battery';
  const file = path.join(folder, name);
  fs.writeFileSync(file, `${password}\n`, { mode: 0o600 });
  grid.ctl('user', 'add', name, '--password-file', file);
  for (const grant of grants) grid.ctl('policy', 'grant', 'user', name, ...grant);
  return grid.logIn({ name, password });
}

before(async () => {
  grid = await openGrid();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fieldgrid-pages-'));
  plant = new Plant(grid, 'Pages & <more>');
  await plant.announce([
    { name: 'a/power', type: 'float', unit: 'kW', decimals: 1, description: 'Power "of" <all>' },
    { name: 'a/secret', type: 'float', unit: 'kW' },
    { name: 'a/off', type: 'bool', access: 'none' },
    { name: 'b/x', type: 'string' },
  ]);
  const file = path.join(folder, 'screen.svg');
  fs.writeFileSync(file, SVG);
  grid.ctl('screen', 'import', plant.id, 'site', file, '--title', 'The <site>');
  admin = await grid.logIn();
  operator = await user(`operator-${plant.id.slice(0, 8)}`,
    ['ReadAll', '--datasource', plant.id, '--variables', 'a/*'],
    ['ReadAll', '--datasource', plant.id, '--variables', 'a/secret', '--deny']);
});
after(async () => {
  plant?.close();
  fs.rmSync(folder, { recursive: true, force: true });
  await grid?.close();
});

const get = (target, cookie = admin) => grid.request(target, { cookie });
const variables = (html) => [...html.matchAll(/<tr data-fg-var="([^"]*)"/g)].map(([, name]) => name);

test('without a session every page leads to the login page and back', async () => {
  for (const target of ['/', '/trend?v=x', `/plants/${plant.id}`, `/plants/${plant.id}/screens/site`]) {
    const reply = await grid.request(target);
    assert.equal(reply.status, 303, target);
    assert.equal(reply.headers.location, `/login?next=${encodeURIComponent(target)}`);
  }
});

test('pages are HTML that nobody keeps', async () => {
  for (const target of ['/', '/trend', `/plants/${plant.id}`, `/plants/${plant.id}/screens/site`,
    `/plants/${plant.id}/alarms`, `/plants/${plant.id}/alarms/figures`, `/plants/${plant.id}/events`, '/nothing']) {
    const reply = await get(target);
    assert.match(reply.headers['content-type'], /^text\/html; ?charset=utf-8/i, target);
    assert.equal(reply.headers['cache-control'], 'no-store', target);
    assert.match(reply.text, /^<!DOCTYPE html>/, target);
    assert.doesNotMatch(reply.text, /\son[a-z]+=|\sstyle=|<style|<script>/, target);
  }
});

test('assets have hashed names, are there and may be kept for ever', async () => {
  const targets = new Set();
  for (const page of ['/', '/trend', `/plants/${plant.id}/screens/site`])
    for (const [, target] of (await get(page)).text.matchAll(/(?:src|href)="(\/static\/[^"]+)"/g)) targets.add(target);
  assert.ok(targets.size >= 8, [...targets].join(' '));
  for (const target of targets) {
    const reply = await grid.request(target);
    assert.match(target, /\.[0-9a-f]{8,}\.(js|css|svg)$/);
    assert.equal(reply.status, 200, target);
    assert.match(reply.headers['cache-control'], /max-age=31536000.*immutable/, target);
  }
});

test('an administrator sees all variables but those that are closed', async () => {
  const { status, text } = await get(`/plants/${plant.id}`);
  assert.equal(status, 200);
  assert.deepEqual(variables(text), ['a/power', 'a/secret', 'b/x']);
  assert.match(text, /Power &quot;of&quot; &lt;all&gt;/);
  assert.match(text, /Pages &amp; &lt;more&gt;/);
});

test('a user sees what the policy allows and nothing of the rest', async () => {
  const { text } = await get(`/plants/${plant.id}`, operator);
  assert.deepEqual(variables(text), ['a/power']);
  assert.doesNotMatch(text, /secret|a\/off|b\/x/);

  const overview = (await get('/', operator)).text;
  assert.deepEqual([...overview.matchAll(/data-fg-plant="([^"]*)"/g)].map(([, id]) => id), [plant.id]);
  assert.doesNotMatch(overview, /secret/);
});

test('a user without rights is told so, and finds no plant', async () => {
  const cookie = await user(`nobody-${plant.id.slice(0, 8)}`);
  const overview = await get('/', cookie);
  assert.equal(overview.status, 200);
  assert.match(overview.text, /You have no right to read the values of any plant/);
  assert.doesNotMatch(overview.text, new RegExp(plant.id));
  for (const target of [`/plants/${plant.id}`, `/plants/${plant.id}/screens/site`, `/plants/${plant.id}/screens`])
    assert.equal((await get(target, cookie)).status, 404, target);
});

test('a screen is in the page with its bindings', async () => {
  const { status, text } = await get(`/plants/${plant.id}/screens/site`, operator);
  assert.equal(status, 200);
  assert.match(text, /<text x="1" y="5" data-fg-text="a\/power">–<\/text>/);
  assert.match(text, /<title>The &lt;site&gt; · Pages/);
  const first = await get(`/plants/${plant.id}/screens`, operator);
  assert.equal(first.status, 303);
  assert.equal(first.headers.location, `/plants/${plant.id}/screens/site`);
});

test('the screen of a variable is found, of what may not be read nothing is told', async () => {
  const screens = `/plants/${plant.id}/screens`;
  const to = async (name, cookie) => (await get(`${screens}?v=${encodeURIComponent(name)}`, cookie)).headers.location;
  assert.equal(await to('a/power', operator), `${screens}/site#v=a%2Fpower`);
  assert.equal(await to('b/x', admin), `${screens}/site#v=b%2Fx`, 'on no screen: the first, with its faceplate');
  for (const name of ['a/secret', 'b/x', 'none', '"><x'])
    assert.equal(await to(name, operator), `${screens}/site`, name);
});

test('a dangerous screen is refused with line and column', () => {
  const file = path.join(folder, 'bad.svg');
  fs.writeFileSync(file, '<svg xmlns="http://www.w3.org/2000/svg">\n <script>x</script></svg>');
  assert.throws(() => grid.ctl('screen', 'import', plant.id, 'bad', file),
    /bad\.svg:2:2: element is not allowed: script/);
});

test('faults are pages with a request id', async () => {
  for (const [target, status] of [['/nothing', 404], ['/plants/1', 404],
    [`/plants/${plant.id}/screens/none`, 404], [`/plants/${plant.id}?filter=%FF`, 400]]) {
    const reply = await get(target);
    assert.equal(reply.status, status, target);
    assert.match(reply.text, /data-page="fault"/, target);
    assert.match(reply.text, new RegExp(`<code>${reply.headers['x-request-id']}</code>`), target);
  }
  const post = await grid.request('/', { method: 'POST', cookie: admin, body: '' });
  assert.equal(post.status, 405);
  assert.match(post.headers.allow, /GET/);
});

test('the filter of the address is in the field, escaped', async () => {
  const { text } = await get(`/plants/${plant.id}?filter=%22%3E%3Cb%3E`);
  assert.match(text, /id="fg-filter"[^>]*value="&quot;&gt;&lt;b&gt;"/);
});
