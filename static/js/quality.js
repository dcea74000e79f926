// quality: how far a value may be trusted, from its status bits, its
// datasource and the connection of this page. Pure.

const BITS = [
	[18, 'invalid'],
	[20, 'switched off'],
	[27, 'substituted by hand'],
	[47, 'samples before were lost'],
];

export const GOOD = 'good';
export const STALE = 'stale';
export const BAD = 'bad';
export const NODATA = 'nodata';

const CLASSES = ['fg-stale', 'fg-bad', 'fg-nodata'];
const WORDS = { good: 'good', stale: 'stale', bad: 'bad', nodata: 'no data' };

// Status words have up to 64 bits: by arithmetic, as << stops at 32.
export function statusBit(status, bit) {
	if (typeof status === 'string')
		return (BigInt(status) >> BigInt(bit)) % 2n === 1n;
	return Math.floor(status / 2 ** bit) % 2 === 1;
}

export function statusIsBad(status) {
	return statusBit(status ?? 0, 18) || statusBit(status ?? 0, 20);
}

export function statusWords(status) {
	return BITS.filter(([bit]) => statusBit(status ?? 0, bit)).map(([, word]) => word);
}

// "online" is the state of the datasource, "connected" that of this page.
export function qualityOf(entry, { connected = true, online = true } = {}) {
	if (entry === undefined || entry.value === null || entry.value === undefined)
		return NODATA;
	if (statusIsBad(entry.status))
		return BAD;
	return connected && online ? GOOD : STALE;
}

// One sentence for a tooltip or a screen reader.
export function qualityText(entry, { connected = true, online = true } = {}) {
	const words = [WORDS[qualityOf(entry, { connected, online })]];

	if (entry !== undefined)
		words.push(...statusWords(entry.status));
	if (!online)
		words.push('the plant is offline');
	if (!connected)
		words.push('connection lost');
	return words.join(', ');
}

export function qualityClass(quality) {
	return quality === GOOD ? '' : `fg-${quality}`;
}

export function setQuality(element, quality) {
	for (const name of CLASSES)
		element.classList.toggle(name, name === `fg-${quality}`);
}
