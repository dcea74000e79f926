// admin_nouns: what the administration is about, as data: one object a noun,
// whose columns, fields and actions are the words of the API.
//
// title     of the list          path     of the list in the API
// key       names an item in addresses (default "name")
// columns   of the list; facts   of an item: { name, label, kind, value, none, sort, href }
// filters   of the list          { name, label, choices or type }
// create    { label, fields, secrets, once, body }; change { fields, body, never }: admin_form
// actions   of an item, rowActions of a row, listActions of none: admin_action
// list, find  read the list, or one item, where the API has other forms of them
// parts     what belongs to an item, or a function of it: { title, path, rows,
//           columns, rowActions, change, add, when }, or { title, node }
// prepare   is awaited before anything is shown; intro and below make what
//           stands above and below the list

import { audit } from './admin_audit.js';
import { clients, keys } from './admin_clients.js';
import { nodes } from './admin_nodes.js';
import { sessions, users } from './admin_people.js';
import { plants } from './admin_plants.js';
import { groups, roles, rules } from './admin_rights.js';
import { directories, providers } from './admin_sources.js';

export const nouns = { users, sessions, groups, roles, rules, clients, plants, nodes, directories, providers, keys, audit };
