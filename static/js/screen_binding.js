// screen_binding: what each data-fg-* attribute does to its element. Each
// binder returns a function that shows an entry, given its quality.

import { levelBox, levelOf, mapValue, parseFormat, parseMap, parseWhen } from './binding.js';
import { NONE } from './format.js';
import { setText } from './page.js';
import { toNumber } from './series.js';
import { BAD, NODATA } from './quality.js';

function bindText(element) {
	const format = parseFormat(element.dataset.fgFormat);

	return (entry, quality) => setText(element, quality === NODATA ? NONE
		: quality === BAD ? `? ${format(entry)}` : format(entry));
}

// A value that is not good never takes the colour of a good one.
function bindColor(element) {
	const map = parseMap(element.dataset.fgMap ?? '');
	let shown = '';

	return (entry, quality) => {
		const result = quality === 'good' ? mapValue(map, entry.value) : undefined;
		const name = result === undefined ? '' : `fg-c-${result}`;

		if (name === shown)
			return;
		if (shown !== '')
			element.classList.remove(shown);
		if (name !== '')
			element.classList.add(name);
		shown = name;
	};
}

// Hidden by the style sheet until something says otherwise: no mark of a
// fault flashes up before the first value.
function bindVisible(element) {
	const test = parseWhen(element.dataset.fgWhen ?? '!=0');

	return (entry, quality) =>
		element.classList.toggle('fg-shown', quality !== NODATA && test(entry.value));
}

// "rotate" shows an angle; with data-fg-spin the value is a speed in rpm.
function bindRotate(element, rotors) {
	if ('fgSpin' in element.dataset) {
		rotors.add(element);
		return (entry, quality) =>
			rotors.setSpeed(element, quality === 'good' ? toNumber(entry.value) ?? 0 : 0);
	}
	const base = element.getAttribute('transform') ?? '';

	return (entry) =>
		element.setAttribute('transform', `${base} rotate(${toNumber(entry?.value) ?? 0})`.trim());
}

function limitsOf(element, entry) {
	return [Number(element.dataset.fgMin ?? entry.minimum ?? 0),
		Number(element.dataset.fgMax ?? entry.maximum ?? 100)];
}

// A <rect> is a bar; any other shape is filled along its line (pathLength 1).
function bindLevel(element) {
	const box = element.tagName === 'rect' ? {
		x: element.x.baseVal.value, y: element.y.baseVal.value,
		width: element.width.baseVal.value, height: element.height.baseVal.value,
	} : null;

	const show = (fraction) => {
		if (box === null) {
			element.setAttribute('stroke-dasharray', `${fraction.toFixed(4)} 2`);
			return;
		}
		for (const [name, value] of Object.entries(levelBox(box, fraction)))
			element.setAttribute(name, value.toFixed(2));
	};

	if (box === null)
		element.setAttribute('pathLength', '1');
	show(0);
	return (entry, quality) => show(quality === NODATA ? 0
		: levelOf(entry.value, ...limitsOf(element, entry)) ?? 0);
}

const BINDERS = {
	fgText: bindText,
	fgColor: bindColor,
	fgVisible: bindVisible,
	fgRotate: bindRotate,
	fgLevel: bindLevel,
};

// All bindings below "root": [{element, name, show}].
export function findBindings(root, rotors) {
	const selector = '[data-fg-text],[data-fg-color],[data-fg-visible],[data-fg-rotate],[data-fg-level]';
	const bindings = [];

	for (const element of root.querySelectorAll(selector))
		for (const [attribute, binder] of Object.entries(BINDERS))
			if (attribute in element.dataset)
				bindings.push({ element, name: element.dataset[attribute], show: binder(element, rotors) });
	return bindings;
}
