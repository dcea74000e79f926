// screen_alarms: the alarms of a plant on its process screen: the most urgent
// one of each object as a sign at the corner of the object.

import { alarmMark } from './alarm_mark.js';
import { postJson } from './http.js';

const CALM_MS = 1000; // between two questions, however much happens
const ALARMS_MAX = 500;
const SIZE = 26; // of a sign, in the units of the picture
const STATES = ['UnacknowledgedActive', 'AcknowledgedActive', 'ReturnedUnacknowledged'];

// What a sign stands for: the group of the variable, or its own element.
function placeOf(element) {
	return element.closest('[data-fg-faceplate]') ?? element;
}

function compareUrgency(left, right) {
	return left.priority - right.priority || STATES.indexOf(left.state) - STATES.indexOf(right.state);
}

export class ScreenAlarms {
	#elements;
	#datasource;
	#marks = new Map(); // place -> { mark, text }
	#timer = 0;
	#asked = -CALM_MS;

	// elements: variable -> the elements that show it.
	constructor(elements, datasource) {
		this.#elements = elements;
		this.#datasource = datasource;
	}

	refreshSoon() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#refresh(), Math.max(0, this.#asked + CALM_MS - performance.now()));
	}

	async #refresh() {
		this.#asked = performance.now();
		try {
			const { alarms } = await postJson(`/api/v1/datasources/${this.#datasource}/alarms/query`,
				{ states: STATES, sort: 'priority', limit: ALARMS_MAX });

			this.#show(alarms);
		} catch {
			// without the right to read alarms there are none; else the next change asks again
		}
	}

	// place -> its most urgent alarm
	#places(alarms) {
		const places = new Map();

		for (const alarm of [...alarms].sort(compareUrgency))
			for (const element of this.#elements.get(alarm.variableName) ?? []) {
				const place = placeOf(element);

				if (!places.has(place))
					places.set(place, alarm);
			}
		return places;
	}

	#show(alarms) {
		const places = this.#places(alarms);

		for (const [place, { mark }] of this.#marks)
			if (!places.has(place)) {
				mark.remove();
				this.#marks.delete(place);
			}
		for (const [place, alarm] of places)
			this.#mark(place, alarm);
	}

	// At the upper right corner; the box is measured without the sign in it.
	#mark(place, alarm) {
		const known = this.#marks.get(place);
		const text = `${alarm.priority} ${alarm.state}`;

		if (known?.text === text)
			return;
		known?.mark.remove();
		const box = place.getBBox();
		const mark = alarmMark(alarm);

		for (const [name, value] of Object.entries({ x: box.x + box.width - SIZE / 2, y: box.y - SIZE / 2, width: SIZE, height: SIZE }))
			mark.setAttribute(name, value);
		mark.classList.add('fg-screen-mark');
		if (place.tagName === 'g')
			place.append(mark);
		else
			place.after(mark);
		this.#marks.set(place, { mark, text });
	}
}
