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
	empty: 'No provider yet: people log in with accounts that are kept here, or in a directory.',
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

const directory = '/api/v1/admin/directories/{name}';

const GROUP_MODES = [
	['none', 'nothing'],
	['search', 'search, group by group'],
	['matching_rule', 'matching rule (Active Directory)'],
	['token_groups', 'tokenGroups (Active Directory)'],
];

const DIRECTORY_FIELDS = [
	{ name: 'uris', label: 'Addresses', kind: 'lines', rows: 2, required: true, hint: 'One a line, tried in this order: ldap://host:389 or ldaps://host:636.' },
	{ name: 'mode', label: 'Secured by', kind: 'choice', required: true, choices: [['starttls', 'StartTLS'], ['ldaps', 'LDAPS']] },
	{ name: 'bindDn', label: 'Service account (DN)', required: true, max: 1024 },
	{ name: 'bindPassword', label: 'Its password', kind: 'secret', max: 1024 },
	{ name: 'base', label: 'People are below (DN)', required: true, max: 1024 },
	{ name: 'ca', label: 'Certificates to trust (PEM)', kind: 'long', hint: 'Empty: those of the system.' },
	{ name: 'userFilter', label: 'Filter that finds a person', max: 1024, hint: '{name} is what was typed.' },
	{ name: 'groupMode', label: 'Groups are found by', kind: 'choice', choices: GROUP_MODES },
	{ name: 'groupBase', label: 'Groups are below (DN)', max: 1024, hint: 'Empty: where people are.' },
	{ name: 'groupFilter', label: 'Filter that finds groups', max: 1024, hint: '{dn} is the member\'s DN, {name} the name of a person.' },
	{ name: 'idAttribute', label: 'Attribute that never changes', max: 64 },
	{ name: 'nameAttribute', label: 'Attribute with the user name', max: 64 },
	{ name: 'fullNameAttribute', label: 'Attribute with the full name', max: 64 },
	{ name: 'emailAttribute', label: 'Attribute with the e-mail address', max: 64 },
	{ name: 'position', label: 'Position', kind: 'number', hint: 'The lowest is asked first.' },
	{ name: 'timeoutMs', label: 'Give up after (ms)', kind: 'number' },
	{ name: 'syncSeconds', label: 'Ask again about everybody after (s)', kind: 'number' },
	{ name: 'maxAgeSeconds', label: 'While it is out of reach, people stay logged in for (s)', kind: 'number' },
];

export const directories = {
	title: 'Directories',
	empty: 'No directory yet: people log in with accounts that are kept here, or at a provider.',
	path: '/api/v1/admin/directories',
	sort: 'position',
	columns: [
		{ name: 'name', label: 'Name', sort: 'name', kind: 'link' },
		{ name: 'position', label: 'Position', sort: 'position', kind: 'number' },
		{ name: 'uris', label: 'Addresses', kind: 'words' },
		{ name: 'state', label: 'State', kind: 'state' },
		{ name: 'synced', label: 'Last answer', kind: 'time', none: 'none yet' },
		{ name: 'syncFault', label: 'Problem' },
	],
	filters: [{ name: 'search', label: 'Name' }, { name: 'state', label: 'State', choices: STATES }],
	create: {
		label: 'New directory',
		fields: [
			{ name: 'name', label: 'Name', required: true, max: 63, hint: 'For good: small letters, digits, "-".' },
			{ name: 'kind', label: 'Usual settings of', kind: 'choice', required: true, choices: [['openldap', 'OpenLDAP'], ['active_directory', 'Active Directory']] },
			...DIRECTORY_FIELDS.slice(0, 6),
		],
	},
	change: { fields: DIRECTORY_FIELDS },
	actions: [
		{ label: 'Test', method: 'POST', path: `${directory}/test`, body: {}, report: directoryReport },
		{ label: 'Disable', when: (item) => item.state === 'active', method: 'PATCH', path: directory, body: { state: 'disabled' }, confirm: 'Disable {name}? Sessions and tokens of its people end.' },
		{ label: 'Enable', when: (item) => item.state === 'disabled', method: 'PATCH', path: directory, body: { state: 'active' } },
		{ label: 'Remove', method: 'DELETE', path: directory, confirm: 'Remove the directory {name}? Its people cannot log in any more.', then: '/admin/directories' },
	],
	parts: [mappingPart(directory, 'Its DN.')],
};

function directoryReport({ good, steps }) {
	return { good, text: steps.filter((step) => good || !step.good).map(({ uri, message }) => (uri ? `${uri}: ${message}` : message)).join(' ') };
}
