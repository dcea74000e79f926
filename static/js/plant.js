// plant: the table of all variables of a plant, live.

import { askForValue } from './command_form.js';
import { formatAge, formatTime, formatValue } from './format.js';
import { startFooter } from './footer.js';
import { compareKeys, compareNames } from './order.js';
import { make, openLive, pageZone, setText, setTitle } from './page.js';
import { showPlantStates } from './plant_state.js';
import { setQuality } from './quality.js';
import { toNumber } from './series.js';
import { wildcardTest } from './wildcard.js';

class Row {
	constructor(element) {
		const cell = (name) => element.querySelector(`[data-fg-${name}]`);

		this.element = element;
		this.name = element.dataset.fgVar;
		this.value = cell('value');
		this.unit = cell('unit');
		this.age = cell('age');
		this.status = cell('status');
		this.entry = undefined;
		this.shown = true;
	}

	show(live) {
		const entry = this.entry;
		const quality = live.quality(entry);

		setQuality(this.value, quality);
		setTitle(this.value, live.qualityText(entry));
		setText(this.status, live.qualityText(entry));
		if (entry === undefined)
			return;
		setText(this.value, formatValue(entry, entry.value));
		setText(this.unit, entry.unit ?? '');
		this.showAge(live);
		this.#showSet(live);
	}

	// Whoever may write it gets a button.
	#showSet(live) {
		if (this.entry.writable !== true || this.set !== undefined)
			return;
		this.set = make('button', { type: 'button', class: 'fg-button fg-row-set', 'aria-label': `Set ${this.name} …` }, 'Set …');
		this.set.addEventListener('click', () => askForValue(live, this.entry));
		this.element.querySelector('[data-fg-name]').append(this.set);
	}

	// Beside the name, plain words find these too.
	get words() {
		return [...this.element.querySelectorAll('.fg-row-note, [data-fg-unit], [data-fg-status]')]
			.map((part) => part.textContent).join(' ');
	}

	showAge(live) {
		const time = this.entry?.time ?? null;

		setText(this.age, time === null ? '' : formatAge(live.now() - time));
	}

	// The full time costs more than all else: only for who points at it.
	showTime() {
		const time = this.entry?.time ?? null;

		if (time !== null)
			setTitle(this.age, formatTime(time, pageZone()));
	}
}

function newRow(datasource, name) {
	const link = make('a', { href: `/trend?v=${encodeURIComponent(`${datasource}:${name}`)}` }, name);

	return make('tr', { 'data-fg-var': name },
		make('th', { scope: 'row', 'data-fg-name': true }, link),
		make('td', { 'data-fg-value': true, class: 'fg-number fg-nodata' }, '–'),
		make('td', { 'data-fg-unit': true }),
		make('td', { 'data-fg-age': true, class: 'fg-number' }),
		make('td', { 'data-fg-status': true }));
}

// What a column sorts by; strings compare as names do, numbers by size.
const SORT_KEYS = {
	name: (row) => row.name,
	value: (row) => toNumber(row.entry?.value) ?? String(row.entry?.value ?? ''),
	unit: (row) => row.entry?.unit ?? '',
	age: (row) => -(row.entry?.time ?? 0),
	status: (row) => row.status.textContent,
};

class Table {
	constructor(table) {
		this.table = table;
		this.body = table.tBodies[0];
		this.datasource = table.dataset.fgDatasource;
		this.rows = new Map();
		this.sort = { column: 'name', descending: false };
		this.filter = document.getElementById('fg-filter');
		this.count = document.getElementById('fg-count');
		for (const element of this.body.querySelectorAll('tr[data-fg-var]'))
			this.#add(element);
		this.#listen();
		this.#readAddress();
	}

	#add(element) {
		const row = new Row(element);

