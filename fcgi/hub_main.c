/* hub_main: fieldgrid-hub, the Data Hub. */

#include <fcgiapp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fcgi/hub.h"
#include "fcgi/hub_clock.h"
#include "fcgi/hub_command.h"
#include "fcgi/hub_counters.h"
#include "fcgi/hub_evaluate.h"
#include "fcgi/hub_feed_news.h"
#include "fcgi/hub_live.h"
#include "fcgi/hub_news.h"
#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_nodes.h"
#include "fcgi/hub_order.h"
#include "fcgi/hub_peers.h"
#include "fcgi/hub_relay.h"
#include "fcgi/hub_watch.h"
#include "fcgi/service.h"
#include "lib/log.h"
#include "model/alarm.h"
#include "model/alarm_evaluation.h"
#include "model/alarm_limit_find.h"
#include "model/alarm_limit_store.h"
#include "model/audit.h"
#include "model/checkpoint.h"
#include "model/datasource.h"
#include "model/event.h"
#include "model/event_follow.h"
#include "model/feed.h"
#include "model/feed_era.h"
#include "model/frame_store.h"
#include "model/history.h"
#include "model/node.h"
#include "model/node_link.h"
#include "model/policy_cache.h"
#include "model/presence.h"
#include "model/selection.h"

#define THREADS_MAX 64
#define KIB         ((size_t)1024)
#define MIB         (KIB * 1024)
/* How long the accept threads may take for their last requests. */
#define STOP_ROUNDS  400
#define STOP_WAIT_NS 25000000L

static const struct route routes[] = {
	{METHOD_GET, "/hub/v1/position", hub_position_get, NEED_NODE, 0,
		"highest committed frame of the node"},
	{METHOD_PUT, "/hub/v1/variables", hub_variables_put, NEED_NODE, 4 * MIB,
		"declare the variables of a datasource"},
	{METHOD_PUT, "/hub/v1/limits", hub_limits_put, NEED_NODE, 16 * MIB,
		"declare the limits that a node evaluates"},
	{METHOD_GET, "/hub/v1/limits", hub_limits_get, NEED_NODE, 0,
		"limits engineered here that a node evaluates"},
	{METHOD_POST, "/hub/v1/frames", hub_frames_post, NEED_NODE, 8 * MIB,
		"store frames, durable when answered"},
	{METHOD_POST, "/hub/v1/beat", hub_beat_post, NEED_NODE, 16 * KIB,
		"how the node is"},
	{METHOD_GET, "/hub/v1/clock", hub_clock_get, NEED_NODE, 0,
		"the hub's steady clock"},
	{METHOD_POST, "/hub/v1/results", hub_results_post, NEED_NODE, 512 * KIB,
		"results of commands"},
	{METHOD_PATCH, "/hub/v1/datasources/{ds}/variables/{name...}",
		hub_command_patch, NEED_NODE, 16 * KIB,
		"write a variable, as a node"},
	{METHOD_GET, "/live/node", hub_node_stream_get, NEED_NODE, 0,
		"the node's own stream: commands and news for it"},
	{METHOD_POST, "/hub/v1/feed/frames", hub_feed_frames_post, NEED_NODE,
		256 * KIB, "the next frames for an egress node"},
	{METHOD_POST, "/hub/v1/feed/variables", hub_feed_variables_post,
		NEED_NODE, 64 * KIB, "what an egress node may read"},
	{METHOD_POST, "/hub/v1/feed/alarms", hub_feed_alarms_post, NEED_NODE,
		64 * KIB, "alarms that have changed"},
	{METHOD_POST, "/hub/v1/feed/events", hub_feed_events_post, NEED_NODE,
		64 * KIB, "the next events"},
	{METHOD_POST, "/hub/v1/feed/values", hub_feed_values_post, NEED_NODE,
		64 * KIB, "the value that each variable has now, as frames"},
	{METHOD_POST, "/hub/v1/feed/history", hub_feed_history_post, NEED_NODE,
		64 * KIB, "samples of a stretch of time, as frames"},
	{METHOD_POST, "/api/v1/datasources/{ds}/variables/query",
		hub_values_query, NEED_API, 256 * KIB,
		"current values of many variables"},
	{METHOD_GET, "/api/v1/datasources/{ds}/variables/{name...}",
		hub_value_get, NEED_API, 0, "current value of one variable"},
	{METHOD_PATCH, "/api/v1/datasources/{ds}/variables/{name...}",
		hub_command_patch, NEED_API, 16 * KIB, "write a variable"},
	{METHOD_PATCH, "/api/v1/datasources/{ds}/variables", hub_commands_patch,
		NEED_API, 256 * KIB, "write many variables"},
	{METHOD_POST, "/api/v1/datasources/{ds}/selections", hub_selection_post,
		NEED_API, 16 * KIB, "select a variable before it is written"},
	{METHOD_PATCH, "/api/v1/datasources/{ds}/selections",
		hub_selection_patch, NEED_API, 16 * KIB,
		"demand that a variable is selected first"},
	{METHOD_DELETE, "/api/v1/datasources/{ds}/selections/{id}",
		hub_selection_delete, NEED_API, 0, "give a selection up"},
	{METHOD_POST, "/api/v1/live", hub_live_post, NEED_API, 256 * KIB,
		"register a live stream"},
	ROUTES_END,
};

