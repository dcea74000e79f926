// trend_gestures: wheel, fingers, dragging and keys on a chart. Dragging with
// the mouse selects a window (uPlot does that); with Shift it moves the window.

import { panWindow, zoomWindow } from './trend_state.js';

const CLICK_PX = 4;

export function bindGestures(plot, chart) {
	const { over } = plot;
	const timeAt = (clientX) => plot.posToVal(clientX - over.getBoundingClientRect().left, 'x');

	bindWheel(over, chart, timeAt);
	bindPan(over, chart);
	bindTouch(over, chart, timeAt);
	bindClick(over, chart, timeAt);
}

function bindWheel(over, chart, timeAt) {
	over.addEventListener('wheel', (event) => {
		const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;

		event.preventDefault();
		if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
			chart.handlers.onWindow(panWindow(chart.window, sideways / 1000), false);
		else
			chart.handlers.onWindow(zoomWindow(chart.window, Math.exp(event.deltaY / 500),
				timeAt(event.clientX)), false);
	}, { passive: false });
}

function bindPan(over, chart) {
	over.addEventListener('pointerdown', (event) => {
		if (event.pointerType !== 'mouse' || !(event.button === 1 || event.button === 0 && event.shiftKey))
			return;
		event.preventDefault();
		const startX = event.clientX;
		const start = chart.window;
		const share = (moved) => (startX - moved.clientX) / over.clientWidth;
		const move = (moved) => chart.handlers.onWindow(panWindow(start, share(moved)), false);
		const stop = () => {
			over.removeEventListener('pointermove', move);
			over.removeEventListener('pointerup', stop);
			over.removeEventListener('pointercancel', stop);
		};

		over.setPointerCapture(event.pointerId);
		over.addEventListener('pointermove', move);
		over.addEventListener('pointerup', stop);
		over.addEventListener('pointercancel', stop);
	});
}

// One finger moves, two zoom; up and down stays the page's (touch-action).
function bindTouch(over, chart, timeAt) {
	const fingers = new Map();
	let start = null;

	const begin = () => {
		start = { window: chart.window, xs: [...fingers.values()], width: over.clientWidth,
			times: [...fingers.values()].map(timeAt) };
	};
	const move = () => {
		const xs = [...fingers.values()];

		if (xs.length === 1) {
			chart.handlers.onWindow(panWindow(start.window, (start.xs[0] - xs[0]) / start.width), false);
		} else if (xs.length === 2) {
			const factor = Math.abs(start.xs[0] - start.xs[1]) / Math.max(10, Math.abs(xs[0] - xs[1]));
			const middle = (start.times[0] + start.times[1]) / 2;

			chart.handlers.onWindow(zoomWindow(start.window, factor, middle), false);
		}
	};

	over.addEventListener('pointerdown', (event) => {
		if (event.pointerType === 'mouse' || fingers.size === 2)
			return;
		fingers.set(event.pointerId, event.clientX);
		begin();
	});
	over.addEventListener('pointermove', (event) => {
		if (!fingers.has(event.pointerId))
			return;
		fingers.set(event.pointerId, event.clientX);
		if (Math.abs(event.clientX - start.xs[0]) > CLICK_PX || fingers.size > 1)
			move();
	});
	for (const type of ['pointerup', 'pointercancel', 'pointerleave'])
		over.addEventListener(type, (event) => {
			if (fingers.delete(event.pointerId) && fingers.size > 0)
				begin();
		});
}

function bindClick(over, chart, timeAt) {
	let downX = 0;

	over.addEventListener('pointerdown', (event) => {
		downX = event.clientX;
	}, { capture: true });
	over.addEventListener('click', (event) => {
		if (Math.abs(event.clientX - downX) <= CLICK_PX && !event.shiftKey)
			chart.handlers.onPick(Math.round(timeAt(event.clientX)));
	});
}

const KEYS = {
	ArrowLeft: (window) => panWindow(window, -0.1),
	ArrowRight: (window) => panWindow(window, 0.1),
	PageUp: (window) => panWindow(window, -1),
	PageDown: (window) => panWindow(window, 1),
	'+': (window) => zoomWindow(window, 0.5),
	'-': (window) => zoomWindow(window, 2),
};

// Keys work while the box of the chart has the focus.
export function bindKeys(box, chart) {
	box.addEventListener('keydown', (event) => {
		const change = KEYS[event.key];

		if (change === undefined || event.ctrlKey || event.metaKey || event.altKey || event.target !== box)
			return;
		event.preventDefault();
		chart.handlers.onWindow(change(chart.window), false);
	});
}
