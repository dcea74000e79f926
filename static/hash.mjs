// hash: copy the static files to their served names. Each name gets a hash of
// its content, so that a browser may keep it for ever; references between the
// files are rewritten, and manifest.json maps plain names to served ones.
//
//   node hash.mjs --source static --vendor node_vendor --out static/dist

import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const FOLDERS = ['js', 'css', 'symbols'];
// `from './x.js'`, `import './x.js'`, `import('./x.js')`
const IMPORT = /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(\.{1,2}\/[^'"]+)\2/g;
const URL = /(url\()(['"]?)(?!data:|#|\/)([^'")]+)\2(?=\))/g;

function filesBelow(folder) {
	if (!existsSync(folder))
		return [];
	return readdirSync(folder).sort().flatMap((name) => {
		const path = join(folder, name);

		return statSync(path).isDirectory() ? filesBelow(path) : [path];
	});
}

// Map plain name -> content of everything that is served.
export function collect(source, vendor) {
	const files = new Map();
	const add = (path, root, prefix) =>
		files.set(prefix + relative(root, path).split(sep).join('/'), readFileSync(path));

	for (const folder of FOLDERS)
		filesBelow(join(source, folder)).forEach((path) => add(path, source, ''));
	if (vendor)
		filesBelow(vendor)
			.filter((path) => relative(vendor, path).split(sep)[0] !== 'data') // for programs
			.forEach((path) => add(path, vendor, 'vendor/'));
	return files;
}

function pattern(name) {
	if (name.startsWith('vendor/'))
		return null; // shipped as it came
	return name.endsWith('.js') ? IMPORT : name.endsWith('.css') ? URL : null;
}

function hashed(name, content) {
	const hash = createHash('sha256').update(content).digest('hex').slice(0, 10);
	const extension = posix.extname(name);

	return `${name.slice(0, name.length - extension.length)}.${hash}${extension}`;
}

// Map plain name -> {served, content}; a file is named after what it refers to.
export function serve(files) {
	const done = new Map();
	const open = new Set();

	const resolve = (from, target) => {
		const name = posix.join(posix.dirname(from), target);

		if (!files.has(name))
			throw new Error(`${from} refers to ${target}, which is not there`);
		const served = visit(name).served;
		const path = posix.relative(posix.dirname(from), served);

		return path.startsWith('.') ? path : `./${path}`;
	};
	const visit = (name) => {
		if (done.has(name))
			return done.get(name);
		if (open.has(name))
			throw new Error(`${name} imports itself in a circle`);
		open.add(name);
		let content = files.get(name);
		const references = pattern(name);

		if (references !== null)
			content = Buffer.from(content.toString('utf8').replace(references,
				(_, before, quote, target) => `${before}${quote}${resolve(name, target)}${quote}`));
		const entry = { served: hashed(name, content), content };

		open.delete(name);
		done.set(name, entry);
		return entry;
	};

	for (const name of files.keys())
		visit(name);
	return done;
}

function write(folder, served) {
	const manifest = {};

	for (const [name, entry] of served) {
		const path = join(folder, entry.served);

		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, entry.content);
		manifest[name] = `/static/${entry.served}`;
	}
	writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, '\t')}\n`);
}

// Files of an earlier build stay a while: open pages may still ask for them.
function keepOld(out, next) {
	if (existsSync(out))
		cpSync(out, next, { recursive: true, force: false, filter: (path) => !path.endsWith('manifest.json') });
}

function main() {
	const { values } = parseArgs({ options: {
		source: { type: 'string' }, vendor: { type: 'string' }, out: { type: 'string' },
		'keep-old': { type: 'boolean', default: false },
	} });

	if (!values.source || !values.out) {
		console.error('usage: hash.mjs --source DIR [--vendor DIR] --out DIR [--keep-old]');
		process.exit(2);
	}
	const served = serve(collect(values.source, values.vendor));
	const next = `${values.out}.new`;

	rmSync(next, { recursive: true, force: true });
	mkdirSync(next, { recursive: true });
	write(next, served);
	if (values['keep-old'])
		keepOld(values.out, next);
	rmSync(values.out, { recursive: true, force: true });
	renameSync(next, values.out);
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href)
	main();
