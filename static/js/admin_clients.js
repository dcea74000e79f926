// admin_clients: programs that ask for tokens, and the keys these are signed
// with.

import { getJson } from './http.js';
import { preparePlants } from './admin_choices.js';
import { makeTable } from './admin_list.js';
import { rulesPart } from './admin_rights.js';
import { make } from './page.js';

const GRANTS = [
	['authorization_code', 'log people in (authorization_code)'],
	['refresh_token', 'keep them logged in (refresh_token)'],
	['client_credentials', 'act for itself (client_credentials)'],
	['urn:ietf:params:oauth:grant-type:device_code', 'log people in on a device without a browser (device_code)'],
];
const SCOPES = ['openid', 'profile', 'email', 'roles', 'offline_access', 'API', 'API.read', 'API.write', 'iiotServicesAPI', 'dataStorageAPI'];
const AUTHENTICATIONS = [['secret', 'a secret'], ['none', 'nothing: it runs at its users'], ['tls_client_auth', 'a certificate']];

const client = '/api/v1/admin/clients/{clientId}';
const secrets = { clientSecret: 'Client secret' };

const FIELDS = [
	{ name: 'name', label: 'Name', max: 200, hint: 'What people see.' },
	{ name: 'homePage', label: 'Home page', max: 2000, placeholder: 'https://…' },
	{ name: 'grants', label: 'It may', kind: 'words', choices: GRANTS },
	{ name: 'scopes', label: 'Scopes', kind: 'words', choices: SCOPES },
	{ name: 'redirectUris', label: 'Redirect addresses', kind: 'lines', rows: 3, hint: 'One a line; compared exactly.' },
	{ name: 'logoutUris', label: 'Addresses after logging out', kind: 'lines', rows: 2 },
	{ name: 'origins', label: 'Origins of its pages', kind: 'lines', rows: 2, placeholder: 'https://host' },
	{ name: 'authentication', label: 'It proves itself by', kind: 'choice', required: true, choices: AUTHENTICATIONS },
	{ name: 'certificateKind', label: 'Compared name of its certificate', kind: 'choice', choices: ['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email'] },
	{ name: 'certificateName', label: 'That name', max: 1000 },
	{ name: 'algorithm', label: 'Tokens signed by', kind: 'choice', required: true, choices: ['RS256', 'ES256'] },
	{ name: 'trusted', label: 'It belongs to the grid: users are not asked for consent', kind: 'check' },
	{ name: 'introspects', label: 'It may ask about the tokens of all clients', kind: 'check' },
	{ name: 'requirePkce', label: 'PKCE is needed', kind: 'check', initial: true },
	{ name: 'rotateRefresh', label: 'Refresh tokens are good for one use', kind: 'check', initial: true },
	{ name: 'accessTokenSeconds', label: 'Access tokens live (s)', kind: 'number' },
	{ name: 'refreshIdleSeconds', label: 'Refresh tokens live unused (s)', kind: 'number' },
	{ name: 'refreshAbsoluteSeconds', label: 'Refresh tokens live at most (s)', kind: 'number' },
	{ name: 'backchannelLogoutUri', label: 'Address to tell of log-outs', max: 2000, placeholder: 'https://…' },
];

export const clients = {
	title: 'Clients',
	prepare: preparePlants,
	key: 'clientId',
	path: '/api/v1/admin/clients',
	sort: 'clientId',
	columns: [
		{ name: 'clientId', label: 'Client id', sort: 'clientId', kind: 'link' },
		{ name: 'name', label: 'Name', sort: 'name' },
		{ name: 'state', label: 'State', kind: 'state' },
		{ name: 'authentication', label: 'Proves itself by', value: (item) => (item.authentication === 'none' ? 'nothing' : item.authentication) },
		{ name: 'node', label: 'Of a node', kind: 'yesno' },
		{ name: 'created', label: 'Created', sort: 'created', kind: 'time' },
	],
	filters: [
		{ name: 'search', label: 'Id or name' },
		{ name: 'state', label: 'State', choices: ['active', 'disabled'] },
		{ name: 'authentication', label: 'Proves itself by', choices: AUTHENTICATIONS.map(([word]) => word) },
		{ name: 'node', label: 'Of a node', choices: ['true', 'false'] },
	],
	create: {
		label: 'New client', secrets,
		fields: [
			{ name: 'clientId', label: 'Client id', required: true, max: 128, hint: 'What the program calls itself; no spaces.' },
			...FIELDS.slice(0, 8), FIELDS.find(({ name }) => name === 'trusted'), FIELDS.find(({ name }) => name === 'requirePkce'),
		],
	},
	change: { never: (item) => item.node, fields: FIELDS },
	actions: [
		{ label: 'Disable', when: (item) => item.state === 'active', method: 'PATCH', path: client, body: { state: 'disabled' }, confirm: 'Disable {clientId}? All its tokens are refused at once.' },
		{ label: 'Enable', when: (item) => item.state === 'disabled', method: 'PATCH', path: client, body: { state: 'active' } },
		{ label: 'New secret', when: (item) => item.authentication === 'secret', method: 'POST', path: `${client}/secret`, secrets, confirm: 'Give {clientId} a new secret? The old one counts no more.' },
		{ label: 'Remove', when: (item) => !item.node, method: 'DELETE', path: client, confirm: 'Remove the client {clientId}? All its tokens are refused.', then: '/admin/clients' },
	],
	parts: [rulesPart('client', 'Own rules', 'clientId')],
};

const AUTHORITY_COLUMNS = [
	{ name: 'keyId', label: 'Key', kind: 'code' },
	{ name: 'signs', label: 'Signs now', kind: 'yesno' },
	{ name: 'from', label: 'From', kind: 'time' },
	{ name: 'until', label: 'Until', kind: 'time' },
	{ name: 'certificates', label: 'Certificates', kind: 'number' },
];

async function authorities() {
	const { pin, authorities: items, crl } = await getJson('/api/v1/admin/ca');

	return make('section', { 'aria-label': 'Authority of nodes' },
		make('h2', {}, 'Authority of nodes'),
		makeTable({ columns: AUTHORITY_COLUMNS, title: 'Authority of nodes' }, items, new URLSearchParams(), () => {}),
		make('p', { class: 'fg-muted' }, `List of revoked certificates number ${crl.number}. Pin of what nodes trust: `, make('code', {}, pin)));
}

export const keys = {
	title: 'Keys',
	path: '/api/v1/admin/keys',
	columns: [
		{ name: 'kid', label: 'Key', kind: 'code' },
		{ name: 'algorithm', label: 'Algorithm' },
		{ name: 'state', label: 'State', kind: 'word' },
		{ name: 'created', label: 'Created', kind: 'time' },
		{ name: 'changed', label: 'In this state since', kind: 'time' },
	],
	listActions: [
		{ label: 'Rotate', method: 'POST', path: '/api/v1/admin/keys/rotate', confirm: 'Sign with the next keys from now on? Tokens that are out stay good.' },
		{ label: 'Emergency', method: 'POST', path: '/api/v1/admin/keys/emergency', confirm: 'Replace all keys now? Every token of everybody is refused: all have to log in again.', word: 'Replace them' },
	],
	below: authorities,
};
