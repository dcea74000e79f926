/* hub: what an agent says to a Data Hub, over one mutual-TLS connection. */

#include "agents/hub.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/http.h"
#include "lib/jsonw.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "model/frame.h"

#define TOKEN_FORM         "grant_type=client_credentials&scope=hub"
#define RESPONSE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define CONNECT_TIMEOUT_MS 5000
/* A token is renewed when so much of its life is left. */
#define TOKEN_SPARE_US (30 * CLOCK_SECOND_US)

struct hub {
	struct hub_options options;
	struct http *http;
	size_t url; /* index into options.urls */
	size_t url_count;
	char *token;
	int64_t token_until_us; /* steady clock */
	struct http_reply reply;
	struct buf body;
	int64_t limits_version;
	int64_t told_us;  /* the hub's time in the last answer to a beat */
	int64_t asked_us; /* when that was asked for, clock_boot_us */
};

static enum rc
open_http(const struct hub_options *options, struct http **http,
	struct fault *fault)
{
	struct http_options http_options = {.ca = options->ca,
		.certificate = options->certificate,
		.key = options->key,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.timeout_ms = options->timeout_ms,
		.response_bytes_max = RESPONSE_BYTES_MAX,
		.stop = options->stop};

	return http_open(&http_options, http, fault);
}

enum rc
hub_open(const struct hub_options *options, struct hub **result,
	struct fault *fault)
{
	struct hub *hub = calloc(1, sizeof(*hub));
	enum rc rc;

	if (hub == NULL)
		abort();
	hub->options = *options;
	while (options->urls[hub->url_count] != NULL)
		hub->url_count++;
	buf_init(&hub->reply.body, 0);
	buf_init(&hub->body, 0);
	rc = open_http(options, &hub->http, fault);
	if (rc != RC_OK) {
		hub_close(hub);
		return rc;
	}
	*result = hub;
	return RC_OK;
}

static void
forget_token(struct hub *hub)
{
	free(hub->token);
	hub->token = NULL;
}

struct http *
hub_http(struct hub *hub)
{
	return hub->http;
}

enum rc
hub_use(struct hub *hub, const char *certificate, const char *key,
	struct fault *fault)
{
	struct hub_options options = hub->options;
	struct http *http = NULL;
	enum rc rc;

	options.certificate = certificate;
	options.key = key;
	rc = open_http(&options, &http, fault);
	if (rc != RC_OK)
		return rc;
	http_close(hub->http);
	hub->http = http;
	hub->options = options;
	forget_token(hub); /* it is bound to the other certificate */
	return RC_OK;
}

void
hub_close(struct hub *hub)
{
	if (hub == NULL)
		return;
	forget_token(hub);
	http_close(hub->http);
	buf_free(&hub->reply.body);
	buf_free(&hub->body);
	free(hub);
}

const char *
hub_url(const struct hub *hub)
{
	return hub->options.urls[hub->url];
}

size_t
hub_url_count(const struct hub *hub)
{
	return hub->url_count;
}

void
hub_turn(struct hub *hub)
{
	if (hub->url_count == 1)
		return;
	hub->url = (hub->url + 1) % hub->url_count;
	forget_token(hub); /* the other one may not know it */
}

void
hub_recover(struct hub *hub, enum rc rc)
{
	struct fault fault;

	if ((rc == RC_DENIED || rc == RC_UPSTREAM) &&
		hub_use(hub, hub->options.certificate, hub->options.key,
			&fault) != RC_OK)
		log_warn(NULL, "%s", fault.text);
	hub_turn(hub);
}

/* --- answers ------------------------------------------------------------- */

/* NULL when the answer is not a JSON object. Put by the caller. */
static struct json_object *
parse_reply(const struct hub *hub)
{
	const struct buf *body = &hub->reply.body;
	struct json_tokener *tokener;
	struct json_object *object;

	if (body->length == 0 || body->length > INT32_MAX)
		return NULL;
	tokener = json_tokener_new();
	object = json_tokener_parse_ex(tokener, body->data, (int)body->length);
	json_tokener_free(tokener);
	if (object == NULL || json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

static const char *
text_member(struct json_object *object, const char *name)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, json_type_string))
		return "";
	return json_object_get_string(member);
}

static bool
int_member(struct json_object *object, const char *name, int64_t *number)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, json_type_int))
		return false;
	*number = json_object_get_int64(member);
	return true;
}

