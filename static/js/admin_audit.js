// admin_audit: who did what, when, from where; and whether the record is whole.

import { getJson } from './http.js';
import { make } from './page.js';

async function verify(button, output) {
	button.disabled = true;
	output.textContent = 'Reading …';
	try {
		const { sound, rows, checkpoints, findings } = await getJson('/api/v1/admin/audit/verify');

		output.textContent = sound
			? `Whole: ${rows.toLocaleString()} rows and ${checkpoints.toLocaleString()} signed checkpoints fit.`
			: `Not whole: ${findings.join('; ')}`;
		output.classList.toggle('fg-note-bad', !sound);
	} catch (error) {
		output.textContent = error.message;
	}
	button.disabled = false;
}

function intro() {
	const output = make('output', {});
	const button = make('button', { type: 'button', class: 'fg-button' }, 'Check that nothing was changed or removed');

	button.addEventListener('click', () => verify(button, output));
	return make('div', { class: 'fg-actions fg-intro' }, button, output);
}

const changed = (entry) => (entry.before === null && entry.after === null ? null
	: { ...(entry.before !== null && { before: entry.before }), ...(entry.after !== null && { after: entry.after }) });

export const audit = {
	title: 'Audit',
	path: '/api/v1/admin/audit',
	sort: '-time',
	intro,
	columns: [
		{ name: 'time', label: 'When', sort: 'time', kind: 'time' },
		{ name: 'actor', label: 'Who', value: (entry) => entry.actor || entry.subject || entry.actorKind },
		{ name: 'action', label: 'Did what', kind: 'word' },
		{ name: 'object', label: 'To what' },
		{ name: 'result', label: 'Result', kind: 'state' },
		{ name: 'address', label: 'From where' },
		{ name: 'change', label: 'Old and new value', kind: 'fold', value: changed },
	],
	filters: [
		{ name: 'actor', label: 'Who', type: 'text' },
		{ name: 'action', label: 'Did what', type: 'text', placeholder: 'account.create' },
		{ name: 'object', label: 'To what', type: 'text', placeholder: 'user:anna' },
		{ name: 'result', label: 'Result', choices: ['ok', 'refused', 'failed'] },
		{ name: 'address', label: 'From where', type: 'text' },
		{ name: 'from', label: 'From', type: 'datetime-local' },
		{ name: 'to', label: 'To', type: 'datetime-local' },
	],
};
