// admin_action: one call that changes something, with a question before it
// and its secret or its problem after it.
//
// action: { label, method, path, body, confirm, word, secrets, report, then }.
// "path" and "confirm" may hold {name}s of the item. "secrets" names the
// members of the answer that are shown once, "report" makes { good, text } of
// it; "then" is where to go, else the view is read again.

import { confirm, showSecrets } from './admin_dialog.js';
import { fill } from './admin_value.js';
import { sendJson } from './http.js';
import { make } from './page.js';

function plain(text, item) {
	return text.replace(/\{(\w+)\}/g, (whole, key) => item[key]);
}

// Shows what of an answer is shown once; nothing when it has no such thing.
export async function showOnce(title, secrets, answer) {
	const found = Object.entries(secrets ?? {}).filter(([name]) => answer?.[name]);

	if (found.length > 0)
		await showSecrets(title, found.map(([name, label]) => [label, answer[name]]));
}

function say(button, good, text) {
	const place = button.closest('tr')?.closest('.fg-table-box') ?? button.closest('.fg-actions') ?? button;

	place.before(make('p', { class: good ? 'fg-note' : 'fg-note fg-note-bad', role: good ? 'status' : 'alert' }, text));
}

export async function runAction(button, action, item, again) {
	document.querySelectorAll('.fg-admin .fg-note[role]').forEach((note) => note.remove());
	if (action.confirm && !await confirm(plain(action.confirm, item), action.word ?? action.label))
		return;
	button.disabled = true;
	try {
		const body = typeof action.body === 'function' ? action.body(item) : action.body;
		const answer = await sendJson(action.method, fill(action.path, item), body);

		await showOnce(action.label, action.secrets, answer);
		if (action.report) {
			const { good, text } = action.report(answer);

			say(button, good, text);
		} else if (action.then)
			location.assign(action.then);
		else
			await again();
	} catch (error) {
		say(button, false, error.message);
	}
	button.disabled = false;
}
