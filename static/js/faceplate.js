// faceplate: the panel beside a screen that tells all about one variable.
// Its address is the hash, #v=wt01/power; Esc closes it.

import { CommandForm } from './command_form.js';
import { formatAge, formatClock, formatNumber, formatTime, formatValue } from './format.js';
import { querySeries } from './history.js';
import { compareNames } from './order.js';
import { PlateLists } from './plate_lists.js';
import { make, makeSvg, pageZone, setText } from './page.js';
import { GOOD, setQuality } from './quality.js';
import { Series, toNumber } from './series.js';
import { SparkView } from './spark_view.js';

const SPAN_MS = 3_600_000;
const POINTS = 300;
const REDRAW_MS = 1000;

function row(label, value) {
	return [make('dt', {}, label), make('dd', {}, value)];
}

export class Faceplate {
	#name = null;
	#parts = null;
	#spark = null;
	#drawn = 0;
	#load = null;
	#opener = null;
	#command = null;
	#lists = null;
	#onName;

	// onName(name) tells which variable is shown, null none.
	constructor(panel, live, datasource, onName = () => {}) {
		this.#onName = onName;
		this.panel = panel;
		this.live = live;
		this.datasource = datasource;
		addEventListener('hashchange', () => this.readAddress());
		document.addEventListener('keydown', (event) => {
			if (event.key === 'Escape' && this.#name !== null)
				this.close();
		});
	}

	readAddress() {
		const name = new URLSearchParams(location.hash.slice(1)).get('v');

		if (name !== this.#name)
			name === null ? this.#hide() : this.#open(name);
	}

	openFor(name) {
		if (!name || name === this.#name)
			return;
		if (this.#name === null)
			this.#opener = document.activeElement;
		history.pushState(null, '', `#${new URLSearchParams({ v: name })}`);
		this.#open(name);
	}

	close() {
		history.pushState(null, '', location.pathname + location.search);
		this.#hide();
	}

	#hide() {
		this.#load?.abort();
		this.#command?.close();
		this.#command = null;
		this.#lists?.close();
		this.#lists = null;
		this.#name = null;
		this.#onName(null);
		this.panel.hidden = true;
		this.#opener?.focus?.();
		this.#opener = null;
	}

	#open(name) {
		const first = this.#name === null;

		this.#name = name;
		this.#command?.close();
		this.#command = new CommandForm(this.live, this.datasource, name);
		this.#lists?.close();
		this.#lists = new PlateLists(this.datasource, name);
		this.#onName(name);
		this.panel.replaceChildren(...this.#build(name));
		this.panel.hidden = false;
		this.panel.setAttribute('aria-label', `Variable ${name}`);
		this.#drawn = 0;
		this.update();
		this.#loadHistory(name);
		if (first)
			this.#parts.close.focus({ preventScroll: true });
	}

	#build(name) {
		const value = make('span', { class: 'fg-plate-number' }, '–');
		const unit = make('span', { class: 'fg-plate-unit' });
		const svg = makeSvg('svg', { viewBox: '0 0 300 90', preserveAspectRatio: 'none', class: 'fg-plate-trend' });
		const close = make('button', { type: 'button', class: 'fg-button fg-plate-close', 'aria-label': 'Close' }, '×');
		const cells = Object.fromEntries(['quality', 'age', 'range', 'hour'].map((key) => [key, make('span')]));
		const trend = `/trend?${new URLSearchParams({ v: `${this.datasource}:${name}`, range: '1h' })}`;
		const note = make('p', { class: 'fg-note fg-plate-note', role: 'status' });
		const siblings = make('ul', { class: 'fg-bare fg-plate-siblings' });

		close.addEventListener('click', () => this.close());
		this.#spark = new SparkView(svg, SPAN_MS);
		this.#parts = { value, unit, close, note, siblings, svg, ...cells,
			big: make('p', { class: 'fg-plate-value' }, value, ' ', unit),
			from: make('span'), to: make('span') };
		return [
			make('header', { class: 'fg-plate-head' }, make('h2', {}, name), close),
			this.#parts.big,
			make('dl', { class: 'fg-plate-facts' }, ...row('Quality', cells.quality),
				...row('Sampled', cells.age), ...row('Range', cells.range), ...row('Last hour', cells.hour)),
			make('figure', { class: 'fg-plate-figure' }, svg,
				make('figcaption', {}, this.#parts.from, this.#parts.to)),
			note,
			this.#command.element,
			make('p', {}, make('a', { class: 'fg-button', href: trend }, 'Open trend')),
			this.#lists.element,
			siblings,
		];
	}

	async #loadHistory(name) {
		this.#load?.abort();
		this.#load = new AbortController();
		const to = this.live.now();

		try {
			const series = await querySeries({ datasource: this.datasource, names: [name],
				from: to - SPAN_MS, to, points: POINTS }, this.#load.signal);

			this.#spark.setSeries(series.get(name)?.series ?? new Series());
			this.#drawn = 0;
			this.update();
		} catch (error) {
			if (error.name !== 'AbortError')
				setText(this.#parts.note, `No history: ${error.message}`);
		}
	}

	// A new registration brought new entries.
	refresh() {
		if (this.#name !== null)
			this.update();
	}

	// The connection was lost: fetch what was missed.
	reload() {
		if (this.#name !== null)
			this.#loadHistory(this.#name);
	}

	refreshListsSoon() {
		this.#lists?.refreshSoon();
	}

	sample(entry) {
		if (entry.name !== this.#name || entry.time === null)
			return;
		this.#spark.add(entry.time, this.live.quality(entry) === 'bad' ? null : toNumber(entry.value));
	}

	update() {
		if (this.#name === null)
			return;
		const entry = this.live.entry(this.datasource, this.#name);
		const parts = this.#parts;

		this.#command.update();
		setQuality(parts.big, this.live.quality(entry));
		setText(parts.quality, entry === undefined && this.live.connected
			? 'there is no such variable, or you may not read it' : this.live.qualityText(entry));
		if (entry === undefined)
			return;
		setText(parts.value, formatValue(entry, entry.value));
		setText(parts.unit, entry.unit ?? '');
		setText(parts.age, entry.time === null ? 'never'
			: `${formatTime(entry.time, pageZone())} (${formatAge(this.live.now() - entry.time)})`);
		setText(parts.range, rangeText(entry));
		this.#drawSometimes(entry);
		this.#showSiblings();
	}

	#drawSometimes(entry) {
		const now = this.live.now();

		if (now - this.#drawn < REDRAW_MS)
			return;
		this.#drawn = now;
		this.#spark.describe(entry, this.live.quality(entry) === GOOD);
		const extent = this.#spark.draw(now)?.extent ?? null;

		setText(this.#parts.hour, extent === null ? 'no samples'
			: `${formatNumber(extent[0], entry.decimals ?? 2)} … ${formatNumber(extent[1], entry.decimals ?? 2)}`);
		setText(this.#parts.from, formatClock(now - SPAN_MS, pageZone()));
		setText(this.#parts.to, formatClock(now, pageZone()));
	}

	// Others of the same object that this screen shows: wt01/… beside wt01/power.
	#showSiblings() {
		const object = this.#name.slice(0, this.#name.lastIndexOf('/') + 1);
		const entries = [...this.live.entries.values()]
			.filter(({ name }) => object !== '' && name !== this.#name && name.startsWith(object))
			.sort((a, b) => compareNames(a.name, b.name));
		const list = this.#parts.siblings;

		if (list.childElementCount !== entries.length)
			list.replaceChildren(...entries.map((entry) => this.#sibling(entry, object)));
		entries.forEach((entry, i) => {
			const value = list.children[i].lastElementChild;

			setText(value, formatValue(entry, entry.value) + (entry.unit ? ` ${entry.unit}` : ''));
			setQuality(value, this.live.quality(entry));
		});
	}

	#sibling(entry, object) {
		const hash = `#${new URLSearchParams({ v: entry.name })}`;

		return make('li', {}, make('a', { href: hash }, entry.name.slice(object.length)), make('span'));
	}
}

function rangeText({ minimum, maximum, decimals, unit }) {
	const known = (limit) => limit !== null && limit !== undefined;

	if (!known(minimum) && !known(maximum))
		return 'not given';
	return `${known(minimum) ? formatNumber(minimum, decimals ?? 0) : ''} … `
		+ `${known(maximum) ? formatNumber(maximum, decimals ?? 0) : ''} ${unit ?? ''}`.trimEnd();
}
