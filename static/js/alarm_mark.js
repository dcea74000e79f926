// alarm_mark: the sign of an alarm: its priority as shape, colour and number,
// its state as fill. Colour is never the only cue.

import { make, makeSvg } from './page.js';

const SHAPES = {
	1: 'M3 3H21V21H3Z',
	2: 'M2 4H22L12 22Z',
	3: 'M12 2L22 20H2Z',
	4: 'M12 1L23 12L12 23L1 12Z',
};

// Where the number stands, so that it lies in the middle of its shape.
const BASELINES = { 1: 17, 2: 14.5, 3: 18, 4: 16.5 };

export const STATES = {
	UnacknowledgedActive: { words: 'Active', mark: 'new' },
	AcknowledgedActive: { words: 'Active, acknowledged', mark: 'known' },
	ReturnedUnacknowledged: { words: 'Gone, not acknowledged', mark: 'gone' },
	Normal: { words: 'Gone', mark: 'over' },
	Shelved: { words: 'Shelved', mark: 'held' },
	SuppressedByDesign: { words: 'Suppressed', mark: 'held' },
	OutOfService: { words: 'Out of service', mark: 'held' },
};

export function stateWords(alarm) {
	const notes = [STATES[alarm.state]?.words ?? alarm.state];

	if (alarm.uncertain)
		notes.push('value uncertain');
	if (alarm.chattering)
		notes.push('chattering');
	return notes.join(', ');
}

export function priorityMark(priority, mark) {
	return makeSvg('svg', { viewBox: '0 0 24 24', class: `fg-mark fg-mark-${priority} fg-mark-${mark}`,
		role: 'img', 'aria-label': `Priority ${priority}` },
		makeSvg('path', { d: SHAPES[priority] ?? SHAPES[4] }),
		makeSvg('text', { x: 12, y: BASELINES[priority] ?? 16.5, 'aria-hidden': true }, String(priority)));
}

export function alarmMark(alarm) {
	return priorityMark(alarm.priority, STATES[alarm.state]?.mark ?? 'new');
}

// A time in a cell: short, with all of it for who asks.
export function timeCell(text, format) {
	if (text === null || text === undefined)
		return make('td', {});
	return make('td', { class: 'fg-list-time' }, make('time', { datetime: text }, format(Date.parse(text))));
}
