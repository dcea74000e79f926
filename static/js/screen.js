// screen: a process picture that lives.

import { Faceplate } from './faceplate.js';
import { startFooter } from './footer.js';
import { openLive } from './page.js';
import { showPlantStates } from './plant_state.js';
import { setQuality } from './quality.js';
import { Rotors } from './rotor.js';
import { ScreenAlarms } from './screen_alarms.js';
import { findBindings } from './screen_binding.js';

const NARROW_PX = 640;

// A screen may name a second place for its groups, used on a phone:
// data-fg-narrow="x y [scale]" on groups, data-fg-narrow-viewbox on the root.
class Layout {
	constructor(figure, svg) {
		this.svg = svg;
		this.wide = svg.getAttribute('viewBox');
		this.narrow = svg.dataset.fgNarrowViewbox;
		this.groups = [...svg.querySelectorAll('[data-fg-narrow]')]
			.map((group) => [group, group.getAttribute('transform') ?? '', narrowTransform(group)]);
		if (this.narrow !== undefined)
			new ResizeObserver(() => this.#arrange(figure.clientWidth < NARROW_PX)).observe(figure);
	}

	#arrange(narrow) {
		if (this.svg.classList.contains('fg-narrow') === narrow)
			return;
		this.svg.classList.toggle('fg-narrow', narrow);
		this.svg.setAttribute('viewBox', narrow ? this.narrow : this.wide);
		for (const [group, wide, small] of this.groups)
			group.setAttribute('transform', narrow ? small : wide);
	}
}

function narrowTransform(group) {
	const [x, y, scale = 1] = group.dataset.fgNarrow.trim().split(/[ ,]+/).map(Number);

	return `translate(${x} ${y})${scale === 1 ? '' : ` scale(${scale})`}`;
}

class Screen {
	constructor(figure) {
		this.svg = figure.querySelector('svg');
		this.datasource = figure.dataset.fgDatasource;
		this.layout = new Layout(figure, this.svg);
		this.bindings = findBindings(this.svg, new Rotors());
		this.byName = groupByName(this.bindings);
		this.#makeTargets();
	}

	names() {
		const plates = [...this.svg.querySelectorAll('[data-fg-faceplate]')]
			.map((group) => group.dataset.fgFaceplate);

		// What one may not read has a binding without a name.
		return [...new Set([...this.byName.keys(), ...plates])].filter(Boolean);
	}

	// All elements of a variable, groups with its faceplate among them.
	elements() {
		const groups = [...this.svg.querySelectorAll('[data-fg-faceplate]')].map((element) =>
			({ element, name: element.dataset.fgFaceplate }));
		const map = groupByName([...this.bindings, ...groups]);

		return new Map([...map].map(([name, found]) => [name, found.map(({ element }) => element)]));
	}

	// Where the variable of the faceplate is on the picture; null is nowhere.
	point(name) {
		for (const element of this.svg.querySelectorAll('.fg-pointed'))
			element.classList.remove('fg-pointed');
		for (const { element } of this.byName.get(name) ?? [])
			(element.closest('[data-fg-faceplate]') ?? element).classList.add('fg-pointed');
	}

	// Groups with a faceplate can be reached by keyboard.
	#makeTargets() {
		for (const group of this.svg.querySelectorAll('[data-fg-faceplate]')) {
			group.setAttribute('tabindex', '0');
			group.setAttribute('role', 'button');
			if (!group.hasAttribute('aria-label'))
				group.setAttribute('aria-label', group.querySelector('title')?.textContent
					?? group.dataset.fgFaceplate);
		}
	}

	// The variable that stands for what was clicked, if any.
	nameAt(element) {
		const bound = element.closest('[data-fg-text],[data-fg-level]');
		const group = element.closest('[data-fg-faceplate]');

		return bound?.dataset.fgText || bound?.dataset.fgLevel || group?.dataset.fgFaceplate
			|| element.closest('[data-fg-color],[data-fg-rotate]')?.dataset.fgColor;
	}

	show(live, name) {
		const entry = live.entry(this.datasource, name);
		const quality = live.quality(entry);

		for (const { element, show } of this.byName.get(name) ?? []) {
			show(entry, quality);
			setQuality(element, quality);
		}
	}

	showAll(live) {
		for (const name of this.byName.keys())
			this.show(live, name);
	}
}

function groupByName(bindings) {
	const groups = new Map();

	for (const binding of bindings)
		groups.set(binding.name, [...groups.get(binding.name) ?? [], binding]);
	return groups;
}

function start() {
	const figure = document.querySelector('.fg-screen[data-fg-datasource]');
	const svg = figure?.querySelector('svg');

	if (!svg)
		return;
	const screen = new Screen(figure);
	const alarms = new ScreenAlarms(screen.elements(), screen.datasource);
	const live = openLive({
		onLists() {
			alarms.refreshSoon();
			faceplate.refreshListsSoon();
		},
		onVariables: () => faceplate.refresh(),
		onValues(entries) {
			for (const entry of entries)
				screen.show(live, entry.name);
			faceplate.update();
		},
		onSample: (entry) => faceplate.sample(entry),
		onState() {
			showPlantStates(live, screen.datasource);
			screen.showAll(live);
			faceplate.update();
		},
		onBack() {
			alarms.refreshSoon();
			faceplate.reload();
		},
		onSecond: () => faceplate.update(),
	});
	const faceplate = new Faceplate(document.getElementById('fg-faceplate'), live, screen.datasource,
		(name) => screen.point(name));
	const lists = [{ datasource: screen.datasource, names: screen.names() }];

	svg.addEventListener('click', (event) => faceplate.openFor(screen.nameAt(event.target)));
	svg.addEventListener('keydown', (event) => {
		if (event.key === 'Enter' || event.key === ' ') {
			event.preventDefault();
			faceplate.openFor(screen.nameAt(event.target));
		}
	});
	screen.showAll(live);
	startFooter(live);
	live.want(lists, { alarms: lists, events: lists });
	alarms.refreshSoon();
	faceplate.readAddress();
}

start();