/*
 * Only a hub that named an error code has looked at the request: an error
 * page of something in between is never a reason to give a frame up.
 */
static enum rc
rate_status(int status, const char *code)
{
	if (status == 401 || status == 403 ||
		strstr(code, "Certificate") != NULL)
		return RC_DENIED;
	if (code[0] == '\0')
		return RC_UNAVAILABLE;
	switch (status) {
	case 400:
		return RC_BAD_INPUT;
	case 409:
		return RC_CONFLICT;
	case 413:
		return RC_TOO_LARGE;
	case 415:
		return RC_UNSUPPORTED;
	case 422:
		return RC_UNPROCESSABLE;
	default:
		return RC_UNAVAILABLE;
	}
}

static enum rc
explain_status(const struct hub *hub, const char *what, struct fault *fault)
{
	struct json_object *object = parse_reply(hub);
	const char *code =
		object != NULL ? text_member(object, "errorCode") : "";
	const char *message =
		object != NULL ? text_member(object, "errorMessage") : "";
	enum rc rc = rate_status(hub->reply.status, code);

	fault_set(fault, rc, "%s %s: status %d %s %s", hub_url(hub), what,
		hub->reply.status, code, message);
	snprintf(fault->code, sizeof(fault->code), "%s", code);
	json_object_put(object);
	return rc;
}

/* --- requests ------------------------------------------------------------ */

static enum rc
keep_token(struct hub *hub, struct fault *fault)
{
	struct json_object *object = parse_reply(hub);
	const char *token;
	int64_t life_s;
	enum rc rc = RC_OK;

	if (object == NULL)
		return fault_set(fault, RC_UNAVAILABLE,
			"%s: the token answer is not JSON", hub_url(hub));
	token = text_member(object, "access_token");
	if (token[0] == '\0' || !int_member(object, "expires_in", &life_s) ||
		life_s < 0 || life_s > INT32_MAX) {
		rc = fault_set(fault, RC_UNAVAILABLE,
			"%s: the token answer holds no token", hub_url(hub));
	} else {
		forget_token(hub);
		hub->token = strdup(token);
		hub->token_until_us =
			clock_steady_us() + life_s * CLOCK_SECOND_US -
			(life_s > 120 ? TOKEN_SPARE_US
				      : life_s * CLOCK_SECOND_US / 4);
	}
	json_object_put(object);
	return rc;
}

static enum rc
fetch_token(struct hub *hub, struct fault *fault)
{
	struct arena *arena = arena_new();
	char *secret;
	enum rc rc =
		secret_read(arena, hub->options.client_secret, &secret, fault);

	if (rc == RC_OK) {
		struct http_call call = {.method = "POST",
			.url = arena_printf(
				arena, "%s/connect/token", hub_url(hub)),
			.user = hub->options.client_id,
			.password = secret,
			.content_type = "application/x-www-form-urlencoded",
			.body = TOKEN_FORM,
			.body_bytes = strlen(TOKEN_FORM)};

		rc = http_send(hub->http, &call, &hub->reply, fault);
	}
	arena_free(arena);
	if (rc != RC_OK)
		return rc;
	if (hub->reply.status == 400) /* OAuth's invalid_client and friends */
		return fault_set(fault, RC_DENIED,
			"%s /connect/token: refused: %.120s", hub_url(hub),
			hub->reply.body.data);
	if (hub->reply.status != 200)
		return explain_status(hub, "/connect/token", fault);
	return keep_token(hub, fault);
}

static enum rc
call_once(struct hub *hub, struct http_call *call, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (hub->token == NULL || clock_steady_us() >= hub->token_until_us)
		rc = fetch_token(hub, fault);
	if (rc != RC_OK)
		return rc;
	call->bearer = hub->token;
	call->place = hub->options.place;
	return http_send(hub->http, call, &hub->reply, fault);
}

/* One request; a 401 is tried again with a fresh token. */
static enum rc
call_hub(struct hub *hub, const char *method, const char *path,
	const char *content_type, const struct buf *body, struct fault *fault)
{
	char url[512];
	struct http_call call = {
		.method = method, .url = url, .content_type = content_type};
	enum rc rc;

	snprintf(url, sizeof(url), "%s%s", hub_url(hub), path);
	if (body != NULL) {
		call.body = body->data;
		call.body_bytes = body->length;
	}
	rc = call_once(hub, &call, fault);
	if (rc == RC_OK && hub->reply.status == 401) {
		forget_token(hub);
		rc = call_once(hub, &call, fault);
	}
	if (rc != RC_OK)
		return rc;
	if (hub->reply.status != 200)
		return explain_status(hub, path, fault);
	return RC_OK;
}

