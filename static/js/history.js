// history: values of the past, one request for all variables of a chart and
// datasource.

import { postJson } from './http.js';
import { Series } from './series.js';

export function queryHistory({ datasource, names, from, to, points }, signal) {
	return postJson(`/api/v1/datasources/${datasource}/history/query`, {
		variableNames: names,
		from: new Date(from).toISOString(),
		to: new Date(to).toISOString(),
		points,
	}, signal);
}

// Map name -> {series, about} of one datasource.
export async function querySeries(query, signal) {
	const answer = await queryHistory(query, signal);
	const span = query.to - query.from;

	return new Map(answer.variables.map((column) =>
		[column.variableName, { series: Series.fromHistory(column, span, query.points), about: column }]));
}

export function csvAddress({ datasource, names, from, to, zone }) {
	const query = new URLSearchParams();

	for (const name of names)
		query.append('variable', name);
	query.set('from', new Date(from).toISOString());
	query.set('to', new Date(to).toISOString());
	query.set('zone', zone);
	return `/api/v1/datasources/${datasource}/history.csv?${query}`;
}
