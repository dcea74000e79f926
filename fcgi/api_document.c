/* api_document: the API about itself. */

#include "fcgi/api_document.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "lib/asset.h"
#include "lib/mustache.h"

#define FILE_BYTES_MAX ((size_t)1024 * 1024)

/* Swagger UI sets styles on elements and draws its symbols from data URLs;
 * every other page of the grid is stricter. */
#define PAGE_POLICY                                                            \
	"default-src 'none'; script-src 'self'; "                              \
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; "             \
	"font-src 'self' data:; connect-src 'self'; base-uri 'none'; "         \
	"form-action 'self'; frame-ancestors 'none'"

enum rc
api_document_root(struct req *req, struct resp *resp)
{
	struct jsonw *json = resp_json(resp, 200);

	(void)req;
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "name", "fieldgrid API");
	jsonw_str(json, "version", FG_VERSION);
	jsonw_str(json, "documentation", "/api/docs");
	jsonw_str(json, "openapi", "/api/openapi.json");
	jsonw_close_obj(json);
	return RC_OK;
}

enum rc
api_document_openapi(struct req *req, struct resp *resp)
{
	const struct api *api = req->app;

	buf_text(resp_body(resp, 200, "application/json"), api->document);
	resp_header(resp, "Cache-Control", "max-age=300");
	return RC_OK;
}

static enum rc
answer_page(struct resp *resp, const char *page)
{
	buf_text(resp_html(resp, 200), page);
	resp_header(resp, "Content-Security-Policy", PAGE_POLICY);
	return RC_OK;
}

enum rc
api_document_page(struct req *req, struct resp *resp)
{
	const struct api *api = req->app;

	return answer_page(resp, api->page);
}

enum rc
api_document_redirect(struct req *req, struct resp *resp)
{
	const struct api *api = req->app;

	return answer_page(resp, api->redirect_page);
}

/* --- loading ------------------------------------------------------------- */

static enum rc
load_document(struct arena *arena, struct api *api, struct fault *fault)
{
	struct json_object *object;
	FILE *file = fopen(api->document_file, "rb");
	char *text;
	size_t length;

	if (file == NULL)
		return fault_set(fault, RC_IO, "%s: %s", api->document_file,
			strerror(errno));
	text = arena_alloc(arena, FILE_BYTES_MAX + 1);
	length = fread(text, 1, FILE_BYTES_MAX, file);
	fclose(file);
	api->document = text;
	return json_parse(arena, text, length, &object, fault);
}

static enum rc
make_page(struct arena *arena, const struct mustache_set *set, const char *name,
	struct json_object *view, const char **page, struct fault *fault)
{
	struct buf out;
	enum rc rc;

	buf_init(&out, 0);
	rc = mustache_render(set, name, view, &out, fault);
	if (rc == RC_OK)
		*page = arena_strndup(arena, out.data, out.length);
	buf_free(&out);
	return rc;
}

static enum rc
make_pages(struct arena *arena, struct api *api, struct fault *fault)
{
	struct json_object *view = json_object_new_object();
	struct mustache_set *set = NULL;
	struct json_object *assets;
	enum rc rc = asset_load(api->manifest, &assets, fault);

	if (rc == RC_OK) {
		json_object_object_add(view, "asset", assets);
		rc = mustache_set_load(api->templates, &set, fault);
	}
	if (rc == RC_OK)
		rc = make_page(arena, set, "api/docs", view, &api->page, fault);
	if (rc == RC_OK)
		rc = make_page(arena, set, "api/docs-redirect", view,
			&api->redirect_page, fault);
	mustache_set_free(set);
	json_object_put(view);
	return rc;
}

enum rc
api_document_load(struct arena *arena, struct api *api, struct fault *fault)
{
	enum rc rc = load_document(arena, api, fault);

	return rc == RC_OK ? make_pages(arena, api, fault) : rc;
}
