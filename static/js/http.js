// http: calls to the grid's API with its errors turned into words.

export class ApiError extends Error {
	constructor(status, body, requestId) {
		super(body?.errorMessage || httpWords(status));
		this.status = status;
		this.code = body?.errorCode ?? '';
		this.field = body?.field ?? '';
		this.variableErrors = body?.variableErrors;
		this.requestId = requestId ?? '';
	}
}

function httpWords(status) {
	if (status === 0)
		return 'The server cannot be reached.';
	if (status === 403)
		return 'You do not have the right to read this.';
	if (status === 404)
		return 'There is nothing here, or you may not read it.';
	if (status >= 502 && status <= 504)
		return 'The service is not available at the moment.';
	return `The server answered ${status}.`;
}

// The session of a page that had one is over; the log-in page says so.
export function goToLogin() {
	const here = location.pathname + location.search + location.hash;

	location.assign(`/login?next=${encodeURIComponent(here)}&ended=1`);
}

async function readBody(response) {
	try {
		return await response.json();
	} catch {
		return null;
	}
}

// Parsed JSON of a 2xx answer; 401 leads to the login page, and any other
// answer or a broken connection is an ApiError.
async function call(path, options) {
	let response;

	try {
		response = await fetch(path, { credentials: 'same-origin', ...options });
	} catch (error) {
		if (error.name === 'AbortError')
			throw error;
		throw new ApiError(0);
	}
	if (response.status === 401)
		goToLogin();
	if (!response.ok)
		throw new ApiError(response.status, await readBody(response),
			response.headers.get('x-request-id'));
	return response.status === 204 ? null : response.json();
}

export function getJson(path, signal = undefined) {
	return call(path, { signal });
}

export function sendText(method, path, type, body, signal = undefined) {
	return call(path, { method, headers: { 'content-type': type }, body, signal });
}

// A body of undefined is none.
export function sendJson(method, path, body = undefined, signal = undefined) {
	return body === undefined ? call(path, { method, signal })
		: sendText(method, path, 'application/json', JSON.stringify(body), signal);
}

export function postJson(path, body, signal = undefined) {
	return sendJson('POST', path, body, signal);
}
