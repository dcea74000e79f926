// spark_view: a sparkline in an <svg>, redrawn as samples arrive.

import { makeSvg } from './page.js';
import { Series } from './series.js';
import { sparkPaths } from './spark.js';

export class SparkView {
	#series = null;
	#early = []; // samples that came before the history did

	constructor(svg, span_ms, { stepped = false } = {}) {
		const [, , width, height] = (svg.getAttribute('viewBox') ?? '0 0 120 32').split(/[ ,]+/).map(Number);

		this.span = span_ms;
		this.box = { width, height, stepped };
		this.band = makeSvg('path', { class: 'fg-spark-band' });
		this.line = makeSvg('path', { class: 'fg-spark-line' });
		svg.replaceChildren(this.band, this.line);
		svg.setAttribute('aria-hidden', 'true');
	}

	get series() {
		return this.#series;
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
		const paths = sparkPaths(this.#series, { from: now - this.span, to: now, ...this.box });

		this.band.setAttribute('d', paths.band);
		this.line.setAttribute('d', paths.line);
		return paths;
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
