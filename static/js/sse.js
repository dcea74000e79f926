// sse: the text/event-stream format, cut into events as bytes arrive. Pure.
//
// The browser's EventSource hides the status of an answer (404, 401, 502) and
// cannot be given a Last-Event-ID after a half-open connection was cut, so
// the stream is read with fetch and parsed here.

export class EventParser {
	#rest = '';
	#event = '';
	#data = [];
	lastId = '';

	// Take a piece of text; return the events that are complete with it.
	push(text) {
		const events = [];
		const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);

		this.#rest = lines.pop();
		for (const line of lines)
			this.#line(line, events);
		return events;
	}

	#line(line, events) {
		if (line === '') {
			if (this.#data.length > 0)
				events.push({ event: this.#event || 'message', data: this.#data.join('\n') });
			this.#event = '';
			this.#data = [];
			return;
		}
		const colon = line.indexOf(':');
		const field = colon < 0 ? line : line.slice(0, colon);
		const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');

		if (field === 'event')
			this.#event = value;
		else if (field === 'data')
			this.#data.push(value);
		else if (field === 'id' && !value.includes('\0'))
			this.lastId = value;
	}
}
