// events: the Chronological Event List of a plant.

import { timeCell } from './alarm_mark.js';
import { formatTime } from './format.js';
import { ListView } from './list_view.js';
import { make, pageZone } from './page.js';

function body(filter) {
	return filter.view === 'history' ? { sort: '-receivedTime' }
		: { sort: '-receivedTime', timeFilter: { type: 'Relative', last: '24h' } };
}

function change(event) {
	const value = event.value ?? '';

	return event.oldValue === null || event.oldValue === undefined ? String(value) : `${event.oldValue} → ${value}`;
}

function row(event) {
	const zone = pageZone();

	return [
		timeCell(event.receivedTime, zone),
		make('td', { class: 'fg-list-state' }, event.kind),
		make('th', { scope: 'row', 'data-fg-name': true },
			make('span', { class: 'fg-list-text' }, event.text),
			event.variableName === null ? null : make('span', { class: 'fg-list-variable' }, event.variableName)),
		make('td', { class: 'fg-number', 'data-fg-value': true }, change(event)),
		make('td', {}, event.userFullName || event.username || ''),
		make('td', {}, event.computer ?? ''),
		make('td', { class: 'fg-list-comment' }, event.comment ?? ''),
	];
}

function columns(zone) {
	return [
		[`time (${zone})`, (e) => formatTime(Date.parse(e.receivedTime), zone)], ['kind', (e) => e.kind],
		['variable', (e) => e.variableName], ['text', (e) => e.text], ['value', (e) => e.value],
		['old value', (e) => e.oldValue], ['user', (e) => e.username], ['computer', (e) => e.computer],
		['comment', (e) => e.comment], ['time UTC', (e) => e.receivedTime], ['id', (e) => e.id],
	];
}

new ListView({ path: 'events', member: 'events', body, row, columns, empty: () => 'No event in this time.' });
