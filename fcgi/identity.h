/*
 * identity: what the endpoints of fieldgrid-identity share.
 */
#ifndef FG_FCGI_IDENTITY_H
#define FG_FCGI_IDENTITY_H

#include "lib/db.h"
#include "lib/mustache.h"
#include "lib/req.h"
#include "lib/resp.h"
#include "model/caller.h"
#include "model/directory.h"
#include "model/provider_metadata.h"
#include "model/session.h"
#include "model/signing_key.h"

/* A form is only taken from the browser that was given it: its hidden token
 * must be the one in this cookie. */
#define IDENTITY_FORM_COOKIE "__Host-gridform"

/* Of somebody whose log-in lacks a step (model/login_step.h). */
#define IDENTITY_STEP_COOKIE "__Host-gridstep"

#define IDENTITY_FORM_BYTES_MAX ((size_t)64 * 1024)

#define IDENTITY_SIGNERS 2

struct json_object;
struct jwt_signer;

struct identity_conf {
	const char *log_level;
	struct db_conf database;
	const char *issuer;
	const char *node_url;  /* of the mutual-TLS listener; "" = none */
	const char *seal_file; /* what private signing keys are sealed with */
	const char *templates;
	const char *manifest;
	const char *site;
	const char *slots_file; /* lock file that limits password hashes */
	int64_t slots;          /* password hashes at once */
	const char *directory_slots_file;
	int64_t directory_slots; /* logins in directories at once */
	const char *provider_slots_file;
	int64_t provider_slots; /* requests to providers at once */
	int64_t floor_ms;       /* a refused login takes at least that */
	const char *passwords;  /* file of well-known ones */
};

/* What one worker remembers between requests. */
struct identity_memory {
	/* Private keys that sign, one for each algorithm; NULL = read it. */
	struct jwt_signer *signers[IDENTITY_SIGNERS];
};

/* req->app */
struct identity {
	const struct identity_conf *conf;
	const struct mustache_set *templates;
	struct json_object *assets;
	const struct seal *seal;
	struct caller_gate *gate; /* for tokens inside of requests */
	const struct provider_gate *providers;
	struct identity_memory *memory;
	struct directory_gate *directories;
};

const struct identity *identity_of(const struct req *req);

extern const struct route identity_routes[];

/* GET of the two discovery documents and of the key set: 200, public. */
MUST_CHECK enum rc identity_discovery(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_keys(struct req *req, struct resp *resp);

/* OPTIONS of what single-page applications call: 204 for known origins. */
MUST_CHECK enum rc identity_preflight(struct req *req, struct resp *resp);

/* GET and POST /connect/authorize: 303 to the client or to the login page;
 * 400 as a page when client or redirect address are wrong. */
MUST_CHECK enum rc identity_authorize(struct req *req, struct resp *resp);

/* POST /connect/consent: what the person said; then on to the client. */
MUST_CHECK enum rc identity_consent(struct req *req, struct resp *resp);

/* POST /connect/token: 200, or 400 and 401 as RFC 6749 has them. */
MUST_CHECK enum rc identity_token(struct req *req, struct resp *resp);

/* GET and POST /connect/userinfo: 200, 403 without the scope openid.
 * GET /connect/userinfo/emails, which Grafana asks for: with scope email. */
MUST_CHECK enum rc identity_userinfo(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_emails(struct req *req, struct resp *resp);

/* POST /connect/introspect: 200 whatever the token is, 401 to strangers. */
MUST_CHECK enum rc identity_introspect(struct req *req, struct resp *resp);

/* POST /connect/revocation: 200 whatever the token is. */
MUST_CHECK enum rc identity_revoke(struct req *req, struct resp *resp);

/* GET and POST /connect/endsession: 303 to the client, or a page. */
MUST_CHECK enum rc identity_end_session(struct req *req, struct resp *resp);

/* GET /login: the form. POST: 303 to "next", 401 again, 429 too fast. */
MUST_CHECK enum rc identity_login_page(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_login(struct req *req, struct resp *resp);

/* The steps that a log-in may lack: GET the form, POST it: on to the next step
 * or in; 401 wrong code, 429 too fast, 303 to /login when it took too long. */
MUST_CHECK enum rc identity_code_page(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_code(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_first_password_page(
	struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_first_password(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_enrol_page(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_enrol(struct req *req, struct resp *resp);

/* POST /connect/deviceauthorization: 200, or an error as of the token
 * endpoint. GET /device: the form for a code. POST: the question, then what
 * became of it; 400 wrong code, 429 too many of them. */
MUST_CHECK enum rc identity_device_start(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_device_page(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_device(struct req *req, struct resp *resp);

/* For nginx alone: 204 with X-Auth-User, -Name, -Email, -Groups and -Roles;
 * 401 nobody is logged in; 403 without the right in GATE_REQUIRE. Login: 303 to
 * the login page and from there back to GATE_NEXT. */
MUST_CHECK enum rc identity_gate(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_gate_login(struct req *req, struct resp *resp);

/* GET /account: sessions, applications, password, second factor. The POSTs
 * change one of them and go back there: 303. */
MUST_CHECK enum rc identity_account(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_end_one(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_end_others(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_disconnect(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_password_page(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_password(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_factor_page(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_factor(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_factor_codes(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_factor_remove(struct req *req, struct resp *resp);

/* GET /logout: a question. POST: 303 to the login page. */
MUST_CHECK enum rc identity_logout_page(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_logout(struct req *req, struct resp *resp);

/*
 * The session of the request's cookie.
 * Fails: RC_NOT_FOUND there is none.
 */
MUST_CHECK enum rc identity_session(struct req *req, struct session *session);

#endif
