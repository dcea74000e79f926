// list_filter: what a list is asked for: the controls of its form, the address,
// which is the same in words, and the summary of what is set on a phone, where
// all but the first control are folded away.

import { fromLocalField, toLocalField } from './format.js';
import { pageZone, setText } from './page.js';

const DAY_MS = 86_400_000;
const NARROW = matchMedia('(max-width: 640px)');

export class ListFilter {
	#form = document.getElementById('fg-list-filter');
	#box = this.#form.querySelector('details');
	#words = this.#box.querySelector('output');

	// onChange(): the person asks for something else.
	constructor(onChange) {
		const fold = () => {
			this.#box.open = !NARROW.matches;
		};

		this.#readAddress();
		fold();
		NARROW.addEventListener('change', fold);
		this.#form.addEventListener('submit', (event) => event.preventDefault());
		this.#form.addEventListener('input', () => {
			this.#show();
			this.#writeAddress();
			onChange();
		});
		addEventListener('popstate', () => {
			this.#readAddress();
			onChange();
		});
		document.addEventListener('keydown', (event) => this.#key(event));
	}

	get values() {
		return Object.fromEntries(new FormData(this.#form));
	}

	// What every list understands of it. Fails: RangeError.
	question() {
		const { view, text, names } = this.values;

		return {
			timeFilter: view === 'history' ? this.#range() : undefined,
			text: text.trim() === '' ? undefined : `*${text.trim()}*`,
			variableFilter: { variableNames: [names.trim() || '*'] },
		};
	}

	#range() {
		const { from, to } = this.values;
		const zone = pageZone();

		return {
			from: new Date(fromLocalField(from, zone)).toISOString(),
			to: new Date(fromLocalField(to, zone)).toISOString(),
		};
	}

	#show() {
		const history = this.values.view === 'history';

		for (const field of this.#form.querySelectorAll('[data-fg-range]'))
			field.hidden = !history;
		setText(this.#words, [...this.#box.querySelectorAll('input, select')]
			.filter((control) => control.value !== '' && (history || control.closest('[data-fg-range]') === null))
			.map((control) => `${control.labels[0].textContent.toLowerCase()} ${this.#wordsOf(control)}`).join(', '));
	}

	#wordsOf(control) {
		return (control.selectedOptions?.[0].textContent ?? control.value).replace('T', ' ');
	}

	#readAddress() {
		const zone = pageZone();
		const { elements } = this.#form;

		this.#form.reset();
		elements.from.value = toLocalField(Date.now() - DAY_MS, zone);
		elements.to.value = toLocalField(Date.now() + 60_000, zone);
		for (const [name, value] of new URLSearchParams(location.search))
			if (elements[name]?.name === name)
				elements[name].value = value;
		if (elements.view.value === '')
			elements.view.selectedIndex = 0; // an address that somebody made up
		this.#show();
	}

	#writeAddress() {
		const address = new URL(location.href);
		const { view, from, to, ...others } = this.values;
		const set = view === 'history' ? { view, from, to, ...others }
			: { view: view === 'current' ? '' : view, ...others };

		address.search = '';
		for (const [name, value] of Object.entries(set))
			if (value !== '')
				address.searchParams.set(name, value);
		history.replaceState(null, '', address);
	}

	// As in every list: / goes to the words to look for.
	#key(event) {
		if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey
			|| event.target.closest('input, textarea, select, dialog') !== null)
			return;
		event.preventDefault();
		this.#box.open = true;
		this.#form.elements.text.focus();
	}
}
