/* keeper_logout: the thread that tells clients which sessions have ended. */

#include "fcgi/keeper_logout.h"

#include <pthread.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/http.h"
#include "lib/jsonw.h"
#include "lib/jwt.h"
#include "lib/log.h"
#include "lib/req.h"
#include "model/audit.h"
#include "model/logout_notice.h"
#include "model/signing_key.h"

#define LIFE_S           120
#define WAIT_MS          1000
#define CONNECT_MS       5000
#define REQUEST_MS       10000
#define ANSWER_BYTES_MAX ((size_t)64 * 1024)

#define EVENT "http://schemas.openid.net/event/backchannel-logout"

struct keeper_logout {
	const struct keeper *keeper;
	struct arena *home;  /* of this struct */
	struct arena *arena; /* of one notice */
	struct db *db;
	struct http *http;
	enum rc told;
	pthread_t thread;
};

static const struct stmt *const stmts[] = {
	audit_stmts, logout_notice_stmts, signing_key_stmts, NULL};

static enum rc
connect(struct keeper_logout *logout, struct fault *fault)
{
	const struct keeper_conf *conf = &logout->keeper->conf;
	const struct http_options options = {
		.ca = conf->logout_ca_file[0] != '\0' ? conf->logout_ca_file
						      : NULL,
		.connect_timeout_ms = CONNECT_MS,
		.timeout_ms = REQUEST_MS,
		.response_bytes_max = ANSWER_BYTES_MAX,
	};
	enum rc rc = http_open(&options, &logout->http, fault);

	if (rc == RC_OK)
		rc = db_open(&conf->database, "fieldgrid-keeper logout", stmts,
			&logout->db, fault);
	if (rc == RC_OK)
		rc = db_listen(logout->db, LOGOUT_NOTICE_CHANNEL, fault);
	return rc;
}

enum rc
keeper_logout_open(const struct keeper *keeper, struct keeper_logout **made,
	struct fault *fault)
{
	struct arena *home = arena_new();
	struct keeper_logout *logout = arena_alloc(home, sizeof(*logout));
	enum rc rc;

	logout->home = home;
	logout->arena = arena_new();
	logout->keeper = keeper;
	rc = connect(logout, fault);
	if (rc == RC_OK)
		*made = logout;
	else
		keeper_logout_close(logout);
	return rc;
}

void
keeper_logout_close(struct keeper_logout *logout)
{
	if (logout == NULL)
		return;
	if (logout->http != NULL)
		http_close(logout->http);
	if (logout->db != NULL)
		db_close(logout->db);
	arena_free(logout->arena);
	arena_free(logout->home);
}

/* --- the token --------------------------------------------------------- */

static void
write_uuid(struct jsonw *json, struct arena *arena, const char *name,
	const uint8_t uuid[UUID_BYTES])
{
	char *text = arena_alloc(arena, UUID_TEXT_BYTES);

	uuid_format(text, uuid);
	jsonw_str(json, name, text);
}

/* Section 2.4: never a nonce, so that it can be taken for no ID token. */
static const char *
claims_of(struct keeper_logout *logout, const struct logout_notice *notice)
{
	struct jsonw *json = jsonw_in(logout->arena);
	int64_t now_s = clock_now_us() / CLOCK_SECOND_US;
	uint8_t jti[UUID_BYTES];

	uuid_random(jti);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "iss", logout->keeper->conf.issuer);
	write_uuid(json, logout->arena, "sub", notice->subject);
	jsonw_str(json, "aud", notice->client_id);
	jsonw_int(json, "iat", now_s);
	jsonw_int(json, "exp", now_s + LIFE_S);
	write_uuid(json, logout->arena, "jti", jti);
	write_uuid(json, logout->arena, "sid", notice->sid);
	jsonw_str(json, "token_use", "logout");
	jsonw_open_obj(json, "events");
	jsonw_open_obj(json, EVENT);
	jsonw_close_obj(json);
	jsonw_close_obj(json);
	jsonw_close_obj(json);
	return json->out->data;
}

static enum rc
make_token(struct keeper_logout *logout, const struct logout_notice *notice,
	const char **token, struct fault *fault)
{
	struct jwt_signer *signer = NULL;
	struct signing_key key;
	enum rc rc = signing_key_active(logout->db, logout->arena,
		logout->keeper->seal, notice->algorithm, &key, fault);

	if (rc == RC_OK)
		rc = jwt_signer_new(key.kid, key.algorithm, key.private_pem,
			&signer, fault);
	if (rc == RC_OK)
		rc = jwt_sign_as(logout->arena, signer, "logout+jwt",
			claims_of(logout, notice), token, fault);
	jwt_signer_free(signer);
	return rc;
}

