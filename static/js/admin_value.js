// admin_value: what the administration shows, and how: values by their kind.

import { formatAge, formatDateTime, NONE } from './format.js';
import { make, pageZone } from './page.js';

// Text with placeholders in words: "/api/v1/admin/users/{name}".
export function fill(text, item) {
	return text.replace(/\{(\w+)\}/g, (whole, key) => encodeURIComponent(item[key]));
}

function showTime(value) {
	const at = Date.parse(value);
	const ahead = at > Date.now();
	const age = formatAge(Math.abs(Date.now() - at));

	return make('time', { datetime: value, title: age === 'now' ? age : ahead ? `in ${age}` : `${age} ago` },
		formatDateTime(at, pageZone()));
}

// What needs a look is not said by colour alone: the word is there as well.
const ALERTING = new Set(['disabled', 'blocked', 'pending', 'retired', 'removed', 'refused', 'failed', 'deny']);

export function showWord(word, alerting) {
	return make('span', { class: alerting ? 'fg-word fg-word-alert' : 'fg-word' }, word);
}

// Long values fold away; the summary is what they begin with.
function showFold(value) {
	return make('details', {}, make('summary', {}, Object.keys(value).join(', ')),
		make('pre', {}, JSON.stringify(value, null, 2)));
}

function showLink(value, column, item) {
	return make('a', { href: column.href ? column.href(item) : `?item=${encodeURIComponent(item[column.key ?? column.name])}` },
		String(value));
}

const KINDS = {
	text: (value) => String(value),
	word: (value) => showWord(String(value), false), // does not break
	time: showTime,
	yesno: (value) => (value ? 'yes' : 'no'),
	state: (value) => showWord(String(value), ALERTING.has(value)),
	fold: showFold,
	words: (value) => (value.length > 0 ? value.join(', ') : NONE),
	code: (value) => make('code', {}, String(value)),
	number: (value) => value.toLocaleString(),
	link: showLink,
	node: (value) => value, // is one already
};

// A node for one value of an item; "column" says its name and kind.
export function showValue(column, item) {
	const value = column.value ? column.value(item) : item[column.name];

	if (value === null || value === undefined || value === '')
		return make('span', { class: 'fg-muted' }, column.none ?? NONE);
	return KINDS[column.kind ?? 'text'](value, column, item);
}

export function showProblem(root, error) {
	const note = make('p', { class: 'fg-note fg-note-bad', role: 'alert' }, error.message);

	root.querySelector(':scope > .fg-note-bad')?.remove();
	root.querySelector('.fg-head').after(note);
}

export function setHeading(text) {
	const heading = document.getElementById('fg-admin-title');

	document.title = `${text} · ${heading.textContent} · fieldgrid`;
	heading.textContent = text;
}
