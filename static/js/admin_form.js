// admin_form: a form from a list of fields, and a JSON body from the form.
//
// field: { name, label, kind, required, hint, max, initial, choices, placeholder }
// kind: text (default), long, number, check, choice, words (several of a
// list), lines (one text a line), secret. "choices" are words or
// [value, label] pairs, or a function that fetches them.

import { make } from './page.js';

let forms = 0;

async function choicesOf(field) {
	const choices = typeof field.choices === 'function' ? await field.choices() : field.choices ?? [];

	return choices.map((choice) => (Array.isArray(choice) ? choice : [choice, choice]));
}

// --- one control of each kind: make it from a value, read it back -----------

function makeInput(type, attributes = {}) {
	return (field, value, common) => make('input', {
		...common, ...attributes, class: 'fg-input', type, value: value ?? '', maxlength: field.max,
		placeholder: field.placeholder, required: field.required,
	});
}

function makeArea(field, value, common) {
	const area = make('textarea', { ...common, class: 'fg-input', rows: field.rows ?? 4, required: field.required, spellcheck: 'false' });

	area.value = value ?? '';
	return area;
}

async function makeSelect(field, value, common) {
	const choices = await choicesOf(field);

	if (!field.required && !choices.some(([key]) => key === ''))
		choices.unshift(['', field.none ?? '–']);
	if (value && !choices.some(([key]) => key === value))
		choices.push([value, value]);
	return make('select', { ...common, class: 'fg-select' }, ...choices.map(([key, label]) =>
		make('option', { value: key, selected: key === (value ?? '') }, label)));
}

async function makeWords(field, value, common) {
	const chosen = new Set(value ?? []);
	const choices = await choicesOf(field);
	const known = new Set(choices.map(([key]) => key));

	for (const word of chosen)
		if (!known.has(word))
			choices.push([word, word]);
	return make('div', { id: common.id, class: 'fg-words', role: 'group', 'aria-labelledby': `${common.id}-label` },
		...choices.map(([key, label]) => make('label', { class: 'fg-check' },
			make('input', { type: 'checkbox', name: field.name, value: key, checked: chosen.has(key) }), label)),
		choices.length === 0 ? make('span', { class: 'fg-muted' }, 'There are none yet.') : null);
}

const trimmedLines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

const CONTROLS = {
	text: { make: makeInput('text', { autocomplete: 'off', spellcheck: 'false' }), read: (box) => box.value.trim() },
	secret: { make: makeInput('password', { autocomplete: 'new-password' }), read: (box) => box.value },
	number: { make: makeInput('number', { step: 'any' }), read: (box) => (box.value === '' ? '' : Number(box.value)) },
	long: { make: makeArea, read: (box) => box.value },
	lines: { make: (field, value, common) => makeArea(field, (value ?? []).join('\n'), common), read: (box) => trimmedLines(box.value) },
	choice: { make: makeSelect, read: (box) => box.value },
	words: {
		make: makeWords,
		read: (box) => [...box.querySelectorAll('input:checked')].map((input) => input.value),
	},
	check: {
		make: (field, value, common) => make('input', { ...common, type: 'checkbox', checked: Boolean(value) }),
		read: (box) => box.checked,
	},
};

const controlOf = (field) => CONTROLS[field.kind ?? 'text'];

async function makeRow(field, value, id) {
	const hint = field.hint ? make('span', { class: 'fg-hint', id: `${id}-hint` }, field.hint) : null;
	const problem = make('span', { class: 'fg-problem', id: `${id}-problem` });
	const box = await controlOf(field).make(field, value, {
		id, name: field.name, 'aria-describedby': `${hint ? `${id}-hint ` : ''}${id}-problem`,
	});
	const words = field.kind === 'words';
	const label = make(words ? 'span' : 'label', words ? { id: `${id}-label`, class: 'fg-label' } : { for: id },
		field.label, field.required ? make('span', { class: 'fg-muted' }, ' (needed)') : null);

	if (field.kind === 'check')
		return { field, box, problem, row: make('div', { class: 'fg-field fg-field-check' }, make('label', { class: 'fg-check', for: id }, box, field.label), hint, problem) };
	return { field, box, problem, row: make('div', { class: 'fg-field' }, label, hint, box, problem) };
}

// --- the whole form -------------------------------------------------------------

function clear(form, rows) {
	form.querySelector('.fg-note-bad')?.remove();
	for (const { box, problem } of rows) {
		problem.textContent = '';
		box.removeAttribute('aria-invalid');
	}
}

// Beside its field when the API names one, else above the buttons.
function complain(form, rows, error) {
	const found = rows.find(({ field }) => error.field
		&& (error.field === field.name || error.field.startsWith(`${field.name}.`) || error.field.startsWith(`${field.name}[`)));

	if (found) {
		found.problem.textContent = error.message;
		found.box.setAttribute('aria-invalid', 'true');
		found.box.focus();
		return;
	}
	form.querySelector('.fg-actions').before(
		make('p', { class: 'fg-note fg-note-bad', role: 'alert' }, error.message));
}

function same(left, right) {
	return JSON.stringify(left) === JSON.stringify(right);
}

const isEmpty = (value) => value === '' || (Array.isArray(value) && value.length === 0);

// What the form says, in the words of the API: without "before" everything
// that is filled in, else what differs from it.
function readBody(rows, before) {
	const body = {};

	for (const { field, box } of rows) {
		const value = controlOf(field).read(box);

		if (before === undefined ? !isEmpty(value) || field.always : !same(value, before[field.name]))
			body[field.name] = value;
	}
	return body;
}

// A form with these fields, filled from "values". "send" gets the body, only
// what was changed when "change" is set; what it returns is said beside the
// button, the ApiError it throws beside the field.
export async function makeForm({ fields, values = {}, change = false, button, send }) {
	const prefix = `fg-form-${forms += 1}`;
	const initial = (field) => values[field.name] ?? field.initial;
	const rows = await Promise.all(fields.map((field) => makeRow(field, initial(field), `${prefix}-${field.name}`)));
	// What the controls make of the values, so that only people change them.
	const was = change ? Object.fromEntries(rows.map(({ field, box }) => [field.name, controlOf(field).read(box)])) : undefined;
	const submit = make('button', { type: 'submit', class: 'fg-button fg-button-primary' }, button);
	const done = make('span', { class: 'fg-muted', role: 'status' });
	const form = make('form', { class: 'fg-form fg-admin-form', method: 'post' }, ...rows.map(({ row }) => row),
		make('p', { class: 'fg-actions' }, submit, done));

	form.addEventListener('submit', async (event) => {
		event.preventDefault();
		clear(form, rows);
		done.textContent = '';
		submit.disabled = true;
		try {
			done.textContent = await send(readBody(rows, was)) ?? '';
		} catch (error) {
			complain(form, rows, error);
		}
		submit.disabled = false;
	});
	return form;
}