static const struct stmt *const stmts[] = {
	alarm_apply_stmts,
	alarm_evaluation_stmts,
	alarm_limit_find_stmts,
	alarm_limit_store_stmts,
	alarm_stmts,
	audit_stmts,
	caller_stmts,
	checkpoint_stmts,
	command_stmts,
	datasource_stmts,
	event_write_stmts,
	event_follow_stmts,
	feed_dropped_stmts,
	feed_era_stmts,
	feed_senders_stmts,
	feed_stmts,
	frame_store_stmts,
	history_stmts,
	node_link_stmts,
	node_stmts,
	policy_stmts,
	presence_stmts,
	selection_stmts,
	variable_stmts,
	NULL,
};

#define HUB(member) offsetof(struct hub_conf, member)

const struct conf_entry hub_conf_entries[] = {
	LOG_CONF_ENTRY(struct hub_conf, log_level),
	DB_CONF_ENTRIES(struct hub_conf, database, "fieldgrid_hub"),
	{"identity", "issuer", CONF_TEXT, HUB(issuer), NULL, 0, 0,
		"issuer of the tokens, as in its discovery document"},
	{"hub", "name", CONF_TEXT, HUB(name), "hub", 0, 0,
		"name of this hub, for its checkpoint"},
	{"hub", "threads", CONF_INT, HUB(threads), "4", 1, THREADS_MAX,
		"requests that are worked on at the same time"},
	{"hub", "live_socket", CONF_PATH, HUB(live_socket),
		"/run/fieldgrid/live.sock", 0, 0,
		"unix socket of the live streams, for nginx"},
	{"hub", "checkpoint_s", CONF_INT, HUB(checkpoint_s), "10", 1, 3600,
		"write the process image to the database every s"},
	{"hub", "away_s", CONF_INT, HUB(away_s), "15", 1, 3600,
		"a node without a stream for so long is told as disconnected"},
	CONF_END,
};

enum rc
hub_ready(struct req *req, struct hub **hub)
{
	*hub = (struct hub *)(uintptr_t)req->app;
	if (atomic_load(&(*hub)->ready))
		return RC_OK;
	return fault_tell(&req->fault, RC_UNAVAILABLE, "Unavailable", NULL,
		"The hub is starting; try again in a moment.");
}

enum rc
hub_ready_for(struct req *req, struct hub **hub, const struct policy **policy)
{
	enum rc rc = hub_ready(req, hub);

	return rc == RC_OK ? policy_of(req, policy) : rc;
}

static void
note_fault(const struct req *req, const struct fault *fault)
{
	const struct hub *hub = req->app;

	if (strncmp(req->path, "/hub/", 5) == 0)
		hub_counters_fault(hub->counters, fault);
}

/* A thousand streams are a thousand descriptors. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warn(NULL, "cannot raise the limit of open files");
}

/* --- threads ------------------------------------------------------------ */

struct acceptor {
	pthread_t thread;
	const struct service *service;
	atomic_bool done;
};

static void *
accept_main(void *context)
{
	struct acceptor *acceptor = context;
	sigset_t interrupt;

	/* The only signal it takes: it ends a waiting accept. */
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
	service_loop(acceptor->service);
	atomic_store(&acceptor->done, true);
	return NULL;
}

static void *
live_main(void *context)
{
	hub_live_run(context);
	return NULL;
}

static void *
evaluate_main(void *context)
{
	hub_evaluate_run(context);
	return NULL;
}

static void *
watch_main(void *context)
{
	hub_watch_run(context);
	return NULL;
}

static void *
command_main(void *context)
{
	hub_command_run(context);
	return NULL;
}

static void *
peers_main(void *context)
{
	hub_peers_run(context);
	return NULL;
}

static void *
news_main(void *context)
{
	hub_news_run(context);
	return NULL;
}

static pthread_t
start(void *(*function)(void *), void *context)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, function, context) != 0) {
		log_error(NULL, "cannot start a thread");
		exit(EXIT_FAILURE);
	}
	return thread;
}

