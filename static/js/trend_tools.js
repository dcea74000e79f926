// trend_tools: the buttons and fields above a trend. They show the state and
// report what is wanted; they decide nothing.

import { fromLocalField, toLocalField } from './format.js';
import { browserZone, make, pageZone } from './page.js';
import { parseRange, RANGES, SPAN_MIN_MS, SPAN_MAX_MS } from './trend_state.js';

// Signs need a name; words are their own name.
function button(text, label, onClick) {
	const named = /[a-z]/i.test(text) ? undefined : label;
	const element = make('button', { type: 'button', class: 'fg-button', title: label, 'aria-label': named }, text);

	element.addEventListener('click', onClick);
	return element;
}

function labelled(text, input) {
	return make('label', { class: 'fg-trend-field' }, make('span', {}, text), input);
}

export class TrendTools {
	// handlers: onRange(ms), onWindow([from, to]), onZoom(factor),
	// onPan(share), onZone(zone), onCursors()
	constructor(box, search, handlers) {
		this.handlers = handlers;
		this.presets = RANGES.map((range) =>
			button(range, `Last ${range}`, () => handlers.onRange(parseRange(range))));
		this.cursors = button('A|B', 'Cursors A and B', () => handlers.onCursors());
		this.follow = button('Now', 'Follow the newest values', () => handlers.onRange(null));
		this.downloads = make('span', { class: 'fg-trend-downloads' });
		this.#makeForm();
		box.classList.add('fg-trend-tools');
		box.replaceChildren(
			search,
			make('div', { class: 'fg-trend-group', role: 'group', 'aria-label': 'Range' }, ...this.presets),
			make('div', { class: 'fg-trend-group', role: 'group', 'aria-label': 'Move and zoom' },
				button('◀', 'Earlier', () => handlers.onPan(-0.5)),
				button('−', 'Zoom out', () => handlers.onZoom(2)),
				button('+', 'Zoom in', () => handlers.onZoom(0.5)),
				button('▶', 'Later', () => handlers.onPan(0.5)),
				this.follow, this.cursors),
			this.more,
			this.downloads);
	}

	#makeForm() {
		this.from = make('input', { type: 'datetime-local', step: '1', class: 'fg-input', name: 'from' });
		this.to = make('input', { type: 'datetime-local', step: '1', class: 'fg-input', name: 'to' });
		this.zone = make('select', { class: 'fg-select', name: 'zone' });
		this.more = make('details', { class: 'fg-trend-more', open: innerWidth > 640 },
			make('summary', { class: 'fg-button' }, 'From, to, zone'));
		this.form = make('form', { class: 'fg-trend-form' },
			labelled('From', this.from), labelled('To', this.to), labelled('Zone', this.zone),
			make('button', { class: 'fg-button', title: 'Show this range' }, 'Show'));
		this.more.append(this.form);
		this.form.addEventListener('submit', (event) => {
			event.preventDefault();
			this.#submit();
		});
		this.zone.addEventListener('change', () => this.handlers.onZone(this.zone.value));
	}

	#submit() {
		const window = [this.from, this.to].map(({ value }) => fromLocalField(value, this.zone.value));
		const span = window[1] - window[0];
		const wrong = span >= SPAN_MIN_MS && span <= SPAN_MAX_MS ? ''
			: Number.isNaN(span) ? 'Give a date and a time.' : 'The end must be after the start, at most 10 years.';

		this.to.setCustomValidity(wrong);
		this.to.reportValidity();
		this.to.setCustomValidity('');
		if (wrong === '')
			this.handlers.onWindow(window);
	}

	show(state, window) {
		RANGES.forEach((range, i) =>
			this.presets[i].setAttribute('aria-pressed', String(parseRange(range) === state.range)));
		this.follow.setAttribute('aria-pressed', String(state.range !== undefined));
		this.cursors.setAttribute('aria-pressed', String(state.cursors.some((time) => time !== null)));
		this.#showZones(state.zone);
		this.showWindow(state, window);
	}

	// A field that has the focus is being typed into: leave it alone.
	showWindow(state, window) {
		if (this.form.contains(document.activeElement) && document.activeElement !== this.zone)
			return;
		[this.from, this.to].forEach((field, i) => {
			const text = toLocalField(window[i], state.zone);

			if (field.value !== text)
				field.value = text;
		});
	}

	#showZones(zone) {
		const zones = [...new Set([pageZone(), browserZone(), 'UTC', zone])];

		this.zone.replaceChildren(...zones.map((name) =>
			make('option', { value: name, selected: name === zone }, name)));
	}

	// [{label, href}], one file for each plant
	showDownloads(links) {
		this.downloads.replaceChildren(...links.map(({ label, href }) =>
			make('a', { class: 'fg-button', href, download: true }, label)));
	}
}
