// list_export: all that a list's filter lets through, as a CSV file.

import { downloadCsv } from './csv_file.js';
import { formatZone } from './format.js';
import { postJson } from './http.js';
import { pageZone } from './page.js';

const ROWS_MAX = 100_000;
const PAGE_ROWS = 5000;

async function readAll(view, kind) {
	const items = [];
	let after;

	do {
		const answer = await postJson(view.path('/query'), view.question(PAGE_ROWS, after));

		items.push(...answer[kind.member]);
		after = answer.next ?? undefined;
		view.say(`Reading … ${items.length}`);
	} while (after !== undefined && items.length < ROWS_MAX);
	return { items, whole: after === undefined };
}

// What becomes of it stands in the note of the list.
export async function exportList(view, kind) {
	const zone = pageZone();

	try {
		const { items, whole } = await readAll(view, kind);

		downloadCsv(`${view.table.dataset.fgDatasourceName} ${kind.member}.csv`, kind.columns(zone), items);
		view.say(`${items.length} rows, times in ${formatZone(Date.now(), zone)}`
			+ (whole ? '' : `: more than ${ROWS_MAX} are not exported at once, choose a shorter time`), whole);
	} catch (error) {
		view.say(error.message, false);
	}
}
