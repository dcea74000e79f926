/*
 * directory: an LDAP server or Active Directory whose users may log in.
 *
 * Several, asked in order. An account that came from a directory is looked for
 * there, and only there; "NAME@DIRECTORY" asks one directory. Where a name is
 * found first its password decides: there is no second try in the next one.
 */
#ifndef FG_MODEL_DIRECTORY_H
#define FG_MODEL_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "lib/ldap.h"
#include "lib/seal.h"
#include "lib/slice.h"
#include "lib/slots.h"
#include "model/user.h"

#define DIRECTORY_URIS_MAX      8
#define DIRECTORY_DOWN_MAX      32
#define DIRECTORY_CA_BYTES      ((size_t)64 * 1024)
#define DIRECTORY_SOURCE_PREFIX "ldap:"

extern const struct stmt directory_stmts[];
extern const struct stmt directory_login_stmts[];

struct directory {
	int64_t id;
	uint8_t uuid[UUID_BYTES];
	const char *name;  /* lower case; for good */
	const char *state; /* "active" or "disabled" */
	int64_t position;  /* asked in this order */
	struct texts uris; /* tried in this order */
	const char *mode;  /* "starttls" or "ldaps" */
	const char *ca;    /* PEM; "" = the authorities of the system */
	const char *bind_dn;
	const char *bind_password; /* to be set; NULL = as it was */
	const char *base;
	const char *user_filter;  /* {name} = what was typed */
	const char *id_attribute; /* what never changes of a person */
	const char *name_attribute;
	const char *full_name_attribute;
	const char *email_attribute;
	/* none; search: group by group; matching_rule and token_groups: what
	 * Active Directory has for nested groups. */
	const char *group_mode;
	const char *group_base;   /* "" = base */
	const char *group_filter; /* {dn} = of a member, {name} = of a person */
	int64_t timeout_ms;
	int64_t sync_s;    /* ask about everybody again after */
	int64_t max_age_s; /* what it said counts that long when it is down */
	int64_t synced_us; /* CLOCK_NEVER = not yet */
	const char *sync_fault; /* "" = the last time worked */
	struct sealed sealed_password;
};

/*
 * What is usual for a kind of directory: "openldap" or "active_directory".
 * False for another kind.
 */
bool directory_defaults(const char *kind, struct directory *directory);

/*
 * Check and store; "seal" is for bind_password. Changing needs a directory
 * that was found; its name stays.
 * Fails: RC_BAD_INPUT with words and field; RC_CONFLICT the name is taken.
 */
MUST_CHECK enum rc directory_create(struct db *db, struct arena *arena,
	const struct seal *seal, struct directory *directory,
	struct fault *fault);
MUST_CHECK enum rc directory_change(struct db *db, struct arena *arena,
	const struct seal *seal, const struct directory *directory,
	struct fault *fault);

/* All accounts that came from it are disabled; nothing is left of it. */
MUST_CHECK enum rc directory_remove(struct db *db, struct arena *arena,
	const struct directory *directory, struct fault *fault);

/* By name or UUID. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc directory_find(struct db *db, struct arena *arena,
	const char *name, struct directory *directory, struct fault *fault);

struct directory_list {
	size_t count;
	struct directory *items;
};

struct directory_filter {
	const char *search; /* a part of the name */
	const char *state;
};

/* Orders: position, name. */
MUST_CHECK enum rc directory_slice(struct db *db, struct arena *arena,
	const struct directory_filter *filter, struct slice *slice,
	struct directory_list *list, struct fault *fault);

/* Those that are asked, in order. */
MUST_CHECK enum rc directory_active(struct db *db, struct arena *arena,
	struct directory_list *list, struct fault *fault);

/* --- asking ----------------------------------------------------------- */

/* What a program needs to ask directories; one per process. */
struct directory_gate {
	const struct seal *seal; /* of the service accounts' passwords */
	struct slots slots;      /* logins in directories at once */
	int64_t floor_ms;        /* a refusal takes at least that long */
	/* Addresses that did not answer: not tried again before "until_us". */
	struct directory_down {
		char uri[LDAP_URI_BYTES + 1];
		int64_t until_us;
	} down[DIRECTORY_DOWN_MAX];
	size_t next; /* of "down", to be overwritten */
};

/*
 * Find out whether a directory knows this name and password, and who it is
 * here. No transaction may be open: a directory may take seconds.
 * Fails:  RC_UNAUTHENTICATED with one text for all reasons, an empty password
 *         and the name of a local account among them, and not sooner than the
 *         floor, so that time does not tell them apart either; RC_UNAVAILABLE
 *         no directory could say, or all slots are taken.
 * Blocks: at most some timeout_ms of each directory; an address that did not
 *         answer is left alone for ten seconds.
 */
MUST_CHECK enum rc directory_log_in(struct db *db, struct arena *arena,
	struct directory_gate *gate, const char *name, const char *password,
	struct user *user, struct fault *fault);

/* One thing that was tried. */
struct directory_step {
	const char *what; /* "connect", "people", "person" or "groups" */
	const char *uri;  /* where; "" = wherever it was connected */
	bool good;
	const char *words; /* what came out, or what is wrong */
};

#define DIRECTORY_STEPS_MAX (DIRECTORY_URIS_MAX + 4)

struct directory_report {
	bool good; /* all steps were */
	size_t count;
	struct directory_step steps[DIRECTORY_STEPS_MAX];
	struct texts groups; /* of the person, as they are mapped */
};

/*
 * Try what a login would do, at every address: connect, secure, bind as the
 * service account, count the people; and find "name", when it is not NULL, and
 * its groups. No password of anybody is asked for, and nothing is stored.
 */
void directory_test(struct arena *arena, const struct seal *seal,
	const struct directory *directory, const char *name,
	struct directory_report *report);

#endif
