// spark: a small chart as two SVG paths, a line and its min/max band. Pure.

// A flat line lies in the middle; otherwise a little air above and below.
function scaleY(extent, height) {
	const [low, high] = extent;
	const room = high - low;

	if (room === 0)
		return () => height / 2;
	return (value) => height - 2 - (value - low) / room * (height - 4);
}

function round(number) {
	return Math.round(number * 10) / 10;
}

// Runs of entries between the breaks, as [first, last] indexes.
export function runsOf(values) {
	const runs = [];
	let first = -1;

	for (let i = 0; i <= values.length; i++) {
		const known = i < values.length && values[i] !== null;

		if (known && first < 0)
			first = i;
		if (!known && first >= 0) {
			runs.push([first, i - 1]);
			first = -1;
		}
	}
	return runs;
}

function linePath(series, [first, last], x, y, stepped) {
	let path = `M${round(x(series.time[first]))} ${round(y(series.last[first]))}`;

	for (let i = first + 1; i <= last; i++) {
		if (stepped)
			path += `H${round(x(series.time[i]))}V${round(y(series.last[i]))}`;
		else
			path += `L${round(x(series.time[i]))} ${round(y(series.last[i]))}`;
	}
	return path;
}

function bandPath(series, [first, last], x, y) {
	let path = '';

	for (let i = first; i <= last; i++)
		path += `${i === first ? 'M' : 'L'}${round(x(series.time[i]))} ${round(y(series.maximum[i]))}`;
	for (let i = last; i >= first; i--)
		path += `L${round(x(series.time[i]))} ${round(y(series.minimum[i]))}`;
	return `${path}Z`;
}

// {line, band, extent} of "series" between two times in a box; line is ''
// when there is nothing to draw. "held": the last value still holds at "to".
export function sparkPaths(series, { from, to, width, height, stepped = false, held = false }) {
	const extent = series.extent(from, to);

	if (extent === null)
		return { line: '', band: '', extent: null };
	const x = (time) => (time - from) / (to - from) * width;
	const y = scaleY(extent, height);
	let line = '';
	let band = '';

	for (const run of runsOf(series.last)) {
		line += linePath(series, run, x, y, stepped);
		if (series.bucket_ms > 0 && run[1] > run[0])
			band += bandPath(series, run, x, y);
		if (held && run[1] === series.length - 1 && series.time[run[1]] < to)
			line += `H${round(width)}`;
	}
	return { line, band, extent };
}
