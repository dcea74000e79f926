// alarm_banner: on every page, what nobody has acknowledged yet: the most
// urgent alarm, and how many there are of each priority.

import { priorityMark } from './alarm_mark.js';
import { formatAge } from './format.js';
import { getJson } from './http.js';
import { Live } from './live.js';
import { make } from './page.js';

const CALM_MS = 1000; // between two questions, however much happens

class Banner {
	#element;
	#plants;
	#timer = 0;
	#asked = -CALM_MS;

	constructor(element) {
		this.#element = element;
		this.#plants = element.dataset.fgPlants.split(' ').filter((id) => id !== '');
		if (this.#plants.length === 0)
			return;
		this.live = new Live({ onLists: () => this.#soon(), onBack: () => this.#soon() });
		this.live.want([], { alarms: this.#plants.map((datasource) => ({ datasource, names: ['*'] })) });
		this.#refresh();
	}

	#soon() {
		const wait = Math.max(0, this.#asked + CALM_MS - performance.now());

		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#refresh(), wait);
	}

	async #refresh() {
		this.#asked = performance.now();
		try {
			this.#show(await getJson('/api/v1/alarms/summary'));
		} catch {
			this.#soon(); // the page's own banner says what is wrong
		}
	}

	#counts(unacknowledged) {
		return Object.entries(unacknowledged).filter(([, count]) => count > 0)
			.map(([priority, count]) => make('span', { class: 'fg-alarm-count' },
				priorityMark(Number(priority), 'new'), String(count)));
	}

	#show({ unacknowledged, top }) {
		const [first] = top;

		this.#element.hidden = first === undefined;
		if (first === undefined)
			return;
		const { dataSource, alarm } = first;

		this.#element.href = `/plants/${dataSource}/alarms`;
		this.#element.replaceChildren(
			make('span', { class: 'fg-alarm-counts', 'aria-label': 'Alarms not acknowledged' }, ...this.#counts(unacknowledged)),
			make('span', { class: 'fg-alarm-top' }, make('b', {}, alarm.text || alarm.limit), ` ${alarm.variableName}`),
			make('span', { class: 'fg-alarm-age' }, formatAge(this.live.now() - Date.parse(alarm.receivedTime))));
	}
}

const element = document.getElementById('fg-alarm-bar');

if (element !== null)
	new Banner(element);
