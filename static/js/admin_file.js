// admin_file: configuration as a file: out to the engineer's disk, and back.

import { sendText } from './http.js';
import { make } from './page.js';

let count = 0;

const doneText = ({ added, changed, removed }) => `${added} added, ${changed} changed, ${removed} removed.`;

// A part of an item: what "path" gives is what it takes; ?replace=true removes
// what the file does not have.
export function fileSection(title, path, type) {
	return { title, node: (again) => makeFile(title, path, type, again) };
}

function makeFile(title, path, type, again) {
	const id = `fg-file-${count += 1}`;
	const input = make('input', { id, class: 'fg-input', type: 'file', accept: type, required: true });
	const replace = make('input', { type: 'checkbox' });
	const said = make('p', { class: 'fg-muted', role: 'status' });
	const form = make('form', { class: 'fg-form fg-admin-form' },
		make('p', { class: 'fg-actions' }, make('a', { class: 'fg-button', href: path, download: true, 'aria-label': `Export: ${title}` }, 'Export')),
		make('div', { class: 'fg-field' }, make('label', { for: id }, 'File to import'), input),
		make('label', { class: 'fg-check' }, replace, 'Remove what the file does not have'),
		make('p', { class: 'fg-actions' }, make('button', { class: 'fg-button', 'aria-label': `Import: ${title}` }, 'Import')), said);

	form.addEventListener('submit', async (event) => {
		event.preventDefault();
		said.textContent = 'Importing …';
		said.classList.remove('fg-problem');
		try {
			const text = await input.files[0].text();

			await again(doneText(await sendText('PUT', `${path}?replace=${replace.checked}`, type, text)));
		} catch (error) {
			said.textContent = error.message;
			said.classList.add('fg-problem');
		}
	});
	return form;
}
