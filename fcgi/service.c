/* service: what every FastCGI program does around its handlers. */

#include "fcgi/service.h"

#include <errno.h>
#include <fcgiapp.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/challenge.h"
#include "fcgi/refusals.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "model/caller.h"
#include "model/policy.h"
#include "model/policy_cache.h"

#define LISTEN_DESCRIPTOR 0
/* Memory of an answer that is kept for the next one. */
#define KEEP_BYTES ((size_t)1024 * 1024)
/* A larger body's memory is given back after its request. */
#define BODY_KEEP_BYTES ((size_t)1024 * 1024)

/* What one accept loop keeps between requests. */
struct loop {
	const struct service *service;
	struct db *db;
	struct caller_gate *gate;
	struct policy_cache *policies;
	struct refusals *refusals;
	struct arena *arena;
	struct buf body; /* of the current request */
	struct req req;
	struct resp resp;
	FCGX_Request fcgi;
};

static atomic_bool stopping;

/* --- the request ------------------------------------------------- */

static const char *
get_param(const struct req *req, const char *name)
{
	const FCGX_Request *fcgi = req->transport;

	return FCGX_GetParam(name, fcgi->envp);
}

static const char *
param_or(const struct req *req, const char *name, const char *fallback)
{
	const char *value = get_param(req, name);

	return value != NULL ? value : fallback;
}

/* Prefixes under which clients of the original product reach the same API. */
static const char *
skip_prefix(const char *path)
{
	static const char *const prefixes[] = {
		"/iiot-api", "/identity-service"};

	for (size_t i = 0; i < ARRAY_LENGTH(prefixes); i++) {
		size_t length = strlen(prefixes[i]);

		if (strncmp(path, prefixes[i], length) == 0 &&
			(path[length] == '/' || path[length] == '\0'))
			return path[length] == '\0' ? "/" : path + length;
	}
	return path;
}

static void
set_path(struct req *req)
{
	const char *uri = param_or(req, "REQUEST_URI", "/");
	size_t length = strcspn(uri, "?");

	req->path = skip_prefix(arena_strndup(req->arena, uri, length));
	req->query = uri[length] == '?' ? uri + length + 1 : "";
}

static bool
is_request_id(const char *text)
{
	return strlen(text) >= 16 &&
	       strspn(text, "0123456789abcdef") == strlen(text);
}

static void
set_id(struct req *req)
{
	const char *given = param_or(req, "REQUEST_ID", "");
	uint8_t random[8];

	if (!is_request_id(given)) {
		secret_random(random, sizeof(random));
		given = encode_hex(req->arena, random, sizeof(random));
	}
	snprintf(req->id, sizeof(req->id), "%.16s", given);
}

static void
build_request(struct loop *loop, struct req *req)
{
	static struct caller nobody = {
		.kind = CALLER_NOBODY, .subject = "", .name = "", .scopes = ""};

	memset(req, 0, sizeof(*req));
	req->arena = loop->arena;
	req->db = loop->db;
	req->app = loop->service->app;
	req->caller = &nobody;
	req->policies = loop->policies;
	req->param = get_param;
	req->transport = &loop->fcgi;
	req->method = method_parse(param_or(req, "REQUEST_METHOD", ""));
	req->content_type = param_or(req, "CONTENT_TYPE", "");
	req->address = param_or(req, "REMOTE_ADDR", "");
	req->body = "";
	set_path(req);
	set_id(req);
}

static enum rc
read_body(struct loop *loop, struct req *req, size_t max_bytes)
{
	long long announced =
		strtoll(param_or(req, "CONTENT_LENGTH", "0"), NULL, 10);
	size_t bytes = announced < 0 ? 0 : (size_t)announced;
	char *body;

	if (bytes > max_bytes)
		return fault_tell(&req->fault, RC_TOO_LARGE, "TooLarge", NULL,
			"The body may have %zu bytes here.", max_bytes);
	if (bytes == 0)
		return RC_OK;
	body = buf_reserve(&loop->body, bytes);
	if (body == NULL ||
		(size_t)FCGX_GetStr(body, (int)bytes, loop->fcgi.in) != bytes)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", NULL,
			"The body is shorter than its Content-Length.");
	body[bytes] = '\0';
	req->body = body;
	req->body_bytes = bytes;
	return RC_OK;
}

/* --- the answer -------------------------------------------------- */

static void
send_head(struct loop *loop, const struct req *req, const struct resp *resp)
{
	FCGX_Stream *out = loop->fcgi.out;

	FCGX_FPrintF(out, "Status: %d\r\nX-Request-Id: %s\r\n", resp->status,
		req->id);
	for (size_t i = 0; i < resp->headers_count; i++)
		FCGX_FPrintF(out, "%s: %s\r\n", resp->headers[i].name,
			resp->headers[i].value);
	if (!resp->started)
		FCGX_FPrintF(
			out, "Content-Length: %d\r\n", (int)resp->body.length);
	FCGX_PutS("\r\n", out);
}

