// alarm_dialog: what a person adds when alarms are acknowledged, commented,
// shelved, suppressed or taken out of service.

import { causeField } from './alarm_cause.js';
import { priorityMark } from './alarm_mark.js';
import { make } from './page.js';

const DURATIONS = [[15, '15 minutes'], [60, '1 hour'], [240, '4 hours'], [480, '8 hours'], [1440, '1 day'], [10080, '7 days']];

function field(label, input) {
	return make('div', { class: 'fg-field' }, make('label', { for: input.id }, label), input);
}

function textField(name, label, required, rows = 3) {
	return field(required ? `${label} (required)` : label,
		make('textarea', { class: 'fg-input', id: `fg-ask-${name}`, name, rows, maxlength: 500, required }));
}

function durationField() {
	return field('For', make('select', { class: 'fg-select', id: 'fg-ask-minutes', name: 'minutes' },
		...DURATIONS.map(([minutes, words]) => make('option', { value: minutes }, words))));
}

// The person's answers by name, or null when it thinks better of it.
function ask(title, word, fields) {
	const cancel = make('button', { type: 'button', class: 'fg-button' }, 'Cancel');
	const form = make('form', { method: 'dialog', class: 'fg-form' },
		make('h2', { id: 'fg-ask-title' }, title), ...fields,
		make('p', { class: 'fg-actions' }, cancel,
			make('button', { class: 'fg-button fg-button-primary', value: 'yes' }, word)));
	const dialog = make('dialog', { class: 'fg-dialog', 'aria-labelledby': 'fg-ask-title' }, form);

	cancel.addEventListener('click', () => dialog.close(''));
	document.body.append(dialog);
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => {
			resolve(dialog.returnValue === 'yes' ? Object.fromEntries(new FormData(form)) : null);
			dialog.remove();
		});
	});
}

function count(alarms) {
	return alarms.length === 1 ? 'this alarm' : `${alarms.length} alarms`;
}

// What is about to be acknowledged: how many of each priority.
function split(alarms) {
	const priorities = [...new Set(alarms.map(({ priority }) => priority))].sort();

	return make('p', { class: 'fg-alarm-counts' }, ...priorities.map((priority) => make('span', { class: 'fg-alarm-count' },
		priorityMark(priority, 'known'), String(alarms.filter((alarm) => alarm.priority === priority).length))));
}

// What was said of the cause: undefined when nothing was.
function causeOf(said) {
	return said.cause ? JSON.parse(said.cause) : undefined;
}

// One or a few that need no words are acknowledged without a question.
async function acknowledge(alarms, { all, causes }) {
	const comment = alarms.some((alarm) => alarm.commentRequired && alarm.comment === null);
	const cause = alarms.some((alarm) => alarm.causeRequired && alarm.alarmCause.length === 0);

	if (!comment && !cause && !all)
		return { acknowledge: true };
	const said = await ask(`Acknowledge ${all ? `all ${alarms.length} alarms that are shown` : count(alarms)}`, 'Acknowledge',
		[split(alarms), textField('comment', 'Comment', comment), causeField(await causes(), cause)]);

	return said && { acknowledge: true, comment: said.comment || undefined, alarmCause: causeOf(said) };
}

async function comment(alarms, { causes }) {
	const said = await ask(`Comment on ${count(alarms)}`, 'Save',
		[textField('comment', 'Comment', true), causeField(await causes(), false)]);

	return said && { comment: said.comment, alarmCause: causeOf(said) };
}

async function shelve(alarms) {
	const said = await ask(`Shelve ${count(alarms)}`, 'Shelve',
		[textField('reason', 'Reason', true, 2), durationField()]);

	return said && { shelve: { reason: said.reason, minutes: Number(said.minutes) } };
}

async function reasonFor(title, word, alarms) {
	const said = await ask(title.replace('…', count(alarms)), word, [textField('reason', 'Reason', true, 2)]);

	return said && { reason: said.reason };
}

async function suppress(alarms) {
	const said = await reasonFor('Suppress …', 'Suppress', alarms);

	return said && { suppress: said };
}

async function outOfService(alarms) {
	const said = await reasonFor('Take … out of service', 'Take out of service', alarms);

	return said && { outOfService: said };
}

// What to send for a button, or null: wish(alarms, { all, causes() }). "all"
// tells that they are all that is shown, "causes" reads the tree.
export const wishes = {
	acknowledge,
	comment,
	shelve,
	unshelve: () => ({ unshelve: true }),
	suppress,
	release: () => ({ release: true }),
	outOfService,
	inService: () => ({ inService: true }),
};
