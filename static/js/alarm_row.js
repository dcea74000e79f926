// alarm_row: an alarm as a row of the list, and as a line of its export.

import { alarmMark, stateTags, stateWords, timeCell } from './alarm_mark.js';
import { formatDateTime, formatTime } from './format.js';
import { make, pageZone } from './page.js';

// A trend of ten minutes around the time at which it came.
export function trendUrl(datasource, alarm) {
	const came = Date.parse(alarm.receivedTime);
	const iso = (ms) => new Date(ms).toISOString();

	return `/trend?${new URLSearchParams({ v: `${datasource}:${alarm.variableName}`,
		from: iso(came - 300_000), to: iso(came + 300_000) })}`;
}

// A float of the process with twelve digits says no more than with six.
const digits = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });

function numberText(value) {
	return typeof value === 'number' && !Number.isInteger(value) ? digits.format(value) : String(value);
}

export function valueText({ value, unit }) {
	if (value === null)
		return '';
	return unit ? `${numberText(value)} ${unit}` : numberText(value);
}

function heldNote(alarm, zone) {
	const held = alarm.outOfService ?? alarm.suppressed ?? alarm.shelved;

	if (held === null)
		return null;
	const until = held.until === null ? '' : ` until ${formatDateTime(Date.parse(held.until), zone)}`;

	return make('span', { class: 'fg-row-note' }, `${held.reason ?? ''}${until}${held.username ? `, ${held.username}` : ''}`);
}

function links(view, alarm) {
	const about = alarm.text || alarm.limit;

	return [
		make('a', { class: 'fg-list-variable', href: trendUrl(view.datasource, alarm),
			title: 'Trend around this alarm' }, alarm.variableName),
		view.screens === undefined ? null : make('a', { class: 'fg-list-jump',
			href: `${view.screens}?${new URLSearchParams({ v: alarm.variableName })}`,
			'aria-label': `Screen, ${about}` }, 'Screen'),
	];
}

function whatCell(view, alarm) {
	const again = alarm.reactivatedCount > 0 ? ` (came again ${alarm.reactivatedCount} ×)` : '';

	return make('th', { scope: 'row', 'data-fg-name': true },
		make('span', { class: 'fg-list-text' }, (alarm.text || alarm.limit) + again), ...links(view, alarm));
}

function acknowledgedCell(alarm, zone) {
	const cell = timeCell(alarm.acknowledgedTime, zone, 'Acknowledged');

	if (alarm.username !== null && alarm.acknowledgedTime !== null)
		cell.append(make('span', { class: 'fg-row-note' }, alarm.userFullName || alarm.username));
	return cell;
}

// The cells behind the box that picks the row.
export function alarmCells(alarm, view) {
	const zone = pageZone();
	const words = [alarm.alarmCause.join(' › '), alarm.comment ?? ''].filter((text) => text !== '');

	return [
		make('td', { class: 'fg-list-mark' }, alarmMark(alarm)),
		make('td', { class: 'fg-list-state' }, stateWords(alarm), ...stateTags(alarm), heldNote(alarm, zone)),
		whatCell(view, alarm),
		make('td', { class: 'fg-number', 'data-fg-value': true }, valueText(alarm)),
		timeCell(alarm.receivedTime, zone, 'Came'),
		timeCell(alarm.clearedTime, zone, 'Went'),
		acknowledgedCell(alarm, zone),
		make('td', { class: 'fg-list-comment' }, words.join(': ')),
	];
}

export function alarmColumns(zone) {
	const local = (text) => (text === null ? '' : formatTime(Date.parse(text), zone));
	const marks = (a) => ['uncertain', 'chattering'].filter((name) => a[name]).join(' ');

	return [
		['priority', (a) => a.priority], ['state', (a) => a.state], ['marks', marks],
		['variable', (a) => a.variableName], ['text', (a) => a.text], ['value', (a) => a.value], ['unit', (a) => a.unit],
		[`received (${zone})`, (a) => local(a.receivedTime)], [`cleared (${zone})`, (a) => local(a.clearedTime)],
		[`acknowledged (${zone})`, (a) => local(a.acknowledgedTime)], ['user', (a) => a.username],
		['comment', (a) => a.comment], ['cause', (a) => a.alarmCause.join(' > ')], ['class', (a) => a.alarmClass],
		['group', (a) => a.alarmGroup], ['areas', (a) => a.alarmAreas.join(' ')], ['reactivated', (a) => a.reactivatedCount],
		['received UTC', (a) => a.receivedTime], ['id', (a) => a.id],
	];
}
