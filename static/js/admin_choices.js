// admin_choices: what a form lets people choose from, read when it is made.

import { getJson } from './http.js';

// The names of a list of the API.
export function namesOf(path, key = 'name') {
	return async () => {
		const { items } = await getJson(`${path}?limit=500`);

		return items.map((item) => item[key]);
	};
}

let plants;

async function loadPlants() {
	plants ??= (await getJson('/api/v1/datasources')).dataSources;
	return plants;
}

export async function plantChoices() {
	return (await loadPlants()).map(({ dataSourceId, name }) => [dataSourceId, name]);
}

export async function everyPlantChoices() {
	return [['*', 'every plant'], ...await plantChoices()];
}

// For tables: call it before they are made.
export async function preparePlants() {
	await loadPlants();
}

export function plantName(id) {
	if (id === '*')
		return 'every plant';
	return plants?.find(({ dataSourceId }) => dataSourceId === id)?.name ?? id;
}
