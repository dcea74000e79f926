/* controller_est: enrolment over secure transport (EST, RFC 7030). */

#include "fcgi/controller_est.h"

#include <string.h>
#include <strings.h>

#include "lib/basic.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/tls_message.h"
#include "model/audit.h"
#include "model/authority.h"
#include "model/caller.h"
#include "model/enrolment_access.h"
#include "model/enrolment_issue.h"
#include "model/failure.h"
#include "model/node_view.h"

#define BUNDLE_BYTES_MAX ((size_t)64 * 1024)
#define CSR_TYPE         "application/pkcs10"
#define RETRY_AFTER_S    "5"
/* Of one address: a whole plant may be behind it. */
#define WRONG_FREE   20
#define WRONG_WAIT_S 60

enum rc
controller_bundle_read(struct req *req, const char **pem)
{
	char *text = NULL;
	enum rc rc = file_read(req->arena, controller_of(req)->conf->bundle,
		BUNDLE_BYTES_MAX, &text, NULL, &req->fault);

	*pem = text;
	return rc;
}

static enum rc
answer_certificates(struct req *req, struct resp *resp, const char *pem)
{
	const char *message = "";
	enum rc rc = tls_message_write(req->arena, pem, &message, &req->fault);

	if (rc != RC_OK)
		return fault_set(&req->fault, RC_IO, "certificates: %s",
			req->fault.text);
	buf_text(resp_body(resp, 200,
			 "application/pkcs7-mime; smime-type=certs-only"),
		message);
	resp_header(resp, "Content-Transfer-Encoding", "base64");
	resp_header(resp, "Cache-Control", "no-store");
	return RC_OK;
}

/* Read anew each time: a new authority counts without a restart. */
enum rc
controller_est_bundle(struct req *req, struct resp *resp)
{
	const char *pem = NULL;
	enum rc rc = controller_bundle_read(req, &pem);

	return rc == RC_OK ? answer_certificates(req, resp, pem) : rc;
}

/* --- what both ways to a certificate have in common ---------------------- */

static enum rc
load_signer(struct req *req, struct enrolment_signer *signer)
{
	const struct controller *controller = controller_of(req);
	enum rc rc = authority_load(req->db, req->arena, controller->seal,
		&signer->authority_id, &signer->identity, &req->fault);

	signer->life_s = controller->conf->certificate_s;
	return rc == RC_NOT_FOUND
		       ? fault_set(&req->fault, RC_BUG, "there is no authority")
		       : rc;
}

static enum rc
read_request(struct req *req, struct tls_request *request)
{
	if (strncasecmp(req->content_type, CSR_TYPE, strlen(CSR_TYPE)) != 0)
		return fault_tell(&req->fault, RC_UNSUPPORTED,
			"UnsupportedMediaType", NULL,
			"The body is a certificate request, " CSR_TYPE ".");
	return tls_request_read(
		req->arena, req->body, req->body_bytes, request, &req->fault);
}

static enum rc
record(struct req *req, const char *action, const char *node,
	const char *result, const char *after)
{
	return audit_write(req,
		&(struct audit){.action = action,
			.object = arena_printf(req->arena, "node:%s", node),
			.result = result,
			.after = after});
}

/* A refusal is recorded, too, and keeps its own words. */
static enum rc
refuse(struct req *req, const char *action, const char *node)
{
	struct fault why = req->fault;
	enum rc rc = record(req, action, node, AUDIT_REFUSED,
		audit_values(req->arena, "why", why.code, NULL));

	if (rc != RC_OK)
		return rc;
	req->fault = why;
	return why.rc;
}

static const char *
key_text(struct req *req, const struct tls_request *request)
{
	return encode_hex(req->arena, request->key_hash, TLS_KEY_HASH_BYTES);
}

/* --- with a token --------------------------------------------------------- */

