// plant_state: the label that says whether a plant is online.

import { getJson } from './http.js';
import { setText } from './page.js';

const ASK_MS = 10_000;

// While the connection is lost nobody knows.
export function showPlantState(label, live, datasource) {
	const state = live.datasources.get(datasource)?.state;

	if (live.state === 'connecting' || (live.connected && state === undefined))
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

// For a page without values: its stream tells of no plant, so this asks. Call
// it whenever the stream's state changes and every second.
export class PlantState {
	#live;
	#datasource;
	#asked = -ASK_MS;
	#connected = false;

	constructor(live, datasource) {
		this.#live = live;
		this.#datasource = datasource;
	}

	show() {
		const back = this.#live.connected && !this.#connected;

		this.#connected = this.#live.connected;
		showPlantStates(this.#live, this.#datasource);
		if (this.#connected && !document.hidden && (back || performance.now() - this.#asked > ASK_MS))
			this.#ask();
	}

	async #ask() {
		this.#asked = performance.now();
		try {
			const { dataSources } = await getJson('/api/v1/datasources');
			const found = dataSources.find(({ dataSourceId }) => dataSourceId === this.#datasource);

			this.#live.datasources.set(this.#datasource, { id: this.#datasource, state: found?.state ?? 'Offline' });
		} catch {
			return; // the next time will tell
		}
		showPlantStates(this.#live, this.#datasource);
	}
}
