// trend_search: the box in which variables are found and added.

import { postJson } from './http.js';
import { compareNames } from './order.js';
import { make, setText } from './page.js';
import { wildcardTest } from './wildcard.js';

const SHOWN_MAX = 60;

async function loadVariables({ id, name }) {
	const answer = await postJson(`/api/v1/datasources/${id}/variables/query`, {
		nameFilter: { variableNames: ['*'] }, fields: ['name', 'unit', 'description'] });

	return answer.variables.map((variable) => ({ ...variable, datasource: id, plant: name }));
}

export class TrendSearch {
	#all = null;
	#shown = [];
	#active = -1;

	// plants: [{id, name}]; onAdd({datasource, name}); has(variable)
	constructor(plants, { onAdd, has }) {
		this.plants = plants;
		this.onAdd = onAdd;
		this.has = has;
		this.input = make('input', { id: 'fg-trend-search', class: 'fg-input', type: 'search', role: 'combobox',
			placeholder: 'Add a variable', autocomplete: 'off', spellcheck: 'false',
			'aria-label': 'Add a variable', 'aria-expanded': 'false', 'aria-controls': 'fg-trend-found',
			'aria-autocomplete': 'list' });
		this.list = make('ul', { id: 'fg-trend-found', class: 'fg-trend-found', role: 'listbox',
			'aria-label': 'Variables', hidden: true });
		this.element = make('div', { class: 'fg-trend-search' }, this.input, this.list);
		this.#listen();
	}

	#listen() {
		this.input.addEventListener('focus', () => this.#open());
		this.input.addEventListener('input', () => this.#open());
		this.input.addEventListener('keydown', (event) => this.#key(event));
		this.input.addEventListener('blur', () => this.#close());
		this.list.addEventListener('pointerdown', (event) => event.preventDefault()); // keep the focus
		this.list.addEventListener('click', (event) => {
			const index = [...this.list.children].indexOf(event.target.closest('[role="option"]'));

			this.#choose(this.#shown[index]);
		});
		document.addEventListener('keydown', (event) => {
			if (event.key === '/' && !event.target.closest('input, textarea, select')
				&& !event.ctrlKey && !event.metaKey && !event.altKey) {
				event.preventDefault();
				this.input.focus();
			}
		});
	}

	async #load() {
		const loads = await Promise.allSettled(this.plants.map(loadVariables));
		const failed = loads.find(({ status }) => status === 'rejected');

		if (failed && loads.every(({ status }) => status === 'rejected'))
			throw failed.reason;
		this.#all = loads.flatMap(({ value }) => value ?? []).sort((a, b) =>
			compareNames(a.plant, b.plant) || compareNames(a.name, b.name));
	}

	async #open() {
		try {
			if (this.#all === null)
				await this.#load();
			this.#show();
		} catch (error) {
			this.list.replaceChildren(make('li', { class: 'fg-note' }, error.message));
			this.#expand(true);
		}
	}

	#show() {
		const test = wildcardTest(this.input.value);
		const found = this.#all.filter((variable) => !this.has(variable)
			&& test(variable.name, `${variable.plant} ${variable.description ?? ''} ${variable.unit ?? ''}`));

		if (document.activeElement !== this.input)
			return;
		this.#shown = found.slice(0, SHOWN_MAX);
		this.#active = this.input.value.trim() === '' ? -1 : Math.min(0, this.#shown.length - 1);
		this.list.replaceChildren(...this.#shown.map((variable, i) => option(variable, i)));
		if (found.length === 0)
			this.list.append(make('li', { class: 'fg-note' }, 'No variable fits.'));
		else if (found.length > SHOWN_MAX)
			this.list.append(make('li', { class: 'fg-note' }, `and ${found.length - SHOWN_MAX} more`));
		this.#expand(true);
		this.#mark();
	}

	#key(event) {
		const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];

		if (move !== undefined && this.#shown.length > 0) {
			event.preventDefault();
			this.#active = (this.#active + move + this.#shown.length) % this.#shown.length;
			this.#mark();
		} else if (event.key === 'Enter') {
			event.preventDefault();
			this.#choose(this.#shown[this.#active]);
		} else if (event.key === 'Escape') {
			this.input.value = '';
			this.#close();
		}
	}

	#mark() {
		[...this.list.querySelectorAll('[role="option"]')].forEach((item, i) => {
			item.setAttribute('aria-selected', String(i === this.#active));
			if (i === this.#active) {
				item.scrollIntoView({ block: 'nearest' });
				this.input.setAttribute('aria-activedescendant', item.id);
			}
		});
		if (this.#active < 0)
			this.input.removeAttribute('aria-activedescendant');
	}

	#choose(variable) {
		if (variable === undefined)
			return;
		this.input.value = '';
		this.onAdd({ datasource: variable.datasource, name: variable.name });
		this.#show();
	}

	#close() {
		this.#expand(false);
		this.#shown = [];
		this.#active = -1;
	}

	#expand(open) {
		this.list.hidden = !open;
		this.input.setAttribute('aria-expanded', String(open));
	}
}

function option({ name, plant, unit, description }, i) {
	const note = make('span', { class: 'fg-row-note' });

	setText(note, [plant, unit, description].filter(Boolean).join(' · '));
	return make('li', { role: 'option', id: `fg-trend-found-${i}`, 'aria-selected': 'false' },
		make('span', {}, name), note);
}
