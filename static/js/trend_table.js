// trend_table: the variables of a trend with their values at the cursors.

import { formatNumber, formatValue, NONE } from './format.js';
import { make, setText, setTitle } from './page.js';
import { GOOD, setQuality } from './quality.js';

const COLUMNS = [
	['at', 'Value'], ['a', 'A'], ['b', 'B'], ['delta', 'B − A'],
	['minimum', 'Min'], ['maximum', 'Max'], ['axis', 'Axis'],
];

function valueAt(item, time, tolerance) {
	return time === null || item.series === null ? null : item.series.nearest(time, tolerance);
}

function textOf(item, point) {
	return point === null ? NONE : formatValue(item, point.value);
}

// In an envelope a point stands for a bucket: say from where to where.
function bucketText(item, point) {
	return point === null || !(item.series?.bucket_ms > 0) || point.minimum === null ? ''
		: `${formatValue(item, point.minimum)} … ${formatValue(item, point.maximum)} in this bucket`;
}

function deltaText(item, [a, b]) {
	if (a === null || b === null || typeof a.value !== 'number' || typeof b.value !== 'number')
		return NONE;
	return (b.value > a.value ? '+' : '') + formatNumber(b.value - a.value, item.decimals ?? 2);
}

export class TrendTable {
	#rows = [];

	constructor(box, { onRemove }) {
		this.box = box;
		this.onRemove = onRemove;
		this.body = make('tbody');
		this.heads = Object.fromEntries(COLUMNS.map(([key, label]) =>
			[key, make('th', { scope: 'col', class: `fg-number fg-trend-${key}` }, label)]));
		this.table = make('table', { class: 'fg-table fg-trend-table' },
			make('caption', { class: 'fg-visually-hidden' }, 'Variables of this trend'),
			make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'Variable'),
				...Object.values(this.heads), make('th', { scope: 'col' }, make('span',
					{ class: 'fg-visually-hidden' }, 'Remove')))),
			this.body);
		box.replaceChildren(make('div', { class: 'fg-table-box' }, this.table));
	}

	setItems(items, plants, scales) {
		this.#rows = items.map((item) => this.#row(item, plants, scales.get(item)));
		this.body.replaceChildren(...this.#rows.map(({ element }) => element));
		this.box.hidden = items.length === 0;
	}

	#row(item, plants, scale) {
		const cells = Object.fromEntries(COLUMNS.map(([key]) =>
			[key, make('td', { class: `fg-number fg-trend-${key}` })]));
		const remove = make('button', { type: 'button', class: 'fg-button fg-button-quiet',
			'aria-label': `Remove ${item.name}` }, '×');

		remove.addEventListener('click', () => this.onRemove(item));
		setText(cells.axis, scale === undefined ? NONE : scale.side ?? 'own');
		return { item, cells, element: make('tr', { class: item.type === 'string' ? 'fg-trend-text' : undefined },
			make('th', { scope: 'row' }, make('span', { class: `fg-swatch fg-swatch-${item.slot + 1}` }),
				make('span', { class: 'fg-trend-name' }, item.name),
				make('span', { class: 'fg-row-note' }, [plants.get(item.datasource), item.unit].filter(Boolean).join(' · '))),
			...Object.values(cells), make('td', {}, remove)) };
	}

	// "time" is hovered, or null for the newest; "cursors" are A and B.
	show(time, cursors, [from, to]) {
		setText(this.heads.at, time === null ? 'Newest' : 'Value');
		this.table.classList.toggle('fg-has-cursors', cursors.some((cursor) => cursor !== null));
		const tolerance = (to - from) / 200;

		for (const { item, cells } of this.#rows) {
			const at = time === null ? item.newest() : valueAt(item, time, tolerance);
			const points = cursors.map((cursor) => valueAt(item, cursor, tolerance));
			const extent = item.series?.extent(from, to) ?? null;

			setText(cells.at, textOf(item, at));
			setQuality(cells.at, time === null ? item.quality() : GOOD);
			setTitle(cells.at, bucketText(item, at));
			setText(cells.a, textOf(item, points[0]));
			setText(cells.b, textOf(item, points[1]));
			setText(cells.delta, deltaText(item, points));
			setText(cells.minimum, extent === null ? NONE : formatValue(item, extent[0]));
			setText(cells.maximum, extent === null ? NONE : formatValue(item, extent[1]));
		}
	}
}