		this.rows.set(row.name, row);
		return row;
	}

	#listen() {
		this.filter?.addEventListener('input', () => {
			this.applyFilter();
			this.#writeAddress();
		});
		for (const head of this.table.querySelectorAll('[data-fg-sort]'))
			this.#makeSortable(head);
		this.body.addEventListener('pointerover', (event) =>
			this.rows.get(event.target.closest('tr')?.dataset.fgVar)?.showTime());
		addEventListener('popstate', () => this.#readAddress());
		document.addEventListener('keydown', (event) => this.#key(event));
	}

	#makeSortable(head) {
		let button = head.querySelector('button');

		if (button === null) {
			button = make('button', { type: 'button', class: 'fg-sort' }, ...head.childNodes);
			head.replaceChildren(button);
		}
		button.addEventListener('click', () => {
			const column = head.dataset.fgSort;

			this.sort = { column, descending: this.sort.column === column && !this.sort.descending };
			this.applySort();
			this.#writeAddress();
		});
	}

	#key(event) {
		const typing = event.target.closest('input, textarea, select');

		if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
			event.preventDefault();
			this.filter?.focus();
			this.filter?.select();
		}
		if (event.key === 'Escape' && event.target === this.filter && this.filter.value !== '') {
			this.filter.value = '';
			this.applyFilter();
			this.#writeAddress();
		}
	}

	#readAddress() {
		const query = new URLSearchParams(location.search);
		const column = query.get('sort')?.replace(/^-/, '');

		if (this.filter !== null)
			this.filter.value = query.get('filter') ?? '';
		if (column in SORT_KEYS)
			this.sort = { column, descending: query.get('sort').startsWith('-') };
		this.applyFilter();
		this.applySort();
	}

	#writeAddress() {
		const address = new URL(location.href);
		const { column, descending } = this.sort;
		const filter = this.filter?.value.trim() ?? '';

		address.searchParams.delete('filter');
		address.searchParams.delete('sort');
		if (filter !== '')
			address.searchParams.set('filter', filter);
		if (column !== 'name' || descending)
			address.searchParams.set('sort', (descending ? '-' : '') + column);
		history.replaceState(null, '', address);
	}

	// After registration: entries to rows, rows for variables that are new.
	adopt(live) {
		for (const entry of live.entries.values()) {
			const row = this.rows.get(entry.name)
				?? this.#add(this.body.appendChild(newRow(this.datasource, entry.name)));

			row.entry = entry;
		}
		this.applyFilter();
		this.applySort();
		this.show(live);
	}

	show(live) {
		for (const row of this.rows.values())
			row.show(live);
	}

	showAges(live) {
		for (const row of this.rows.values())
			if (row.shown)
				row.showAge(live);
	}

	applyFilter() {
		const test = wildcardTest(this.filter?.value ?? '');
		let shown = 0;

		for (const row of this.rows.values()) {
			row.shown = test(row.name, row.words);
			row.element.hidden = !row.shown;
			shown += row.shown ? 1 : 0;
		}
		if (this.count !== null)
			setText(this.count, shown === this.rows.size ? `${shown} variables`
				: `${shown} of ${this.rows.size} variables`);
	}

	applySort() {
		const { column, descending } = this.sort;
		const key = SORT_KEYS[column];
		const keyed = [...this.rows.values()].map((row) => [key(row), row]);

		keyed.sort(([left, a], [right, b]) =>
			(descending ? -1 : 1) * compareKeys(left, right) || compareNames(a.name, b.name));
		this.body.append(...keyed.map(([, row]) => row.element));
		for (const head of this.table.querySelectorAll('[data-fg-sort]'))
			head.setAttribute('aria-sort', head.dataset.fgSort !== column ? 'none'
				: descending ? 'descending' : 'ascending');
	}
}

function start() {
	const element = document.getElementById('fg-variables');

	if (element === null)
		return;
	const table = new Table(element);
	const live = openLive({
		onVariables: () => table.adopt(live),
		onValues(entries) {
			for (const entry of entries)
				table.rows.get(entry.name)?.show(live);
		},
		onState() {
			showPlantStates(live, table.datasource);
			table.show(live);
		},
		onSecond: () => table.showAges(live),
	});

	startFooter(live);
	live.want([{ datasource: table.datasource, names: ['*'] }]);
}

start();
