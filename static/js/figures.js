// figures: what the alarms of a stretch of time say of the alarm system.

import { trendUrl } from './alarm_row.js';
import { priorityMark } from './alarm_mark.js';
import { formatAge, formatDateTime, formatNumber, formatZone } from './format.js';
import { startFooter } from './footer.js';
import { postJson } from './http.js';
import { make, openLive, pageZone, setText } from './page.js';
import { PlantState } from './plant_state.js';

const AGAIN_MS = 60_000;
const LABELS = {
	VeryLikelyAcceptable: 'very likely acceptable',
	Manageable: 'manageable',
	LikelyOverDemanding: 'likely over-demanding',
	VeryLikelyUnacceptable: 'very likely unacceptable',
};
const WANTED = { 1: 5, 2: 15, 3: 80, 4: 80 }; // percent; 3 and 4 together 80

const time = (text) => formatDateTime(Date.parse(text), pageZone());
const percent = (share) => `${formatNumber(100 * share, share > 0 && share < 0.1 ? 1 : 0)} %`;

function tile(label, value, note) {
	return make('div', { class: 'fg-figure' }, make('dt', {}, label), make('dd', { class: 'fg-figure-value' }, value),
		make('dd', { class: 'fg-muted' }, note));
}

function tiles({ count, perTenMinutes, floodShare, floods, standingCount }) {
	const { average, label, peak, peakTime } = perTenMinutes;

	return make('dl', { class: 'fg-figure-tiles' },
		tile('Alarms', formatNumber(count, 0), `${formatNumber(average, 2)} in ten minutes: ${LABELS[label] ?? label}`),
		tile('Most in ten minutes', formatNumber(peak, 0), peakTime === null ? 'none came' : `from ${time(peakTime)}`),
		tile('Time in floods', percent(floodShare), floods.length === 0 ? 'no flood'
			: `${floods.length} flood${floods.length === 1 ? '' : 's'} of more than 10 in ten minutes`),
		tile('Standing', formatNumber(standingCount, 0), 'active for more than a day'));
}

function bar(share) {
	return make('progress', { class: 'fg-figure-bar', max: 1, value: share, 'aria-hidden': 'true' });
}

// A table with a head; no rows is said in words.
function table(title, nothing, heads, rows) {
	const id = `fg-figures-${title.toLowerCase().replaceAll(' ', '-')}`;

	return make('section', { class: 'fg-panel', 'aria-labelledby': id }, make('h2', { id }, title),
		rows.length === 0 ? make('p', { class: 'fg-muted' }, nothing) : make('div', { class: 'fg-table-box' },
			make('table', { class: 'fg-table', 'aria-labelledby': id },
				make('thead', {}, make('tr', {}, ...heads.map((head) => make('th', { scope: 'col' }, head)))),
				make('tbody', {}, ...rows.map((cells) => make('tr', {}, ...cells.map((cell, i) =>
					make(i === 0 ? 'th' : 'td', i === 0 ? { scope: 'row' } : {}, ...[cell].flat()))))))));
}

function priorities({ priorities: counts, count }) {
	return table('Priorities', 'None.', ['Priority', 'Alarms', 'Share', 'EEMUA 191'],
		Object.entries(counts).map(([priority, number]) => {
			const share = count > 0 ? number / count : 0;

			return [priorityMark(Number(priority), 'known'), formatNumber(number, 0), [bar(share), ' ', percent(share)],
				priority === '4' ? 'with 3' : `${WANTED[priority]} %`];
		}));
}

class Figures {
	#root = document.getElementById('fg-figures');
	#form = document.getElementById('fg-figures-form');
	#note = document.getElementById('fg-list-note');
	#asking = null;
	#asked = 0;

	constructor() {
		this.datasource = this.#root.dataset.fgDatasource;
		this.#readAddress();
		this.#form.addEventListener('input', () => {
			history.replaceState(null, '', `?${new URLSearchParams(new FormData(this.#form))}`);
			this.load();
		});
		addEventListener('popstate', () => {
			this.#readAddress();
			this.load();
		});
	}

	#readAddress() {
		const last = new URLSearchParams(location.search).get('last');
		const select = this.#form.elements.last;

		select.value = [...select.options].some(({ value }) => value === last) ? last : '7d';
	}

	// Once a minute is enough for what is counted in ten.
	loadSometimes() {
		if (performance.now() - this.#asked > AGAIN_MS && !document.hidden)
			this.load();
	}

	async load() {
		const asking = new AbortController();

		this.#asking?.abort();
		this.#asking = asking;
		this.#asked = performance.now();
		try {
			const figures = await postJson(`/api/v1/datasources/${this.datasource}/alarms/figures`,
				{ timeFilter: { type: 'Relative', last: this.#form.elements.last.value } }, asking.signal);

			this.#note.hidden = true;
			this.#show(figures);
		} catch (error) {
			if (error.name === 'AbortError')
				return;
			this.#note.hidden = false;
			this.#note.classList.add('fg-note-bad');
			setText(this.#note, error.message);
		}
	}

	// The limit, as a way to its alarms in this time.
	#limit(figures, { variableName, limit }) {
		const zone = pageZone();
		const local = (text) => formatDateTime(Date.parse(text), zone).replace(' ', 'T');
		const query = new URLSearchParams({ view: 'history', names: variableName, from: local(figures.from), to: local(figures.to) });

		return [make('a', { href: `${this.#root.dataset.fgAlarms}?${query}` }, variableName), ` ${limit}`];
	}

	#show(figures) {
		const limit = (item) => this.#limit(figures, item);

		setText(document.getElementById('fg-figures-span'),
			`${time(figures.from)} to ${time(figures.to)}, ${formatZone(Date.parse(figures.to), pageZone())}`);
		this.#root.replaceChildren(tiles(figures), priorities(figures),
			table('Most frequent', 'No alarm came.', ['Limit', 'Alarms', 'Share'], figures.topTen.map((item) =>
				[limit(item), formatNumber(item.count, 0), [bar(item.count / figures.count), ' ', percent(item.count / figures.count)]])),
			table('Floods', 'There was none.', ['From', 'To', 'Alarms', 'Most in ten minutes'], figures.floods.map((flood) =>
				[time(flood.from), time(flood.to), formatNumber(flood.count, 0), formatNumber(flood.peak, 0)])),
			table('Chattering', 'No limit came three times within a minute.', ['Limit', 'Alarms'], figures.chattering.map((item) =>
				[limit(item), formatNumber(item.count, 0)])),
			table('Standing', 'Nothing is active for more than a day.', ['Limit', 'Since', 'Age'], figures.standing.map((item) =>
				[limit(item), make('a', { href: trendUrl(this.datasource, item), title: 'Trend around that time' }, time(item.receivedTime)),
					formatAge(Date.now() - Date.parse(item.receivedTime))])));
	}
}

function start() {
	const figures = new Figures();
	const live = openLive({
		onState: () => plant.show(),
		onBack: () => figures.load(),
		onSecond() {
			plant.show();
			figures.loadSometimes();
		},
	});

	const plant = new PlantState(live, figures.datasource);

	startFooter(live);
	live.want([], { alarms: [{ datasource: figures.datasource, names: ['*'] }] });
	figures.load();
}

start();
