// trend_chart: the drawing itself, with uPlot. It knows nothing of addresses
// and requests; it reports a wanted window, a hovered time and a click.

import { formatNumber } from './format.js';
import { bindGestures } from './trend_gestures.js';
import { assignScales, joinExtents, padRange, timeTicks } from './trend_axes.js';
import { runsOf } from './spark.js';
import { drawAlarms } from './trend_alarms.js';

const BAND_ALPHA = 0.28;
const CURSOR_NAMES = ['A', 'B'];

function token(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function seriesColor(slot) {
	return token(`--fg-series-${slot + 1}`) || '#888';
}

// Decimals that tell two neighbouring ticks apart.
function tickDecimals(step) {
	return Math.max(0, Math.min(10, -Math.floor(Math.log10(step) + 1e-9)));
}

export class TrendChart {
	#plot = null;
	#items = [];
	#scales = [];
	#window = [0, 1];
	#cursors = [null, null];
	#alarms = [];
	#zone = 'UTC';
	#now = null; // to where lines are held, null on a past range

	// handlers: onWindow(window, isFinal), onHover(time or null), onPick(time)
	constructor(box, handlers) {
		this.box = box;
		this.handlers = handlers;
		new ResizeObserver(() => this.#resize()).observe(box);
	}

	get plotWidth() {
		return Math.round(this.#plot?.over.clientWidth || Math.max(200, this.box.parentElement.clientWidth - 100));
	}

	get window() {
		return this.#window;
	}

	get scales() {
		return this.#scales;
	}

	// items: [{series, slot, unit, type, stepped, held}]; "held" tells that the
	// last value still holds. Called again when they change or the theme does.
	setItems(items, zone) {
		this.#items = items.filter(({ series, type }) => series !== null && type !== 'string');
		this.#scales = assignScales(this.#items);
		this.#zone = zone;
		this.#plot?.destroy();
		this.#plot = null;
		if (this.#items.length > 0)
			this.#plot = new globalThis.uPlot(this.#options(), this.#data(), this.box);
	}

	show(window, now) {
		this.#window = window;
		this.#now = now;
		if (this.#plot === null)
			return;
		this.#plot.batch(() => {
			this.#plot.setData(this.#data(), false);
			this.#plot.setScale('x', { min: window[0], max: window[1] });
		});
	}

	// While a gesture runs: the old samples in the new window.
	showWindow(window) {
		this.#window = window;
		this.#plot?.setScale('x', { min: window[0], max: window[1] });
	}

	setAlarms(alarms) {
		this.#alarms = alarms;
		this.#plot?.redraw(false, false);
	}

	setCursors(cursors) {
		this.#cursors = cursors;
		this.#plot?.redraw(false, false);
	}

	#data() {
		const tables = this.#items.map((item) => this.#table(item));

		return tables.length === 1 ? tables[0] : globalThis.uPlot.join(tables);
	}

	#table({ series, held }) {
		const end = series.length - 1;

		if (this.#now === null || !held?.() || end < 0 || series.time[end] >= this.#now
			|| series.last[end] === null)
			return [series.time, series.last];
		return [[...series.time, this.#now], [...series.last, series.last[end]]];
	}

	#height() {
		return Math.max(240, Math.min(this.box.clientWidth * 0.6, innerHeight * 0.52));
	}

	#options() {
		const { box } = this;
		const scales = { x: { time: true, auto: false, min: this.#window[0], max: this.#window[1] } };

		for (const { key } of this.#scales)
			scales[key] = { auto: true, range: () => this.#rangeOf(key) };
		return {
			width: box.clientWidth, height: this.#height(),
			ms: 1,
			tzDate: (time) => globalThis.uPlot.tzDate(new Date(time), this.#zone),
			legend: { show: false },
			padding: [18, this.#scales.some(({ side }) => side === 'right') ? 0 : 14, 0, 0],
			scales,
			axes: [this.#timeAxis(), ...this.#valueAxes()],
			series: [{}, ...this.#items.map((item, i) => this.#line(item, i))],
			cursor: {
				y: false,
				drag: { x: true, y: false, setScale: false },
				points: { size: 7 },
				dataIdx: nearestKnown,
				bind: { dblclick: () => null, mousedown: (_, __, handler) => (event) => {
					if (event.button === 0 && !event.shiftKey)
						handler(event);
				} },
			},
			hooks: {
				ready: [(plot) => bindGestures(plot, this)],
				drawAxes: [(plot) => this.#drawBands(plot)],
				draw: [(plot) => drawAlarms(plot, this.#alarms, this.#window), (plot) => this.#drawCursors(plot)],
				setSelect: [(plot) => this.#select(plot)],
				setCursor: [(plot) => this.handlers.onHover(plot.cursor.left < 0 || plot.cursor.left === undefined
					? null : plot.posToVal(plot.cursor.left, 'x'))],
			},
		};
	}

	#line({ slot, stepped, type }, i) {
		const color = seriesColor(slot);
		const step = stepped || type === 'bool';

		return { scale: this.#scales[i].key, stroke: color, width: 1.5, spanGaps: false,
			points: { size: 4, fill: color },
			paths: step ? globalThis.uPlot.paths.stepped({ align: 1 }) : undefined };
	}

	#timeAxis() {
		return { stroke: token('--fg-ink-2'), font: '12px system-ui, sans-serif',
			grid: { stroke: token('--fg-line'), width: 1 }, ticks: { stroke: token('--fg-line'), size: 5 },
			size: 46, space: 84,
			values: (_, splits, __, ___, step) => timeTicks(splits, step, this.#zone) };
	}

	#valueAxes() {
		return this.#scales.filter(({ side, key }, i) => side !== null
			&& this.#scales.findIndex((other) => other.key === key) === i).map(({ key, side }) => {
			const isBool = this.#items[this.#scales.findIndex((scale) => scale.key === key)].type === 'bool';

			return { scale: key, side: side === 'left' ? 3 : 1, stroke: token('--fg-ink-2'),
				font: '12px system-ui, sans-serif',
				grid: { show: side === 'left', stroke: token('--fg-line'), width: 1 },
				ticks: { stroke: token('--fg-line'), size: 5 }, space: 36,
				splits: isBool ? () => [0, 1] : undefined,
				size: (_, values) => 16 + 7 * Math.max(2, ...(values ?? []).map((text) => text?.length ?? 0)),
				values: (_, splits) => isBool ? splits.map((split) => split === 1 ? 'on' : 'off')
					: splits.map((split) => formatNumber(split, tickDecimals(splits[1] - splits[0]))) };
		});
	}

	// What is drawn in the window decides, not what lies outside of it.
	#rangeOf(key) {
		const items = this.#items.filter((_, i) => this.#scales[i].key === key);
		const [from, to] = this.#window;

		if (items[0].type === 'bool')
			return [-0.2, 1.2];
		return padRange(joinExtents(items.map(({ series }) => series.extent(from, to))));
	}

	// Between the smallest and the largest value of each bucket: no spike is lost.
	#drawBands(plot) {
		const { ctx, bbox } = plot;

		ctx.save();
		ctx.beginPath();
		ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
		ctx.clip();
		ctx.globalAlpha = BAND_ALPHA;
		this.#items.forEach(({ series, slot }, i) => {
			if (series.bucket_ms === 0)
				return;
			ctx.fillStyle = seriesColor(slot);
			ctx.strokeStyle = ctx.fillStyle;
			for (const run of runsOf(series.last))
				drawBand(plot, series, run, this.#scales[i].key);
		});
		ctx.restore();
	}

	#drawCursors(plot) {
		const { ctx, bbox } = plot;
		const ratio = devicePixelRatio;

		this.#cursors.forEach((time, i) => {
			if (time === null || time < this.#window[0] || time > this.#window[1])
				return;
			const x = Math.round(plot.valToPos(time, 'x', true));

			ctx.save();
			ctx.strokeStyle = token('--fg-ink');
			ctx.fillStyle = token('--fg-ink');
			ctx.lineWidth = ratio;
			ctx.setLineDash(i === 0 ? [] : [5 * ratio, 3 * ratio]);
			ctx.beginPath();
			ctx.moveTo(x, bbox.top);
			ctx.lineTo(x, bbox.top + bbox.height);
			ctx.stroke();
			ctx.font = `bold ${12 * ratio}px system-ui, sans-serif`;
			ctx.textAlign = 'center';
			ctx.fillText(CURSOR_NAMES[i], x, bbox.top - 5 * ratio);
			ctx.restore();
		});
	}

	#select(plot) {
		const { left, width } = plot.select;

		if (width < 5)
			return;
		const window = [left, left + width].map((x) => Math.round(plot.posToVal(x, 'x')));

		plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
		this.handlers.onWindow(window, true);
	}

	#resize() {
		if (this.#plot !== null && this.box.clientWidth > 0)
			this.#plot.setSize({ width: this.box.clientWidth, height: this.#height() });
	}
}

function drawBand(plot, series, [first, last], scale) {
	const { ctx } = plot;
	const x = (i) => plot.valToPos(series.time[i], 'x', true);
	const y = (value) => plot.valToPos(value, scale, true);

	ctx.beginPath();
	for (let i = first; i <= last; i++)
		ctx.lineTo(x(i), y(series.maximum[i]));
	for (let i = last; i >= first; i--)
		ctx.lineTo(x(i), y(series.minimum[i]));
	ctx.closePath();
	ctx.fill();
	ctx.lineWidth = 1; // a spike of one bucket has no area of its own
	ctx.stroke();
}

// The points on the lines show what the table says: the nearest sample.
function nearestKnown(plot, index, hovered) {
	const values = plot.data[index];

	if (index === 0 || hovered === null || values[hovered] != null)
		return hovered;
	for (let i = 1; i < 200; i++) {
		if (values[hovered - i] != null)
			return hovered - i;
		if (values[hovered + i] != null)
			return hovered + i;
	}
	return hovered;
}
