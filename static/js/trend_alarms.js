// trend_alarms: the alarms of the variables of a trend: a bar on top of the
// plot from when it came until it went, with its sign and a line where it came.

import { postJson } from './http.js';

const ALARMS_MAX = 200; // of a plant, the newest of the window
const BAR_PX = 5;
const SIGN_PX = 14;

function token(name) {
	return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// [{ time, end, priority, text }] of one plant, end null while it is active.
// Who may not read alarms sees none.
export async function queryAlarms({ datasource, names, from, to }, signal) {
	const timeFilter = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };

	try {
		const { alarms } = await postJson(`/api/v1/datasources/${datasource}/alarms/query`,
			{ timeFilter, variableFilter: { variableNames: names }, sort: '-receivedTime', limit: ALARMS_MAX }, signal);

		return alarms.map((alarm) => ({ time: Date.parse(alarm.receivedTime), priority: alarm.priority,
			end: alarm.clearedTime === null ? null : Date.parse(alarm.clearedTime),
			text: `${alarm.variableName}: ${alarm.text || alarm.limit}` }));
	} catch {
		return [];
	}
}

// On a plot of uPlot, in the pixels of its canvas.
export function drawAlarms(plot, alarms, [from, to]) {
	const { ctx, bbox } = plot;
	const ratio = devicePixelRatio;
	const x = (time) => plot.valToPos(Math.min(Math.max(time, from), to), 'x', true);

	ctx.save();
	for (const { time, end, priority } of alarms) {
		if (time > to || (end ?? to) < from)
			continue;
		ctx.fillStyle = ctx.strokeStyle = token(`--fg-alarm-${priority}`);
		ctx.fillRect(x(time), bbox.top, Math.max(2 * ratio, x(end ?? to) - x(time)), BAR_PX * ratio);
		if (time < from)
			continue;
		ctx.lineWidth = ratio;
		ctx.setLineDash([2 * ratio, 4 * ratio]);
		ctx.beginPath();
		ctx.moveTo(x(time), bbox.top);
		ctx.lineTo(x(time), bbox.top + bbox.height);
		ctx.stroke();
		drawSign(ctx, x(time), bbox.top, priority, ratio);
	}
	ctx.restore();
}

function drawSign(ctx, x, top, priority, ratio) {
	const size = SIGN_PX * ratio;

	ctx.fillRect(x - size / 2, top - size, size, size);
	ctx.fillStyle = token(`--fg-alarm-${priority}-ink`);
	ctx.font = `bold ${11 * ratio}px system-ui, sans-serif`;
	ctx.textAlign = 'center';
	ctx.fillText(String(priority), x, top - 3 * ratio);
}
