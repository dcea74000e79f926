/* limits_sync: an agent's limits and the hub's, brought together. */

#include "agents/limits_sync.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log.h"

#define PATH_BYTES     1024
#define FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define LIMITS_PATH    "/hub/v1/limits"

static void
make_path(const struct agent *agent, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/limits", agent->spool_folder);
}

static enum rc
take(struct agent *agent, const char *text, size_t length, struct fault *fault)
{
	size_t left_out = 0;
	size_t count;
	enum rc rc;

	pthread_mutex_lock(&agent->lock);
	rc = limits_take(
		&agent->limits, &agent->list, text, length, &left_out, fault);
	count = agent->limits.hub.count;
	pthread_mutex_unlock(&agent->lock);
	if (rc == RC_OK && count + left_out > 0)
		log_info(NULL, "%zu limits of the hub, %zu not for this agent",
			count, left_out);
	return rc;
}

void
limits_sync_load(struct agent *agent)
{
	struct arena *arena = arena_new();
	struct fault fault;
	char path[PATH_BYTES];
	size_t length;
	char *text;

	make_path(agent, path);
	if (access(path, F_OK) == 0 &&
		(file_read(arena, path, FILE_BYTES_MAX, &text, &length,
			 &fault) != RC_OK ||
			take(agent, text, length, &fault) != RC_OK))
		log_warn(NULL, "%s: %s", path, fault.text);
	arena_free(arena);
}

/* --- own ones ------------------------------------------------------------- */

static void
write_declaration(const struct agent *agent, struct buf *body)
{
	const struct alarm_limit_list *own = &agent->limits.own;
	struct jsonw json;
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, agent->datasource);
	jsonw_init(&json, body);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "datasource", uuid);
	jsonw_open_arr(&json, "variables");
	for (size_t i = 0; i < agent->list.count; i++)
		jsonw_str(&json, NULL, agent->list.items[i].name);
	jsonw_close_arr(&json);
	jsonw_open_arr(&json, "limits");
	for (size_t i = 0; i < own->count; i++) {
		jsonw_open_obj(&json, NULL);
		alarm_limit_write(&json, &own->items[i]);
		jsonw_close_obj(&json);
	}
	jsonw_close_arr(&json);
	jsonw_close_obj(&json);
}

enum rc
limits_sync_declare(struct agent *agent, struct hub *hub, struct fault *fault)
{
	const struct buf *answer;
	struct buf body;
	enum rc rc;

	buf_init(&body, 0);
	write_declaration(agent, &body);
	rc = hub_put(hub, LIMITS_PATH, &body, &answer, fault);
	buf_free(&body);
	if (rc != RC_BAD_INPUT && rc != RC_CONFLICT && rc != RC_TOO_LARGE &&
		rc != RC_UNPROCESSABLE)
		return rc;
	log_warn(NULL, "the hub does not take the limits: %s", fault->text);
	notices_add(&agent->notices, "limits_refused", "%s", fault->text);
	return RC_OK;
}

/* --- the hub's ------------------------------------------------------------ */

static enum rc
keep(const struct agent *agent, const char *text, struct fault *fault)
{
	char path[PATH_BYTES];

	make_path(agent, path);
	return file_write(path, text, 0600, fault);
}

enum rc
limits_sync_fetch(struct agent *agent, struct hub *hub, struct fault *fault)
{
	const struct buf *answer;
	char path[sizeof(LIMITS_PATH) + UUID_TEXT_BYTES + 16];
	char uuid[UUID_TEXT_BYTES];
	enum rc rc;

	uuid_format(uuid, agent->datasource);
	snprintf(path, sizeof(path), LIMITS_PATH "?datasource=%s", uuid);
	rc = hub_get(hub, path, &answer, fault);
	if (rc != RC_OK)
		return rc;
	rc = take(agent, answer->data, answer->length, fault);
	if (rc != RC_OK)
		return fault_set(fault, RC_UNAVAILABLE, "%s %s: not understood",
			hub_url(hub), LIMITS_PATH);
	if (keep(agent, answer->data, fault) != RC_OK)
		log_warn(NULL, "%s", fault->text);
	return RC_OK;
}
