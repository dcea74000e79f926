// api_docs_redirect: hand the answer of a login to the documentation page that
// opened this window.

const answer = new URLSearchParams(window.location.search);
const login = window.opener?.swaggerUIRedirectOauth2;

function fail(message) {
	login.errCb({ authId: login.auth.name, source: 'auth', level: 'error', message });
}

function finish() {
	if (answer.get('state') !== login.state)
		fail('The answer belongs to another login.');
	else if (answer.has('code'))
		login.callback({ auth: { ...login.auth, code: answer.get('code') }, redirectUrl: login.redirectUrl });
	else
		fail(answer.get('error_description') ?? answer.get('error') ?? 'There is no code in the answer.');
	window.close();
}

if (login)
	finish();
else
	document.getElementById('api-docs-redirect').textContent = 'No page waits for this login; close this window.';
