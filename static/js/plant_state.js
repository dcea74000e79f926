// plant_state: the label that says whether a plant is online.

import { setText } from './page.js';

// While the connection is lost nobody knows.
export function showPlantState(label, live, datasource) {
	const state = live.datasources.get(datasource)?.state ?? 'Offline';

	if (live.state === 'connecting')
		return; // the server's own words still hold
	setText(label, live.connected ? state : 'Unknown');
	label.classList.toggle('fg-online', live.connected && state === 'Online');
	label.classList.toggle('fg-offline', live.connected && state !== 'Online');
}

// All labels of a page about one plant.
export function showPlantStates(live, datasource) {
	for (const label of document.querySelectorAll('[data-fg-plant-state]'))
		showPlantState(label, live, datasource);
}
