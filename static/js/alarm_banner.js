// alarm_banner: the line on top of every page: what nobody has acknowledged
// yet, the most urgent alarm and how many there are of each priority. It tells
// the rest of the page as well: the event fg-alarms has the whole summary.

import { priorityMark } from './alarm_mark.js';
import { AlarmSound } from './alarm_sound.js';
import { formatAge } from './format.js';
import { getJson } from './http.js';
import { Live } from './live.js';
import { make, setText } from './page.js';

const CALM_MS = 1000; // between two questions, however much happens

class Banner {
	#line;
	#bar = document.getElementById('fg-alarm-bar');
	#said = document.getElementById('fg-alarm-said');
	#sound;
	#timer = 0;
	#asked = -CALM_MS;
	#asking = false;
	#again = false;
	#age = null; // the element, and since when
	#since = 0;

	constructor(line, plants) {
		this.#line = line;
		this.#sound = new AlarmSound(line);
		this.live = new Live({ onLists: () => this.#soon(), onBack: () => this.#soon(),
			onState: () => this.#showTrust(), onSecond: () => this.#showAge() });
		this.live.want([], { alarms: plants.map((datasource) => ({ datasource, names: ['*'] })) });
		this.#refresh();
	}

	#soon() {
		this.#again = this.#asking;
		if (this.#asking)
			return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#refresh(), Math.max(0, this.#asked + CALM_MS - performance.now()));
	}

	async #refresh() {
		this.#asking = true;
		this.#asked = performance.now();
		try {
			const summary = await getJson('/api/v1/alarms/summary');

			this.#show(summary);
			this.#sound.hear(summary);
			dispatchEvent(new CustomEvent('fg-alarms', { detail: summary }));
		} catch (error) {
			this.#again = error.status !== 401; // the page's own banner says what is wrong
		}
		this.#asking = false;
		if (this.#again)
			this.#soon();
	}

	#counts(unacknowledged) {
		return Object.entries(unacknowledged).filter(([, count]) => count > 0)
			.map(([priority, count]) => make('span', { class: 'fg-alarm-count' },
				priorityMark(Number(priority), 'new'), String(count)));
	}

	#show({ unacknowledged, active, top }) {
		const [first] = top;
		const standing = Object.values(active).reduce((sum, count) => sum + count, 0);

		this.#bar.classList.toggle('fg-alarm-quiet', first === undefined);
		this.#since = first === undefined ? 0 : Date.parse(first.alarm.receivedTime);
		if (first === undefined) {
			this.#age = null;
			this.#bar.href = '/';
			this.#bar.replaceChildren(make('span', { class: 'fg-alarm-top' },
				standing === 0 ? 'No alarms' : `${standing} active, nothing to acknowledge`));
			setText(this.#said, '');
			return;
		}
		const { dataSource, alarm } = first;

		this.#bar.href = `/plants/${dataSource}/alarms`;
		this.#age = make('span', { class: 'fg-alarm-age' });
		this.#bar.replaceChildren(
			make('span', { class: 'fg-alarm-counts' }, make('span', { class: 'fg-visually-hidden' }, 'Not acknowledged:'),
				...this.#counts(unacknowledged)),
			make('span', { class: 'fg-alarm-top' }, make('b', {}, alarm.text || alarm.limit), ` ${alarm.variableName}`),
			this.#age);
		this.#showAge();
		setText(this.#said, `Priority ${alarm.priority} alarm: ${alarm.text || alarm.limit}`);
	}

	#showAge() {
		if (this.#age !== null)
			setText(this.#age, formatAge(this.live.now() - this.#since));
	}

	// What is shown may be old, on pages without a stream of their own too.
	#showTrust() {
		this.#line.classList.toggle('fg-alarm-old', this.live.state === 'lost');
	}
}

const line = document.getElementById('fg-alarm-line');
const plants = line?.dataset.fgPlants.split(' ').filter((id) => id !== '') ?? [];

if (plants.length > 0)
	new Banner(line, plants);
else if (line !== null)
	line.hidden = true;
