// Every operation of the administration that the OpenAPI document names: closed
// to strangers and to users without the right, open to administrators, and with
// answers as documented.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import Ajv2020 from 'ajv/dist/2020.js';
import { openAdmin } from '../support/admin.mjs';
import { unaudited } from '../support/audited.mjs';
import { openGrid } from '../support/grid.mjs';
import { document, resolve } from '../support/openapi.mjs';

let grid;
let admin;
let person; // logged in, without any right
let reader; // a token that may read everything, and administer nothing

before(async () => {
  grid = await openGrid({ own: true }); // it turns keys and makes what examples say
  admin = await openAdmin(grid);
  person = await openAdmin(grid, grid.addUser('person'));
  reader = await grid.token({ actions: 'ReadAll' });
});
after(() => grid?.close());

/** [{ method, template, operation, target, body }] below a path. */
function operations(below) {
  return Object.entries(document.paths).filter(([template]) => template.startsWith(below)).flatMap(([template, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const content = operation.requestBody?.content ?? {};
      const [type] = Object.keys(content);
      return {
        key: `${method.toUpperCase()} ${template}`, method: method.toUpperCase(), template, operation, type,
        body: content[type]?.example, schema: content[type]?.schema, target: fill(template, operation),
      };
    }));
}

/** Names that nothing has, so that no operation finds what it could break. */
function fill(template, operation) {
  const query = (operation.parameters ?? []).map(resolve).filter((item) => item.in === 'query' && item.required)
    .map(({ name, example }) => `${name}=${encodeURIComponent(example ?? 'nothing')}`);
  const path = template.replace(/\{(\w+)\}/g, (whole, name) => {
    const { schema, example } = (operation.parameters ?? []).map(resolve).find((item) => item.name === name);
    return encodeURIComponent(example ?? schema.enum?.[0] ?? (schema.format === 'uuid' ? randomUUID() : 'no-such-thing'));
  });
  return query.length > 0 ? `${path}?${query.join('&')}` : path;
}

const all = operations('/api/v1/admin/');

test('there is something to test, and every body has an example that fits its schema', () => {
  assert.ok(all.length > 30, `${all.length} operations`);
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api:', ...document });
  for (const { key, type, body, schema } of all) {
    if (type !== 'application/json') continue;
    assert.ok(body !== undefined, `${key} has no example`);
    const whole = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api:#/'));
    assert.ok(ajv.validate(whole, body), `${key}: ${ajv.errorsText()}`);
  }
});

test('asvs 8.2.1: nobody administers without logging in: 401', async () => {
  for (const { key, method, target, body, operation } of all) {
    const reply = await grid.request(target, { method, body, headers: { origin: grid.url } });
    assert.equal(reply.status, 401, `${key}: ${reply.text}`);
    assert.match(reply.headers['www-authenticate'], /^Bearer realm=/, key);
    assert.ok(operation.responses[401], `${key} does not document 401`);
  }
});

// A plant that somebody may not see, or that is not there, is 404.
test('asvs 8.2.1: nobody administers without the right: 403', async () => {
  for (const { key, method, target, body, operation, template } of all) {
    const refused = template.includes('/datasources/{ds}/') ? 404 : 403;
    const reply = await person.call(method, target, body);
    assert.equal(reply.status, refused, `${key}: ${reply.text}`);
    assert.ok(operation.responses[403], `${key} does not document 403`);
    const read = await grid.request(target, { method, body, token: reader });
    assert.equal(read.status, refused, `${key} with a token that reads: ${read.text}`);
  }
  const places = ['/admin', '/admin/users', '/admin/audit'];
  for (const place of places)
    assert.equal((await grid.request(place, { cookie: person.cookie })).status, 403, place);
});

test('an administrator gets an answer as documented from every operation', async () => {
  for (const { key, method, target, body, template } of all) {
    const reply = await admin.call(method, target, body); // compares with the document
    assert.ok(![401, 403, 405, 415].includes(reply.status) && reply.status < 500, `${key}: ${reply.status} ${reply.text}`);
    if (method === 'GET' && !template.includes('{')) assert.equal(reply.status, 200, `${key}: ${reply.text}`);
    if (reply.status === 201) await tidy(key, reply);
    if (reply.status === 401) admin = await openAdmin(grid);
  }
});

/** What was made is where Location says, and can be removed again. */
async function tidy(key, reply) {
  const place = reply.headers.location;
  assert.match(place ?? '', /^\/api\/v1\/admin\//, `${key} has no Location`);
  const found = await admin.call('GET', place);
  assert.equal(found.status, 200, `${key}: ${place}: ${found.text}`);
  const made = Object.keys(document.paths).find((template) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(place) && document.paths[template].delete);
  if (made) assert.equal((await admin.call('DELETE', place)).status, 204, `DELETE ${place}`);
}

test('every list of the administration has limit, after and sort, and pages', async () => {
  const lists = all.filter(({ method, template, operation }) => method === 'GET' && !template.includes('{') &&
    (operation.parameters ?? []).map(resolve).some(({ name }) => name === 'after'));
  assert.ok(lists.length >= 6, lists.map(({ key }) => key).join());
  for (const { key, target, operation } of lists) {
    const names = operation.parameters.map((item) => resolve(item).name);
    for (const name of ['limit', 'after', 'sort']) assert.ok(names.includes(name), `${key} has no ${name}`);
    for (const wrong of ['limit=0', 'after=x', 'sort=nothing', 'nothing=1'])
      assert.equal((await admin.call('GET', `${target}?${wrong}`)).status, 400, `${key}?${wrong}`);
    const sorts = operation.parameters.map(resolve).find(({ name }) => name === 'sort').schema.enum;
    for (const sort of sorts) {
      const whole = await admin.get(`${target}?limit=500&sort=${sort}`);
      const paged = [];
      for (let after = ''; after !== null && paged.length < 20;) {
        const page = await admin.get(`${target}?limit=3&sort=${sort}${after && `&after=${after}`}`);
        paged.push(...page.items);
        after = page.next;
      }
      const id = (item) => item.id ?? item.name ?? item.kid ?? item.clientId;
      if (!target.includes('audit')) // it grows as we read
        assert.deepEqual(paged.map(id), whole.items.slice(0, paged.length).map(id), `${key} sorted by ${sort}`);
    }
  }
});

test('asvs 16.3.3: every change that was made here is in the audit', () => {
  assert.deepEqual(unaudited(grid.state), []);
});
