/*
 * identity_person: whoever sits in front of a page: their session and account.
 */
#ifndef FG_FCGI_IDENTITY_PERSON_H
#define FG_FCGI_IDENTITY_PERSON_H

#include <stdbool.h>

#include "lib/req.h"
#include "lib/resp.h"
#include "model/session.h"
#include "model/user.h"

struct json_object;

struct person {
	struct session session;
	struct user user;
};

/*
 * The person of the request's cookie; from then on they are the caller, whom
 * the audit names.
 * Fails: RC_UNAUTHENTICATED nobody is logged in: identity_fault sends a GET to
 *        the login page and back.
 */
MUST_CHECK enum rc person_find(struct req *req, struct person *person);

/*
 * The person, who sent a form of their own session.
 * Fails: as person_find; RC_DENIED another site sent it, or it is too old.
 */
MUST_CHECK enum rc person_of_form(
	struct req *req, const struct pairs *form, struct person *person);

/*
 * They must have shown who they are in the last ten minutes.
 * Fails: RC_UNAUTHENTICATED identity_fault sends them to the login page.
 */
MUST_CHECK enum rc person_require_fresh(
	struct req *req, const struct person *person);

/* Make this account the caller of the request. */
void person_become(struct req *req, const struct user *user);

/* A view whose header knows the person. */
struct json_object *person_view(struct req *req, const struct person *person);

/* Add the navigation of the other pages to the header: plants, administration.
 * Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc person_navigate(struct req *req, struct json_object *view);

/* The login page, and from there back to this request (or to /account). */
void person_send_to_login(struct req *req, struct resp *resp, bool fresh);

#endif
