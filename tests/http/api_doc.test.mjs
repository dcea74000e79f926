// doc/API.md is true: its calls are run in order, and each answer has the
// shape of the example that follows.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Agent } from '../support/agent.mjs';
import { openGrid, top, until } from '../support/grid.mjs';
import { Plant } from '../support/plant.mjs';

const START = Date.parse('2026-03-01T12:00:00Z');
const MARK = '\n#### next block ####\n';
const text = fs.readFileSync(path.join(top, 'doc/API.md'), 'utf8');

const alarm = randomUUID();
let grid;
let plant;
let agent; // of the same plant: what can be written

before(async () => {
  grid = await openGrid();
  plant = new Plant(grid, 'Documented');
  await plant.announce([{ name: 'pump/power', type: 'float', unit: 'kW', decimals: 1 }]);
  await plant.send({
    'pump/power': Array.from({ length: 600 }, (_, second) => [START + second * 1000, 7.5]),
  }, [{ time: START, kind: 'Note', text: 'started' }], {
    alarms: [{
      id: alarm, variable: 'pump/power', limit: 'high', kind: 'came', time: START + 300_000, came: START + 300_000,
      reactivations: 0, value: 7.5, text: 'Power 7.5 kW',
    }],
  });
  await plant.beat();
  agent = new Agent(grid, 'writer', {
    node: { id: plant.id, node: grid.enrol(`writer-${plant.id.slice(0, 8)}`, plant.id) },
    driver: 'file', variables: 'name,address,type,unit,decimals,access\npump/limit,limit,float,kW,1,read_write\n',
    options: 'folder = .',
  });
  agent.write('limit', '20\n');
  agent.start();
  await until(() => agent.log.includes('stream is open') && agent.log.includes('connected'), { what: 'the agent' });
  grid.ctl('archive', 'add', plant.id, 'RAW', 'Raw values', '--variables', '*');
  grid.ctl('archive', 'add', plant.id, 'M1', 'Minutes', '--parent', 'RAW', '--calculation', 'average', '--cycle', 60);
});
after(async () => {
  await agent?.close();
  agent?.node.close();
  plant?.close();
  await grid?.close();
});

/** The fenced blocks that run or show an answer: [{ language, code }]. */
function blocks() {
  return [...text.matchAll(/^```(sh|json|text)\n(.*?)^```$/gms)].map(([, language, code]) => ({ language, code }));
}

function kind(value) {
  return Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value;
}

/** Everything the example has is there, of the same kind; null may be either. */
function sameShape(example, answer, where) {
  if (example === null || answer === null) return;
  assert.equal(kind(answer), kind(example), where);
  if (kind(example) === 'list' && example.length > 0) {
    assert.ok(answer.length > 0, `${where} is empty`);
    sameShape(example[0], answer[0], `${where}[0]`);
  } else if (kind(example) === 'object') {
    assert.deepEqual(Object.keys(answer).sort(), Object.keys(example).sort(), where);
    for (const key of Object.keys(example)) sameShape(example[key], answer[key], `${where}.${key}`);
  }
}

test('every call in doc/API.md gives what it shows', () => {
  const id = `documented-${plant.id.slice(0, 8)}`;
  const made = grid.ctl('client', 'add', id, '--grant', 'client_credentials', '--scope', 'iiotServicesAPI');
  grid.ctl('policy', 'grant', 'client', id, 'ReadAll,AcknowledgeAlarms,WriteVariables', '--datasource', plant.id);

  const all = blocks();
  const script = all.filter(({ language }) => language === 'sh').map(({ code }) => code);
  const out = execFileSync('bash', ['-euo', 'pipefail', '-c', script.join(`printf %s '${MARK}'\n`)], {
    encoding: 'utf8',
    timeout: 60_000,
    env: {
      ...process.env,
      GRID: grid.url,
      HUB: grid.nodeUrl,
      CA: grid.caFile,
      CLIENT: id,
      SECRET: /client_secret: (\S+)/.exec(made)[1],
      DS: plant.id,
      ALARM: alarm,
      NODE: plant.node.folder,
      SPOOL: plant.spool,
    },
  }).split(MARK);
  assert.equal(out.length, script.length);

  let place = -1;
  for (const { language, code } of all) {
    if (language === 'sh') place++;
    else if (language === 'json') sameShape(JSON.parse(code), JSON.parse(out[place]), script[place]);
    else assert.ok(out[place].includes(code.trim()), `${script[place]}: ${out[place]}`);
  }
});

test('every endpoint of the OpenAPI document is on the page', () => {
  const document = JSON.parse(fs.readFileSync(path.join(top, 'fcgi/openapi.json'), 'utf8'));
  const shown = text.replaceAll('$DS', '{ds}').replaceAll('$ALARM', '{id}').replaceAll(/archives\/(RAW|M1|none)/g, 'archives/{arc}');
  for (const template of Object.keys(document.paths)) {
    if (/^\/(connect|\.well-known|live|api\/docs)/.test(template)) continue;
    const plain = template.replace('/variables/{name}', '/variables/pump/power');
    assert.ok(shown.includes(plain), `${template} is not in doc/API.md`);
  }
});
