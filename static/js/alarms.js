// alarms: the Alarm Message List of a plant.

import { alarmMark, stateWords, timeCell } from './alarm_mark.js';
import { wishes } from './alarm_dialog.js';
import { formatDateTime, formatTime } from './format.js';
import { getJson, sendJson } from './http.js';
import { ListView } from './list_view.js';
import { make, pageZone } from './page.js';

const VIEWS = {
	current: { states: ['UnacknowledgedActive', 'AcknowledgedActive', 'ReturnedUnacknowledged'], sort: 'priority' },
	unacknowledged: { states: ['UnacknowledgedActive', 'ReturnedUnacknowledged'], sort: 'priority' },
	held: { states: ['Shelved', 'SuppressedByDesign', 'OutOfService'], sort: 'priority' },
	history: { sort: '-receivedTime' },
};

const NOTHING = {
	current: 'No alarm needs attention.',
	unacknowledged: 'Everything is acknowledged.',
	held: 'Nothing is shelved, suppressed or out of service.',
	history: 'No alarm came in this time.',
};

function body(filter) {
	const priorities = filter.priority === '' ? undefined : filter.priority.split(',').map(Number);

	return { ...VIEWS[filter.view], priorities };
}

function valueText(alarm) {
	if (alarm.value === null)
		return '';
	return alarm.unit ? `${alarm.value} ${alarm.unit}` : String(alarm.value);
}

// A trend of ten minutes around the time at which it came.
function trendUrl(view, alarm) {
	const name = encodeURIComponent(`${view.datasource}:${alarm.variableName}`);
	const came = Date.parse(alarm.receivedTime);
	const iso = (ms) => encodeURIComponent(new Date(ms).toISOString());

	return `/trend?v=${name}&from=${iso(came - 300_000)}&to=${iso(came + 300_000)}`;
}

function whatCell(view, alarm) {
	const again = alarm.reactivatedCount > 0 ? ` (came again ${alarm.reactivatedCount} ×)` : '';

	return make('th', { scope: 'row', 'data-fg-name': true },
		make('span', { class: 'fg-list-text' }, (alarm.text || alarm.limit) + again),
		make('a', { class: 'fg-list-variable', href: trendUrl(view, alarm), title: 'Trend around this alarm' },
			alarm.variableName));
}

function heldNote(alarm, zone) {
	const held = alarm.outOfService ?? alarm.suppressed ?? alarm.shelved;

	if (held === null)
		return null;
	const until = held.until === null ? '' : ` until ${formatDateTime(Date.parse(held.until), zone)}`;

	return make('span', { class: 'fg-row-note' }, `${held.reason ?? ''}${until}${held.username ? `, ${held.username}` : ''}`);
}

function row(alarm, view) {
	const zone = pageZone();
	const time = (ms) => formatTime(ms, zone);
	const acknowledged = timeCell(alarm.acknowledgedTime, time);
	const words = [alarm.alarmCause.join(' › '), alarm.comment ?? ''].filter((text) => text !== '');

	if (alarm.username !== null)
		acknowledged.append(make('span', { class: 'fg-row-note' }, alarm.userFullName || alarm.username));
	return [
		...(view.picks ? [pickCell(alarm, view)] : []),
		make('td', { class: 'fg-list-mark' }, alarmMark(alarm)),
		make('td', { class: 'fg-list-state' }, stateWords(alarm), heldNote(alarm, zone)),
		whatCell(view, alarm),
		make('td', { class: 'fg-number', 'data-fg-value': true }, valueText(alarm)),
		timeCell(alarm.receivedTime, time),
		timeCell(alarm.clearedTime, time),
		acknowledged,
		make('td', { class: 'fg-list-comment' }, words.join(': ')),
	];
}

