// trend: the page that shows variables over time. Its address is its state;
// every change of the window asks history once, with as many points as the
// plot has pixels, and keeps the old picture dimmed meanwhile.

import { formatSpan, formatTime, formatZone } from './format.js';
import { startFooter } from './footer.js';
import { csvAddress, querySeries } from './history.js';
import { ApiError } from './http.js';
import { make, openLive, pageZone, setText } from './page.js';
import { queryAlarms } from './trend_alarms.js';
import { TrendChart } from './trend_chart.js';
import { bindKeys } from './trend_gestures.js';
import { TrendItem } from './trend_item.js';
import { TrendSearch } from './trend_search.js';
import { formatState, panWindow, parseState, sameVariable, VARIABLES_MAX, windowOf, zoomWindow } from './trend_state.js';
import { TrendTable } from './trend_table.js';
import { TrendTools } from './trend_tools.js';

const SETTLE_MS = 250;  // after the last movement of a gesture
const DIM_MS = 150;
const CHART_MS = 1000;  // between pictures of a running trend

class TrendPage {
	#items = [];
	#hovered = null;
	#load = null;
	#settle = 0;
	#drawn = 0;
	#problem = '';
	#alarms = [];

	constructor(root) {
		const part = (name) => document.getElementById(`fg-trend-${name}`);
		const plants = JSON.parse(root.dataset.fgPlants || '[]');

		this.root = root;
		this.plants = new Map(plants.map(({ id, name }) => [id, name]));
		this.status = part('state');
		this.chartBox = part('chart');
		this.state = parseState(location.search, pageZone());
		this.#makeChart();
		this.table = new TrendTable(part('series'), { onRemove: (item) => this.#remove(item) });
		this.search = new TrendSearch(plants, { onAdd: (variable) => this.#add(variable),
			has: (variable) => this.state.variables.some((other) => sameVariable(other, variable)) });
		this.tools = new TrendTools(part('tools'), this.search.element, this.#toolHandlers());
		this.live = openLive(this.#liveHandlers());
		addEventListener('popstate', () => this.#apply(parseState(location.search, pageZone())));
		addEventListener('fg-theme', () => this.#redrawAll());
		addEventListener('fg-alarms', () => this.#fetchAlarms());
		startFooter(this.live);
		this.#apply(this.state);
	}

	#makeChart() {
		this.empty = make('div', { class: 'fg-empty', hidden: true });
		this.units = make('div', { class: 'fg-trend-units', 'aria-hidden': 'true' });
		this.plotBox = make('div', { class: 'fg-trend-plot', tabindex: '0', role: 'group',
			'aria-label': 'Chart. Arrow keys move, plus and minus zoom. The values are in the table below.' });
		this.chartBox.replaceChildren(this.units, this.plotBox, this.empty);
		this.chart = new TrendChart(this.plotBox, {
			onWindow: (window, isFinal) => this.#move(window, isFinal),
			onHover: (time) => this.#hover(time),
			onPick: (time) => this.#pick(time),
		});
		bindKeys(this.plotBox, this.chart);
	}

	#toolHandlers() {
		return {
			onRange: (range) => this.#navigate({ range: range ?? this.#span(), from: undefined, to: undefined }),
			onWindow: ([from, to]) => this.#navigate({ range: undefined, from, to }),
			onZoom: (factor) => this.#zoom(factor),
			onPan: (share) => this.#move(panWindow(this.chart.window, share), true),
			onZone: (zone) => this.#navigate({ zone }),
			onCursors: () => this.#toggleCursors(),
		};
	}

	#liveHandlers() {
		return {
			onVariables: () => this.#describeFromLive(),
			onSample: (entry) => this.#sample(entry),
			onValues: () => this.#tick(),
			onState: () => this.#showTable(),
			onBack: () => {
				if (this.state.range !== undefined)
					this.#fetch(); // what was missed meanwhile
			},
			onSecond: () => this.#tick(),
		};
	}

	#span() {
		const [from, to] = this.chart.window;

		return Math.max(1000, Math.round((to - from) / 1000) * 1000);
	}

	// --- state ------------------------------------------------------------

	#navigate(change, replace = false) {
		const state = { ...this.state, ...change };
		const address = location.pathname + formatState(state, pageZone());

		clearTimeout(this.#settle);
		if (replace)
			history.replaceState(null, '', address);
		else if (address !== location.pathname + location.search)
			history.pushState(null, '', address);
		this.#apply(state);
	}

	#apply(state) {
		clearTimeout(this.#settle);
		this.state = state;
		this.#items = state.variables.map((variable) => this.#itemOf(variable));
		this.chart.showWindow(this.#window());
		this.chart.setCursors(state.cursors);
		this.#showState();
		this.#want();
		this.#fetch();
	}

	// Variables keep their colour while others come and go.
	#itemOf(variable) {
		const known = this.#items.find((item) => sameVariable(item, variable));

		if (known !== undefined)
			return known;
		const used = new Set(this.state.variables.map((other) =>
			this.#items.find((item) => sameVariable(item, other))?.slot));
		const entry = () => this.live.entry(variable.datasource, variable.name);
		let slot = 0;

		while (used.has(slot))
			slot++;
		const item = new TrendItem(variable, slot, entry, () => this.live.quality(entry()));

		this.#items = [...this.#items, item];
		return item;
	}

	#window() {
		return windowOf(this.state, this.live.now());
	}

	#want() {
		const wanted = [...this.#byPlant(this.#items)]
			.map(([datasource, items]) => ({ datasource, names: items.map(({ name }) => name) }));
		const text = JSON.stringify(wanted);

		if (text !== this.wanted)
			this.live.want(wanted);
		this.wanted = text;
	}

	#byPlant(items) {
		const plants = new Map();

		for (const item of items)
			plants.set(item.datasource, [...plants.get(item.datasource) ?? [], item]);
		return plants;
	}

	#add(variable) {
		if (this.state.variables.length < VARIABLES_MAX)
			this.#navigate({ variables: [...this.state.variables, variable] });
		else
			setText(this.status, `A trend shows at most ${VARIABLES_MAX} variables: remove one first.`);
	}

	#remove(item) {
		this.#navigate({ variables: this.state.variables.filter((other) => !sameVariable(other, item)) });
	}

	// A running trend keeps running when the buttons zoom it.
	#zoom(factor) {
		if (this.state.range === undefined) {
			this.#move(zoomWindow(this.chart.window, factor), true);
			return;
		}
		const [from, to] = zoomWindow(this.#window(), factor);

		this.#navigate({ range: Math.max(1000, Math.round((to - from) / 1000) * 1000) });
	}

	// During a gesture the old samples move; when it rests, history is asked.
	#move([from, to], isFinal) {
		clearTimeout(this.#settle);
		this.state = { ...this.state, range: undefined, from, to };
		this.chart.showWindow([from, to]);
		this.tools.showWindow(this.state, [from, to]);
		if (isFinal)
			this.#navigate({});
		else
			this.#settle = setTimeout(() => this.#navigate({}), SETTLE_MS);
	}

	// --- cursors ----------------------------------------------------------

	#hover(time) {
		this.#hovered = time;
		this.#showTable();
	}

