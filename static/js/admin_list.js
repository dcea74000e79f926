// admin_list: a list of the administration: filters, a sorted table, pages.

import { runAction } from './admin_action.js';
import { showValue } from './admin_value.js';
import { getJson } from './http.js';
import { make } from './page.js';

// --- filters: a form with GET, so that they stand in the address ------------

function makeFilter(filter, value) {
	const id = `fg-filter-${filter.name}`;
	const common = { id, name: filter.name };
	const box = filter.choices
		? make('select', { ...common, class: 'fg-select' }, make('option', { value: '' }, 'any'),
			...filter.choices.map((choice) => make('option', { value: choice, selected: choice === value }, choice)))
		: make('input', { ...common, class: 'fg-input', type: filter.type ?? 'search', value: value ?? '', maxlength: 256, placeholder: filter.placeholder });

	return make('div', { class: 'fg-field' }, make('label', { for: id }, filter.label), box);
}

function makeFilters(noun, query) {
	const filters = noun.filters ?? [];

	if (filters.length === 0)
		return null;
	return make('form', { class: 'fg-tools', role: 'search', 'aria-label': noun.title },
		...filters.map((filter) => makeFilter(filter, query.get(filter.name))),
		query.has('sort') ? make('input', { type: 'hidden', name: 'sort', value: query.get('sort') }) : null,
		make('div', { class: 'fg-actions' }, make('button', { class: 'fg-button' }, 'Search'),
			filters.some(({ name }) => query.get(name)) ? make('a', { class: 'fg-button fg-button-quiet', href: location.pathname }, 'Clear') : null));
}

// --- the table ------------------------------------------------------------------

function sortLink(query, column) {
	const now = query.get('sort');
	const next = new URLSearchParams(query);

	next.delete('after');
	next.set('sort', now === column.sort ? `-${column.sort}` : column.sort);
	return `?${next}`;
}

function makeHead(noun, query) {
	const sort = query.get('sort') ?? noun.sort ?? '';
	const cells = noun.columns.map((column) => {
		const name = sort.replace(/^-/, '');
		const current = column.sort && column.sort === name;

		return make('th', { scope: 'col', 'aria-sort': current ? (sort.startsWith('-') ? 'descending' : 'ascending') : undefined },
			column.sort ? make('a', { href: sortLink(query, column) }, column.label) : column.label);
	});

	if (noun.rowActions)
		cells.push(make('th', { scope: 'col' }, make('span', { class: 'fg-visually-hidden' }, 'Actions')));
	return make('thead', {}, make('tr', {}, ...cells));
}

// The buttons of the actions that an item allows.
export function makeButtons(actions, item, again) {
	return actions.filter((action) => !action.when || action.when(item)).map((action) => {
		const button = make('button', { type: 'button', class: 'fg-button' }, action.label);

		button.addEventListener('click', () => (action.run ? action.run(item) : runAction(button, action, item, again)));
		return button;
	});
}

// "columns" and "rowActions" as of a noun; also for the parts of an item.
export function makeTable({ columns, rowActions, title, ...noun }, items, query, again) {
	const rows = items.map((item) => make('tr', {},
		...columns.map((column, i) => make(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : undefined, 'data-label': column.label },
			showValue(column, item))),
		rowActions ? make('td', { class: 'fg-row-actions' }, ...makeButtons(rowActions, item, again)) : null));

	return make('div', { class: 'fg-table-box' }, make('table', { class: 'fg-table fg-admin-table' },
		make('caption', { class: 'fg-visually-hidden' }, title),
		makeHead({ columns, rowActions, ...noun }, query), make('tbody', {}, ...rows)));
}

function makePager(query, next) {
	const link = (name, value, text) => {
		const to = new URLSearchParams(query);

		to.delete('after');
		if (value)
			to.set('after', value);
		return make('a', { class: 'fg-button', rel: name, href: `?${to}` }, text);
	};

	if (!next && !query.has('after'))
		return null;
	return make('nav', { class: 'fg-actions', 'aria-label': 'Pages' },
		query.has('after') ? link('first', null, 'First page') : null,
		next ? link('next', next, 'Next page') : null);
}

// Only what the API knows goes to it.
function apiQuery(noun, query) {
	const names = new Set(['limit', 'after', 'sort', ...(noun.filters ?? []).map(({ name }) => name)]);
	const asked = new URLSearchParams();

	for (const [name, value] of query)
		if (names.has(name) && value !== '')
			asked.set(name, noun.filters?.find((filter) => filter.name === name)?.type === 'datetime-local'
				? new Date(value).toISOString() : value);
	return asked.size > 0 ? `?${asked}` : '';
}

export async function showList(root, noun, query) {
	if (noun.create)
		root.querySelector('.fg-head').append(
			make('a', { class: 'fg-button fg-button-primary', href: '?new' }, noun.create.label));
	if (noun.intro)
		root.append(...[].concat(await noun.intro()));
	const filters = makeFilters(noun, query);

	if (filters)
		root.append(filters);
	const place = make('div', { class: 'fg-admin-list' });

	root.append(place);
	const load = async () => {
		const { items, next } = await (noun.list?.() ?? getJson(noun.path + apiQuery(noun, query)));

		place.replaceChildren(items.length > 0
			? makeTable(noun, items, query, load)
			: make('p', { class: 'fg-note' }, query.size > 0 ? 'Nothing matches.' : noun.empty ?? 'There is nothing here yet.'),
		makePager(query, next) ?? '', noun.below ? await noun.below() : '');
	};

	if (noun.listActions)
		place.before(make('p', { class: 'fg-actions' }, ...makeButtons(noun.listActions, {}, load)));
	await load();
}
