// admin_item: one thing of the administration: its facts, a form to change it,
// what can be done with it, and what belongs to it; and the form for a new one.

import { showOnce } from './admin_action.js';
import { makeForm } from './admin_form.js';
import { makeButtons, makeTable } from './admin_list.js';
import { fill, setHeading, showValue } from './admin_value.js';
import { getJson, sendJson } from './http.js';
import { make } from './page.js';

const keyOf = (noun, item) => item[noun.key ?? 'name'];

function backLink(noun) {
	return make('p', { class: 'fg-back' }, make('a', { href: location.pathname }, `All ${noun.title.toLowerCase()}`));
}

function makeFacts(noun, item) {
	return make('dl', { class: 'fg-facts fg-panel' }, ...(noun.facts ?? noun.columns).flatMap((fact) => [
		make('dt', {}, fact.label), make('dd', {}, showValue({ ...fact, kind: fact.kind === 'link' ? 'text' : fact.kind }, item))]));
}

function section(title, ...content) {
	return make('section', { class: 'fg-panel', 'aria-label': title }, make('h2', {}, title), ...content);
}

async function makeChange(noun, item, again) {
	const { fields, body: shape, path = `${noun.path}/{${noun.key ?? 'name'}}` } = noun.change;

	return section('Change', await makeForm({
		fields, values: item, change: true, button: 'Save',
		async send(body) {
			if (Object.keys(body).length === 0)
				return 'Nothing was changed.';
			await sendJson('PATCH', fill(path, item), shape ? shape(body) : body);
			await again();
			return 'Saved.';
		},
	}));
}

function makeActions(noun, item, again) {
	return section('Actions', make('p', { class: 'fg-actions' }, ...makeButtons(noun.actions, item, again)));
}

// What belongs to the item: a table, actions on its rows, a form to add one.
async function makePart(part, item, again) {
	const answer = part.items ? { items: part.items(item) } : await getJson(fill(part.path, item));
	const rows = (answer.items ?? []).map((row) => ({ ...row, of: keyOf(part.noun ?? {}, item), ...part.carry?.(item) }));
	const form = part.add && await makeForm({
		fields: part.add.fields, button: part.add.label, values: part.add.values?.(item, answer),
		async send(body) {
			const path = typeof part.add.path === 'function' ? part.add.path(item, body) : fill(part.add.path, item);
			const made = await sendJson(part.add.method ?? 'POST', path, part.add.body ? part.add.body(body) : body);

			await showOnce(part.title, part.add.secrets, made);
			await again();
		},
	});

	return section(part.title,
		rows.length > 0 ? makeTable(part, rows, new URLSearchParams(), again)
			: make('p', { class: 'fg-muted' }, part.empty ?? 'None.'),
		form ?? '');
}

// A part that cannot be read says so in its place; the others still stand.
async function tryPart(part, item, again) {
	try {
		return await makePart(part, item, again);
	} catch (error) {
		return section(part.title, make('p', { class: 'fg-note fg-note-bad', role: 'alert' }, error.message));
	}
}

export async function showItem(root, noun, key) {
	const head = root.querySelector('.fg-head');
	const place = make('div', { class: 'fg-admin-item' });
	const parts = (noun.parts ?? []).map((part) => ({ ...part, noun }));

	head.before(backLink(noun));
	root.append(place);
	const load = async () => {
		const item = noun.find ? await noun.find(key) : await getJson(`${noun.path}/${encodeURIComponent(key)}`);
		const again = () => load();
		const shown = parts.filter((part) => !part.when || part.when(item));

		item.of ??= keyOf(noun, item);
		place.replaceChildren(
			makeFacts(noun, item),
			noun.actions ? makeActions(noun, item, again) : '',
			noun.change && !noun.change.never?.(item) ? await makeChange(noun, item, again) : '',
			...await Promise.all(shown.map((part) => tryPart(part, item, again))));
	};

	await load();
	setHeading(noun.heading ? noun.heading(key) : key);
}

export async function showCreate(root, noun) {
	const { fields, label, secrets, once = (made) => made, body: shape } = noun.create;

	root.querySelector('.fg-head').before(backLink(noun));
	root.append(make('div', { class: 'fg-panel' }, await makeForm({
		fields, button: 'Create',
		async send(body) {
			const made = await sendJson('POST', noun.path, shape ? shape(body) : body);

			await showOnce(`${label}: ${keyOf(noun, made)}`, secrets, once(made));
			location.assign(`?item=${encodeURIComponent(keyOf(noun, made))}`);
		},
	})));
	setHeading(label);
	root.querySelector('input, select, textarea')?.focus();
}
