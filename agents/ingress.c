/* ingress: fieldgrid-ingress, the agent that brings a plant's samples in. */

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/arguments.h"
#include "agents/commands.h"
#include "agents/enrol.h"
#include "agents/ingress_conf.h"
#include "agents/limits_sync.h"
#include "agents/node_stream.h"
#include "agents/sender.h"
#include "agents/signals.h"
#include "lib/clock.h"
#include "lib/guard.h"

#define LAST_SENDING_US  (2 * CLOCK_SECOND_US) /* after SIGTERM */
#define EXIT_CONFIG      78 /* sysexits: a restart would not help */
#define ARENA_TRIM_BYTES (128 * 1024)
#define MIB              ((uint64_t)1024 * 1024)

static const struct arguments_kind kind = {
	.program = "fieldgrid-ingress",
	.usage = "usage: fieldgrid-ingress [--config FILE] [--check-config]\n"
		 "                         [--dump SECONDS] [--help] "
		 "[--version]\n"
		 "       fieldgrid-ingress enrol https://HOST --token TOKEN\n"
		 "\n"
		 "Reads the values of a plant and sends them to the hub.\n"
		 "  --config FILE    default " FG_CONF_DIR "/ingress.conf\n"
		 "  --check-config   check configuration and variables, then "
		 "end\n"
		 "  --dump SECONDS   print samples, without spool and hub\n"
		 "  enrol            make this machine a node; enrol --help\n",
	.table = ingress_conf_table,
	.dumps = true,
};

static struct sampler_options
sampler_options(const struct ingress_conf *conf)
{
	return (struct sampler_options){
		.driver = conf->driver,
		.driver_options = conf->driver_options,
		.period_us = conf->period_ms * 1000,
		.flush_us = conf->flush_ms * 1000,
		.refresh_us = conf->refresh_s * CLOCK_SECOND_US,
		.frame_samples = (size_t)conf->frame_samples,
		.when_full = conf->when_full,
		.compress = conf->compress,
	};
}

static enum rc
open_hub(const struct ingress_conf *conf, struct agent *agent, struct hub **hub,
	struct fault *fault)
{
	struct hub_options options =
		node_conf_hub(&conf->node, conf->datasource, &agent->cut);

	options.place = agent->place;
	return hub_open(&options, hub, fault);
}

/* --- modes --------------------------------------------------------------- */

static enum rc
check(const struct ingress_conf *conf, struct agent *agent, struct fault *fault)
{
	struct sampler_options options = sampler_options(conf);
	struct sampler *sampler = NULL;
	struct hub *hub = NULL;
	enum rc rc = sampler_open(agent, &options, &sampler, fault);

	if (rc == RC_OK)
		rc = open_hub(conf, agent, &hub, fault);
	if (rc == RC_OK)
		printf("%zu variables, %zu limits, driver %s, hub %s: good\n",
			agent->list.count, agent->limits.own.count,
			conf->driver->name, conf->node.urls[0]);
	hub_close(hub);
	sampler_close(sampler);
	return rc;
}

static enum rc
dump(const struct ingress_conf *conf, struct agent *agent, int64_t seconds,
	struct fault *fault)
{
	struct sampler_options options = sampler_options(conf);
	struct sampler *sampler = NULL;
	enum rc rc = sampler_open(agent, &options, &sampler, fault);

	if (rc == RC_OK)
		rc = sampler_dump(sampler, seconds, stdout, fault);
	sampler_close(sampler);
	return rc;
}

static void *
run_sampler(void *sampler)
{
	sampler_run(sampler);
	return NULL;
}

struct sending {
	struct agent *agent;
	struct hub *hub;
	struct renewal renewal;
};

static void *
run_sender(void *context)
{
	struct sending *sending = context;

	sender_run(sending->agent, sending->hub, &sending->renewal);
	return NULL;
}

/* What the hub sends us, and what it wants done. */
struct inbound {
	struct commands *commands;
	struct node_stream *stream;
	struct node_stream_handler handlers[4];
	atomic_bool stop;
	pthread_t threads[2];
};

static void *
run_commands(void *commands)
{
	commands_run(commands);
	return NULL;
}

static void *
run_stream(void *stream)
{
	node_stream_run(stream);
	return NULL;
}

/* The answer to a beat tells whether limits are to be fetched. */
static void
beat_now(void *context, const char *text, size_t length)
{
	struct agent *agent = context;

	(void)text;
	(void)length;
	atomic_store(&agent->beat_now, true);
	spool_wake(agent->spool);
}

static enum rc
open_inbound(const struct ingress_conf *conf, struct agent *agent,
	struct sampler *sampler, struct inbound *inbound, struct fault *fault)
{
	struct hub_options options =
		node_conf_hub(&conf->node, conf->datasource, &inbound->stop);
	enum rc rc;

	options.place = agent->place;
	rc = commands_open(agent, sampler, &options, &inbound->commands, fault);

	inbound->handlers[0] = (struct node_stream_handler){
		"command", commands_take, inbound->commands};
	inbound->handlers[1] = (struct node_stream_handler){
		"time", commands_take_time, inbound->commands};
	inbound->handlers[2] =
		(struct node_stream_handler){"limits", beat_now, agent};
	if (rc == RC_OK)
		rc = node_stream_open(
			&options, inbound->handlers, &inbound->stream, fault);
	return rc;
}

static void
start_thread(pthread_t *thread, void *(*run)(void *), void *context)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 512 * 1024);
	if (pthread_create(thread, &attributes, run, context) != 0)
		abort();
	pthread_attr_destroy(&attributes);
}

