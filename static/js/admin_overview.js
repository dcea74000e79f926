// admin_overview: what needs an administrator's eye now.

import { makeTable } from './admin_list.js';
import { nouns } from './admin_nouns.js';
import { getJson } from './http.js';
import { make } from './page.js';

// Each is a list of the API, and shown only when it is not empty.
const LOOKS = [
	{ noun: 'nodes', title: 'Nodes that wait for approval', query: 'waiting=true' },
	{ noun: 'nodes', title: 'Blocked nodes', query: 'state=blocked' },
	{ noun: 'audit', title: 'Latest refusals', query: 'result=refused' },
];

async function look({ noun: name, title, query }) {
	const noun = nouns[name];
	const { items, next } = await getJson(`${noun.path}?${query}&limit=5`);
	const columns = noun.columns.map((column) => ({
		...column, sort: undefined,
		href: column.kind === 'link' ? (item) => `/admin/${name}?item=${encodeURIComponent(item[column.key ?? column.name])}` : undefined,
	}));

	if (items.length === 0)
		return null;
	return make('section', { 'aria-label': title }, make('h2', {}, title),
		makeTable({ columns, title }, items, new URLSearchParams(), () => {}),
		next ? make('p', {}, make('a', { href: `/admin/${name}?${query}` }, 'More')) : null);
}

export async function showOverview(root) {
	// One service that does not answer must not hide what the others say.
	const found = await Promise.allSettled(LOOKS.map(look));

	root.append(...found.map(({ status, value, reason }) => (status === 'fulfilled'
		? value ?? '' : make('p', { class: 'fg-note fg-note-bad', role: 'alert' }, reason.message))));
}