static enum rc
check_pace(struct req *req, const struct failure_key *key, struct resp *resp)
{
	int64_t wait_s = 0;
	enum rc rc =
		failure_wait(req->db, req->arena, key, 1, &wait_s, &req->fault);

	if (rc != RC_OK || wait_s == 0)
		return rc;
	resp_header(resp, "Retry-After",
		arena_printf(req->arena, "%lld", (long long)wait_s));
	return fault_tell(&req->fault, RC_TOO_MANY, "TooManyRequests", NULL,
		"Too many wrong tokens from this address. Try again in %lld "
		"seconds.",
		(long long)wait_s);
}

/* The node of "Authorization: Basic node-id:token". */
static enum rc
authenticate(struct req *req, struct resp *resp, struct enrolled *node)
{
	const struct failure_key key = {
		failure_subject(req->arena, "enrol", "", req->address),
		WRONG_FREE, WRONG_WAIT_S, 1};
	struct basic basic = {.name = ""};
	uint8_t uuid[UUID_BYTES] = {0};
	enum rc rc = check_pace(req, &key, resp);

	if (rc != RC_OK)
		return rc;
	if (!basic_read(req->arena, req_header(req, "Authorization"),
		    BASIC_PLAIN, &basic))
		return fault_tell(&req->fault, RC_UNAUTHENTICATED,
			"InvalidToken", NULL,
			"Send the node's id and its enrolment token (Basic).");
	if (!uuid_parse(basic.name, uuid))
		basic.name = "unknown";
	rc = enrolment_check(
		req->db, req->arena, uuid, basic.secret, node, &req->fault);
	if (rc != RC_UNAUTHENTICATED)
		return rc;
	rc = refuse(req, "node.enrol", basic.name);
	if (rc == RC_UNAUTHENTICATED &&
		failure_count(req->db, &key, 1, &req->fault) != RC_OK)
		return req->fault.rc;
	return rc;
}

/* All in one transaction with its record. */
static enum rc
admit(struct req *req, const struct enrolled *node,
	const struct enrolment_asked *asked, struct enrolment_answer *answer)
{
	struct enrolment_signer signer;
	enum rc rc = load_signer(req, &signer);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = enrolment_admit(
		req->db, req->arena, &signer, node, asked, answer, &req->fault);
	if (rc == RC_OK && !answer->pending && !answer->again)
		rc = record(req, "node.enrol", node->name, AUDIT_OK,
			audit_values(req->arena, "key",
				key_text(req, asked->request), NULL));
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

static void
answer_pending(
	struct req *req, struct resp *resp, const struct tls_request *request)
{
	struct jsonw *json = resp_json(resp, 202);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "state", "pending");
	jsonw_str(json, "key", key_text(req, request));
	jsonw_close_obj(json);
	resp_header(resp, "Retry-After", RETRY_AFTER_S);
}

static enum rc
enrol(struct req *req, struct resp *resp)
{
	struct enrolled node = {.name = ""};
	struct tls_request request;
	struct enrolment_answer answer;
	struct enrolment_asked asked = {&request, req->address};
	enum rc rc = authenticate(req, resp, &node);

	if (rc == RC_OK)
		rc = read_request(req, &request);
	if (rc == RC_OK)
		rc = admit(req, &node, &asked, &answer);
	if (rc == RC_DENIED)
		return refuse(req, "node.enrol", node.name);
	if (rc != RC_OK)
		return rc;
	if (!answer.pending)
		return answer_certificates(req, resp, answer.certificate_pem);
	answer_pending(req, resp, &request);
	return RC_OK;
}

enum rc
controller_est_enrol(struct req *req, struct resp *resp)
{
	enum rc rc = enrol(req, resp);

	if (rc != RC_UNAUTHENTICATED)
		return rc;
	resp_fault(resp, &req->fault);
	resp_header(resp, "WWW-Authenticate", "Basic realm=\"enrolment\"");
	return RC_OK;
}

/* --- with a certificate --- */

