// admin_sources: where users come from: directories and upstream providers.

import { namesOf } from './admin_choices.js';

// Groups elsewhere that are groups here.
function mappingPart(path, hint) {
	return {
		title: 'Groups', path: `${path}/groups`, empty: 'No group there is a group here.',
		columns: [
			{ name: 'external', label: 'Group there', kind: 'code' },
			{ name: 'group', label: 'Group here', kind: 'link', href: (row) => `/admin/groups?item=${encodeURIComponent(row.group)}` },
		],
		rowActions: [{
			label: 'Take away', method: 'DELETE',
			path: `${path.replace('{name}', '{of}')}/groups?external={external}&group={group}`,
			confirm: 'Members of {external} leave {group}. Go on?', word: 'Take away',
		}],
		add: {
			label: 'Add', method: 'PUT', path: `${path}/groups`,
			fields: [
				{ name: 'external', label: 'Group there', required: true, max: 1024, hint },
				{ name: 'group', label: 'Group here', kind: 'choice', required: true, choices: namesOf('/api/v1/admin/groups') },
			],
		},
	};
}

const STATES = ['active', 'disabled'];
const provider = '/api/v1/admin/providers/{name}';

const PROVIDER_FIELDS = [
	{ name: 'title', label: 'Title', max: 128, hint: 'On the button of the log-in page.' },
	{ name: 'clientId', label: 'Client id', max: 256, hint: 'What the provider calls this grid.' },
	{ name: 'clientSecret', label: 'Client secret', kind: 'secret', max: 512 },
	{ name: 'authentication', label: 'How the secret is sent', kind: 'choice', choices: ['client_secret_basic', 'client_secret_post', 'none'] },
	{ name: 'scopes', label: 'Scopes', kind: 'lines', rows: 3 },
	{ name: 'hosts', label: 'Further hosts of the provider', kind: 'lines', rows: 2, hint: 'Only these and the issuer\'s own are ever called.' },
	{ name: 'authority', label: 'Certificates to trust (PEM)', kind: 'long', hint: 'Empty: those of the system.' },
	{ name: 'nameClaim', label: 'Claim with the user name', max: 256 },
	{ name: 'groupsClaim', label: 'Claim with the groups', max: 256 },
	{ name: 'subject', label: 'Claims that identify a person', max: 256 },
	{ name: 'factorValues', label: 'Values of amr or acr that count as a second factor', kind: 'lines', rows: 2 },
	{ name: 'createAccounts', label: 'Whoever logs in gets an account', kind: 'check' },
];

export const providers = {
	title: 'Providers',
	path: '/api/v1/admin/providers',
	sort: 'name',
	columns: [
		{ name: 'name', label: 'Name', sort: 'name', kind: 'link' },
		{ name: 'title', label: 'Title', sort: 'title' },
		{ name: 'issuer', label: 'Issuer' },
		{ name: 'state', label: 'State', kind: 'state' },
	],
	facts: [
		{ name: 'name', label: 'Name' },
		{ name: 'title', label: 'Title' },
		{ name: 'issuer', label: 'Issuer', kind: 'code' },
		{ name: 'callback', label: 'Redirect address to register there', kind: 'code' },
		{ name: 'clientId', label: 'Client id', kind: 'code' },
		{ name: 'hasSecret', label: 'Client secret', value: (item) => (item.hasSecret ? 'set' : 'none') },
		{ name: 'state', label: 'State', kind: 'state' },
		{ name: 'created', label: 'Created', kind: 'time' },
		{ name: 'changed', label: 'Changed', kind: 'time' },
	],
	filters: [{ name: 'search', label: 'Name, title or issuer' }, { name: 'state', label: 'State', choices: STATES }],
	create: {
		label: 'New provider',
		fields: [
			{ name: 'name', label: 'Name', required: true, max: 64, hint: 'Part of addresses: small letters, digits, "-".' },
			{ name: 'issuer', label: 'Issuer', required: true, max: 512, placeholder: 'https://login.example.org/tenant/v2.0' },
			...PROVIDER_FIELDS,
		],
	},
	change: { fields: PROVIDER_FIELDS },
	actions: [
		{ label: 'Test', method: 'POST', path: `${provider}/test`, report: testReport },
		{ label: 'Disable', when: (item) => item.state === 'active', method: 'PATCH', path: provider, body: { state: 'disabled' }, confirm: 'Disable {name}? Its people cannot log in with it.' },
		{ label: 'Enable', when: (item) => item.state === 'disabled', method: 'PATCH', path: provider, body: { state: 'active' } },
		{ label: 'Remove', method: 'DELETE', path: provider, confirm: 'Remove the provider {name}?', then: '/admin/providers' },
	],
	parts: [mappingPart(provider, 'A value of the groups claim.')],
};

function testReport(answer) {
	return answer.works ? { good: true, text: 'It works.' } : { good: false, text: answer.problem ?? 'It does not work.' };
}
