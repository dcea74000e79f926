// page: what every page does with its live stream: banner, dimming, zone.

import { formatAge } from './format.js';
import { Live } from './live.js';

let zone;

// To ask takes long, and lists ask for every cell.
export function browserZone() {
	zone ??= Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
	return zone;
}

// The plant's zone when the page names one, else the browser's.
export function pageZone() {
	return document.body.dataset.zone || browserZone();
}

export function make(tag, attributes = {}, ...children) {
	const element = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes))
		if (value !== undefined && value !== false)
			element.setAttribute(name, value === true ? '' : value);
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function makeSvg(tag, attributes = {}, ...children) {
	const element = document.createElementNS(SVG, tag);

	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	element.append(...children);
	return element;
}

// Writing the same text again would still cost layout: compare first.
export function setText(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

export function setTitle(element, text) {
	if (element.title !== text)
		element.title = text;
}

function setBanner(live, lostAt) {
	const banner = document.getElementById('fg-banner');
	const lost = live.state === 'lost';

	document.documentElement.classList.toggle('fg-lost', lost);
	if (banner === null)
		return;
	if (lost)
		setText(banner, `${live.refusal || 'Connection lost'}: the values on this page are old `
			+ `(${formatAge(performance.now() - lostAt)}). Trying again …`);
	banner.hidden = !lost;
}

// The page's stream with the banner handled; "handlers" as of Live.
export function openLive(handlers) {
	let lostAt = 0;
	const live = new Live({
		...handlers,
		onState() {
			if (live.state === 'lost')
				lostAt = performance.now() - 2500;
			setBanner(live, lostAt);
			handlers.onState?.();
		},
		onSecond() {
			if (live.state === 'lost')
				setBanner(live, lostAt);
			handlers.onSecond?.();
		},
	});

	return live;
}
