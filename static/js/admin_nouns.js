// admin_nouns: what the administration is about, as data: one object a noun,
// whose columns, fields and actions are the words of the API. admin_list,
// admin_item and admin_form say what the members mean.

import { sessions, users } from './admin_people.js';

export const nouns = { users, sessions };