/* The node behind the connection, and what its certificate says. */
static enum rc
find_node(struct req *req, struct tls_facts *facts, struct enrolled *node)
{
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	struct caller *caller = arena_alloc(req->arena, sizeof(*caller));
	enum rc rc;

	*caller = (struct caller){.scopes = ""};
	rc = caller_find_node(req, fingerprint, caller);
	if (rc != RC_OK)
		return rc;
	req->caller = caller;
	rc = tls_read_escaped(req->arena, req->param(req, "SSL_CLIENT_CERT"),
		facts, &req->fault);
	if (rc == RC_OK)
		rc = enrolment_find(req->db, req->arena, caller->subject, node,
			&req->fault);
	return rc;
}

static enum rc
check_time(struct req *req, const struct tls_facts *facts)
{
	int64_t from_us = tls_renew_from_us(facts);
	char text[CLOCK_TEXT_BYTES];

	if (clock_now_us() >= from_us)
		return RC_OK;
	clock_format(text, from_us);
	return fault_tell(&req->fault, RC_CONFLICT, "RenewalTooEarly", NULL,
		"The certificate may be renewed from %s.", text);
}

static enum rc
renew(struct req *req, const struct enrolled *node,
	const struct tls_facts *facts, const struct tls_request *request,
	const char **pem)
{
	struct enrolment_signer signer;
	enum rc rc = load_signer(req, &signer);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = enrolment_renew(req->db, req->arena, &signer, node,
		facts->fingerprint, request, pem, &req->fault);
	if (rc == RC_OK)
		rc = record(req, "node.renew", node->name, AUDIT_OK,
			audit_values(req->arena, "key", key_text(req, request),
				NULL));
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

enum rc
controller_est_renew(struct req *req, struct resp *resp)
{
	struct tls_facts facts;
	struct enrolled node;
	struct tls_request request;
	const char *pem = NULL;
	enum rc rc = find_node(req, &facts, &node);

	if (rc == RC_OK)
		rc = check_time(req, &facts);
	if (rc == RC_OK)
		rc = read_request(req, &request);
	if (rc != RC_OK)
		return rc;
	rc = renew(req, &node, &facts, &request, &pem);
	if (rc == RC_DENIED)
		return refuse(req, "node.renew", node.name);
	return rc == RC_OK ? answer_certificates(req, resp, pem) : rc;
}

/* --- access data --- */

static enum rc
write_access(struct req *req, struct resp *resp, const struct enrolled *node,
	const struct enrolment_access *access)
{
	struct node_view_rights rights;
	char uuid[UUID_TEXT_BYTES];
	struct jsonw *json;
	enum rc rc = node_view_rights(
		req->db, req->arena, node->id, &rights, &req->fault);

	if (rc != RC_OK)
		return rc;
	uuid_format(uuid, node->uuid);
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", uuid);
	jsonw_str(json, "name", node->name);
	jsonw_str(json, "kind", node->kind);
	jsonw_str(json, "clientId", access->client_id);
	jsonw_str(json, "clientSecret", access->secret);
	controller_write_rights(json, &rights);
	jsonw_close_obj(json);
	resp_header(resp, "Cache-Control", "no-store");
	return RC_OK;
}

static enum rc
fetch(struct req *req, const struct enrolled *node,
	const struct tls_facts *facts, struct enrolment_access *access)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = enrolment_access_fetch(req->db, req->arena, node,
		facts->fingerprint, access, &req->fault);
	if (rc == RC_OK)
		rc = record(req, "node.access", node->name, AUDIT_OK,
			audit_values(
				req->arena, "client", access->client_id, NULL));
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

enum rc
controller_access(struct req *req, struct resp *resp)
{
	struct enrolment_access access;
	struct tls_facts facts;
	struct enrolled node;
	enum rc rc = find_node(req, &facts, &node);

	if (rc != RC_OK)
		return rc;
	rc = fetch(req, &node, &facts, &access);
	if (rc == RC_CONFLICT)
		return refuse(req, "node.access", node.name);
	return rc == RC_OK ? write_access(req, resp, &node, &access) : rc;
}
