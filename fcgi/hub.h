/*
 * hub: what the threads of fieldgrid-hub share.
 *
 * Accept threads answer requests (service_loop), the live thread holds the
 * streams (hub_live), the watch thread follows the database (hub_watch).
 */
#ifndef FG_FCGI_HUB_H
#define FG_FCGI_HUB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/db.h"
#include "lib/req.h"
#include "lib/route.h"
#include "model/image.h"
#include "model/live.h"

struct hub_conf {
	const char *log_level;
	struct db_conf database;
	const char *issuer;
	const char *name; /* of this hub, for its checkpoint */
	int64_t threads;
	const char *live_socket;
	int64_t checkpoint_s;
	int64_t away_s;
};

extern const struct conf_entry hub_conf_entries[];

struct hub_nodes;
struct policy_cache;
struct hub_counters;
struct hub_feed_news;
struct hub_held;
struct hub_news;
struct hub_node_streams;
struct hub_orders;
struct hub_peers;
struct hub_relay;
struct image_datasource;
struct policy;

struct hub {
	struct hub_conf conf;
	const struct stmt *const *stmts;
	struct image *image;
	struct live *live;
	struct hub_news *news;
	struct hub_feed_news *feed_news;
	struct hub_nodes *nodes;
	struct policy_cache *policies;
	struct hub_counters *counters;
	struct hub_held *held;
	struct hub_node_streams *node_streams;
	struct hub_orders *orders;
	struct hub_peers *peers;
	struct hub_relay *relay;
	atomic_bool ready; /* the image has been rebuilt */
	/* steady; the last catalog that a node's frame made us read */
	_Atomic int64_t catalog_us;
	_Atomic int64_t limits_version; /* another one: fetch the limits */
	_Atomic int64_t era;            /* model/feed_era.h; 0 = not yet */
	atomic_bool stopping;
};

/* Fails: RC_UNAVAILABLE until the image has been rebuilt. */
MUST_CHECK enum rc hub_ready(struct req *req, struct hub **hub);

/* And what the caller may. Fails: as policy_of, too. */
MUST_CHECK enum rc hub_ready_for(
	struct req *req, struct hub **hub, const struct policy **policy);

/*
 * The datasource of the path, when the caller may know of it. Needs: the
 * image's lock. Fails: RC_NOT_FOUND: what may not be seen is not there.
 */
MUST_CHECK enum rc hub_values_datasource(struct hub *hub, struct req *req,
	const struct policy *policy,
	const struct image_datasource **datasource);

/* The handlers, in the order of the route table. */
handler_fn hub_position_get;
handler_fn hub_variables_put;
handler_fn hub_frames_post;
handler_fn hub_beat_post;
handler_fn hub_limits_put;
handler_fn hub_limits_get;
handler_fn hub_values_query;
handler_fn hub_value_get;
handler_fn hub_live_post;
handler_fn hub_node_stream_get;
handler_fn hub_feed_frames_post;
handler_fn hub_feed_variables_post;
handler_fn hub_feed_history_post;
handler_fn hub_feed_values_post;
handler_fn hub_feed_alarms_post;
handler_fn hub_feed_events_post;

#endif
