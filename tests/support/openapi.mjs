// openapi: hold an answer against the OpenAPI document.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import Ajv2020 from 'ajv/dist/2020.js';
import { top } from './grid.mjs';

export const document = JSON.parse(fs.readFileSync(path.join(top, 'fcgi/openapi.json'), 'utf8'));

/** The part of the document that a local reference names. */
export function resolve(node) {
  while (node?.$ref)
    node = node.$ref.slice(2).split('/').reduce((at, key) => at[key], document);
  return node;
}

// "{name}" is one segment, but a variable's name is all that is left.
function pattern(template) {
  const escaped = template.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\{name\}$/, '.+').replace(/\{[^}]+\}/g, '[^/]+')}$`);
}

const templates = Object.keys(document.paths)
  .map((template) => ({ template, regex: pattern(template) }))
  .sort((a, b) => a.template.split('{').length - b.template.split('{').length);

/** Returns check(method, target, reply), which throws when they differ. */
export function checker() {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const compiled = new Map();
  ajv.addSchema({ $id: 'api:', ...document });

  const validator = (pointer) => {
    if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile({ $ref: `api:#${pointer}` }));
    return compiled.get(pointer);
  };
  const escape = (key) => key.replaceAll('~', '~0').replaceAll('/', '~1');

  return (method, target, reply) => {
    const where = new URL(target, 'https://x').pathname.replace(/^\/iiot-api/, '');
    const found = templates.find(({ regex }) => regex.test(where));
    assert.ok(found, `${where} is not in the document`);
    const operation = document.paths[found.template][method.toLowerCase()];
    assert.ok(operation, `${method} ${found.template} is not in the document`);
    const response = operation.responses[reply.status];
    assert.ok(response, `${method} ${found.template} does not document status ${reply.status}: ${reply.text.slice(0, 200)}`);
    const type = (reply.headers['content-type'] ?? '').split(';')[0];
    const { content } = resolve(response);
    if (!content) return;
    assert.ok(content[type], `${found.template} answers ${type}`);
    if (type !== 'application/json') return;
    const pointer = response.$ref
      ? `${response.$ref.slice(1)}/content/application~1json/schema`
      : `/paths/${escape(found.template)}/${method.toLowerCase()}/responses/${reply.status}/content/application~1json/schema`;
    const validate = validator(encodeURI(pointer));
    assert.ok(validate(reply.json), `${method} ${found.template}: ${ajv.errorsText(validate.errors)}`);
  };
}