static bool
send_body(struct loop *loop, const struct req *req, const struct resp *resp)
{
	if (req->method == METHOD_HEAD || resp->body.length == 0)
		return true;
	return FCGX_PutStr(resp->body.data, (int)resp->body.length,
		       loop->fcgi.out) >= 0;
}

/* resp_flush: the head goes out with the first part, without a length. */
static bool
send_part(struct resp *resp)
{
	struct loop *loop = resp->transport;

	if (!resp->started) {
		resp->started = true;
		send_head(loop, &loop->req, resp);
	}
	resp->sent_bytes += resp->body.length;
	return send_body(loop, &loop->req, resp);
}

static void
send_answer(struct loop *loop, const struct req *req, struct resp *resp)
{
	if (!resp->started)
		send_head(loop, req, resp);
	send_body(loop, req, resp);
	FCGX_Finish_r(&loop->fcgi);
}

/* What has begun well and ends badly must not look complete: cut it off. */
static void
break_off(struct loop *loop, const struct req *req)
{
	log_warn(req->id, "answer broken off: %s: %s",
		fault_name(req->fault.rc), req->fault.text);
	FCGX_Free(&loop->fcgi, 1);
}

static const char *
allow_list(struct arena *arena, unsigned allowed)
{
	const char *list = "";

	for (unsigned bit = 1; bit <= METHOD_OPTIONS; bit <<= 1)
		if ((allowed & bit) != 0)
			list = arena_printf(arena, "%s%s%s", list,
				list[0] != '\0' ? ", " : "", method_name(bit));
	return list;
}

/* What the client is told in words is expected: nobody has to act.
 * A handler may have set headers such as WWW-Authenticate: they stay. */
static void
answer_fault(struct loop *loop, struct req *req, struct resp *resp,
	const struct route *route)
{
	const struct fault *fault = &req->fault;

	if (loop->service->note_fault != NULL)
		loop->service->note_fault(req, fault);
	resp->status = fault_public(fault->rc)->status;
	buf_clear(&resp->body);
	if (loop->service->page_fault != NULL)
		loop->service->page_fault(req, resp, fault);
	else
		resp_fault(resp, fault);
	if (resp->status == 503)
		resp_header(resp, "Retry-After", "2");
	challenge_add(
		req, resp, fault, route != NULL ? route->need : NEED_NONE);
	if (resp->status >= 500 && fault->client[0] == '\0')
		log_error(
			req->id, "%s: %s", fault_name(fault->rc), fault->text);
	else
		log_debug(
			req->id, "%s: %s", fault_name(fault->rc), fault->text);
}

/* --- one request ------------------------------------------------- */

static enum rc
call_handler(struct req *req, struct resp *resp, const struct route *route)
{
	enum rc rc = route->handler(req, resp);

	if (rc == RC_OK && resp->body.overflow)
		rc = fault_tell(&req->fault, RC_TOO_LARGE, "TooLarge", NULL,
			"The answer would be larger than %zu MiB; ask for "
			"less.",
			resp->body.limit_bytes >> 20);
	if (req->db != NULL && db_in_transaction(req->db)) {
		db_rollback(req->db);
		if (rc == RC_OK)
			rc = fault_set(&req->fault, RC_BUG,
				"%s left a transaction open", route->pattern);
	}
	return rc;
}

/* Who asks, and for administration whether they may. */
static enum rc
let_in(struct loop *loop, struct req *req, enum need need)
{
	const struct policy *policy;
	enum rc rc = caller_authenticate(loop->gate, req, need);

	if (rc != RC_OK || need != NEED_ADMIN)
		return rc;
	rc = policy_of(req, &policy);
	return rc == RC_OK ? policy_check_administrator(policy, &req->fault)
			   : rc;
}

static enum rc
handle(struct loop *loop, struct req *req, struct resp *resp,
	const struct route **route)
{
	unsigned allowed;
	enum rc rc = route_match(loop->service->routes, req, route, &allowed);

	if (rc == RC_METHOD)
		resp_header(resp, "Allow", allow_list(req->arena, allowed));
	if (rc == RC_OK)
		rc = read_body(loop, req, (*route)->body_max_bytes);
	if (rc == RC_OK)
		rc = let_in(loop, req, (*route)->need);
	if (rc != RC_OK)
		return rc;
	rc = call_handler(req, resp, *route);
	if (rc == RC_RETRY && !resp->started) {
		resp_clear(resp);
		rc = call_handler(req, resp, *route);
	}
	return rc;
}

static void
log_access(const struct req *req, const struct resp *resp,
	const struct route *route, int64_t started_us)
{
	log_info(req->id, "%s %s status=%d caller=%s bytes=%zu us=%lld",
		method_name(req->method), route != NULL ? route->pattern : "-",
		resp->status,
		req->caller->name[0] != '\0' ? req->caller->name : "-",
		resp->sent_bytes + resp->body.length,
		(long long)(clock_steady_us() - started_us));
}

