// alarm_choice: alarms that are picked from the list, and what is done to them.

import { wishes } from './alarm_dialog.js';
import { getJson, sendJson } from './http.js';
import { make, setText } from './page.js';

const IDS_MAX = 1000; // of one request

// Of what is picked, who can be meant by a button.
const MEANT = {
	acknowledge: (alarm) => alarm.acknowledgedTime === null,
	comment: () => true,
	shelve: (alarm) => alarm.shelved === null,
	unshelve: (alarm) => alarm.shelved !== null,
	suppress: (alarm) => alarm.suppressed === null,
	release: (alarm) => alarm.suppressed !== null,
	outOfService: (alarm) => alarm.outOfService === null,
	inService: (alarm) => alarm.outOfService !== null,
};

export class AlarmChoice {
	#view;
	#all = document.getElementById('fg-pick-all'); // null: nothing may be done
	#bar = document.getElementById('fg-list-actions');
	#count = document.getElementById('fg-picked');
	#buttons = [...this.#bar.querySelectorAll('[data-fg-do]')];
	#causes = null;

	constructor(view) {
		this.#view = view;
		this.#all?.addEventListener('change', () => this.#pickAll(this.#all.checked));
		for (const button of this.#buttons)
			button.addEventListener('click', () => this.#perform(button.dataset.fgDo));
	}

	get picks() {
		return this.#all !== null;
	}

	// The cell of one alarm in front of its row.
	cell(alarm) {
		const box = make('input', { type: 'checkbox', 'aria-label': `Select ${alarm.text || alarm.limit}, ${alarm.variableName}` });

		box.checked = this.#view.selected.has(alarm.id);
		box.addEventListener('change', () => {
			if (box.checked)
				this.#view.selected.add(alarm.id);
			else
				this.#view.selected.delete(alarm.id);
			this.show();
		});
		return make('td', { class: 'fg-list-pick' }, make('label', {}, box));
	}

	get #picked() {
		return [...this.#view.selected].map((id) => this.#view.items.get(id)).filter((alarm) => alarm !== undefined);
	}

	// Without a connection nothing may be done: what is shown may be old.
	show() {
		const { items, selected, live, body } = this.#view;
		const picked = this.#picked;

		for (const button of this.#buttons)
			button.disabled = !live.connected || !picked.some(MEANT[button.dataset.fgDo]);
		this.#bar.classList.toggle('fg-list-choosing', picked.length > 0);
		setText(this.#count, picked.length > 0 ? `${picked.length} selected` : '');
		if (this.#all !== null) {
			this.#all.checked = items.size > 0 && selected.size === items.size;
			this.#all.indeterminate = selected.size > 0 && selected.size < items.size;
		}
		for (const row of body.rows) {
			const isPicked = selected.has(row.dataset.fgId);

			if (row.classList.contains('fg-list-picked') === isPicked)
				continue;
			row.classList.toggle('fg-list-picked', isPicked);
			for (const box of row.querySelectorAll('.fg-list-pick input'))
				box.checked = isPicked;
		}
	}

	#pickAll(picked) {
		this.#view.selected = new Set(picked ? this.#view.items.keys() : []);
		this.show();
	}

	#readCauses() {
		this.#causes ??= getJson(`/api/v1/admin/datasources/${this.#view.datasource}/alarm-causes`)
			.then(({ causes }) => causes, () => []);
		return this.#causes;
	}

	async #perform(name) {
		const view = this.#view;
		const alarms = this.#picked.filter(MEANT[name]);
		const all = alarms.length > 1 && view.selected.size === view.items.size;

		view.busy = true;
		try {
			const wish = await wishes[name](alarms, { all, causes: () => this.#readCauses() });

			if (wish !== null)
				await this.#send(alarms.map(({ id }) => id), wish);
		} catch (error) {
			view.say(error.message, false);
		} finally {
			view.busy = false;
			view.refresh();
		}
	}

	async #send(ids, wish) {
		const results = [];

		for (let i = 0; i < ids.length; i += IDS_MAX) {
			const answer = await sendJson('PATCH', this.#view.path(), { ids: ids.slice(i, i + IDS_MAX), ...wish });

			results.push(...answer.results);
		}
		this.#report(results);
	}

	// What could not be done stays picked, with the reason.
	#report(results) {
		const bad = results.filter(({ errorCode }) => errorCode !== null);
		const good = results.filter(({ changed }) => changed).length;

		this.#view.selected = new Set(bad.map(({ id }) => id));
		this.#view.say(`${good} of ${results.length} changed.${bad.length > 0 ? ` ${bad[0].errorMessage}` : ''}`, bad.length === 0);
	}
}
