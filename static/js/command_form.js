// command_form: set the value of a variable: select it, compare, confirm, and
// see what the plant says. Nothing is sent while the connection is lost, and
// what has become old meanwhile is refused by the plant.

import { formatWithUnit } from './format.js';
import { sendJson } from './http.js';
import { make, setText } from './page.js';

const SELECT_MS = 30_000;

function field(label, input, id) {
	input.id = id;
	return make('div', { class: 'fg-field' }, make('label', { for: id }, label), input);
}

function valueInput(entry) {
	if (entry.type === 'bool')
		return make('select', { class: 'fg-select', required: true },
			make('option', { value: 'true' }, 'on'), make('option', { value: 'false' }, 'off'));
	if (entry.type === 'string')
		return make('input', { class: 'fg-input', type: 'text', maxlength: 4096, autocomplete: 'off', required: true });
	return make('input', { class: 'fg-input', type: 'number', required: true, autocomplete: 'off',
		step: entry.type === 'int' ? 1 : 'any', min: entry.minimum ?? undefined, max: entry.maximum ?? undefined });
}

function typed(entry, text) {
	if (entry.type === 'bool')
		return text === 'true';
	return entry.type === 'float' ? Number(text) : text; // an int64 keeps its digits as text
}

export class CommandForm {
	#live;
	#note;
	#datasource;
	#name;
	#armed = null; // { value, expected, comment, selection }
	#timer = 0;
	#busy = false;

	constructor(live, datasource, name) {
		this.#live = live;
		this.#datasource = datasource;
		this.#name = name;
		this.#note = make('p', { class: 'fg-command-note', role: 'status' });
		this.element = make('section', { class: 'fg-command', hidden: true, 'aria-label': `Set ${name}` });
	}

	get #entry() {
		return this.#live.entry(this.#datasource, this.#name);
	}

	get #ready() {
		return this.#live.connected && this.#live.online(this.#datasource);
	}

	#path(rest) {
		return `/api/v1/datasources/${this.#datasource}/${rest}`;
	}

	// Whenever the value, the rights or the connection may have changed.
	update() {
		const writable = this.#entry?.writable === true;

		this.element.hidden = !writable;
		if (!writable)
			return;
		if (this.element.childElementCount === 0)
			this.#ask();
		for (const button of this.element.querySelectorAll('[data-fg-send]'))
			button.disabled = !this.#ready || this.#busy;
	}

	#show(...children) {
		this.element.replaceChildren(...children, this.#note);
		this.update();
	}

	#say(text, good = true) {
		setText(this.#note, text);
		this.#note.classList.toggle('fg-problem', !good);
	}

	#ask() {
		const input = valueInput(this.#entry);
		const comment = make('input', { class: 'fg-input', type: 'text', maxlength: 1024, autocomplete: 'off' });
		const form = make('form', { class: 'fg-form' }, field('New value', input, 'fg-command-value'),
			field('Comment', comment, 'fg-command-comment'),
			make('p', { class: 'fg-actions' }, make('button', { class: 'fg-button', 'data-fg-send': true }, 'Set …')));

		form.addEventListener('submit', (event) => {
			event.preventDefault();
			this.#do(() => this.#arm(typed(this.#entry, input.value), comment.value));
		});
		this.#show(form);
	}

	// Nobody else may set it until this is confirmed, given up or over.
	async #arm(value, comment) {
		const expected = this.#entry.value;
		const { id } = await sendJson('POST', this.#path('selections'), { variable: this.#name, expires_ms: SELECT_MS });

		this.#armed = { value, expected, comment, selection: id };
		this.#timer = setTimeout(() => this.#giveUp('Not confirmed in time.'), SELECT_MS);
		this.#confirm();
	}

	#confirm() {
		const { value, expected } = this.#armed;
		const entry = this.#entry;
		const cancel = make('button', { type: 'button', class: 'fg-button' }, 'Cancel');
		const send = make('button', { type: 'button', class: 'fg-button fg-button-primary', 'data-fg-send': true }, 'Confirm');

		cancel.addEventListener('click', () => this.#giveUp(''));
		send.addEventListener('click', () => this.#do(() => this.#send()));
		this.#say('');
		this.#show(make('p', { class: 'fg-command-change' }, formatWithUnit(entry, expected), ' → ',
			make('b', {}, formatWithUnit(entry, value))), make('p', { class: 'fg-actions' }, cancel, send));
		send.focus();
	}

	async #send() {
		const { value, expected, comment, selection } = this.#armed;
		const began = performance.now();

		clearTimeout(this.#timer);
		this.#armed = null;
		this.#say('Sent, waiting for the plant …');
		try {
			await sendJson('PATCH', this.#path(`variables/${encodeURIComponent(this.#name)}`), {
				value, selection, expected: expected ?? undefined, comment: comment || undefined });
			this.#say(`Confirmed by the plant after ${Math.round(performance.now() - began)} ms.`);
		} finally {
			this.#ask();
		}
	}

	#giveUp(why) {
		const selection = this.#armed?.selection;

		clearTimeout(this.#timer);
		this.#armed = null;
		if (selection !== undefined)
			sendJson('DELETE', this.#path(`selections/${selection}`)).catch(() => {});
		this.#say(why, false);
		this.#ask();
	}

	async #do(step) {
		this.#busy = true;
		this.update();
		try {
			await step();
		} catch (error) {
			this.#say(error.message, false);
		}
		this.#busy = false;
		this.update();
	}

	close() {
		if (this.#armed !== null)
			this.#giveUp('');
	}
}

// The form in a dialog of its own.
export function askForValue(live, entry) {
	const form = new CommandForm(live, entry.datasource, entry.name);
	const close = make('button', { type: 'button', class: 'fg-button' }, 'Close');
	const dialog = make('dialog', { class: 'fg-dialog', 'aria-label': `Set ${entry.name}` },
		make('h2', {}, entry.name), form.element, make('p', { class: 'fg-actions' }, close));
	const timer = setInterval(() => form.update(), 250);

	close.addEventListener('click', () => dialog.close());
	dialog.addEventListener('close', () => {
		clearInterval(timer);
		form.close();
		dialog.remove();
	});
	form.update();
	document.body.append(dialog);
	dialog.showModal();
}
