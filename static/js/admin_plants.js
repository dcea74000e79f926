// admin_plants: what makes the alarms of a plant and how they are sorted:
// limits, classes, groups, areas and causes; one by one, or as a file.

import { fileSection } from './admin_file.js';
import { plantName, preparePlants } from './admin_choices.js';
import { getJson } from './http.js';

const plant = '/api/v1/admin/datasources/{id}';
const ofPlant = '/api/v1/admin/datasources/{of}'; // in rows, "of" is the plant

// --- limits -------------------------------------------------------------------

const CONDITIONS = [
	['greater', 'is above the value'], ['less', 'is below the value'], ['equal', 'is equal to the value'],
	['range', 'is from low to high'], ['outside', 'is below low or above high'],
	['bit', 'has the bit of that number set'], ['change', 'changes'], ['status', 'has that bit of the status set'],
];
const PRIORITIES = [['1', '1, the most urgent'], ['2', '2'], ['3', '3'], ['4', '4']];

function conditionText({ condition, value, low, high }) {
	return { greater: `above ${value}`, less: `below ${value}`, equal: `is ${value}`, range: `${low} to ${high}`,
		outside: `below ${low} or above ${high}`, bit: `bit ${value} is set`, change: 'any change',
		status: `status bit ${value} is set` }[condition];
}

