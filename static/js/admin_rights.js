// admin_rights: groups, roles and rules, and why somebody may or may not.

import { everyPlantChoices, plantChoices, plantName, preparePlants } from './admin_choices.js';
import { makeForm } from './admin_form.js';
import { makeTable } from './admin_list.js';
import { showWord } from './admin_value.js';
import { postJson } from './http.js';
import { make } from './page.js';

const RIGHTS = ['ReadVariables', 'ReadArchives', 'ReadAlarms', 'ReadEvents', 'ReadReports',
	'WriteVariables', 'AcknowledgeAlarms', 'Configure', 'Administer'];
const SUBJECTS = ['user', 'group', 'client', 'node', 'everyone'];

const itemLink = (place, key) => `/admin/${place}?item=${encodeURIComponent(key)}`;
// "everyone" and roles have no page, or the name is no address.
const PLACES = { user: 'users', group: 'groups', role: 'roles', client: 'clients', node: 'nodes' };
const subjectLink = (row) => itemLink(PLACES[row.subjectKind], row.subject);

const SUBJECT_COLUMNS = [
	{ name: 'subjectKind', label: 'Kind' },
	{ name: 'subject', label: 'Who', none: 'everyone', kind: 'link', href: subjectLink },
];
const PLANT_COLUMN = { name: 'dataSource', label: 'Plant', value: (row) => plantName(row.dataSource) };

// The rules about one subject, as a part of its page; roles add to them.
export function rulesPart(kind, title = 'Own rules', name = 'name') {
	return {
		title, path: `/api/v1/admin/rules?subjectKind=${kind}&subject={${name}}&limit=500`, empty: 'No rule is about it by itself.',
		columns: [
			{ name: 'rights', label: 'Rights', kind: 'words' },
			PLANT_COLUMN,
			{ name: 'pattern', label: 'Variables', value: (rule) => rule.pattern ?? rule.names.join(', ') },
			{ name: 'effect', label: 'Effect', kind: 'state' },
			{ name: 'id', label: 'Rule', kind: 'link', value: () => 'open', href: (rule) => itemLink('rules', rule.id) },
		],
	};
}

const group = '/api/v1/admin/groups/{name}';

export const groups = {
	title: 'Groups',
	prepare: preparePlants,
	path: '/api/v1/admin/groups',
	sort: 'name',
	columns: [
		{ name: 'name', label: 'Name', sort: 'name', kind: 'link' },
		{ name: 'description', label: 'Description' },
		{ name: 'members', label: 'Members', kind: 'number' },
		{ name: 'requireSecondFactor', label: 'Second factor', value: (item) => (item.requireSecondFactor ? 'required' : 'as people like') },
	],
	filters: [{ name: 'search', label: 'Name or description' }],
	create: {
		label: 'New group',
		fields: [
			{ name: 'name', label: 'Name', required: true, max: 128 },
			{ name: 'description', label: 'Description', max: 256 },
			{ name: 'requireSecondFactor', label: 'Members need a second factor to log in', kind: 'check' },
		],
	},
	change: {
		fields: [
			{ name: 'description', label: 'Description', max: 256 },
			{ name: 'requireSecondFactor', label: 'Members need a second factor to log in', kind: 'check' },
		],
	},
	actions: [{ label: 'Remove', method: 'DELETE', path: group, confirm: 'Remove the group {name}? Its members lose what it allows.', then: '/admin/groups' }],
	parts: [
		{
			title: 'Members', path: `${group}/members?limit=500`,
			columns: [
				{ name: 'name', label: 'Name', kind: 'link', href: (row) => itemLink(PLACES[row.kind], row.name) },
				{ name: 'kind', label: 'Kind' },
				{ name: 'source', label: 'By whose word', none: 'an administrator' },
			],
			rowActions: [{
				label: 'Take out', when: (row) => !row.source, method: 'DELETE',
				path: '/api/v1/admin/groups/{of}/{kind}s/{name}', confirm: 'Take {name} out of {of}?',
			}],
			add: {
				label: 'Put in', method: 'PUT', path: (item, body) => `/api/v1/admin/groups/${encodeURIComponent(item.name)}/${body.kind}s/${encodeURIComponent(body.name)}`,
				body: () => undefined,
				fields: [
					{ name: 'kind', label: 'Kind', kind: 'choice', required: true, choices: ['user', 'group'] },
					{ name: 'name', label: 'Name', required: true, max: 128 },
				],
			},
		},
		rulesPart('group'),
	],
};

const role = '/api/v1/admin/roles/{name}';

export const roles = {
	title: 'Roles',
	path: '/api/v1/admin/roles',
	sort: 'name',
	prepare: preparePlants,
	columns: [
		{ name: 'name', label: 'Name', sort: 'name', kind: 'link' },
		{ name: 'description', label: 'Description' },
		{ name: 'grants', label: 'Given to', kind: 'number' },
		{ name: 'builtIn', label: 'Ready-made', kind: 'yesno' },
	],
	filters: [{ name: 'search', label: 'Name or description' }],
	create: {
		label: 'New role',
		fields: [
			{ name: 'name', label: 'Name', required: true, max: 128 },
			{ name: 'description', label: 'Description', max: 256 },
		],
	},
	change: {
		never: (item) => item.builtIn,
		fields: [{ name: 'description', label: 'Description', max: 256 }],
	},
	actions: [{ label: 'Remove', when: (item) => !item.builtIn, method: 'DELETE', path: role, confirm: 'Remove the role {name}? Who has it loses what it allows.', then: '/admin/roles' }],
	parts: [
		{
			title: 'Who has it', path: `${role}/grants?limit=500`, empty: 'Nobody has this role.',
			columns: [...SUBJECT_COLUMNS, PLANT_COLUMN],
			rowActions: [{ label: 'Take away', method: 'DELETE', path: '/api/v1/admin/roles/{of}/grants/{id}', confirm: 'Take {of} away from {subjectKind} {subject}?' }],
			add: {
				label: 'Give', path: `${role}/grants`,
				fields: [
					{ name: 'subjectKind', label: 'Kind', kind: 'choice', required: true, choices: SUBJECTS },
					{ name: 'subject', label: 'Name', max: 128, hint: 'Not needed for everyone.' },
					{ name: 'dataSource', label: 'Plant', kind: 'choice', required: true, choices: everyPlantChoices },
				],
			},
		},
		rulesPart('role', 'What it allows'),
	],
};