enum rc
hub_put(struct hub *hub, const char *path, const struct buf *body,
	const struct buf **answer, struct fault *fault)
{
	*answer = &hub->reply.body;
	return call_hub(hub, "PUT", path, "application/json", body, fault);
}

enum rc
hub_get(struct hub *hub, const char *path, const struct buf **answer,
	struct fault *fault)
{
	*answer = &hub->reply.body;
	return call_hub(hub, "GET", path, NULL, NULL, fault);
}

static enum rc
not_understood(const struct hub *hub, const char *path, struct fault *fault)
{
	return fault_set(fault, RC_UNAVAILABLE,
		"%s %s: the answer is not understood", hub_url(hub), path);
}

enum rc
hub_position(struct hub *hub, int64_t *sequence, uint64_t *spool,
	struct fault *fault)
{
	static const char path[] = "/hub/v1/position";
	struct json_object *object;
	enum rc rc = call_hub(hub, "GET", path, NULL, NULL, fault);

	if (rc != RC_OK)
		return rc;
	object = parse_reply(hub);
	if (object == NULL || !int_member(object, "sequence", sequence) ||
		*sequence < 0)
		rc = not_understood(hub, path, fault);
	else
		*spool = strtoull(text_member(object, "spool"), NULL, 16);
	json_object_put(object);
	return rc;
}

static void
write_input(struct jsonw *json, const struct input *input)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "name", input->name);
	jsonw_str(json, "type", input_type(input));
	jsonw_str(json, "unit", input->unit);
	jsonw_int(json, "decimals", input->decimals);
	if (!isnan(input->minimum))
		jsonw_num(json, "minimum", input->minimum);
	if (!isnan(input->maximum))
		jsonw_num(json, "maximum", input->maximum);
	jsonw_bool(json, "stepped", input->stepped);
	jsonw_str(json, "access", input->access);
	jsonw_str(json, "description", input->description);
	jsonw_close_obj(json);
}

static void
write_declaration(
	const struct hub *hub, const struct input_list *list, struct buf *body)
{
	struct jsonw json;
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, hub->options.datasource);
	buf_clear(body);
	jsonw_init(&json, body);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "datasource", uuid);
	jsonw_open_arr(&json, "variables");
	for (size_t i = 0; i < list->count; i++)
		write_input(&json, &list->items[i]);
	jsonw_close_arr(&json);
	jsonw_close_obj(&json);
}

/* The answer may list the variables in any order. */
static bool
take_id(struct json_object *item, struct input *const *sorted, size_t count)
{
	struct input *input;
	int64_t id;

	if (!json_object_is_type(item, json_type_object) ||
		!int_member(item, "id", &id) || id <= 0 || id > INT32_MAX)
		return false;
	input = input_find(sorted, count, text_member(item, "name"));
	if (input == NULL)
		return false;
	input->id = (int32_t)id;
	return true;
}

static bool
take_ids(struct json_object *object, struct input_list *list)
{
	struct json_object *variables;
	struct input **sorted;
	size_t taken = 0;

	if (object == NULL ||
		!json_object_object_get_ex(object, "variables", &variables) ||
		!json_object_is_type(variables, json_type_array) ||
		json_object_array_length(variables) != list->count)
		return false;
	sorted = input_list_sort(list);
	while (taken < list->count &&
		take_id(json_object_array_get_idx(variables, taken), sorted,
			list->count))
		taken++;
	free(sorted);
	return taken == list->count;
}

enum rc
hub_declare(struct hub *hub, struct input_list *list, struct fault *fault)
{
	struct json_object *object;
	enum rc rc;

	write_declaration(hub, list, &hub->body);
	rc = call_hub(hub, "PUT", "/hub/v1/variables", "application/json",
		&hub->body, fault);
	buf_free(&hub->body); /* large, and not needed again soon */
	if (rc != RC_OK)
		return rc;
	object = parse_reply(hub);
	buf_free(&hub->reply.body);
	if (!take_ids(object, list))
		rc = not_understood(hub, "/hub/v1/variables", fault);
	json_object_put(object);
	return rc;
}

