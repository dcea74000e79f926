// The OpenAPI document and the route tables of the programs say the same.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { build } from '../support/grid.mjs';
import { document, resolve } from '../support/openapi.mjs';

const programs = ['fieldgrid-api', 'fieldgrid-controller', 'fieldgrid-hub', 'fieldgrid-identity'];
// Pages for people: they are no part of the API.
const pages = [/^\/login(\/|$)/, /^\/logout$/, /^\/account(\/|$)/, /^\/signin-/, /^\/device$/, /^\/connect\/consent$/, /^\/\.fieldgrid\//, /^\/$/];
// Answered by the hub's live thread, which has no route table.
const unrouted = ['GET /live/{id}'];

function routes(program) {
  const text = execFileSync(path.join(build, program), ['--routes'], { encoding: 'utf8' });
  return text.trim().split('\n').map((line) => line.split(/\s+/))
    .map(([method, pattern]) => ({ method, pattern: pattern.replace('...}', '}'), program }));
}

function operations() {
  return Object.entries(document.paths).flatMap(([template, item]) =>
    Object.entries(item).map(([method, operation]) => ({ key: `${method.toUpperCase()} ${template}`, template, operation })));
}

test('every route is in the document', () => {
  const documented = new Set(operations().map(({ key }) => key));
  for (const { method, pattern, program } of programs.flatMap(routes))
    if (!(program === 'fieldgrid-identity' && pages.some((page) => page.test(pattern))))
      assert.ok(documented.has(`${method} ${pattern}`), `${program}: ${method} ${pattern} is missing in fcgi/openapi.json`);
});

test('everything in the document has a route', () => {
  const known = new Set(programs.flatMap(routes).map(({ method, pattern }) => `${method} ${pattern}`));
  for (const { key } of operations())
    assert.ok(known.has(key) || unrouted.includes(key), `no program has ${key}`);
});

test('the document is complete in itself', () => {
  const names = new Set();
  JSON.stringify(document, (key, value) => {
    if (key === '$ref') assert.ok(resolve({ $ref: value }), value);
    return value;
  });
  for (const { key, template, operation } of operations()) {
    assert.ok(operation.summary && operation.operationId && operation.tags.length === 1, key);
    assert.ok(!names.has(operation.operationId), operation.operationId);
    names.add(operation.operationId);
    assert.ok(document.tags.some(({ name }) => name === operation.tags[0]), key);
    const given = (operation.parameters ?? []).map(resolve).filter((item) => item.in === 'path').map(({ name }) => name);
    assert.deepEqual([...template.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name), given, key);
    assert.ok(Object.keys(operation.responses).length > 0, key);
  }
});
