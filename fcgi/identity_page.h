/* identity_page: what a person sees of the identity service. */
#ifndef FG_FCGI_IDENTITY_PAGE_H
#define FG_FCGI_IDENTITY_PAGE_H

#include "lib/req.h"
#include "lib/resp.h"

struct json_object;

/* A view with what the layout needs; lives in the request's arena. */
struct json_object *page_view(struct req *req);

/* Add a text; NULL is left out. */
void page_text(struct json_object *view, const char *name, const char *text);

/* Answer with template "name"; never cached. Fails: RC_BUG the template. */
MUST_CHECK enum rc page_answer(struct req *req, struct resp *resp, int status,
	const char *name, struct json_object *view);

/* A page that says what is wrong. */
MUST_CHECK enum rc page_problem(struct req *req, struct resp *resp, int status,
	const char *title, const char *message);

/*
 * Go to "next" from a page of its own that says "said": a redirect in answer
 * to a form may not leave the site (CSP form-action).
 */
MUST_CHECK enum rc page_continue(
	struct req *req, struct resp *resp, const char *said, const char *next);

/* When a client that was too fast may try again. */
void page_retry_after(struct req *req, struct resp *resp, int64_t wait_s);

/* The fields "new_password" and "again" of a form.
 * Fails: RC_BAD_INPUT they differ, or no password like this may be set. */
MUST_CHECK enum rc page_new_password(
	struct req *req, const struct pairs *form, const char **password);

/* A cookie of this host alone that scripts cannot read; "" removes it. */
void page_cookie(struct req *req, struct resp *resp, const char *name,
	const char *value);

/* A path of our own site, or "/" for anything else. */
const char *page_next(const char *next);

/* The service's page_fault: JSON for programs, a page for people. */
void identity_fault(
	struct req *req, struct resp *resp, const struct fault *fault);

#endif
