// list_view: a page that lists alarms or events: pages, changes that come while
// somebody reads, export and print. What is asked for is list_filter's.
//
// kind: { path, member, body(values), row(item, view), columns, empty(values) }
// "row" makes the cells of one item, "columns" the CSV: [[title, text(item)]].

import { startFooter } from './footer.js';
import { postJson } from './http.js';
import { exportList } from './list_export.js';
import { ListFilter } from './list_filter.js';
import { make, openLive, setText } from './page.js';
import { PlantState } from './plant_state.js';

const PAGE_ROWS = 100;
const ROWS_MAX = 10_000; // of one question
const CALM_MS = 500; // between two questions, however much happens
const CALM_SHARE = 3; // and so many times as long as the last one took
const AGAIN_MS = 3000; // after one that failed
const HAND_MS = 2000; // a hand that has moved over the list is still there
const SAID_MS = 8000; // good news need not stay
const READING_PX = 120; // scrolled so far, somebody reads

const byId = (id) => document.getElementById(id);

// A cell that looks the same stays, with its focus and the finger on it.
function changeCells(row, cells) {
	if (row.cells.length !== cells.length) {
		row.replaceChildren(...cells);
		return;
	}
	cells.forEach((cell, i) => {
		if (row.cells[i].outerHTML !== cell.outerHTML)
			row.cells[i].replaceWith(cell);
	});
}

function newText(fresh, gone) {
	return [fresh > 0 ? `${fresh} new` : '', gone > 0 ? `${gone} gone` : '', fresh + gone === 0 ? 'new order' : '']
		.filter((text) => text !== '').join(', ');
}

export class ListView {
	items = new Map(); // id -> item, in the order of the rows
	selected = new Set();
	busy = false; // a dialog is open: nothing moves
	#kind;
	#rows = new Map();
	#limit = PAGE_ROWS;
	#pending = null;
	#timer = 0;
	#said = 0;
	#asking = null;
	#asked = -Infinity; // when the last question began, and how long it took
	#took = 0;
	#again = false; // something changed while a question was under way
	#failed = false;
	#hand = -Infinity; // when a hand was over the list last
	#more = false; // more rows were asked for: they do not wait

