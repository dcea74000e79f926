// wildcard: what a person types to find variables. Pure.

// "power" finds every name with power in it; with * or ? the whole name must
// fit; several words must all fit. Letter case does not matter.
export function wildcardTest(text) {
	const tests = text.trim().toLowerCase().split(/\s+/).filter((word) => word !== '').map(wordTest);

	return (name) => {
		const lower = name.toLowerCase();

		return tests.every((test) => test(lower));
	};
}

function wordTest(word) {
	if (!/[*?]/.test(word))
		return (name) => name.includes(word);
	const source = word.replace(/[\\^$.|+()[\]{}]/g, '\\$&').replace(/\*+/g, '.*').replace(/\?/g, '.');
	const pattern = new RegExp(`^${source}$`, 's');

	return (name) => pattern.test(name);
}
