// list_view: a page that lists alarms or events: filter, pages, changes that
// come while somebody reads, export and print.
//
// kind: { path, member, body(filter), row(item, view), columns, empty(filter) }
// "row" makes the cells of one item, "columns" the CSV: [[title, text(item)]].

import { downloadCsv } from './csv_file.js';
import { formatZone, fromLocalField, toLocalField } from './format.js';
import { startFooter } from './footer.js';
import { postJson } from './http.js';
import { make, openLive, pageZone, setText } from './page.js';
import { showPlantStates } from './plant_state.js';

const PAGE_ROWS = 100;
const EXPORT_ROWS = 100_000;
const EXPORT_PAGE = 5000;
const DAY_MS = 86_400_000;
const CALM_MS = 500; // between two questions, however much happens
const READING_PX = 120; // scrolled so far, somebody reads

const byId = (id) => document.getElementById(id);

export class ListView {
	items = new Map(); // id -> item, in the order of the rows
	selected = new Set();
	busy = false; // a dialog is open: nothing moves
	#kind;
	#rows = new Map();
	#limit = PAGE_ROWS;
	#pending = null;
	#timer = 0;
	#asking = null;
	#asked = 0;

	constructor(kind) {
		this.#kind = kind;
		this.table = byId('fg-list');
		this.body = this.table.tBodies[0];
		this.datasource = this.table.dataset.fgDatasource;
		this.form = byId('fg-list-filter');
		this.#readAddress();
		this.#listen();
		this.live = openLive({
			onLists: () => this.refreshSoon(),
			onState: () => {
				showPlantStates(this.live, this.datasource);
				this.onState?.();
			},
			onBack: () => this.refreshSoon(),
		});
		startFooter(this.live);
		this.live.want([], { [kind.member]: [{ datasource: this.datasource, names: ['*'] }] });
		this.refresh();
	}

	get filter() {
		return Object.fromEntries(new FormData(this.form));
	}

	path(rest = '') {
		return `/api/v1/datasources/${this.datasource}/${this.#kind.path}${rest}`;
	}

	say(text, good = true) {
		const note = byId('fg-list-note');

		setText(note, text);
		note.classList.toggle('fg-note-bad', !good);
		note.hidden = text === '';
	}

	// --- asking -----------------------------------------------------------

	#range(filter) {
		const zone = pageZone();

