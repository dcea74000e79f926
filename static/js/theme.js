// theme: light, dark, or as the system has it. A classic script in the head,
// before the style sheet, so that no page flashes in the wrong colours.

(() => {
	const KEY = 'fg-theme';
	const ORDER = ['auto', 'light', 'dark'];
	const SIGNS = { auto: '◐', light: '○', dark: '●' };
	const system = matchMedia('(prefers-color-scheme: dark)');

	function chosen() {
		try {
			const theme = localStorage.getItem(KEY);

			return ORDER.includes(theme) ? theme : 'auto';
		} catch {
			return 'auto'; // storage may be forbidden
		}
	}

	function choose(theme) {
		try {
			localStorage.setItem(KEY, theme);
		} catch {
			// then it lasts for this page
		}
		apply(theme);
	}

	function apply(theme) {
		const dark = theme === 'dark' || (theme === 'auto' && system.matches);
		const root = document.documentElement;

		root.dataset.themeChoice = theme;
		root.dataset.theme = dark ? 'dark' : 'light';
		for (const button of document.querySelectorAll('[data-fg-theme]'))
			label(button, theme);
		dispatchEvent(new Event('fg-theme'));
	}

	function label(button, theme) {
		button.textContent = SIGNS[theme];
		button.title = `Theme: ${theme}`;
		button.setAttribute('aria-label', `Theme: ${theme}. Change`);
		button.hidden = false;
	}

	apply(chosen());
	system.addEventListener('change', () => apply(chosen()));
	addEventListener('storage', () => apply(chosen()));
	document.addEventListener('DOMContentLoaded', () => apply(chosen()));
	document.addEventListener('click', (event) => {
		if (event.target.closest?.('[data-fg-theme]') === null)
			return;
		const now = document.documentElement.dataset.themeChoice;

		choose(ORDER[(ORDER.indexOf(now) + 1) % ORDER.length]);
	});
})();