// Typed as text: the variable decides whether it is a number.
function readValue(text) {
	if (text === 'true' || text === 'false')
		return text === 'true';
	return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

function limitBody({ value, priority, ...body }) {
	return { ...body, ...(value !== undefined && { value: readValue(value) }),
		...(priority && { priority: Number(priority) }) };
}

const LIMIT_FIELDS = [
	{ name: 'condition', label: 'Alarm while the variable', kind: 'choice', required: true, choices: CONDITIONS },
	{ name: 'value', label: 'Value, or number of the bit', max: 256 },
	{ name: 'low', label: 'Low', kind: 'number' },
	{ name: 'high', label: 'High', kind: 'number' },
	{ name: 'text', label: 'Text', max: 512, hint: 'What operators read; {value}, {unit} and {limit} are filled in. Empty: its name.' },
	{ name: 'priority', label: 'Priority', kind: 'choice', required: true, choices: PRIORITIES, initial: '3' },
	{ name: 'hysteresis', label: 'Hysteresis', kind: 'number', hint: 'How far the value must come back before the alarm goes.' },
	{ name: 'onDelayMs', label: 'Comes after (ms)', kind: 'number' },
	{ name: 'offDelayMs', label: 'Goes after (ms)', kind: 'number' },
	{ name: 'class', label: 'Class', kind: 'number' },
	{ name: 'group', label: 'Group', kind: 'number' },
	{ name: 'areas', label: 'Areas', kind: 'lines', rows: 2, hint: 'One a line, at most four.' },
	{ name: 'mustAcknowledge', label: 'Somebody must acknowledge it', kind: 'check', initial: true },
	{ name: 'commentRequired', label: 'with a comment', kind: 'check' },
	{ name: 'causeRequired', label: 'with a cause', kind: 'check' },
	{ name: 'eachChange', label: 'Another violating value is another alarm', kind: 'check' },
	{ name: 'reactivates', label: 'A new violation brings back the alarm that nobody has acknowledged', kind: 'check' },
	{ name: 'suppressedBy', label: 'Suppressed while this variable is true', max: 256 },
	{ name: 'enabled', label: 'Enabled', kind: 'check', initial: true },
];

const isHere = (limit) => limit.origin === 'hub';

const limits = {
	title: 'Limits', path: `${plant}/limits?limit=500`, empty: 'No variable has a limit yet.',
	columns: [
		{ name: 'variable', label: 'Variable' },
		{ name: 'name', label: 'Limit' },
		{ name: 'condition', label: 'Alarm when', value: conditionText },
		{ name: 'priority', label: 'Priority', kind: 'number' },
		{ name: 'text', label: 'Text' },
		{ name: 'enabled', label: 'State', kind: 'state', value: ({ enabled }) => (enabled ? 'enabled' : 'disabled') },
		{ name: 'origin', label: 'Made', value: (limit) => (isHere(limit) ? 'here' : 'by the agent') },
	],
	rowActions: [{
		label: 'Remove', when: isHere, method: 'DELETE', path: `${ofPlant}/limits/{id}`,
		confirm: 'Remove the limit {name} of {variable}? An alarm that it has raised goes.',
	}],
	change: {
		when: isHere, path: `${ofPlant}/limits/{id}`, fields: LIMIT_FIELDS, body: limitBody,
		title: ({ variable, name }) => `Change ${name} of ${variable}`,
		values: ({ value, priority, ...limit }) => ({ ...limit, value: value === undefined ? '' : String(value), priority: String(priority) }),
	},
	add: {
		label: 'Add limit', path: `${plant}/limits`, body: limitBody,
		fields: [
			{ name: 'variable', label: 'Variable', required: true, max: 256 },
			{ name: 'name', label: 'Name of the limit', required: true, max: 64, hint: 'Each one once for a variable.' },
			...LIMIT_FIELDS,
		],
	},
};

// --- classes, groups, areas -----------------------------------------------------

const CATEGORY_FIELDS = [
	{ name: 'colour', label: 'Colour', max: 7, placeholder: '#d2691e' },
	{ name: 'description', label: 'Description', max: 500 },
];

// "key" is what it is known by: its number, of an area its name.
function categoryPart(title, one, key) {
	const path = `${plant}/alarm-${title.toLowerCase()}`;
	const ofRow = `${ofPlant}/alarm-${title.toLowerCase()}/{${key}}`;
	const numbered = key === 'number';
	const name = { name: 'name', label: 'Name', required: true, max: 128 };

	return {
		title, path: `${path}?limit=500`, empty: `No ${one} has a name yet.`,
		columns: [
			...(numbered ? [{ name: 'number', label: 'Number', value: ({ number }) => String(number) }] : []),
			{ name: 'name', label: 'Name' },
			{ name: 'colour', label: 'Colour', kind: 'word' },
			{ name: 'description', label: 'Description' },
		],
		rowActions: [{ label: 'Forget', method: 'DELETE', path: ofRow, confirm: `Forget the name {name}? Limits and alarms keep their ${one}.` }],
		change: { method: 'PUT', path: ofRow, fields: numbered ? [name, ...CATEGORY_FIELDS] : CATEGORY_FIELDS, title: (row) => `Change ${row.name}` },
		add: {
			label: `Add ${one}`, method: 'PUT',
			path: (item, body) => `/api/v1/admin/datasources/${item.id}/alarm-${title.toLowerCase()}/${encodeURIComponent(body[key])}`,
			body: ({ number: _, ...body }) => body,
			fields: [
				...(numbered ? [{ name: 'number', label: 'Number', kind: 'number', required: true, hint: 'What limits give: 0 to 65535.' }] : []),
				name, ...CATEGORY_FIELDS,
			],
		},
	};
}

// --- causes -----------------------------------------------------------------------

const LEVELS = 5;

// The tree as rows, each with its place: "Drive › Belt".
function flatten(causes, above = []) {
	return causes.flatMap(({ children, ...cause }) => {
		const place = [...above, cause.name];

		return [{ ...cause, place: place.join(' › '), level: place.length }, ...flatten(children, place)];
	});
}

function causesPart(id) {
	const path = `/api/v1/admin/datasources/${id}/alarm-causes`;
	const parents = async () => flatten((await getJson(path)).causes)
		.filter(({ level, removed }) => level < LEVELS && !removed).map((cause) => [cause.id, cause.place]);

	return {
		title: 'Causes', path, rows: ({ causes }) => flatten(causes), empty: 'No cause can be chosen yet.',
		columns: [
			{ name: 'place', label: 'Cause' },
			{ name: 'description', label: 'Description' },
			{ name: 'removed', label: 'State', kind: 'state', value: ({ removed }) => (removed ? 'removed' : 'can be chosen') },
		],
		rowActions: [
			{ label: 'Remove', when: ({ removed }) => !removed, method: 'PATCH', path: `${path}/{id}`, body: { removed: true }, confirm: 'Remove {place}? Neither it nor what is below can be chosen any more; alarms keep it.' },
			{ label: 'Bring back', when: ({ removed }) => removed, method: 'PATCH', path: `${path}/{id}`, body: { removed: false } },
		],
		change: {
			path: `${path}/{id}`, title: ({ place }) => `Change ${place}`,
			fields: [{ name: 'name', label: 'Name', required: true, max: 128 }, { name: 'description', label: 'Description', max: 500 }],
		},
		add: {
			label: 'Add cause', path,
			fields: [
				{ name: 'name', label: 'Name', required: true, max: 128 },
				{ name: 'parent', label: 'Below', kind: 'choice', none: 'nothing: on top', choices: parents },
				{ name: 'description', label: 'Description', max: 500 },
			],
		},
	};
}

// --- the plants -------------------------------------------------------------------

async function readPlants() {
	return (await getJson('/api/v1/datasources')).dataSources
		.map(({ dataSourceId: id, ...rest }) => ({ id, ...rest }))
		.sort((a, b) => a.name.localeCompare(b.name));
}

export const plants = {
	title: 'Plants',
	key: 'id',
	prepare: preparePlants,
	heading: plantName,
	list: async () => ({ items: await readPlants(), next: null }),
	async find(id) {
		const found = (await readPlants()).find((item) => item.id === id);

		if (found === undefined)
			throw new Error('There is no such plant, or you may not read it.');
		return found;
	},
	columns: [
		{ name: 'name', label: 'Plant', kind: 'link', key: 'id' },
		{ name: 'state', label: 'State' },
		{ name: 'id', label: 'UUID', kind: 'code' },
	],
	parts: ({ id }) => [
		limits,
		fileSection('Limits as a file', `/api/v1/admin/datasources/${id}/limits.csv`, 'text/csv'),
		categoryPart('Classes', 'class', 'number'),
		categoryPart('Groups', 'group', 'number'),
		categoryPart('Areas', 'area', 'name'),
		causesPart(id),
		fileSection('Classes, groups, areas and causes as a file', `/api/v1/admin/datasources/${id}/alarm-vocabulary`, 'application/json'),
	],
};
