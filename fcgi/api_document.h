/* api_document: the API about itself. */
#ifndef FG_FCGI_API_DOCUMENT_H
#define FG_FCGI_API_DOCUMENT_H

#include "fcgi/api.h"
#include "lib/route.h"

/* GET /: clients take any 2xx as "the connection works". */
handler_fn api_document_root;
/* GET /api/openapi.json */
handler_fn api_document_openapi;
/* GET /api/docs: Swagger UI */
handler_fn api_document_page;
/* GET /api/docs/oauth2-redirect.html: where its login comes back to */
handler_fn api_document_redirect;

/*
 * Read the OpenAPI document and make the pages; all lives in "arena".
 * Fails: RC_IO, RC_BAD_INPUT a file is not what it should be.
 */
MUST_CHECK enum rc api_document_load(
	struct arena *arena, struct api *api, struct fault *fault);

#endif