function columns(zone) {
	const time = (text) => (text === null ? '' : text);

	return [
		['priority', (a) => a.priority], ['state', (a) => a.state], ['variable', (a) => a.variableName],
		['text', (a) => a.text], ['value', (a) => a.value], ['unit', (a) => a.unit],
		[`received (${zone})`, (a) => local(a.receivedTime, zone)], [`cleared (${zone})`, (a) => local(a.clearedTime, zone)],
		[`acknowledged (${zone})`, (a) => local(a.acknowledgedTime, zone)], ['user', (a) => a.username],
		['comment', (a) => a.comment], ['cause', (a) => a.alarmCause.join(' > ')], ['class', (a) => a.alarmClass],
		['group', (a) => a.alarmGroup], ['areas', (a) => a.alarmAreas.join(' ')], ['reactivated', (a) => a.reactivatedCount],
		['received UTC', (a) => time(a.receivedTime)], ['id', (a) => a.id],
	];
}

function local(text, zone) {
	return text === null ? '' : formatTime(Date.parse(text), zone);
}

// --- choosing and doing ----------------------------------------------------------

function pickCell(alarm, view) {
	const box = make('input', { type: 'checkbox', 'aria-label': `Select ${alarm.text || alarm.limit}, ${alarm.variableName}` });

	box.checked = view.selected.has(alarm.id);
	box.addEventListener('change', () => {
		if (box.checked)
			view.selected.add(alarm.id);
		else
			view.selected.delete(alarm.id);
		view.onShown();
	});
	return make('td', { class: 'fg-list-pick' }, box);
}

function leaves(nodes, path = []) {
	return nodes.filter((node) => !node.removed).flatMap((node) => {
		const here = [...path, node.name];

		return [here, ...leaves(node.children ?? [], here)];
	});
}

let causePaths = null;

async function causes(view) {
	causePaths ??= getJson(`/api/v1/admin/datasources/${view.datasource}/alarm-causes`)
		.then((answer) => leaves(answer.causes), () => []);
	return causePaths;
}

function report(view, results) {
	const bad = results.filter((result) => result.errorCode !== null);
	const good = results.filter((result) => result.changed).length;

	if (bad.length === 0)
		view.say(`${good} of ${results.length} changed.`);
	else
		view.say(`${good} of ${results.length} changed. ${bad[0].errorMessage}`, false);
}

async function perform(view, name) {
	const alarms = [...view.selected].map((id) => view.items.get(id)).filter((alarm) => alarm !== undefined);

	view.busy = true;
	try {
		const wish = await wishes[name](alarms, () => causes(view));

		if (wish === null)
			return;
		const { results } = await sendJson('PATCH', view.path(), { ids: alarms.map((alarm) => alarm.id), ...wish });

		view.selected.clear();
		report(view, results);
	} catch (error) {
		view.say(error.message, false);
	} finally {
		view.busy = false;
		view.refresh();
	}
}

// Without a connection nothing may be done: what is shown may be old.
function showControls(view) {
	const all = document.getElementById('fg-pick-all');

	for (const button of document.querySelectorAll('[data-fg-do]'))
		button.disabled = view.selected.size === 0 || !view.live.connected;
	if (all !== null)
		all.checked = view.items.size > 0 && view.selected.size === view.items.size;
	for (const line of view.body.rows)
		line.classList.toggle('fg-list-picked', view.selected.has(line.dataset.fgId));
}

function pickAll(view, picked) {
	view.selected = new Set(picked ? view.items.keys() : []);
	for (const box of view.body.querySelectorAll('.fg-list-pick input'))
		box.checked = picked;
	showControls(view);
}

function start() {
	const all = document.getElementById('fg-pick-all');
	const kind = { path: 'alarms', member: 'alarms', body, row, columns, empty: (filter) => NOTHING[filter.view] };
	const view = new ListView(kind);

	view.picks = all !== null;
	view.onShown = () => showControls(view);
	view.onState = () => showControls(view);
	all?.addEventListener('change', () => pickAll(view, all.checked));
	for (const button of document.querySelectorAll('[data-fg-do]'))
		button.addEventListener('click', () => perform(view, button.dataset.fgDo));
}

start();