/* --- sending ----------------------------------------------------------- */

/* Fails: RC_UPSTREAM with what the client answered; as http_send. */
static enum rc
post(struct keeper_logout *logout, const struct logout_notice *notice,
	const char *token, struct fault *fault)
{
	const char *body = arena_printf(logout->arena, "logout_token=%s",
		percent_encode(logout->arena, token));
	const struct http_call call = {
		.method = "POST",
		.url = notice->uri,
		.content_type = "application/x-www-form-urlencoded",
		.body = body,
		.body_bytes = strlen(body),
	};
	struct http_reply reply = {.status = 0};
	enum rc rc;

	buf_init(&reply.body, ANSWER_BYTES_MAX);
	rc = http_send(logout->http, &call, &reply, fault);
	buf_free(&reply.body);
	if (rc == RC_OK && reply.status / 100 != 2)
		rc = fault_set(
			fault, RC_UPSTREAM, "it answered %d", reply.status);
	return rc;
}

static enum rc
close_notice(struct keeper_logout *logout, const struct logout_notice *notice,
	const char *result, struct fault *fault)
{
	const struct audit_actor keeper = {
		.kind = "service", .name = "fieldgrid-keeper"};
	const struct audit row = {
		.action = "logout.notify",
		.object = arena_printf(
			logout->arena, "client:%s", notice->client_id),
		.result = result,
	};
	enum rc rc = db_begin(logout->db, DB_READ_COMMITTED, fault);

	if (rc == RC_OK)
		rc = logout_notice_done(logout->db, notice, fault);
	if (rc == RC_OK)
		rc = audit_write_by(logout->db, &keeper, &row, fault);
	if (rc == RC_OK)
		return db_commit(logout->db, fault);
	db_rollback(logout->db);
	return rc;
}

static enum rc
send(struct keeper_logout *logout, const struct logout_notice *notice,
	struct fault *fault)
{
	const char *token = NULL;
	struct fault why = {.text = "it has no address any more"};
	enum rc rc = make_token(logout, notice, &token, fault);

	if (rc != RC_OK)
		return rc;
	if (notice->uri[0] != '\0')
		rc = post(logout, notice, token, &why);
	if (rc == RC_OK && notice->uri[0] != '\0')
		return close_notice(logout, notice, AUDIT_OK, fault);
	log_warn(NULL, "client %s was not told of a log-out, try %lld: %s",
		notice->client_id, (long long)notice->tries, why.text);
	return notice->last || notice->uri[0] == '\0'
		       ? close_notice(logout, notice, AUDIT_FAILED, fault)
		       : RC_OK;
}

enum rc
keeper_logout_work(struct keeper_logout *logout, struct fault *fault)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && !*logout->keeper->stop) {
		struct logout_notice notice;

		rc = logout_notice_take(
			logout->db, logout->arena, &notice, fault);
		if (rc == RC_OK)
			rc = send(logout, &notice, fault);
		arena_reset(logout->arena);
	}
	return rc == RC_NOT_FOUND ? RC_OK : rc;
}

/* --- the thread -------------------------------------------------------- */

static void
tell(struct keeper_logout *logout, enum rc rc, const struct fault *fault)
{
	if (rc == logout->told || rc == RC_RETRY)
		return;
	if (rc == RC_OK)
		log_info(NULL, "log-outs: sending again");
	else if (rc == RC_UNAVAILABLE)
		log_warn(NULL, "log-outs: the database is out of reach: %s",
			fault->text);
	else
		log_error(NULL, "log-outs: %s", fault->text);
	logout->told = rc;
}

static void
pause_for_news(struct keeper_logout *logout)
{
	const struct timespec second = {1, 0};
	struct fault ignored;
	char *payload = NULL;

	if (db_wait(logout->db, logout->arena, WAIT_MS, &payload, &ignored) !=
		RC_OK)
		nanosleep(&second, NULL);
	arena_reset(logout->arena);
}

static void *
work(void *context)
{
	struct keeper_logout *logout = context;

	while (!*logout->keeper->stop) {
		struct fault fault = {0};

		tell(logout, keeper_logout_work(logout, &fault), &fault);
		if (!*logout->keeper->stop)
			pause_for_news(logout);
	}
	return NULL;
}

enum rc
keeper_logout_start(struct keeper_logout *logout, struct fault *fault)
{
	int error = pthread_create(&logout->thread, NULL, work, logout);

	return error == 0
		       ? RC_OK
		       : fault_set(fault, RC_IO, "no thread for log-outs: %s",
				 strerror(error));
}

void
keeper_logout_join(struct keeper_logout *logout)
{
	pthread_join(logout->thread, NULL);
}
