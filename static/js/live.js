// live: the one stream of changed values that a page holds.
//
// POST /api/v1/live registers what the page wants to see, GET of the answered
// url streams it. The hub sends something at least every second, so silence
// means a lost connection, whatever TCP believes. Values reach the page once
// per animation frame, however often they change.

import { ApiError, goToLogin, postJson } from './http.js';
import { EventParser } from './sse.js';
import { qualityOf, qualityText } from './quality.js';

const SILENCE_MS = 2500;      // no event for so long: lost
const WATCH_MS = 250;
const RETRY_FIRST_MS = 300;
const RETRY_LAST_MS = 4000;

export function keyOf(datasource, name) {
	return `${datasource}:${name}`;
}

// Back-off with jitter, so that a thousand pages do not return at once.
export function retryDelay(attempt, random = Math.random()) {
	const delay = Math.min(RETRY_LAST_MS, RETRY_FIRST_MS * 2 ** attempt);

	return delay / 2 + random * delay / 2;
}

export class Live {
	entries = new Map();     // key -> {datasource, name, type, …, value, time, status}
	datasources = new Map(); // uuid -> {id, name, state, seen}
	state = 'connecting';    // then 'live' or 'lost'
	refusal = '';            // what the server said, when it answered a refusal
	#wanted = {};
	#handlers;
	#byRef = [];
	#url = '';
	#lastId = '';
	#heard = 0;
	#since = 0;              // start of the request under way, 0 none
	#offset = 0;             // hub clock minus ours, ms
	#attempt = 0;
	#abort = null;
	#timer = 0;
	#watch = 0;
	#changed = new Set();
	#frame = 0;

	// handlers: onVariables(), onValues(entries), onSample(entry) at once and
	// for every value, onLists() when alarms or events came or changed, or may
	// have, onState(), onSecond(). All optional.
	constructor(handlers) {
		this.#handlers = handlers;
		addEventListener('pagehide', () => this.stop());
		addEventListener('pageshow', (event) => {
			if (event.persisted)
				this.start();
		});
		setInterval(() => this.#tell('onSecond'), 1000);
	}

	// variables: [{datasource, names: ['*', …]}]; lists: {alarms, events}, each
	// of the same form. May be called again with other wishes.
	want(variables, lists = {}) {
		this.#wanted = { variables, ...lists };
		this.#url = '';
		this.start();
	}

	start() {
		this.stop();
		if (Object.values(this.#wanted).every((wishes) => wishes.length === 0))
			return;
		this.#heard = performance.now();
		this.#watch = setInterval(() => this.#check(), WATCH_MS);
		this.#run();
	}

	stop() {
		clearTimeout(this.#timer);
		clearInterval(this.#watch);
		this.#abort?.abort();
		this.#abort = null;
	}

	get connected() {
		return this.state === 'live';
	}

	now() {
		return Date.now() + this.#offset;
	}

	entry(datasource, name) {
		return this.entries.get(keyOf(datasource, name));
	}

	online(datasource) {
		return this.datasources.get(datasource)?.state !== 'Offline';
	}

	#trust(entry) {
		return { connected: this.connected, online: this.online(entry?.datasource) };
	}

	quality(entry) {
		return qualityOf(entry, this.#trust(entry));
	}

	qualityText(entry) {
		return qualityText(entry, this.#trust(entry));
	}

	#tell(handler, argument) {
		this.#handlers[handler]?.(argument);
	}

	async #run() {
		const abort = new AbortController();

		this.#abort = abort;
		this.#since = performance.now();
		try {
			if (this.#url === '')
				await this.#register(abort.signal);
			await this.#read(abort.signal);
			this.#again(abort);
		} catch (error) {
			if (error instanceof ApiError && error.status === 401)
				return;
			this.#again(abort, error);
		}
	}

	// Whoever aborted starts anew itself; otherwise try again a little later.
	#again(abort, error = undefined) {
		if (this.#abort !== abort)
			return;
		this.#since = 0;
		this.refusal = error instanceof ApiError && error.status >= 400 && error.status < 500
			&& error.status !== 404 ? error.message : '';
		if (error instanceof ApiError && error.status === 404)
			this.#url = '';
		abort.abort();
		this.#timer = setTimeout(() => this.#run(), retryDelay(this.#attempt++));
	}

	async #register(signal) {
		const answer = await postJson('/api/v1/live', this.#wanted, signal);

		this.#url = answer.url;
		this.#lastId = '';
		this.#byRef = [];
		for (const { id, name } of answer.datasources)
			this.datasources.set(id, { state: 'Online', seen: null, ...this.datasources.get(id), id, name });
		const entries = new Map();

		for (const variable of answer.variables) {
			const key = keyOf(variable.datasource, variable.name);
			const entry = { value: null, time: null, status: 0, ...this.entries.get(key), ...variable };

			entries.set(key, entry);
			this.#byRef[variable.ref] = entry;
		}
		this.entries = entries;
		this.#tell('onVariables');
	}

	async #read(signal) {
		const headers = { accept: 'text/event-stream' };

		if (this.#lastId !== '')
			headers['last-event-id'] = this.#lastId;
		const response = await fetch(this.#url, { headers, signal, cache: 'no-store' });

		if (response.status === 401)
			goToLogin();
		if (!response.ok)
			throw new ApiError(response.status);
		const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
		const parser = new EventParser();

		for (;;) {
			const { done, value } = await reader.read();

			if (done)
				return;
			for (const event of parser.push(value))
				this.#event(event);
			this.#lastId = parser.lastId || this.#lastId;
		}
	}

	#event({ event, data }) {
		const message = JSON.parse(data);

		if (event === 'end') {
			this.#end(message.reason);
			return;
		}
		this.#heard = performance.now();
		this.#attempt = 0;
		if (message.time !== undefined)
			this.#offset = Date.parse(message.time) - Date.now();
		if (event === 'snapshot' || event === 'values')
			this.#values(message);
		if (event === 'snapshot' || message.alarms !== undefined || message.events !== undefined)
			this.#tell('onLists');
		this.#setState('live');
	}

	#end(reason) {
		if (reason === 'logged_out')
			goToLogin();
		this.#url = '';
	}

	#values({ values = [], datasources = [] }) {
		for (const [ref, value, time, status] of values) {
			const entry = this.#byRef[ref];

			if (entry === undefined)
				continue;
			Object.assign(entry, { value, time, status });
			this.#changed.add(entry);
			this.#tell('onSample', entry);
		}
		for (const [id, state, seen] of datasources)
			this.datasources.set(id, { ...this.datasources.get(id), id, state, seen });
		if (datasources.length > 0)
			this.#tell('onState');
		this.#flushSoon();
	}

	#flushSoon() {
		if (this.#frame !== 0 || this.#changed.size === 0)
			return;
		this.#frame = requestAnimationFrame(() => {
			const changed = [...this.#changed];

			this.#frame = 0;
			this.#changed.clear();
			this.#tell('onValues', changed);
		});
	}

	// A request that hangs is cut too; the way out of it is #again.
	#check() {
		const now = performance.now();

		if (now - this.#heard < SILENCE_MS)
			return;
		this.#setState('lost');
		if (this.#since !== 0 && now - this.#since > SILENCE_MS) {
			this.#since = 0;
			this.#abort?.abort();
		}
	}

	#setState(state) {
		if (this.state === state)
			return;
		const back = this.state === 'lost';

		this.state = state;
		this.#tell('onState');
		if (back)
			this.#tell('onBack');
	}
}
