/*
 * identity_account: what the pages about one's own account share.
 */
#ifndef FG_FCGI_IDENTITY_ACCOUNT_H
#define FG_FCGI_IDENTITY_ACCOUNT_H

#include <stdbool.h>

#include "fcgi/identity_person.h"

/* What a form did; /account says it in words. */
enum account_done {
	ACCOUNT_PASSWORD,
	ACCOUNT_SESSION,
	ACCOUNT_OTHERS,
	ACCOUNT_APPLICATION,
	ACCOUNT_FACTOR,
	ACCOUNT_LINKED,
	ACCOUNT_UNLINKED
};

/* A form of the person's own session. Fails: as person_of_form. */
MUST_CHECK enum rc account_form(
	struct req *req, struct pairs *form, struct person *person);

/* Back to /account: 303. */
MUST_CHECK enum rc account_back(
	struct req *req, struct resp *resp, enum account_done done);

/* End every other session and every token. Within a transaction. */
MUST_CHECK enum rc account_end_others(
	struct req *req, const struct person *person);

/* Is the password kept here, and not by a directory or provider? */
bool account_has_password(const struct user *user);

#endif