enum rc
hub_frames(struct hub *hub, const struct buf *frames, int64_t *sequence,
	struct fault *fault)
{
	static const char path[] = "/hub/v1/frames";
	struct json_object *object;
	enum rc rc =
		call_hub(hub, "POST", path, FRAME_MEDIA_TYPE, frames, fault);

	if (rc != RC_OK)
		return rc;
	object = parse_reply(hub);
	if (object == NULL || !int_member(object, "sequence", sequence))
		rc = not_understood(hub, path, fault);
	json_object_put(object);
	return rc;
}

enum rc
hub_post(struct hub *hub, const char *path, const struct buf *body,
	const struct buf **answer, struct fault *fault)
{
	*answer = &hub->reply.body;
	return call_hub(hub, "POST", path, "application/json", body, fault);
}

enum rc
hub_patch(struct hub *hub, const char *path, const struct buf *body,
	const struct buf **answer, struct fault *fault)
{
	*answer = &hub->reply.body;
	return call_hub(hub, "PATCH", path, "application/json", body, fault);
}

static enum rc
follow_once(struct hub *hub, const char *url, const struct http_stream *stream,
	struct fault *fault)
{
	struct http_call call = {.method = "GET", .url = url};
	enum rc rc = RC_OK;

	if (hub->token == NULL || clock_steady_us() >= hub->token_until_us)
		rc = fetch_token(hub, fault);
	if (rc != RC_OK)
		return rc;
	call.bearer = hub->token;
	call.place = hub->options.place;
	return http_follow(hub->http, &call, stream, &hub->reply, fault);
}

enum rc
hub_follow(struct hub *hub, const char *path, const struct http_stream *stream,
	struct fault *fault)
{
	char url[512];
	enum rc rc;

	snprintf(url, sizeof(url), "%s%s", hub_url(hub), path);
	rc = follow_once(hub, url, stream, fault);
	if (rc == RC_OK && hub->reply.status == 401) {
		forget_token(hub);
		rc = follow_once(hub, url, stream, fault);
	}
	if (rc == RC_OK && hub->reply.status != 200)
		return explain_status(hub, path, fault);
	return rc;
}

enum rc
hub_clock(struct hub *hub, uint8_t boot[UUID_BYTES], int64_t *steady_us,
	struct fault *fault)
{
	static const char path[] = "/hub/v1/clock";
	struct json_object *object;
	enum rc rc = call_hub(hub, "GET", path, NULL, NULL, fault);

	if (rc != RC_OK)
		return rc;
	object = parse_reply(hub);
	if (object == NULL || !int_member(object, "steady", steady_us) ||
		!uuid_parse(text_member(object, "boot"), boot))
		rc = not_understood(hub, path, fault);
	json_object_put(object);
	return rc;
}

enum rc
hub_results(struct hub *hub, const struct buf *body, struct fault *fault)
{
	return call_hub(hub, "POST", "/hub/v1/results", "application/json",
		body, fault);
}

enum rc
hub_beat(
	struct hub *hub, const struct spool_status *status, struct fault *fault)
{
	struct json_object *object;
	struct jsonw json;
	enum rc rc;

	buf_clear(&hub->body);
	jsonw_init(&json, &hub->body);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "version", FG_VERSION);
	jsonw_uint(&json, "spoolFrames", status->frames);
	jsonw_uint(&json, "spoolBytes", status->bytes);
	jsonw_time(&json, "oldest", status->oldest_us);
	jsonw_uint(&json, "lostSamples", status->lost_samples);
	jsonw_time(&json, "clock", clock_now_us());
	jsonw_close_obj(&json);
	hub->told_us = CLOCK_NEVER;
	hub->asked_us = clock_boot_us();
	rc = call_hub(hub, "POST", "/hub/v1/beat", "application/json",
		&hub->body, fault);
	object = rc == RC_OK ? parse_reply(hub) : NULL;
	if (object != NULL) {
		int_member(object, "limits", &hub->limits_version);
		if (!clock_parse(text_member(object, "time"), &hub->told_us))
			hub->told_us = CLOCK_NEVER;
	}
	json_object_put(object);
	return rc;
}

int64_t
hub_limits_version(const struct hub *hub)
{
	return hub->limits_version;
}

bool
hub_told_time(const struct hub *hub, int64_t *hub_us, int64_t *asked_us)
{
	*hub_us = hub->told_us;
	*asked_us = hub->asked_us;
	return hub->told_us != CLOCK_NEVER;
}
