// wildcard: what a person types to find variables. Pure.

// "power" finds every name with power in it; with * or ? the whole name must
// fit; several words must all fit. Letter case does not matter. "more" is text
// besides the name that words without a wildcard find as well.
export function wildcardTest(text) {
	const tests = text.trim().toLowerCase().split(/\s+/).filter((word) => word !== '').map(wordTest);

	return (name, more = '') => {
		const lower = name.toLowerCase();
		const all = `${lower} ${more.toLowerCase()}`;

		return tests.every((test) => test(lower, all));
	};
}

function wordTest(word) {
	if (!/[*?]/.test(word))
		return (name, all) => all.includes(word);
	const source = word.replace(/[\\^$.|+()[\]{}]/g, '\\$&').replace(/\*+/g, '.*').replace(/\?/g, '.');
	const pattern = new RegExp(`^${source}$`, 's');

	return (name) => pattern.test(name);
}
