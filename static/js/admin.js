// admin: the pages of the administration. What is shown stands in the address:
// /admin/users, /admin/users?search=an&sort=-created, /admin/users?item=anna,
// /admin/users?new. So every view is a page of its own, that a link can name
// and the back button knows; each is read from /api/v1/admin.

import { showCreate, showItem } from './admin_item.js';
import { showList } from './admin_list.js';
import { nouns } from './admin_nouns.js';
import { showOverview } from './admin_overview.js';
import { showProblem } from './admin_value.js';
import { formatZone } from './format.js';
import { pageZone } from './page.js';

async function show(root) {
	const noun = nouns[root.dataset.fgAdmin];
	const query = new URLSearchParams(location.search);

	if (noun === undefined)
		return showOverview(root);
	await noun.prepare?.();
	if (query.has('item'))
		return showItem(root, noun, query.get('item'));
	if (query.has('new') && noun.create)
		return showCreate(root, noun);
	return showList(root, noun, query);
}

const root = document.querySelector('[data-fg-admin]');

document.querySelector('[data-fg-zone]').textContent = formatZone(Date.now(), pageZone());
root.setAttribute('aria-busy', 'true');
try {
	await show(root);
} catch (error) {
	showProblem(root, error);
}
root.removeAttribute('aria-busy');
