/* hub_talk: what an agent tells the hub while it runs. */

#include "agents/hub_parts.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/jsonw.h"
#include "model/frame.h"

enum rc
hub_position(struct hub *hub, int64_t *sequence, uint64_t *spool,
	struct fault *fault)
{
	static const char path[] = "/hub/v1/position";
	struct json_object *object;
	enum rc rc = hub_call(hub, "GET", path, NULL, NULL, fault);

	if (rc != RC_OK)
		return rc;
	object = hub_reply(hub);
	if (object == NULL || !hub_number(object, "sequence", sequence) ||
		*sequence < 0)
		rc = hub_not_understood(hub, path, fault);
	else
		*spool = strtoull(hub_text(object, "spool"), NULL, 16);
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
		hub_call(hub, "POST", path, FRAME_MEDIA_TYPE, frames, fault);

	if (rc != RC_OK)
		return rc;
	object = hub_reply(hub);
	if (object == NULL || !hub_number(object, "sequence", sequence))
		rc = hub_not_understood(hub, path, fault);
	json_object_put(object);
	return rc;
}

enum rc
hub_clock(struct hub *hub, uint8_t boot[UUID_BYTES], int64_t *steady_us,
	struct fault *fault)
{
	static const char path[] = "/hub/v1/clock";
	struct json_object *object;
	enum rc rc = hub_call(hub, "GET", path, NULL, NULL, fault);

	if (rc != RC_OK)
		return rc;
	object = hub_reply(hub);
	if (object == NULL || !hub_number(object, "steady", steady_us) ||
		!uuid_parse(hub_text(object, "boot"), boot))
		rc = hub_not_understood(hub, path, fault);
	json_object_put(object);
	return rc;
}

enum rc
hub_results(struct hub *hub, const struct buf *body, struct fault *fault)
{
	return hub_call(hub, "POST", "/hub/v1/results", "application/json",
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
	rc = hub_call(hub, "POST", "/hub/v1/beat", "application/json",
		&hub->body, fault);
	object = rc == RC_OK ? hub_reply(hub) : NULL;
	if (object != NULL) {
		hub_number(object, "limits", &hub->limits_version);
		if (!clock_parse(hub_text(object, "time"), &hub->told_us))
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