	constructor(kind) {
		this.#kind = kind;
		this.table = byId('fg-list');
		this.body = this.table.tBodies[0];
		this.datasource = this.table.dataset.fgDatasource;
		this.filter = new ListFilter(() => this.#chosen());
		this.#listen();
		this.live = openLive({
			onLists: () => this.refreshSoon(),
			onState: () => {
				plant.show();
				this.onState?.();
			},
			onSecond: () => plant.show(),
			onBack: () => this.refreshSoon(),
		});
		const plant = new PlantState(this.live, this.datasource);

		startFooter(this.live);
		this.live.want([], { [kind.member]: [{ datasource: this.datasource, names: ['*'] }] });
		this.refresh();
	}

	path(rest = '') {
		return `/api/v1/datasources/${this.datasource}/${this.#kind.path}${rest}`;
	}

	say(text, good = true) {
		const note = byId('fg-list-note');

		setText(note, text);
		note.classList.toggle('fg-note-bad', !good);
		note.hidden = text === '';
		clearTimeout(this.#said);
		if (good)
			this.#said = setTimeout(() => this.say('', false), SAID_MS);
	}

	// --- asking -----------------------------------------------------------

	question(limit, after = undefined) {
		return { limit, after, ...this.filter.question(), ...this.#kind.body(this.filter.values) };
	}

	#wait(wait_ms) {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.refresh(), wait_ms);
	}

	// A question under way is not given up for what changes meanwhile, or
	// changes that come faster than answers would leave none.
	refreshSoon() {
		if (this.#asking !== null) {
			this.#again = true;
			return;
		}
		const calm = Math.max(CALM_MS, CALM_SHARE * this.#took);

		this.#wait(Math.max(0, this.#asked + calm - performance.now()));
	}

	async refresh() {
		const asking = new AbortController();

		clearTimeout(this.#timer);
		this.#asking?.abort();
		this.#asking = asking;
		this.#again = false;
		this.#asked = performance.now();
		try {
			const answer = await postJson(this.path('/query'), this.question(this.#limit), asking.signal);

			if (this.#asking === asking)
				this.#answered(answer);
		} catch (error) {
			if (this.#asking === asking)
				this.#fail(error);
		}
		if (this.#asking !== asking)
			return;
		this.#asking = null;
		this.#took = performance.now() - this.#asked;
		if (this.#again)
			this.refreshSoon();
	}

	#answered(answer) {
		if (this.#failed)
			this.say('');
		this.#failed = false;
		this.#take(answer[this.#kind.member], answer.next);
	}

	#fail(error) {
		const mistyped = error instanceof RangeError;

		this.#failed = true;
		this.say(mistyped ? 'From and To are not times.' : error.message, false);
		if (!mistyped && !(error.status >= 400 && error.status < 500))
			this.#wait(AGAIN_MS);
	}

	// --- showing ----------------------------------------------------------

	// How long nothing may move: Infinity while somebody reads.
	#reading() {
		if (this.#more)
			return 0;
		if (this.busy || this.selected.size > 0 || scrollY > READING_PX)
			return Infinity;
		return this.#hand + HAND_MS - performance.now();
	}

	// Rows that are there change at once; others wait while somebody reads.
	#take(items, next) {
		const fresh = items.filter((item) => !this.#rows.has(item.id)).length;
		const gone = this.#rows.size - (items.length - fresh);
		const moved = fresh + gone > 0 || items.some((item, i) => this.body.rows[i].dataset.fgId !== item.id);
		const reading = moved && this.#rows.size > 0 ? this.#reading() : 0;

		if (reading <= 0) {
			this.#show(items, next);
			return;
		}
		this.#pending = { items, next };
		this.#update(items);
		setText(byId('fg-list-new'), `${newText(fresh, gone)}: show`);
		byId('fg-list-new').hidden = false;
		if (reading !== Infinity)
			this.#wait(reading);
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
		const text = JSON.stringify({ ...item, activeMs: undefined }); // which no row shows

		this.items.set(item.id, item);
		if (row.fgText === text)
			return;
		row.fgText = text;
		changeCells(row, this.#kind.row(item, this));
	}

	#show(items, next) {
		this.#more = false;
		const rows = items.map((item) => {
			const row = this.#rows.get(item.id) ?? make('tr', { 'data-fg-id': item.id });

			row.classList.remove('fg-list-gone');
			return row;
		});

		this.items.clear();
		items.forEach((item, i) => this.#fill(rows[i], item));
		this.#rows = new Map(items.map((item, i) => [item.id, rows[i]]));
		this.#place(rows);
		for (const id of this.selected)
			if (!this.items.has(id))
				this.selected.delete(id);
		this.#pending = null;
		byId('fg-list-new').hidden = true;
		byId('fg-list-more').hidden = next === null || this.#limit >= ROWS_MAX;
		byId('fg-list-empty').hidden = items.length > 0;
		setText(byId('fg-list-empty'), this.#kind.empty(this.filter.values));
		setText(byId('fg-count'), items.length === 1 ? `1 ${this.#kind.member.slice(0, -1)}`
			: `${items.length}${next === null ? '' : '+'} ${this.#kind.member}`);
		this.onShown?.();
	}

	// Only what is elsewhere moves: a row that stays keeps its focus.
	#place(rows) {
		const wanted = new Set(rows);

		for (const row of [...this.body.rows])
			if (!wanted.has(row))
				row.remove();
		let at = this.body.firstElementChild;

		for (const row of rows)
			if (row === at)
				at = at.nextElementSibling;
			else
				this.body.insertBefore(row, at);
	}

	showPending() {
		if (this.#pending !== null)
			this.#show(this.#pending.items, this.#pending.next);
	}

	// --- the controls -----------------------------------------------------

	#listen() {
		byId('fg-list-more').addEventListener('click', () => {
			this.#limit = Math.min(ROWS_MAX, Math.max(2 * this.#limit, PAGE_ROWS));
			this.showPending();
			this.#more = true;
			this.refresh();
		});
		byId('fg-list-new').addEventListener('click', () => {
			scrollTo({ top: 0 });
			this.showPending();
		});
		for (const name of ['pointerdown', 'pointermove', 'keydown', 'focusin'])
			this.body.addEventListener(name, () => {
				this.#hand = performance.now();
			}, { passive: true });
		byId('fg-print').addEventListener('click', () => print());
		byId('fg-export').addEventListener('click', () => exportList(this, this.#kind));
	}

	// Another question: nothing of the old answer is worth keeping.
	#chosen() {
		this.#limit = PAGE_ROWS;
		this.selected.clear();
		this.say('');
		this.#hand = -Infinity;
		this.#rows.clear();
		this.#asking?.abort();
		this.#asking = null;
		this.#wait(CALM_MS / 2);
	}
}