/* A signal may come just before the thread waits, so it comes again. */
static void
stop_acceptors(struct acceptor *acceptors, size_t count)
{
	const struct timespec moment = {0, STOP_WAIT_NS};

	service_stop();
	for (size_t i = 0; i < count; i++) {
		for (int k = 0; k < STOP_ROUNDS; k++) {
			if (atomic_load(&acceptors[i].done))
				break;
			pthread_kill(acceptors[i].thread, SIGUSR2);
			nanosleep(&moment, NULL);
		}
		if (atomic_load(&acceptors[i].done))
			pthread_join(acceptors[i].thread, NULL);
	}
}

/* --- signals ------------------------------------------------------------ */

static void
do_nothing(int signal_number)
{
	(void)signal_number;
}

/* Blocked in every thread; the main one waits for them. */
static sigset_t
set_signals(void)
{
	struct sigaction interrupt = {.sa_handler = do_nothing};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT); /* multiwatch 1.0.0 means TERM by it */
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGUSR2, &interrupt, NULL); /* no SA_RESTART */
	signal(SIGPIPE, SIG_IGN);
	sigdelset(&set, SIGUSR2);
	return set;
}

static void
wait_for_end(const sigset_t *set, const struct hub *hub)
{
	int number = 0;

	while (sigwait(set, &number) == 0 && number == SIGUSR1)
		hub_counters_log(hub->counters);
}

/* --- main --------------------------------------------------------------- */

static int
serve(struct hub *hub, struct hub_live *live)
{
	static struct acceptor acceptors[THREADS_MAX];
	const struct service service = {
		.name = "fieldgrid-hub",
		.routes = routes,
		.stmts = stmts,
		.app = hub,
		.database = &hub->conf.database,
		.issuer = hub->conf.issuer,
		.note_fault = note_fault,
		.policies = hub->policies,
	};
	struct hub_watch watch = {hub, live};
	size_t count = (size_t)hub->conf.threads;
	sigset_t signals = set_signals();
	pthread_t watcher;
	pthread_t streams;
	pthread_t evaluator;
	pthread_t commands;
	pthread_t peers;
	pthread_t news;

	FCGX_Init();
	hub->news = hub_news_new(hub, live);
	watcher = start(watch_main, &watch);
	evaluator = start(evaluate_main, hub);
	streams = start(live_main, live);
	commands = start(command_main, hub);
	peers = start(peers_main, hub->peers);
	news = start(news_main, hub->news);
	for (size_t i = 0; i < count; i++) {
		acceptors[i].service = &service;
		acceptors[i].thread = start(accept_main, &acceptors[i]);
	}
	wait_for_end(&signals, hub);
	stop_acceptors(acceptors, count);
	hub_news_stop(hub->news);
	pthread_join(news, NULL);
	hub_live_stop(live);
	pthread_join(streams, NULL);
	atomic_store(&hub->stopping, true);
	hub_orders_stir(hub);
	pthread_join(commands, NULL);
	pthread_join(peers, NULL);
	pthread_join(watcher, NULL);
	pthread_join(evaluator, NULL);
	hub_counters_log(hub->counters);
	return EXIT_SUCCESS;
}

static void
close_hub(struct hub *hub, struct hub_live *live)
{
	hub_news_free(hub->news);
	hub_live_free(live);
	live_free(hub->live);
	hub_node_streams_free(hub->node_streams);
	hub_feed_news_free(hub->feed_news);
	hub_orders_free(hub->orders);
	hub_relay_free(hub->relay);
	hub_peers_free(hub->peers);
	hub_nodes_free(hub->nodes);
	policy_cache_free(hub->policies);
	hub_counters_free(hub->counters);
	image_free(hub->image);
}

int
main(int argc, char **argv)
{
	static struct hub hub;
	struct arena *arena = arena_new();
	struct service_start begun = service_begin(argc, argv, "fieldgrid-hub",
		hub_conf_entries, routes, arena, &hub.conf);
	struct hub_live *live = NULL;
	struct fault fault;
	int exit_code = EXIT_FAILURE;

	if (begun.next == SERVICE_EXIT) {
		arena_free(arena);
		return begun.exit_code;
	}
	raise_descriptors();
	hub.stmts = stmts;
	hub.image = image_new();
	hub.nodes = hub_nodes_new();
	hub.node_streams = hub_node_streams_new();
	hub.feed_news = hub_feed_news_new();
	hub.orders = hub_orders_new();
	hub.relay = hub_relay_new();
	hub.peers = hub_peers_new(&hub);
	hub.policies = policy_cache_new();
	hub.counters = hub_counters_new();
	if (hub_live_open(&hub, &live, &fault) == RC_OK)
		exit_code = serve(&hub, live);
	else
		log_error(NULL, "%s", fault.text);
	close_hub(&hub, live);
	arena_free(arena);
	return exit_code;
}
