// overview: the plants at a glance: state, age of the last data, a few
// numbers, each with its last half hour.

import { priorityMark } from './alarm_mark.js';
import { formatAge, formatValue } from './format.js';
import { querySeries } from './history.js';
import { make, openLive, setText, setTitle } from './page.js';
import { startFooter } from './footer.js';
import { showPlantState } from './plant_state.js';
import { GOOD, setQuality } from './quality.js';
import { Series, toNumber } from './series.js';
import { SparkView } from './spark_view.js';

const SPAN_MS = 30 * 60_000;
const POINTS = 120;

class Tile {
	constructor(element, datasource) {
		this.element = element;
		this.datasource = datasource;
		this.name = element.dataset.fgVar;
		this.value = element.querySelector('[data-fg-value]');
		this.unit = element.querySelector('[data-fg-unit]');
		const svg = element.querySelector('[data-fg-spark]');

		this.spark = svg === null ? null : new SparkView(svg, SPAN_MS, { fill: true });
	}

	show(live) {
		const entry = live.entry(this.datasource, this.name);

		if (entry !== undefined)
			this.spark?.describe(entry, live.quality(entry) === GOOD);
		setQuality(this.value, live.quality(entry));
		setTitle(this.element, `${this.name}: ${live.qualityText(entry)}`);
		if (entry === undefined)
			return;
		setText(this.value, formatValue(entry, entry.value));
		if (this.unit !== null)
			setText(this.unit, entry.unit ?? '');
	}
}

class Card {
	constructor(element) {
		this.element = element;
		this.id = element.dataset.fgPlant;
		this.state = element.querySelector('[data-fg-plant-state]');
		this.seen = element.querySelector('[data-fg-plant-seen]');
		this.tiles = [...element.querySelectorAll('[data-fg-var]')]
			.map((tile) => new Tile(tile, this.id));
	}

	// What stands here: not acknowledged with a ring, else plain.
	showAlarms(counts) {
		const link = this.element.querySelector('[data-fg-plant-alarms]');
		const marks = Object.entries(counts?.active ?? {}).flatMap(([priority, active]) => {
			const waiting = counts.unacknowledged[priority];
			const count = Math.max(active, waiting);

			return count === 0 ? [] : [make('span', { class: 'fg-alarm-count' },
				priorityMark(Number(priority), waiting > 0 ? 'new' : 'known'), String(count))];
		});

		link.hidden = marks.length === 0;
		link.replaceChildren(make('span', { class: 'fg-visually-hidden' }, 'Alarms:'), ...marks);
	}

	names() {
		return this.tiles.map((tile) => tile.name);
	}

	showState(live) {
		if (this.state !== null)
			showPlantState(this.state, live, this.id);
		for (const tile of this.tiles)
			tile.show(live);
	}

	showAge(live) {
		const times = this.tiles.map((tile) => live.entry(this.id, tile.name)?.time ?? -Infinity);
		const last = Math.max(...times, live.datasources.get(this.id)?.seen ?? -Infinity);

		if (this.seen === null)
			return;
		setText(this.seen, last === -Infinity ? 'never'
			: live.now() - last < 2000 ? 'just now' : `${formatAge(live.now() - last)} ago`);
	}

	// History first; samples that arrive meanwhile are newer and go on top.
	async load(live) {
		const to = live.now();
		const tiles = this.tiles.filter((tile) => tile.spark !== null);

		if (tiles.length === 0)
			return;
		const series = await querySeries({ datasource: this.id, names: tiles.map((tile) => tile.name),
			from: to - SPAN_MS, to, points: POINTS });

		for (const tile of tiles)
			tile.spark.setSeries(series.get(tile.name)?.series ?? new Series(SPAN_MS / POINTS));
	}
}

function showOnline(live, cards) {
	const label = document.querySelector('[data-fg-online-count]');
	const online = cards.filter((card) => live.datasources.get(card.id)?.state === 'Online');

	if (label !== null && live.connected)
		setText(label, String(online.length));
}

function start() {
	const cards = [...document.querySelectorAll('[data-fg-plant]')].map((card) => new Card(card));
	const tiles = new Map();

	for (const card of cards)
		for (const tile of card.tiles)
			tiles.set(`${card.id}:${tile.name}`, tile);

	const loadAll = () => {
		for (const card of cards)
			card.load(live).catch(() => {}); // then the sparklines begin now
	};
	const live = openLive({
		onValues(entries) {
			for (const entry of entries)
				tiles.get(`${entry.datasource}:${entry.name}`)?.show(live);
		},
		onSample(entry) {
			const tile = tiles.get(`${entry.datasource}:${entry.name}`);

			if (entry.time !== null)
				tile?.spark?.add(entry.time, live.quality(entry) === 'bad' ? null : toNumber(entry.value));
		},
		onState() {
			for (const card of cards)
				card.showState(live);
			showOnline(live, cards);
		},
		onBack: () => loadAll(), // what was missed meanwhile
		onSecond() {
			for (const card of cards) {
				card.showAge(live);
				for (const tile of card.tiles)
					tile.spark?.draw(live.now());
			}
		},
	});

	addEventListener('fg-alarms', ({ detail }) => {
		for (const card of cards)
			card.showAlarms(detail.dataSources.find(({ dataSource }) => dataSource === card.id));
	});
	startFooter(live);
	loadAll();
	live.want(cards.filter((card) => card.tiles.length > 0)
		.map((card) => ({ datasource: card.id, names: card.names() })));
}

start();