/* With ids from an earlier run sampling need not wait for the hub. */
static void
start_without_hub(struct agent *agent, const struct driver *driver)
{
	size_t known = agent_load_ids(agent);

	if (spool_is_new(agent->spool) || known == 0 ||
		(driver->replays && known < agent->list.count))
		log_info(NULL, "sampling starts when the hub has been reached");
	else
		agent->ready = true;
}

/* The open frame goes to disk first, then what time allows to the hub. */
static void
end_threads(struct agent *agent, pthread_t sampler, pthread_t sender)
{
	int64_t until_us = clock_steady_us() + LAST_SENDING_US;

	agent_set(agent, &agent->stopping);
	pthread_join(sampler, NULL);
	pthread_mutex_lock(&agent->lock);
	agent->send_until_us = until_us;
	pthread_cond_broadcast(&agent->changed);
	pthread_mutex_unlock(&agent->lock);
	spool_wake(agent->spool);
	while (!agent_is(agent, &agent->sent_all) &&
		clock_steady_us() < until_us)
		agent_wait(agent, until_us - clock_steady_us());
	atomic_store(&agent->cut, true);
	pthread_join(sender, NULL);
}

/* SIGUSR1 asks how it is going. Returns when it is time to end. */
static void
serve_signals(struct agent *agent, const sigset_t *signals)
{
	struct spool_status status;
	int number;

	while (sigwait(signals, &number) == 0 && number == SIGUSR1) {
		spool_status(agent->spool, &status);
		log_info(NULL,
			"waiting frames %" PRIu64 ", spool bytes %" PRIu64
			", lost samples %" PRIu64,
			status.frames, status.bytes, status.lost_samples);
	}
}

static enum rc
run(const struct ingress_conf *conf, struct agent *agent, struct arena *arena,
	struct fault *fault)
{
	struct sampler_options options = sampler_options(conf);
	struct sampler *sampler = NULL;
	struct sending sending = {.agent = agent};
	struct inbound inbound = {.commands = NULL};
	pthread_t threads[2];
	sigset_t signals;
	enum rc rc = spool_open(conf->spool_folder,
		(uint64_t)conf->spool_limit_mib * MIB, &agent->spool, fault);

	place_of(conf->spool_folder, agent->place);
	if (rc == RC_OK)
		rc = sampler_open(agent, &options, &sampler, fault);
	if (rc == RC_OK)
		rc = renewal_open(&sending.renewal, arena, conf->node.ca,
			conf->node.certificate, conf->node.key, fault);
	if (rc == RC_OK)
		rc = open_hub(conf, agent, &sending.hub, fault);
	if (rc == RC_OK)
		rc = open_inbound(conf, agent, sampler, &inbound, fault);
	if (rc == RC_OK) {
		signals_block(&signals);
		limits_sync_load(agent);
		start_without_hub(agent, conf->driver);
		log_info(NULL, "%zu variables, driver %s", agent->list.count,
			conf->driver->name);
		start_thread(&threads[0], run_sampler, sampler);
		start_thread(&threads[1], run_sender, &sending);
		start_thread(
			&inbound.threads[0], run_commands, inbound.commands);
		start_thread(&inbound.threads[1], run_stream, inbound.stream);
		serve_signals(agent, &signals);
		atomic_store(&inbound.stop, true);
		end_threads(agent, threads[0], threads[1]);
		pthread_join(inbound.threads[0], NULL);
		pthread_join(inbound.threads[1], NULL);
		log_info(NULL, "ends");
	}
	hub_close(sending.hub);
	node_stream_close(inbound.stream);
	sampler_close(sampler);
	commands_close(inbound.commands);
	return rc;
}

int
main(int argc, char **argv)
{
	struct arguments arguments = {.config = FG_CONF_DIR "/ingress.conf"};
	struct arena *arena = arena_new();
	struct ingress_conf *conf;
	struct agent agent;
	struct fault fault = {0};
	bool failed;
	enum rc rc;

	guard_process();
	if (argc > 1 && strcmp(argv[1], "enrol") == 0)
		return enrol_main(&enrol_ingress, argc - 1, argv + 1);
	/* One heap, given back early: an agent shares a small machine. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, ARENA_TRIM_BYTES);
	mallopt(M_MMAP_THRESHOLD, ARENA_TRIM_BYTES);
	log_open(kind.program, LOG_INFO);
	arguments_parse(argc, argv, &kind, &arguments);
	agent_init(&agent);
	rc = ingress_conf_load(arena, arguments.config, &conf, &fault);
	if (rc == RC_OK) {
		log_open(kind.program, conf->node.level);
		memcpy(agent.datasource, conf->datasource, UUID_BYTES);
		agent.spool_folder = conf->spool_folder;
		rc = input_list_load(arena, conf->variables,
			conf->driver->expand, &agent.list, &fault);
	}
	if (rc == RC_OK)
		rc = limits_load(arena, conf->limits, &agent.list,
			&agent.limits.own, &fault);
	if (rc == RC_OK && arguments.check)
		rc = check(conf, &agent, &fault);
	else if (rc == RC_OK && arguments.dump_s > 0)
		rc = dump(conf, &agent, arguments.dump_s, &fault);
	else if (rc == RC_OK)
		rc = run(conf, &agent, arena, &fault);
	if (rc != RC_OK)
		log_error(NULL, "%s", fault.text);
	failed = agent.failed;
	agent_destroy(&agent);
	arena_free(arena);
	if (rc == RC_BAD_INPUT || failed)
		return EXIT_CONFIG;
	return rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