const RULE_FIELDS = [
	{ name: 'effect', label: 'Effect', kind: 'choice', required: true, choices: ['allow', 'deny'], hint: 'A deny wins over every allow.' },
	{ name: 'rights', label: 'Rights', kind: 'words', choices: RIGHTS },
	{ name: 'dataSource', label: 'Plant', kind: 'choice', required: true, choices: everyPlantChoices },
	{ name: 'pattern', label: 'Variables by pattern', max: 256, initial: '*', hint: '* is any run of letters, ? is any one letter.' },
	{ name: 'names', label: 'Or variables by name', kind: 'lines', hint: 'One name a line; then leave the pattern empty.' },
	{ name: 'description', label: 'Description', max: 256 },
];

// Named variables stand in place of a pattern.
function ruleBody({ names, pattern, ...body }) {
	return names?.length > 0 ? { ...body, names } : { ...body, pattern };
}

const COUNTING = [
	{ name: 'effect', label: 'Effect', kind: 'state' },
	{ name: 'subject', label: 'Of', value: (rule) => `${rule.subjectKind} ${rule.subject}` },
	{ name: 'heldBy', label: 'Held by', value: (rule) => (rule.heldBy ? `${rule.heldByKind} ${rule.heldBy}` : null) },
	{ name: 'dataSource', label: 'Plant', value: (rule) => plantName(rule.dataSource) },
	{ name: 'pattern', label: 'Variables', value: (rule) => rule.pattern ?? rule.name },
	{ name: 'id', label: 'Rule', kind: 'link', value: () => 'open', href: (rule) => itemLink('rules', rule.id) },
];

function showExplanation(place, answer) {
	place.replaceChildren(
		make('p', {}, showWord(answer.allowed ? 'allowed' : 'not allowed', !answer.allowed), `: ${answer.message}`),
		answer.rules.length > 0 ? makeTable({ columns: COUNTING, title: 'Rules that count' }, answer.rules, new URLSearchParams(), () => {}) : '');
}

async function explainForm() {
	const answer = make('div', { 'aria-live': 'polite' });
	const form = await makeForm({
		button: 'Explain',
		fields: [
			{ name: 'subjectKind', label: 'Kind', kind: 'choice', required: true, choices: SUBJECTS.slice(0, 4) },
			{ name: 'subject', label: 'Who', required: true, max: 128 },
			{ name: 'right', label: 'Right', kind: 'choice', required: true, choices: RIGHTS },
			{ name: 'dataSource', label: 'Plant', kind: 'choice', required: true, choices: plantChoices },
			{ name: 'variable', label: 'Variable', required: true, max: 256 },
		],
		async send(body) {
			answer.replaceChildren();
			showExplanation(answer, await postJson('/api/v1/policy/explain', body));
		},
	});

	return make('details', { class: 'fg-panel fg-explain' },
		make('summary', {}, 'Why may somebody do this, or why not?'), form, answer);
}

export const rules = {
	title: 'Rules',
	key: 'id',
	path: '/api/v1/admin/rules',
	sort: 'subject',
	prepare: preparePlants,
	intro: explainForm,
	heading: () => 'Rule',
	columns: [
		{ name: 'subject', label: 'Who', sort: 'subject', kind: 'link', key: 'id', value: (rule) => (rule.subjectKind === 'everyone' ? 'everyone' : `${rule.subjectKind} ${rule.subject}`) },
		{ name: 'effect', label: 'Effect', kind: 'state' },
		{ name: 'rights', label: 'Rights', kind: 'words' },
		PLANT_COLUMN,
		{ name: 'pattern', label: 'Variables', value: (rule) => rule.pattern ?? rule.names.join(', ') },
		{ name: 'description', label: 'Description' },
	],
	filters: [
		{ name: 'subjectKind', label: 'Kind', choices: [...SUBJECTS, 'role'] },
		{ name: 'subject', label: 'Who', type: 'text' },
		{ name: 'effect', label: 'Effect', choices: ['allow', 'deny'] },
		{ name: 'search', label: 'Pattern or description' },
	],
	create: {
		label: 'New rule', body: ruleBody,
		fields: [
			{ name: 'subjectKind', label: 'Kind', kind: 'choice', required: true, choices: [...SUBJECTS, 'role'] },
			{ name: 'subject', label: 'Who', max: 128, hint: 'The name; not needed for everyone.' },
			...RULE_FIELDS,
		],
	},
	change: {
		fields: RULE_FIELDS,
		body: ({ names, ...body }) => (names?.length > 0 ? { ...body, names } : body),
	},
	actions: [{ label: 'Remove', method: 'DELETE', path: '/api/v1/admin/rules/{id}', confirm: 'Remove this rule of {subjectKind} {subject}?', then: '/admin/rules' }],
};
