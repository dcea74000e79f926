// spark_view: a sparkline in an <svg>, redrawn as samples arrive.

import { makeSvg } from './page.js';
import { Series } from './series.js';
import { sparkPaths } from './spark.js';

const FILL_MIN_MS = 60_000;

export class SparkView {
	#series = null;
	#early = []; // samples that came before the history did

	constructor(svg, span_ms, { fill = false } = {}) {
		const [, , width, height] = (svg.getAttribute('viewBox') ?? '0 0 120 32').split(/[ ,]+/).map(Number);

		this.span = span_ms;
		this.fill = fill;
		this.box = { width, height };
		this.band = makeSvg('path', { class: 'fg-spark-band' });
		this.line = makeSvg('path', { class: 'fg-spark-line' });
		svg.replaceChildren(this.band, this.line);
		svg.setAttribute('aria-hidden', 'true');
	}

	// What only the live stream knows of the variable.
	describe({ stepped, type }, held) {
		this.box.stepped = stepped === true || type === 'bool';
		this.box.held = held;
	}

	setSeries(series) {
		for (const [time, value] of this.#early)
			addTo(series, time, value);
		this.#early = [];
		this.#series = series;
	}

	add(time, value) {
		if (this.#series !== null)
			addTo(this.#series, time, value);
		else if (this.#early.length < 1000)
			this.#early.push([time, value]);
	}

	// What is drawn: {extent} as of sparkPaths.
	draw(now) {
		if (this.#series === null)
			this.#series = this.#early.length > 0 ? this.#takeEarly() : null;
		if (this.#series === null)
			return null;
		this.#series.trim(now - this.span);
		const paths = sparkPaths(this.#series, { from: this.#start(now), to: now, ...this.box });

		this.band.setAttribute('d', paths.band);
		this.line.setAttribute('d', paths.line);
		return paths;
	}

	// A short history fills the picture instead of its last corner.
	#start(now) {
		const first = this.#series.time[0] ?? 0;

		return this.fill ? Math.min(Math.max(first, now - this.span), now - FILL_MIN_MS) : now - this.span;
	}

	#takeEarly() {
		const series = new Series();

		for (const [time, value] of this.#early)
			addTo(series, time, value);
		return series; // replaced as soon as history answers
	}
}

function addTo(series, time, value) {
	if (value === null)
		series.breakAt(time);
	else
		series.add(time, value);
}
