// series: columns of one variable over time, as history answers them and the
// live stream goes on with them. Every entry has time, minimum, maximum and
// last; a raw sample has all three the same; null breaks the line. Pure.

export class Series {
	time = [];
	minimum = [];
	maximum = [];
	last = [];
	text = null;   // of a string variable, beside columns that stay null
	bucket_ms = 0; // 0: every sample kept

	constructor(bucket_ms = 0) {
		this.bucket_ms = bucket_ms;
	}

	// One variable of an answer of history/query.
	static fromHistory(column, span_ms, points) {
		const envelope = column.form === 'envelope';
		const bucket_ms = column.bucket ? column.bucket * 1000 : span_ms / points;
		const series = new Series(envelope ? bucket_ms : 0);

		series.time = [...column.time];
		if (envelope) {
			series.minimum = column.minimum.map(toNumber);
			series.maximum = column.maximum.map(toNumber);
			series.last = column.last.map(toNumber);
		} else {
			series.text = column.type === 'string' ? [...column.value] : null;
			series.last = column.value.map(series.text === null ? toNumber : () => null);
			series.minimum = [...series.last];
			series.maximum = [...series.last];
		}
		return series;
	}

	get length() {
		return this.time.length;
	}

	// A sample from the stream. Older than the end: already in history.
	add(time_ms, value) {
		const end = this.time.length - 1;
		const number = this.text === null ? toNumber(value) : null;

		if (end >= 0 && time_ms <= this.time[end])
			return false;
		if (this.#sameBucket(time_ms) && number !== null && this.last[end] !== null) {
			this.minimum[end] = Math.min(this.minimum[end], number);
			this.maximum[end] = Math.max(this.maximum[end], number);
			this.last[end] = number;
			return true;
		}
		this.text?.push(value);
		this.time.push(time_ms);
		this.minimum.push(number);
		this.maximum.push(number);
		this.last.push(number);
		return true;
	}

	#sameBucket(time_ms) {
		return this.bucket_ms > 0 && this.time.length > 0
			&& time_ms - this.time[this.time.length - 1] < this.bucket_ms;
	}

	// From here on nothing is known until the next sample.
	breakAt(time_ms) {
		const end = this.time.length - 1;

		if (end < 0 || this.last[end] === null)
			return;
		this.text?.push(null);
		this.time.push(Math.max(time_ms, this.time[end] + 1));
		this.minimum.push(null);
		this.maximum.push(null);
		this.last.push(null);
	}

	// Forget what lies before "from", but keep one as the line's start.
	trim(from_ms) {
		const count = indexAt(this.time, from_ms);

		if (count <= 0)
			return;
		for (const column of [this.time, this.minimum, this.maximum, this.last, this.text])
			column?.splice(0, count);
	}

	// What was known at a time: the entry at or before it.
	at(time_ms) {
		const i = indexAt(this.time, time_ms);

		return i < 0 ? null : { time: this.time[i], value: (this.text ?? this.last)[i],
			minimum: this.minimum[i], maximum: this.maximum[i] };
	}

	// The entry nearest to a time, so that a cursor shows what it stands on;
	// before the first one there is nothing, but for those few pixels.
	nearest(time_ms, tolerance_ms = 0) {
		const i = indexAt(this.time, time_ms);
		const next = this.time[i + 1];

		if (i < 0)
			return next !== undefined && next - time_ms <= tolerance_ms ? this.at(next) : null;
		return next !== undefined && next - time_ms < time_ms - this.time[i] ? this.at(next) : this.at(time_ms);
	}

	// [smallest, largest] between two times, null if there is nothing.
	extent(from_ms, to_ms) {
		let low = Infinity;
		let high = -Infinity;
		const first = Math.max(0, indexAt(this.time, from_ms));

		for (let i = first; i < this.time.length && this.time[i] <= to_ms; i++) {
			if (this.last[i] === null)
				continue;
			low = Math.min(low, this.minimum[i]);
			high = Math.max(high, this.maximum[i]);
		}
		return low > high ? null : [low, high];
	}
}

// A number to draw; bools as 0 and 1; null for all that cannot be drawn.
export function toNumber(value) {
	if (value === null || value === undefined)
		return null;
	if (typeof value === 'boolean')
		return value ? 1 : 0;
	const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);

	return Number.isFinite(number) ? number : null;
}

// Index of the last time that is not after "time_ms", -1 if none.
export function indexAt(times, time_ms) {
	let low = 0;
	let high = times.length;

	while (low < high) {
		const middle = (low + high) >> 1;

		if (times[middle] <= time_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}
