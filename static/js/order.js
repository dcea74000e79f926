// order: how names and cells of a table compare. Pure.

// inverter2 before inverter10.
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

export function compareNames(left, right) {
	return collator.compare(left, right);
}

// Numbers by size and before everything else; the rest as names.
export function compareKeys(left, right) {
	if (typeof left === 'number' && typeof right === 'number')
		return left - right;
	if (typeof left !== typeof right)
		return typeof left === 'number' ? -1 : 1;
	return compareNames(left, right);
}
