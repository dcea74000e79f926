import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from '../../static/hash.mjs';

const files = (entries) => new Map(Object.entries(entries).map(([name, text]) => [name, Buffer.from(text)]));

test('imports point to the hashed names', () => {
	const served = serve(files({ 'js/a.js': "import { b } from './b.js';\nimport './c.js';", 'js/b.js': 'export const b = 1;',
		'js/c.js': '' }));
	const name = (plain) => served.get(plain).served.replace('js/', './');

	assert.match(served.get('js/b.js').served, /^js\/b\.[0-9a-f]{10}\.js$/);
	assert.equal(served.get('js/a.js').content.toString(),
		`import { b } from '${name('js/b.js')}';\nimport '${name('js/c.js')}';`);
});

test('a change reaches the names of all that use it', () => {
	const before = serve(files({ 'js/a.js': "import './b.js';", 'js/b.js': '1' }));
	const after = serve(files({ 'js/a.js': "import './b.js';", 'js/b.js': '2' }));

	assert.notEqual(before.get('js/a.js').served, after.get('js/a.js').served);
});

test('what is not there and circles are refused', () => {
	assert.throws(() => serve(files({ 'js/a.js': "import './b.js';" })), /not there/);
	assert.throws(() => serve(files({ 'js/a.js': "import './b.js';", 'js/b.js': "import './a.js';" })), /circle/);
});

test('the program writes a folder with a manifest', () => {
	const folder = mkdtempSync(join(tmpdir(), 'fieldgrid-hash-'));

	mkdirSync(join(folder, 'source/css'), { recursive: true });
	mkdirSync(join(folder, 'source/symbols'));
	writeFileSync(join(folder, 'source/css/a.css'), 'a { background: url(../symbols/x.svg); }');
	writeFileSync(join(folder, 'source/symbols/x.svg'), '<svg/>');
	execFileSync(process.execPath, [fileURLToPath(new URL('../../static/hash.mjs', import.meta.url)),
		'--source', join(folder, 'source'), '--out', join(folder, 'out')]);
	const manifest = JSON.parse(readFileSync(join(folder, 'out/manifest.json'), 'utf8'));
	const css = readFileSync(join(folder, 'out', manifest['css/a.css'].replace('/static/', '')), 'utf8');

	assert.match(css, /url\(\.\.\/symbols\/x\.[0-9a-f]{10}\.svg\)/);
	rmSync(folder, { recursive: true });
});
