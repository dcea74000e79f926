// alarm_mark: the sign of an alarm: its priority as shape, colour and number,
// its state as fill. Colour is never the only cue.

import { formatClock, formatDate } from './format.js';
import { make, makeSvg } from './page.js';

const SHAPES = {
	1: 'M3 3H21V21H3Z',
	2: 'M2 4H22L12 22Z',
	3: 'M12 2L22 20H2Z',
	4: 'M12 1L23 12L12 23L1 12Z',
};

// Where the number stands, so that it lies in the middle of its shape.
const BASELINES = { 1: 17, 2: 14.5, 3: 18, 4: 16.5 };

// A ring stands for "nobody has acknowledged it", full for active, hollow for
// gone; what is held back is dashed, dotted or crossed out.
export const STATES = {
	UnacknowledgedActive: { words: 'Active', mark: 'new' },
	AcknowledgedActive: { words: 'Active, acknowledged', mark: 'known' },
	ReturnedUnacknowledged: { words: 'Gone, not acknowledged', mark: 'gone' },
	Normal: { words: 'Gone', mark: 'over' },
	Shelved: { words: 'Shelved', mark: 'shelved' },
	SuppressedByDesign: { words: 'Suppressed', mark: 'suppressed' },
	OutOfService: { words: 'Out of service', mark: 'out' },
};

const RINGED = ['new', 'gone'];

const TAGS = {
	uncertain: ['? uncertain', 'The value cannot be trusted; the alarm stays until it can.'],
	chattering: ['⇅ chattering', 'It came three times within a minute. Shelve it, or give its limit a hysteresis or a delay.'],
};

export function stateWords(alarm) {
	if (alarm.state === 'AcknowledgedActive' && alarm.acknowledgedTime === null)
		return 'Active, nothing to acknowledge';
	return STATES[alarm.state]?.words ?? alarm.state;
}

export function stateTags(alarm) {
	return Object.entries(TAGS).filter(([name]) => alarm[name])
		.map(([, [words, why]]) => make('span', { class: 'fg-tag', title: why }, words));
}

export function priorityMark(priority, mark) {
	const shape = SHAPES[priority] ?? SHAPES[4];

	return makeSvg('svg', { viewBox: '0 0 24 24', class: `fg-mark fg-mark-${priority} fg-mark-${mark}`,
		role: 'img', 'aria-label': `Priority ${priority}` },
		...(RINGED.includes(mark) ? [makeSvg('rect', { x: -3, y: -3, width: 30, height: 30, rx: 6, class: 'fg-mark-ring' })] : []),
		makeSvg('path', { d: shape }),
		...(mark === 'out' ? [makeSvg('path', { d: 'M2 22L22 2', class: 'fg-mark-cross' })] : []),
		makeSvg('text', { x: 12, y: BASELINES[priority] ?? 16.5, 'aria-hidden': true }, String(priority)));
}

export function alarmMark(alarm) {
	return priorityMark(alarm.priority, STATES[alarm.state]?.mark ?? 'new');
}

// A time in a cell; "label" says what it is where the columns have no heads.
export function timeCell(text, zone, label = undefined) {
	if (text === null || text === undefined)
		return make('td', {});
	const time = Date.parse(text);

	return make('td', { class: 'fg-list-time', 'data-fg-label': label }, make('time', { datetime: text },
		make('span', { class: 'fg-list-date' }, formatDate(time, zone)), ' ',
		make('span', {}, formatClock(time, zone))));
}
