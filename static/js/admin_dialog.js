// admin_dialog: questions before what cannot be undone, and secrets that are
// shown once.

import { make } from './page.js';

function open(title, content, buttons) {
	const heading = make('h2', { id: 'fg-dialog-title' }, title);
	const form = make('form', { method: 'dialog', class: 'fg-form' }, heading, ...content,
		make('p', { class: 'fg-actions' }, ...buttons));
	const dialog = make('dialog', { class: 'fg-dialog', 'aria-labelledby': 'fg-dialog-title' }, form);

	document.body.append(dialog);
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener('close', () => {
			dialog.remove();
			resolve(dialog.returnValue);
		});
	});
}

// True when the person says yes; the button that does nothing has the focus.
export async function confirm(question, word) {
	const answer = await open(question, [], [
		make('button', { class: 'fg-button', value: '', autofocus: true }, 'Cancel'),
		make('button', { class: 'fg-button fg-button-primary', value: 'yes' }, word),
	]);

	return answer === 'yes';
}

async function copy(button, input) {
	try {
		await navigator.clipboard.writeText(input.value);
		button.textContent = 'Copied';
	} catch {
		input.select(); // no clipboard here: the person copies it
	}
}

function secretRow(label, value, number) {
	const id = `fg-secret-${number}`;
	const input = make('input', { class: 'fg-input fg-secret', id, value, readonly: true });
	const button = make('button', { type: 'button', class: 'fg-button' }, 'Copy');

	button.addEventListener('click', () => copy(button, input));
	return make('div', { class: 'fg-field' }, make('label', { for: id }, label),
		make('div', { class: 'fg-secret-row' }, input, button));
}

// "secrets": [[label, value]]. Resolves when the person has put them away.
export function showSecrets(title, secrets) {
	return open(title, [
		...secrets.map(([label, value], i) => secretRow(label, value, i)),
		make('p', { class: 'fg-note' }, 'Copy it now: it is not kept and not shown again.'),
	], [make('button', { class: 'fg-button fg-button-primary', value: 'done' }, 'I have it')]);
}