		return {
			from: new Date(fromLocalField(filter.from, zone)).toISOString(),
			to: new Date(fromLocalField(filter.to, zone)).toISOString(),
		};
	}

	#question(limit, after = undefined) {
		const filter = this.filter;
		const question = { limit, after, ...this.#kind.body(filter) };

		if (filter.view === 'history')
			question.timeFilter = this.#range(filter);
		if (filter.text.trim() !== '')
			question.text = `*${filter.text.trim()}*`;
		question.variableFilter = { variableNames: [filter.names.trim() || '*'] };
		return question;
	}

	refreshSoon() {
		const wait = Math.max(0, this.#asked + CALM_MS - performance.now());

		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.refresh(), wait);
	}

	async refresh() {
		const asking = new AbortController();

		this.#asking?.abort();
		this.#asking = asking;
		this.#asked = performance.now();
		try {
			const answer = await postJson(this.path('/query'), this.#question(this.#limit), asking.signal);

			this.#take(answer[this.#kind.member], answer.next);
		} catch (error) {
			if (error.name !== 'AbortError')
				this.say(error instanceof RangeError ? 'From and To are not times.' : error.message, false);
		}
	}

	// --- showing ----------------------------------------------------------

	#isRead() {
		return this.busy || this.selected.size > 0 || scrollY > READING_PX;
	}

	// Rows that are there change at once; new ones wait while somebody reads.
	#take(items, next) {
		const fresh = items.filter((item) => !this.items.has(item.id)).length;

		if (fresh > 0 && this.items.size > 0 && this.#isRead()) {
			this.#pending = { items, next };
			this.#update(items);
			setText(byId('fg-list-new'), `${fresh} new: show`);
			byId('fg-list-new').hidden = false;
			return;
		}
		this.#show(items, next);
	}

	#update(items) {
		const now = new Map(items.map((item) => [item.id, item]));

		for (const [id, row] of this.#rows) {
			const item = now.get(id);

			row.classList.toggle('fg-list-gone', item === undefined);
			if (item !== undefined)
				this.#fill(row, item);
		}
	}

	#fill(row, item) {
		const text = JSON.stringify(item);

		this.items.set(item.id, item);
		if (row.fgText === text)
			return;
		row.fgText = text;
		row.replaceChildren(...this.#kind.row(item, this));
	}

	#show(items, next) {
		const rows = items.map((item) => {
			const row = this.#rows.get(item.id) ?? make('tr', { 'data-fg-id': item.id });

			row.classList.remove('fg-list-gone');
			return row;
		});

		this.items.clear();
		items.forEach((item, i) => this.#fill(rows[i], item));
		this.#rows = new Map(items.map((item, i) => [item.id, rows[i]]));
		this.body.replaceChildren(...rows);
		for (const id of this.selected)
			if (!this.items.has(id))
				this.selected.delete(id);
		this.#pending = null;
		byId('fg-list-new').hidden = true;
		byId('fg-list-more').hidden = next === null;
		byId('fg-list-empty').hidden = items.length > 0;
		setText(byId('fg-list-empty'), this.#kind.empty(this.filter));
		setText(byId('fg-count'), `${items.length}${next === null ? '' : '+'} ${this.#kind.member}`);
		this.onShown?.();
	}

	showPending() {
		if (this.#pending !== null)
			this.#show(this.#pending.items, this.#pending.next);
	}

	// --- the controls -----------------------------------------------------

	#listen() {
		this.form.addEventListener('submit', (event) => event.preventDefault());
		this.form.addEventListener('input', () => this.#chosen());
		byId('fg-list-more').addEventListener('click', () => {
			this.#limit += PAGE_ROWS;
			this.showPending();
			this.refresh();
		});
		byId('fg-list-new').addEventListener('click', () => {
			scrollTo({ top: 0 });
			this.showPending();
		});
		byId('fg-print').addEventListener('click', () => print());
		byId('fg-export').addEventListener('click', () => this.#export());
		addEventListener('popstate', () => this.#readAddress());
	}

	// Another question: nothing of the old answer is worth keeping.
	#chosen() {
		this.#limit = PAGE_ROWS;
		this.selected.clear();
		this.say('');
		this.#showRange();
		this.#writeAddress();
		this.items.clear();
		this.refreshSoon();
	}

	#showRange() {
		for (const field of document.querySelectorAll('[data-fg-range]'))
			field.hidden = this.filter.view !== 'history';
	}

	#readAddress() {
		const query = new URLSearchParams(location.search);
		const zone = pageZone();

		this.form.elements.from.value = toLocalField(Date.now() - DAY_MS, zone);
		this.form.elements.to.value = toLocalField(Date.now() + 60_000, zone);
		for (const [name, value] of query)
			if (this.form.elements[name] !== undefined)
				this.form.elements[name].value = value;
		this.#showRange();
	}

	#writeAddress() {
		const address = new URL(location.href);
		const { view, from, to, ...others } = this.filter;

		address.search = '';
		if (view !== 'current')
			address.searchParams.set('view', view);
		if (view === 'history') {
			address.searchParams.set('from', from);
			address.searchParams.set('to', to);
		}
		for (const [name, value] of Object.entries(others))
			if (value !== '')
				address.searchParams.set(name, value);
		history.replaceState(null, '', address);
	}

	// --- taking it along --------------------------------------------------

	async #all() {
		const items = [];
		let after;

		do {
			const answer = await postJson(this.path('/query'), this.#question(EXPORT_PAGE, after));

			items.push(...answer[this.#kind.member]);
			after = answer.next ?? undefined;
			this.say(`Reading … ${items.length}`);
		} while (after !== undefined && items.length < EXPORT_ROWS);
		return { items, whole: after === undefined };
	}

	async #export() {
		const zone = pageZone();

		try {
			const { items, whole } = await this.#all();
			const name = `${this.table.dataset.fgDatasourceName} ${this.#kind.member}.csv`;

			downloadCsv(name, this.#kind.columns(zone), items);
			this.say(`${items.length} rows, times in ${formatZone(Date.now(), zone)}`
				+ (whole ? '' : `: more than ${EXPORT_ROWS} are not exported at once, choose a shorter time`), whole);
		} catch (error) {
			this.say(error.message, false);
		}
	}
}
