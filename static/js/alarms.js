// alarms: the Alarm Message List of a plant.

import { AlarmChoice } from './alarm_choice.js';
import { alarmCells, alarmColumns } from './alarm_row.js';
import { ListView } from './list_view.js';
import { make } from './page.js';

const VIEWS = {
	current: { states: ['UnacknowledgedActive', 'AcknowledgedActive', 'ReturnedUnacknowledged'], sort: 'priority' },
	unacknowledged: { states: ['UnacknowledgedActive', 'ReturnedUnacknowledged'], sort: 'priority' },
	held: { states: ['Shelved', 'SuppressedByDesign', 'OutOfService'], sort: 'priority' },
	history: { sort: '-receivedTime' },
};

const NOTHING = {
	current: 'No alarm needs attention.',
	unacknowledged: 'Everything is acknowledged.',
	held: 'Nothing is shelved, suppressed or out of service.',
	history: 'No alarm came in this time.',
};

function body({ view, priority, area }) {
	return { ...VIEWS[view], priorities: priority === '' ? undefined : priority.split(',').map(Number),
		alarmAreas: area === '' ? undefined : [area] };
}

// An empty list is good news only when nothing is filtered out of it.
function empty({ view, priority, area, text, names }) {
	return priority + area + text + names === '' ? NOTHING[view]
		: 'Nothing here matches the filter; there may be other alarms.';
}

// The areas of what has been shown so far are offered.
function offerAreas(view, list) {
	const known = new Set([...list.options].map(({ value }) => value));

	for (const alarm of view.items.values())
		for (const area of alarm.alarmAreas)
			if (!known.has(area)) {
				known.add(area);
				list.append(make('option', { value: area }));
			}
}

function start() {
	const row = (alarm) => [...(choice.picks ? [choice.cell(alarm)] : []), ...alarmCells(alarm, view)];
	const view = new ListView({ path: 'alarms', member: 'alarms', body, row, columns: alarmColumns, empty });
	const choice = new AlarmChoice(view);
	const areas = document.getElementById('fg-areas');

	view.screens = view.table.dataset.fgScreens;
	view.onShown = () => {
		choice.show();
		offerAreas(view, areas);
	};
	view.onState = () => choice.show();
}

start();