/* What a large answer took goes back to the system: there are many workers. */
static void
clean_up(struct loop *loop)
{
	bool large = arena_used(loop->arena) > KEEP_BYTES ||
		     loop->resp.sent_bytes > 0 ||
		     loop->body.capacity > BODY_KEEP_BYTES ||
		     loop->resp.body.capacity > KEEP_BYTES;

	/* Passwords came in, tokens went out. */
	buf_wipe(&loop->resp.body);
	if (loop->req.body_bytes > 0)
		explicit_bzero(loop->body.data, loop->req.body_bytes);
	if (loop->body.capacity > BODY_KEEP_BYTES)
		buf_free(&loop->body);
	if (loop->resp.body.capacity > KEEP_BYTES)
		buf_free(&loop->resp.body);
	arena_reset(loop->arena);
	if (large)
		malloc_trim(0);
}

/* A node that was blocked a moment ago must not find a door still open. */
static void
follow_rights(struct loop *loop)
{
	const struct service *service = loop->service;

	if (loop->db == NULL || !db_notified(loop->db))
		return;
	caller_gate_forget(loop->gate);
	policy_cache_forget(loop->policies);
	if (service->rights_changed != NULL)
		service->rights_changed(service->app);
}

static void
serve_one(struct loop *loop)
{
	int64_t started_us = clock_steady_us();
	const struct route *route = NULL;
	struct resp *resp = &loop->resp;
	struct req *req = &loop->req;
	enum rc rc;

	loop->fcgi.keepConnection = 0; /* a kept one would pin this worker */
	follow_rights(loop);
	if (loop->db != NULL)
		refusals_flush(loop->refusals, loop->db);
	build_request(loop, req);
	resp_clear(resp);
	resp->send = send_part;
	resp->transport = loop;
	rc = handle(loop, req, resp, &route);
	if (rc != RC_OK && !resp->started)
		answer_fault(loop, req, resp, route);
	if (loop->db != NULL)
		refusals_note(loop->refusals, req, resp, route);
	log_access(req, resp, route, started_us);
	if (rc != RC_OK && resp->started)
		break_off(loop, req);
	else
		send_answer(loop, req, resp);
	clean_up(loop);
}

/* --- loops ------------------------------------------------------- */

/* A server that is not there yet is asked again by the first request. */
static enum rc
open_database(struct loop *loop, struct fault *fault)
{
	const struct service *service = loop->service;
	enum rc rc = db_open(service->database, service->name, service->stmts,
		&loop->db, fault);

	if (rc == RC_OK)
		rc = db_listen(loop->db, CALLER_CHANNEL, fault);
	return rc == RC_UNAVAILABLE ? RC_OK : rc;
}

static enum rc
open_loop(struct loop *loop, const struct service *service, struct fault *fault)
{
	enum rc rc = RC_OK;

	memset(loop, 0, sizeof(*loop));
	loop->service = service;
	loop->arena = arena_new();
	loop->gate = caller_gate_new(service->issuer);
	loop->policies = service->policies != NULL ? service->policies
						   : policy_cache_new();
	loop->refusals = refusals_new(REFUSALS_WINDOW_US);
	resp_init(&loop->resp);
	buf_init(&loop->body, 0);
	if (service->database != NULL)
		rc = open_database(loop, fault);
	if (rc == RC_OK && FCGX_InitRequest(&loop->fcgi, LISTEN_DESCRIPTOR,
				   FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		rc = fault_set(fault, RC_IO, "cannot use the FastCGI socket");
	return rc;
}

static void
close_loop(struct loop *loop)
{
	FCGX_Free(&loop->fcgi, 0);
	if (loop->db != NULL)
		refusals_flush_all(loop->refusals, loop->db);
	refusals_free(loop->refusals);
	db_close(loop->db);
	caller_gate_free(loop->gate);
	if (loop->policies != loop->service->policies)
		policy_cache_free(loop->policies);
	resp_free(&loop->resp);
	buf_free(&loop->body);
	arena_free(loop->arena);
}

void
service_loop(const struct service *service)
{
	struct loop loop;
	struct fault fault;

	if (open_loop(&loop, service, &fault) != RC_OK) {
		log_error(NULL, "%s", fault.text);
		exit(EXIT_FAILURE); /* the supervisor tries again */
	}
	while (!stopping) {
		if (FCGX_Accept_r(&loop.fcgi) == 0)
			serve_one(&loop);
		else if (!stopping && errno != EINTR)
			usleep(10000); /* out of descriptors: wait for some */
	}
	close_loop(&loop);
}

void
service_stop(void)
{
	stopping = true;
	FCGX_ShutdownPending();
}

static void
on_terminate(int signal_number)
{
	(void)signal_number;
	service_stop();
}

int
service_run(const struct service *service)
{
	struct sigaction action = {.sa_handler = on_terminate};

	sigaction(SIGTERM, &action, NULL); /* no SA_RESTART: accept must end */
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGQUIT, &action, NULL); /* multiwatch 1.0.0 means TERM */
	signal(SIGPIPE, SIG_IGN);
	FCGX_Init();
	service_loop(service);
	return EXIT_SUCCESS;
}
