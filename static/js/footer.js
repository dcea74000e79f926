// footer: the zone in which times are shown, and the grid's clock.

import { formatClock, formatZone } from './format.js';
import { pageZone, setText } from './page.js';

export function startFooter(live, zone = pageZone()) {
	const zoneLabel = document.querySelector('[data-fg-zone]');
	const clock = document.querySelector('[data-fg-clock]');

	const show = () => {
		const now = live.now();

		if (zoneLabel !== null)
			setText(zoneLabel, formatZone(now, zone));
		if (clock !== null) {
			setText(clock, formatClock(now, zone));
			clock.dateTime = new Date(now).toISOString();
		}
	};

	show();
	setInterval(show, 1000);
}
