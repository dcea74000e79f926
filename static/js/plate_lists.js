// plate_lists: below the faceplate of a variable: its last alarms, and who set
// it to what, with what came of it.

import { alarmMark, stateTags, stateWords } from './alarm_mark.js';
import { formatTime } from './format.js';
import { postJson } from './http.js';
import { make, pageZone } from './page.js';

const ROWS = 5;
const CALM_MS = 1000; // between two questions, however much happens

function when(text) {
	return make('time', { class: 'fg-muted', datetime: text }, formatTime(Date.parse(text), pageZone()));
}

function alarmLine(alarm) {
	return make('li', {}, alarmMark(alarm), make('div', {}, make('b', {}, alarm.text || alarm.limit),
		make('div', {}, stateWords(alarm), ' ', ...stateTags(alarm)), when(alarm.receivedTime)));
}

function commandLine(event) {
	const change = [event.oldValue, event.value].filter((value) => value !== null && value !== undefined).join(' → ');

	return make('li', {}, make('div', {}, make('b', {}, change), ` ${event.kind.replace('command.', '')}`,
		make('div', {}, event.userFullName || event.username || '', event.comment ? `: ${event.comment}` : ''), when(event.receivedTime)));
}

export class PlateLists {
	#datasource;
	#name;
	#load = null;
	#timer = 0;
	#asked = -CALM_MS;

	constructor(datasource, name) {
		this.#datasource = datasource;
		this.#name = name;
		this.element = make('div', { class: 'fg-plate-lists' });
		this.refreshSoon();
	}

	refreshSoon() {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => this.#refresh(), Math.max(0, this.#asked + CALM_MS - performance.now()));
	}

	close() {
		clearTimeout(this.#timer);
		this.#load?.abort();
	}

	async #ask(path, more) {
		const body = { variableFilter: { variableNames: [this.#name] }, sort: '-receivedTime', limit: ROWS, ...more };

		try {
			return await postJson(`/api/v1/datasources/${this.#datasource}/${path}/query`, body, this.#load.signal);
		} catch {
			return {}; // what may not be read is not there
		}
	}

	async #refresh() {
		this.#load?.abort();
		const load = this.#load = new AbortController();

		this.#asked = performance.now();
		const [{ alarms = [] }, { events = [] }] = await Promise.all([
			this.#ask('alarms'), this.#ask('events', { kinds: ['command.*'] })]);

		if (!load.signal.aborted)
			this.element.replaceChildren(...this.#section('Alarms', alarms.map(alarmLine), 'alarms'),
				...this.#section('Set values', events.map(commandLine), 'events'));
	}

	#section(title, lines, path) {
		const all = `/plants/${this.#datasource}/${path}?${new URLSearchParams({ view: 'history', names: this.#name })}`;

		return lines.length === 0 ? [] : [make('h3', {}, title), make('ul', { class: 'fg-bare' }, ...lines),
			make('p', {}, make('a', { href: all, 'aria-label': `All of ${title.toLowerCase()}` }, 'All of them'))];
	}
}
