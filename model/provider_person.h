/*
 * provider_person: who the claims of an ID token say the person is.
 *
 * Claims are text of somebody else: what is too long or of another type is
 * left out, except for the subject, without which there is nobody.
 */
#ifndef FG_MODEL_PROVIDER_PERSON_H
#define FG_MODEL_PROVIDER_PERSON_H

#include "lib/field.h"
#include "model/provider.h"

#define PROVIDER_GROUPS_MAX 1000

/* A person as the provider knows them. */
struct provider_person {
	const char *subject; /* what never changes there */
	const char *name;    /* wished for here */
	const char *full_name;
	const char *email;
	struct texts groups;
	bool groups_unknown; /* more than fit into a token: it did not say */
	bool second_factor;  /* amr or acr have one of the factor values */
};

/*
 * Read them from "claims", which have been checked and must live as long.
 * Fails: RC_DENIED they name nobody, with the reason for the log.
 */
MUST_CHECK enum rc provider_person_read(struct arena *arena,
	const struct provider *provider, struct json_object *claims,
	struct provider_person *person, struct fault *fault);

#endif
