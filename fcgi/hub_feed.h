/*
 * hub_feed: what egress nodes read: POST /hub/v1/feed/…
 */
#ifndef FG_FCGI_HUB_FEED_H
#define FG_FCGI_HUB_FEED_H

#include "fcgi/hub.h"
#include "lib/field.h"
#include "model/policy.h"

#define HUB_FEED_DATASOURCES_MAX 64
#define HUB_FEED_PATTERNS_MAX    256

/* What a body says of one datasource. */
struct hub_feed_wish {
	int32_t datasource_id;
	const uint8_t *uuid;
	struct texts patterns; /* of variables; none = all of them */
};

/* The variables that a request is about: those that the node subscribes to,
 * wishes, and may read. */
struct hub_feed_selection {
	struct hub *hub;
	struct arena *arena;
	const struct policy *policy;
	enum policy_action action;
	struct hub_feed_wish *wishes;
	size_t count;
	uint8_t *marks; /* by variable id; what was found out so far */
	size_t marks_count;
};

struct json_object;

/*
 * Read the member "datasources" (NULL = all that the node subscribes to).
 * Fails: RC_BAD_INPUT; RC_DENIED DatasourceNotAllowed; as policy_of.
 */
MUST_CHECK enum rc hub_feed_select(struct hub *hub, struct req *req,
	struct json_object *datasources, enum policy_action action,
	struct hub_feed_selection *selection);

bool hub_feed_permits(struct hub_feed_selection *selection, int32_t id);

/*
 * Take the era off a cursor; *cut: it is of another one, from before a restore,
 * and to be cut off (model/feed_era.h). Fails: RC_BAD_INPUT CursorInvalid;
 * RC_CONFLICT FeedRestored, unless the node wants to resume.
 */
MUST_CHECK enum rc hub_feed_era(struct hub *hub, const char *text, bool resume,
	const char **cursor, int64_t *era, bool *cut, struct fault *fault);

/* A cursor to give out. */
const char *hub_feed_cursor(
	struct hub *hub, struct arena *arena, const char *cursor);

/* The ids of all of them, rising. */
const int32_t *hub_feed_ids(
	struct hub_feed_selection *selection, size_t *count);

/* The first line of a page of frames, before the frames: JSON. */
#define HUB_FEED_MEDIA_TYPE "application/vnd.fieldgrid.feed"

#endif
