// admin_people: users and their sessions.

import { namesOf, preparePlants } from './admin_choices.js';
import { rulesPart } from './admin_rights.js';

const STATES = ['active', 'disabled'];

export const sessions = {
	title: 'Sessions',
	path: '/api/v1/admin/sessions',
	sort: 'user',
	columns: [
		{ name: 'user', label: 'User', sort: 'user', kind: 'link', href: (session) => `/admin/users?item=${encodeURIComponent(session.user)}` },
		{ name: 'created', label: 'Since', sort: 'created', kind: 'time' },
		{ name: 'lastSeen', label: 'Last seen', sort: 'seen', kind: 'time' },
		{ name: 'address', label: 'Address' },
		{ name: 'agent', label: 'Browser' },
		{ name: 'methods', label: 'Proven by', kind: 'words' },
		{ name: 'current', label: 'Yours', kind: 'yesno' },
	],
	filters: [{ name: 'search', label: 'Name, address or browser' }, { name: 'user', label: 'User', type: 'text' }],
	rowActions: [{
		label: 'End', method: 'DELETE', path: '/api/v1/admin/sessions/{id}',
		confirm: 'End this session of {user}? Its tokens end with it.', word: 'End it',
	}],
};

const user = '/api/v1/admin/users/{name}';
const isLocal = (item) => item.source === 'local';
const PASSWORDS = { own: 'own', initial: 'initial, to be changed at its first use', none: 'none here' };
const secrets = { initialPassword: 'Password for the first log-in' };

export const users = {
	title: 'Users',
	prepare: preparePlants,
	path: '/api/v1/admin/users',
	sort: 'name',
	columns: [
		{ name: 'name', label: 'Name', sort: 'name', kind: 'link' },
		{ name: 'fullName', label: 'Full name', sort: 'fullName' },
		{ name: 'state', label: 'State', kind: 'state' },
		{ name: 'administrator', label: 'Administrator', kind: 'yesno' },
		{ name: 'source', label: 'Kept by' },
		{ name: 'lastLogin', label: 'Last log-in', sort: 'login', kind: 'time', none: 'never' },
	],
	facts: [
		{ name: 'name', label: 'Name' },
		{ name: 'fullName', label: 'Full name' },
		{ name: 'email', label: 'E-mail address' },
		{ name: 'state', label: 'State', kind: 'state' },
		{ name: 'administrator', label: 'Administrator', kind: 'yesno' },
		{ name: 'source', label: 'Kept by' },
		{ name: 'password', label: 'Password', value: ({ password }) => PASSWORDS[password] },
		{ name: 'secondFactor', label: 'Second factor', kind: 'yesno' },
		{ name: 'created', label: 'Created', kind: 'time' },
		{ name: 'lastLogin', label: 'Last log-in', kind: 'time', none: 'never' },
		{ name: 'sessions', label: 'Open sessions', kind: 'number' },
		{ name: 'id', label: 'Id', kind: 'code' },
	],
	filters: [
		{ name: 'search', label: 'Name or address' },
		{ name: 'state', label: 'State', choices: STATES },
		{ name: 'administrator', label: 'Administrator', choices: ['true', 'false'] },
		{ name: 'group', label: 'Group', type: 'text' },
	],
	create: {
		label: 'New user', secrets,
		fields: [
			{ name: 'name', label: 'User name', required: true, max: 128, hint: 'What the person types to log in; no spaces.' },
			{ name: 'fullName', label: 'Full name', max: 256 },
			{ name: 'email', label: 'E-mail address', max: 256 },
			{ name: 'administrator', label: 'Administrator: may do everything', kind: 'check' },
		],
	},
	change: {
		fields: [
			{ name: 'fullName', label: 'Full name', max: 256 },
			{ name: 'email', label: 'E-mail address', max: 256 },
			{ name: 'administrator', label: 'Administrator: may do everything', kind: 'check' },
		],
	},
	actions: [
		{ label: 'Disable', when: (item) => item.state === 'active', method: 'PATCH', path: user, body: { state: 'disabled' }, confirm: 'Disable {name}? All sessions, tokens and live streams end at once.' },
		{ label: 'Enable', when: (item) => item.state === 'disabled', method: 'PATCH', path: user, body: { state: 'active' } },
		{ label: 'New password', when: isLocal, method: 'POST', path: `${user}/password`, secrets, confirm: 'Give {name} a new password? The old one and all sessions end at once.' },
		{ label: 'Remove second factor', when: (item) => item.secondFactor, method: 'DELETE', path: `${user}/factor`, confirm: 'Remove the second factor of {name}?', word: 'Remove' },
		{ label: 'Unlock', method: 'POST', path: `${user}/unlock` },
		{ label: 'Log out everywhere', method: 'DELETE', path: `${user}/sessions`, confirm: 'End all sessions and tokens of {name}?', word: 'End them' },
		{ label: 'Remove', method: 'DELETE', path: user, confirm: 'Remove {name} for ever, with all rights and memberships?', then: '/admin/users' },
	],
	parts: [
		{
			title: 'Groups', path: `${user}/groups`,
			columns: [
				{ name: 'name', label: 'Group', kind: 'link', href: (row) => `/admin/groups?item=${encodeURIComponent(row.name)}` },
				{ name: 'source', label: 'By whose word', none: 'an administrator' },
			],
			add: {
				label: 'Save groups', method: 'PUT', path: `${user}/groups`,
				fields: [{ name: 'groups', label: 'Groups that an administrator gives', kind: 'words', choices: namesOf('/api/v1/admin/groups'), always: true }],
				values: (item, answer) => ({ groups: answer.items.filter(({ source }) => source === '').map(({ name }) => name) }),
			},
		},
		rulesPart('user'),
		{
			title: 'Applications', path: `${user}/applications`, empty: 'This user has let no application in.',
			columns: [
				{ name: 'name', label: 'Application' },
				{ name: 'scopes', label: 'May', kind: 'words' },
				{ name: 'since', label: 'Since', kind: 'time' },
				{ name: 'lastUsed', label: 'Last used', kind: 'time' },
			],
			rowActions: [{ label: 'Revoke', method: 'DELETE', path: '/api/v1/admin/users/{of}/applications/{clientId}', confirm: 'Take back what {of} gave {name}?', word: 'Revoke' }],
		},
		{ title: 'Sessions', path: '/api/v1/admin/sessions?user={name}', columns: sessions.columns.slice(1), rowActions: sessions.rowActions },
	],
};
