// api_docs: start Swagger UI on the documentation page of the API.

const ui = window.SwaggerUIBundle({
	url: '/api/openapi.json',
	dom_id: '#api-docs',
	deepLinking: true,
	docExpansion: 'list',
	defaultModelsExpandDepth: 0,
	displayRequestDuration: true,
	validatorUrl: null, // nothing is told to anyone else
	oauth2RedirectUrl: new URL('/api/docs/oauth2-redirect.html', window.location.href).href,
});

ui.initOAuth({
	clientId: 'fieldgrid-docs',
	scopes: 'openid profile iiotServicesAPI dataStorageAPI',
	usePkceWithAuthorizationCodeGrant: true,
});
