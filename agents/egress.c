/* egress: fieldgrid-egress, the agent that mirrors plants into another
 * network. */

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/arguments.h"
#include "agents/egress_run.h"
#include "agents/egress_writes.h"
#include "agents/enrol.h"
#include "agents/signals.h"
#include "lib/guard.h"

#define EXIT_CONFIG 78 /* sysexits: a restart would not help */

static const struct conf_entry *
conf_table(struct arena *arena)
{
	(void)arena;
	return egress_conf_entries;
}

static const struct arguments_kind kind = {
	.program = "fieldgrid-egress",
	.usage = "usage: fieldgrid-egress [--config FILE] [--check-config]\n"
		 "                        [--help] [--version]\n"
		 "       fieldgrid-egress enrol https://HOST --token TOKEN\n"
		 "\n"
		 "Mirrors values, alarms and events of plants into another "
		 "network.\n"
		 "  --config FILE    default " FG_CONF_DIR "/egress.conf\n"
		 "  --check-config   check configuration and mirror, then end\n"
		 "  enrol            make this machine a node; enrol --help\n",
	.table = conf_table,
};

/* --- signals ------------------------------------------------------------- */

static void *
run_thread(void *egress)
{
	egress_run(egress);
	return NULL;
}

/* SIGUSR1 asks how it is going. Returns when it is time to end. */
static void
serve_signals(const struct egress *egress, const sigset_t *signals)
{
	int number;

	while (sigwait(signals, &number) == 0 && number == SIGUSR1)
		log_info(NULL, "values mirrored %" PRIu64, egress->values);
}

static enum rc
serve(struct egress *egress, atomic_bool *stop, struct fault *fault)
{
	struct hub_options options =
		node_conf_hub(&egress->conf->node, NULL, stop);
	pthread_t thread;
	sigset_t signals;
	enum rc rc;

	signals_block(&signals);
	rc = egress_news_open(&options, &egress->news, fault);
	if (rc != RC_OK)
		return rc;
	if (pthread_create(&thread, NULL, run_thread, egress) != 0)
		abort();
	serve_signals(egress, &signals);
	atomic_store(stop, true);
	egress_news_end(egress->news);
	pthread_join(thread, NULL);
	egress_news_close(egress->news);
	log_info(NULL, "ends, %" PRIu64 " values mirrored", egress->values);
	return RC_OK;
}

/* --- opening ------------------------------------------------------------- */

static enum rc
open_hub(struct egress *egress, struct fault *fault)
{
	struct hub_options options =
		node_conf_hub(&egress->conf->node, NULL, egress->stop);

	return hub_open(&options, &egress->feed.hub, fault);
}

static enum rc
open_outlet(struct egress *egress, struct fault *fault)
{
	const struct egress_position *position = &egress->position;

	return egress->conf->outlet->open(egress->conf,
		position->stored ? position->outlet : NULL, egress->writes,
		&egress->outlet, fault);
}

static enum rc
open_writes(struct egress *egress, struct fault *fault)
{
	struct hub_options options =
		node_conf_hub(&egress->conf->node, NULL, egress->stop);
	const struct outlet *outlet = egress->conf->outlet;

	if (!egress->conf->writes)
		return RC_OK;
	if (!outlet->can_write)
		return fault_set(fault, RC_BAD_INPUT,
			"[egress] writes = yes: nothing can be written at the "
			"outlet %s",
			outlet->name);
	return egress_writes_open(
		&options, egress->feed.mirror, &egress->writes, fault);
}

static enum rc
check(struct egress *egress, struct fault *fault)
{
	enum rc rc = open_hub(egress, fault);

	if (rc == RC_OK)
		printf("%zu rows of %s, outlet %s, hub %s: good\n",
			egress->feed.mirror->count, egress->conf->mirror,
			egress->conf->outlet->name, egress->conf->node.urls[0]);
	return rc;
}

static enum rc
run(struct egress *egress, struct arena *arena, atomic_bool *stop,
	struct fault *fault)
{
	const struct egress_conf *conf = egress->conf;
	enum rc rc = egress_position_lock(conf->state_folder, fault);

	if (rc == RC_OK)
		rc = egress_position_load(
			&egress->position, conf->state_folder, fault);
	if (rc == RC_OK)
		rc = renewal_open(&egress->renewal, arena, conf->node.ca,
			conf->node.certificate, conf->node.key, fault);
	if (rc == RC_OK)
		rc = open_hub(egress, fault);
	if (rc == RC_OK)
		rc = open_writes(egress, fault);
	if (rc == RC_OK)
		rc = open_outlet(egress, fault);
	if (rc == RC_OK)
		log_info(NULL, "outlet %s", conf->outlet->name);
	if (rc == RC_OK)
		rc = serve(egress, stop, fault);
	/* Neither of the two may find the other gone. */
	egress_writes_end(egress->writes);
	if (egress->outlet != NULL)
		conf->outlet->close(egress->outlet);
	egress_writes_close(egress->writes);
	return rc;
}

static void
close_egress(struct egress *egress)
{
	hub_close(egress->feed.hub);
	mirror_close(egress->feed.mirror);
	buf_free(&egress->feed.body);
	egress_position_free(&egress->position);
	arena_free(egress->scratch);
}

int
main(int argc, char **argv)
{
	static atomic_bool stop;
	struct arguments arguments = {.config = FG_CONF_DIR "/egress.conf"};
	struct egress egress = {.stop = &stop};
	struct arena *arena = arena_new();
	struct egress_conf *conf;
	struct fault fault = {0};
	enum rc rc;

	guard_process();
	if (argc > 1 && strcmp(argv[1], "enrol") == 0)
		return enrol_main(&enrol_egress, argc - 1, argv + 1);
	mallopt(M_ARENA_MAX, 1);
	log_open(kind.program, LOG_INFO);
	arguments_parse(argc, argv, &kind, &arguments);
	egress.scratch = arena_new();
	egress_position_init(&egress.position);
	buf_init(&egress.feed.body, 0);
	rc = egress_conf_load(arena, arguments.config, &conf, &fault);
	if (rc == RC_OK) {
		log_open(kind.program, conf->node.level);
		egress.conf = conf;
		rc = mirror_open(conf->mirror, &egress.feed.mirror, &fault);
	}
	if (rc == RC_OK)
		rc = arguments.check ? check(&egress, &fault)
				     : run(&egress, arena, &stop, &fault);
	if (rc != RC_OK)
		log_error(NULL, "%s", fault.text);
	close_egress(&egress);
	arena_free(arena);
	if (rc == RC_BAD_INPUT)
		return EXIT_CONFIG;
	return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
