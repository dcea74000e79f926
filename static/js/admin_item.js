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
	const buttons = makeButtons(noun.actions ?? [], item, again);

	return buttons.length > 0 ? section('Actions', make('p', { class: 'fg-actions' }, ...buttons)) : '';
}

// A form that changes a row of a part, in "slot" until it is saved or given up.
async function changeRow(change, row, slot, again) {
	const cancel = make('button', { type: 'button', class: 'fg-button' }, 'Cancel');
	const form = await makeForm({
		fields: change.fields, values: change.values?.(row) ?? row, change: true, button: 'Save',
		async send(body) {
			await sendJson(change.method ?? 'PATCH', fill(change.path, row), change.body ? change.body(body) : body);
			await again();
		},
	});

	slot.querySelector('.fg-change')?.remove();
	slot.firstElementChild.hidden = true;
	slot.append(make('div', { class: 'fg-change' }, make('h3', {}, change.title(row)), form));
	cancel.addEventListener('click', () => {
		slot.querySelector('.fg-change').remove();
		slot.firstElementChild.hidden = false;
	});
	form.querySelector('.fg-actions button').after(cancel);
	form.querySelector('input, select, textarea').focus();
}

// What is added to a part; a longer form waits behind its name.
async function makeAdd(part, item, answer, again) {
	const { label, fields, values, method, path, body: shape, secrets } = part.add;
	const form = await makeForm({
		fields, button: label, values: values?.(item, answer),
		async send(body) {
			const to = typeof path === 'function' ? path(item, body) : fill(path, item);
			const made = await sendJson(method ?? 'POST', to, shape ? shape(body) : body);

			await showOnce(part.title, secrets, made);
			await again();
		},
	});

	return part.change ? make('details', { class: 'fg-explain' }, make('summary', {}, label), form) : form;
}

// What belongs to the item: a table, actions on its rows, a form to add one.
async function makePart(part, item, again) {
	if (part.node)
		return section(part.title, part.node(again));
	const answer = part.items ? { items: part.items(item) } : await getJson(fill(part.path, item));
	const found = part.rows ? part.rows(answer) : answer.items ?? [];
	const rows = found.map((row) => ({ ...row, of: keyOf(part.noun ?? {}, item), ...part.carry?.(item) }));
	const slot = make('div', {}, part.add ? await makeAdd(part, item, answer, again) : '');
	const change = part.change && { label: 'Change', when: part.change.when, run: (row) => changeRow(part.change, row, slot, again) };
	const table = { ...part, rowActions: change ? [change, ...part.rowActions ?? []] : part.rowActions };

	return section(part.title,
		rows.length > 0 ? makeTable(table, rows, new URLSearchParams(), again)
			: make('p', { class: 'fg-muted' }, part.empty ?? 'None.'),
		answer.next ? make('p', { class: 'fg-muted' }, `Only the first ${rows.length} are shown.`) : '',
		slot);
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

	head.before(backLink(noun));
	root.append(place);
	const load = async (said = '') => {
		const item = noun.find ? await noun.find(key) : await getJson(`${noun.path}/${encodeURIComponent(key)}`);
		const parts = typeof noun.parts === 'function' ? noun.parts(item) : noun.parts ?? [];
		const again = (text) => load(text);
		const shown = parts.filter((part) => !part.when || part.when(item)).map((part) => ({ ...part, noun }));

		item.of ??= keyOf(noun, item);
		place.replaceChildren(
			said ? make('p', { class: 'fg-note', role: 'status' }, said) : '',
			makeFacts(noun, item),
			makeActions(noun, item, again),
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
