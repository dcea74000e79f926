// alarm_cause: the choice of a cause from its tree, level by level: each choice
// that has something below it brings the next one.

import { make } from './page.js';

function levelField(nodes, level, required, onChoice) {
	const id = `fg-ask-cause-${level}`;
	const label = level === 1 ? `Cause${required ? ' (required)' : ''}` : `More precisely, level ${level}`;
	const select = make('select', { class: 'fg-select', id, required: required && level === 1 },
		make('option', { value: '' }, level === 1 ? required ? 'Choose …' : 'None' : 'Not known'),
		...nodes.map(({ name }) => make('option', { value: name }, name)));

	select.addEventListener('change', () => onChoice(nodes.find(({ name }) => name === select.value)));
	return make('div', { class: 'fg-field' }, make('label', { for: id }, label), select);
}

// "causes": [{ name, removed, children }]. The form's value "cause" is the
// path as JSON, or empty. Null when the plant has no causes.
export function causeField(causes, required) {
	const path = make('input', { type: 'hidden', name: 'cause' });
	const box = make('div', { class: 'fg-cause' }, path);

	const ask = (nodes, above) => {
		const chosen = nodes.filter(({ removed }) => !removed);

		if (chosen.length === 0)
			return;
		const field = levelField(chosen, above.length + 1, required, (node) => {
			const here = node === undefined ? above : [...above, node.name];

			while (field.nextSibling !== null)
				field.nextSibling.remove();
			path.value = here.length > 0 ? JSON.stringify(here) : '';
			ask(node?.children ?? [], here);
		});

		box.append(field);
	};

	ask(causes, []);
	return causes.length === 0 && !required ? null : box;
}
