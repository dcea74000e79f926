// trend_item: one variable of a trend: what it is, its samples, what is wrong.

import { GOOD } from './quality.js';
import { toNumber } from './series.js';

export class TrendItem {
	series = null;
	error = '';
	unit = '';
	decimals = 2;
	type = 'float';
	stepped = false;
	#entry;      // () => entry of the live stream
	#quality;    // () => its quality now
	#early = []; // samples that came while history was asked for
	#loading = false;

	constructor({ datasource, name }, slot, entry, quality) {
		this.datasource = datasource;
		this.name = name;
		this.slot = slot;
		this.#entry = entry;
		this.#quality = quality;
	}

	describe({ unit, decimals, type, stepped }) {
		this.unit = unit ?? this.unit;
		this.decimals = decimals ?? this.decimals;
		this.type = type ?? this.type;
		this.stepped = stepped ?? this.stepped;
	}

	startLoading() {
		this.#early = [];
		this.#loading = true;
	}

	setSeries(series) {
		this.#loading = false;
		this.error = '';
		this.series = series;
		for (const [time, value, good] of this.#early)
			this.#append(time, value, good);
		this.#early = [];
	}

	fail(message) {
		this.#loading = false;
		this.error = message;
		this.series = null;
	}

	add(time, value, good) {
		if (this.#loading)
			this.#early.push([time, value, good]);
		if (this.series !== null)
			this.#append(time, value, good);
	}

	#append(time, value, good) {
		if (good && value !== null)
			this.series.add(time, value);
		else
			this.series.breakAt(time);
	}

	// Whether the last value still holds, so that its line goes on.
	held = () => this.#quality() === GOOD;

	quality() {
		return this.#quality();
	}

	// The newest value there is: the live one, if it is later than history.
	newest() {
		const entry = this.#entry();
		const last = this.series === null ? null : this.series.at(Infinity);

		if (entry === undefined || entry.time === null)
			return last;
		return { time: entry.time, minimum: null, maximum: null,
			value: this.type === 'string' ? entry.value : toNumber(entry.value) };
	}
}
