// admin_nodes: machines at the plants, their keys, and what they may send.

import { plantChoices } from './admin_choices.js';
import { make } from './page.js';

const STATES = ['pending', 'authorised', 'blocked', 'retired'];
const node = '/api/v1/admin/nodes/{name}';
// The token is good for one enrolment; the command holds it.
const secrets = { token: 'Token', command: 'Type this at the machine' };

function bytes(value) {
	return value >= 1e6 ? `${(value / 1e6).toFixed(1)} MB` : `${Math.ceil(value / 1e3)} kB`;
}

function spool(item) {
	return item.spoolFrames === null ? null
		: `${item.spoolFrames.toLocaleString()} frames, ${bytes(item.spoolBytes ?? 0)}`;
}

// The machine shows the same letters: compare before you approve.
function request(item) {
	return item.request && !item.request.approved
		? make('span', {}, 'from ', item.request.address, ' with the key ', make('code', {}, item.request.key)) : null;
}

export const nodes = {
	title: 'Nodes',
	path: '/api/v1/admin/nodes',
	sort: 'name',
	columns: [
		{ name: 'name', label: 'Name', sort: 'name', kind: 'link' },
		{ name: 'kind', label: 'Kind' },
		{ name: 'state', label: 'State', sort: 'state', kind: 'state' },
		{ name: 'lastSeen', label: 'Last seen', sort: 'seen', kind: 'time', none: 'never' },
		{ name: 'address', label: 'Address' },
		{ name: 'version', label: 'Version' },
		{ name: 'certificateEnds', label: 'Certificate until', sort: 'expires', kind: 'time' },
	],
	facts: [
		{ name: 'name', label: 'Name' },
		{ name: 'description', label: 'Description' },
		{ name: 'kind', label: 'Kind' },
		{ name: 'state', label: 'State', kind: 'state' },
		{ name: 'changed', label: 'In this state since', kind: 'time' },
		{ name: 'request', label: 'Waits for approval', kind: 'node', value: request, none: 'no' },
		{ name: 'tokenEnds', label: 'Unused token until', kind: 'time', none: 'none' },
		{ name: 'clientId', label: 'Access data', kind: 'code' },
		{ name: 'certificateEnds', label: 'Certificate until', kind: 'time' },
		{ name: 'lastSeen', label: 'Last seen', kind: 'time', none: 'never' },
		{ name: 'address', label: 'Address' },
		{ name: 'version', label: 'Version of the agent' },
		{ name: 'spool', label: 'Not sent yet', value: spool },
		{ name: 'spoolOldest', label: 'The oldest of it', kind: 'time' },
		{ name: 'lostSamples', label: 'Lost samples', kind: 'number' },
		{ name: 'clockOffsetMs', label: 'Its clock is ahead of ours by', value: ({ clockOffsetMs: ms }) => (ms === null ? null : `${Math.round(ms)} ms`) },
		{ name: 'id', label: 'Id', kind: 'code' },
	],
	filters: [
		{ name: 'search', label: 'Name, description or address' },
		{ name: 'state', label: 'State', choices: STATES },
		{ name: 'kind', label: 'Kind', choices: ['ingress', 'egress', 'service'] },
		{ name: 'waiting', label: 'Waits for approval', choices: ['true', 'false'] },
	],
	create: {
		label: 'New node',
		secrets,
		once: (made) => made.enrolment,
		fields: [
			{ name: 'name', label: 'Name', required: true, max: 128 },
			{ name: 'kind', label: 'Kind', kind: 'choice', required: true, choices: ['ingress', 'egress', 'service'] },
			{ name: 'description', label: 'Description', max: 1000 },
			{ name: 'approval', label: 'Its key has to be approved here before it gets a certificate', kind: 'check' },
			{ name: 'publish', label: 'Sends for these plants', kind: 'words', choices: plantChoices },
			{ name: 'subscribe', label: 'Reads these plants', kind: 'words', choices: plantChoices },
		],
	},
	change: {
		fields: [
			{ name: 'description', label: 'Description', max: 1000 },
			{ name: 'approval', label: 'New keys have to be approved here', kind: 'check' },
		],
	},
	actions: [
		{
			label: 'Approve', when: (item) => item.request && !item.request.approved,
			method: 'POST', path: `${node}/approve`, body: (item) => ({ key: item.request.key }),
			confirm: 'Give {name} a certificate? Compare the key with the one that the machine shows.',
		},
		{ label: 'Block', when: (item) => ['authorised', 'pending'].includes(item.state), method: 'POST', path: `${node}/block`, confirm: 'Block {name}? It is shut out at once.' },
		{ label: 'Unblock', when: (item) => item.state === 'blocked', method: 'POST', path: `${node}/unblock` },
		{
			label: 'New token', when: (item) => ['authorised', 'pending'].includes(item.state),
			method: 'POST', path: `${node}/token`, secrets,
			confirm: 'Make a token to enrol {name} anew? One that there is counts no more.',
		},
		{ label: 'Retire', when: (item) => item.state !== 'retired', method: 'POST', path: `${node}/retire`, confirm: 'Retire {name} for ever? Its certificates are revoked.' },
		{ label: 'Remove', method: 'DELETE', path: node, confirm: 'Remove {name}? What it has sent stays.', then: '/admin/nodes' },
	],
	parts: [
		{
			title: 'Plants', items: (item) => item.datasources ?? [],
			columns: [
				{ name: 'name', label: 'Plant' },
				{ name: 'publish', label: 'Sends', kind: 'yesno' },
				{ name: 'subscribe', label: 'Reads', kind: 'yesno' },
			],
			rowActions: [{ label: 'Take away', method: 'DELETE', path: '/api/v1/admin/nodes/{of}/datasources/{id}', confirm: '{of} shall have nothing to do with {name} any more?' }],
			add: {
				label: 'Allow', method: 'PUT',
				path: (item, body) => `/api/v1/admin/nodes/${encodeURIComponent(item.name)}/datasources/${body.plant}`,
				body: ({ publish = false, subscribe = false }) => ({ publish, subscribe }),
				fields: [
					{ name: 'plant', label: 'Plant', kind: 'choice', required: true, choices: plantChoices },
					{ name: 'publish', label: 'May send its samples', kind: 'check' },
					{ name: 'subscribe', label: 'May read its values', kind: 'check' },
				],
			},
		},
		{
			title: 'Certificates', path: `${node}/certificates`, empty: 'It has not enrolled yet.',
			columns: [
				{ name: 'serial', label: 'Serial number', kind: 'code' },
				{ name: 'issued', label: 'Issued', kind: 'time' },
				{ name: 'notAfter', label: 'Until', kind: 'time' },
				{ name: 'firstSeen', label: 'First used', kind: 'time' },
				{ name: 'revoked', label: 'Revoked', kind: 'time' },
				{ name: 'reason', label: 'Why' },
			],
			rowActions: [{ label: 'Revoke', when: (row) => !row.revoked, method: 'DELETE', path: '/api/v1/admin/nodes/{of}/certificates/{fingerprint}', confirm: 'Revoke this certificate of {of}?' }],
		},
	],
};