	// The first click sets A, the second B, later ones the nearer of both.
	#pick(time) {
		const [a, b] = this.state.cursors;
		const first = a === null || (b !== null && Math.abs(time - a) < Math.abs(time - b));

		this.#setCursors(first ? [time, b] : [a, time]);
	}

	#toggleCursors() {
		const [from, to] = this.chart.window;
		const third = (to - from) / 3;

		this.#setCursors(this.state.cursors.some((time) => time !== null) ? [null, null]
			: [Math.round(from + third), Math.round(to - third)]);
	}

	#setCursors(cursors) {
		this.state = { ...this.state, cursors };
		history.replaceState(null, '', location.pathname + formatState(this.state, pageZone()));
		this.chart.setCursors(cursors);
		this.tools.show(this.state, this.chart.window);
		this.#showTable();
		this.#showStatus();
	}

	// --- samples ----------------------------------------------------------

	async #fetch() {
		const [from, to] = this.#window();
		const load = new AbortController();

		this.#load?.abort();
		this.#load = load;
		this.#problem = '';
		if (this.#items.length === 0) {
			this.#alarms = [];
			this.#redrawAll();
			return;
		}
		const dim = setTimeout(() => this.root.classList.add('fg-loading'), DIM_MS);

		for (const item of this.#items)
			item.startLoading();
		this.#fetchAlarms();
		await Promise.all([...this.#byPlant(this.#items)].map(([datasource, items]) =>
			this.#fetchPlant(datasource, items, from, to, load.signal)));
		clearTimeout(dim);
		if (load.signal.aborted)
			return;
		this.root.classList.remove('fg-loading');
		this.#redrawAll();
	}

	// Beside the samples: a picture without them is true as well.
	async #fetchAlarms() {
		const [from, to] = this.#window();
		const load = this.#load;
		const found = await Promise.all([...this.#byPlant(this.#items)].map(([datasource, items]) =>
			queryAlarms({ datasource, names: items.map(({ name }) => name), from, to }, load?.signal)));

		if (load !== this.#load)
			return;
		this.#alarms = found.flat();
		this.chart.setAlarms(this.#alarms);
		this.#showStatus();
	}

	async #fetchPlant(datasource, items, from, to, signal) {
		const points = Math.min(4000, Math.max(50, this.chart.plotWidth));
		const names = items.map(({ name }) => name);

		try {
			const found = await querySeries({ datasource, names, from, to, points }, signal);

			for (const item of items) {
				const { series, about } = found.get(item.name) ?? {};

				if (series === undefined) {
					item.fail('not found');
					continue;
				}
				item.describe(about);
				item.setSeries(series);
			}
		} catch (error) {
			if (error.name === 'AbortError')
				return;
			await this.#fetchFailed(error, datasource, items, [from, to, signal]);
		}
	}

	// Names that do not exist, or may not be read, spoil the whole request:
	// leave them out and ask again for the rest.
	async #fetchFailed(error, datasource, items, rest) {
		const bad = new Map((error.variableErrors ?? [])
			.map(({ variableName, errorMessage }) => [variableName, errorMessage ?? 'not found']));
		const good = items.filter(({ name }) => !bad.has(name));

		for (const item of items)
			if (bad.has(item.name))
				item.fail(bad.get(item.name));
		if (bad.size > 0 && good.length < items.length) {
			if (good.length > 0)
				await this.#fetchPlant(datasource, good, ...rest);
			return;
		}
		this.#problem = error instanceof ApiError && error.requestId !== ''
			? `${error.message} (request ${error.requestId})` : error.message;
	}

	#describeFromLive() {
		let changed = false;

		for (const item of this.#items) {
			const entry = this.live.entry(item.datasource, item.name);

			if (entry !== undefined && item.series === null) {
				item.describe(entry);
				changed = true;
			}
		}
		if (changed)
			this.#showTable();
	}

	#sample(entry) {
		const item = this.#items.find((other) => sameVariable(other, entry));
		const [, to] = this.#window();

		if (item !== undefined && entry.time !== null && entry.time <= to + 60_000)
			item.add(entry.time, entry.value, this.live.quality(entry) !== 'bad');
	}

	// --- what is seen -----------------------------------------------------

	// The picture goes on by itself once a second, if its window does.
	#tick() {
		const now = performance.now();

		if (now - this.#drawn < CHART_MS * 0.95)
			return;
		this.#drawn = now;
		const window = this.#window();
		const goesOn = window[1] >= this.live.now() - 2000;

		// Also while nobody looks: samples come all the same.
		if (this.state.range !== undefined)
			for (const item of this.#items)
				item.series?.trim(window[0]);
		if (document.hidden)
			return;
		if (this.state.range !== undefined)
			this.tools.showWindow(this.state, window);
		if (goesOn && this.live.connected)
			this.chart.show(window, Math.min(window[1], this.live.now()));
		this.#showTable();
	}

	#redrawAll() {
		const window = this.#window();

		this.chart.setItems(this.#items, this.state.zone);
		this.chart.show(window, window[1] >= this.live.now() - 2000 ? Math.min(window[1], this.live.now()) : null);
		this.chart.setCursors(this.state.cursors);
		this.table.setItems(this.#items, this.plants, this.#scales());
		this.#showUnits();
		this.#showTable();
		this.#showState();
		this.#showEmpty(window);
	}

	#drawnItems() {
		return this.#items.filter(({ series, type }) => series !== null && type !== 'string');
	}

	#scales() {
		return new Map(this.#drawnItems().map((item, i) => [item, this.chart.scales[i]]));
	}

	#showUnits() {
		const label = (side) => [...new Set(this.chart.scales
			.map((scale, i) => [scale, this.#drawnItems()[i]])
			.filter(([scale]) => scale.side === side)
			.map(([{ unit }, { type }]) => type === 'bool' ? 'on/off' : unit || 'no unit'))].join(', ');

		this.units.replaceChildren(make('span', {}, label('left')), make('span', {}, label('right')));
	}

	#showTable() {
		this.table.show(this.#hovered, this.state.cursors, this.chart.window);
	}

	#showState() {
		this.tools.show(this.state, this.#window());
		this.#showDownloads();
		this.#showStatus();
	}

	#showDownloads() {
		const [from, to] = this.#window();
		const plants = [...this.#byPlant(this.#items.filter(({ error }) => error === ''))];

		this.tools.showDownloads(plants.map(([datasource, items]) => ({
			label: plants.length === 1 ? 'CSV' : `CSV ${this.plants.get(datasource) ?? ''}`,
			href: csvAddress({ datasource, names: items.map(({ name }) => name), from, to, zone: this.state.zone }),
		})));
	}

	// In words: what the picture is made of, in which zone, what is wrong.
	#showStatus() {
		const [from, to] = this.#window();
		const buckets = [...new Set(this.#items.map(({ series }) => series?.bucket_ms ?? 0))].filter((ms) => ms > 0);
		const [a, b] = this.state.cursors;
		const words = [];

		if (this.#problem !== '')
			words.push(`History could not be read: ${this.#problem}`);
		words.push(...this.#items.filter(({ error }) => error !== '').map(({ name, error }) => `${name}: ${error}`));
		words.push(...this.#items.filter(({ type }) => type === 'string')
			.map(({ name }) => `${name} is text: its values are in the table`));
		if (this.#items.some(({ series }) => series !== null))
			words.push(buckets.length > 0
				? `lines: last value, bands: min/max of ${buckets.map(formatSpan).join(' and ')}` : 'every sample is drawn');
		if (this.#alarms.length > 0)
			words.push(this.#alarms.length === 1 ? `alarm: ${this.#alarms[0].text}` : `${this.#alarms.length} alarms came`);
		if (a !== null && b !== null)
			words.push(`B − A = ${formatSpan(Math.abs(b - a))}`);
		words.push(`${formatSpan(to - from)} in ${formatZone(to, this.state.zone)}`);
		setText(this.status, words.join(' · '));
		this.status.classList.toggle('fg-note-error', this.#problem !== '');
	}

	#showEmpty([from, to]) {
		const words = this.#emptyWords(from, to);

		this.empty.hidden = words === '';
		this.plotBox.hidden = this.#drawnItems().length === 0;
		this.empty.replaceChildren(words);
	}

	#emptyWords(from, to) {
		if (this.#items.length === 0)
			return 'No variable is chosen. Add one in the box above (key /), or follow a link from a plant or a screen.';
		if (this.#problem !== '' || this.#drawnItems().some(({ series }) => series.extent(from, to) !== null))
			return '';
		if (this.#drawnItems().length === 0)
			return '';
		const last = Math.max(...this.#items.map((item) =>
			this.live.entry(item.datasource, item.name)?.time ?? -Infinity));

		return `No samples between ${formatTime(from, this.state.zone)} and ${formatTime(to, this.state.zone)}. `
			+ (last === -Infinity ? 'Nothing has been sampled yet.' : `The newest is of ${formatTime(last, this.state.zone)}.`);
	}
}

const root = document.getElementById('fg-trend');

if (root !== null)
	new TrendPage(root);
