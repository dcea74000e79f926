/* agent: what the sampling and the sending thread of an agent share. */

#include "agents/agent.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

#define PATH_BYTES 1024

void
agent_init(struct agent *agent)
{
	pthread_condattr_t steady;

	memset(agent, 0, sizeof(*agent));
	notices_init(&agent->notices);
	pthread_mutex_init(&agent->lock, NULL);
	pthread_mutex_init(&agent->storing, NULL);
	agent->limits.version = 1;
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&agent->changed, &steady);
	pthread_condattr_destroy(&steady);
	agent->main_thread = pthread_self();
}

void
agent_destroy(struct agent *agent)
{
	spool_close(agent->spool);
	notices_destroy(&agent->notices);
	pthread_mutex_destroy(&agent->lock);
	pthread_mutex_destroy(&agent->storing);
	limits_free(&agent->limits);
	pthread_cond_destroy(&agent->changed);
}

static int
wait_locked(struct agent *agent, int64_t timeout_us)
{
	int64_t until_us = clock_steady_us() + timeout_us;
	struct timespec until = {.tv_sec = (time_t)(until_us / CLOCK_SECOND_US),
		.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000};

	return pthread_cond_timedwait(&agent->changed, &agent->lock, &until);
}

bool
agent_wait(struct agent *agent, int64_t timeout_us)
{
	int result;

	pthread_mutex_lock(&agent->lock);
	result = wait_locked(agent, timeout_us);
	pthread_mutex_unlock(&agent->lock);
	return result == 0;
}

void
agent_wait_for(struct agent *agent, const bool *flag, int64_t timeout_us)
{
	pthread_mutex_lock(&agent->lock);
	if (!*flag)
		wait_locked(agent, timeout_us);
	pthread_mutex_unlock(&agent->lock);
}

void
agent_set(struct agent *agent, bool *flag)
{
	pthread_mutex_lock(&agent->lock);
	*flag = true;
	pthread_cond_broadcast(&agent->changed);
	pthread_mutex_unlock(&agent->lock);
}

bool
agent_is(struct agent *agent, const bool *flag)
{
	bool truth;

	pthread_mutex_lock(&agent->lock);
	truth = *flag;
	pthread_mutex_unlock(&agent->lock);
	return truth;
}

void
agent_end(struct agent *agent, bool *why)
{
	agent_set(agent, why);
	pthread_kill(agent->main_thread, SIGTERM);
}

/* --- ids ----------------------------------------------------------------- */

/* A line is "id kind name"; an id counts only for the same kind. */
static void
take_id_line(struct input *const *sorted, size_t count, char *line)
{
	struct input *input;
	int32_t id;
	int kind;
	int name = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNd32 " %d %n", &id, &kind, &name) != 2 ||
		name == 0 || id <= 0)
		return;
	input = input_find(sorted, count, line + name);
	if (input != NULL && input->kind == (enum value_kind)kind)
		input->id = id;
}

size_t
agent_load_ids(struct agent *agent)
{
	char path[PATH_BYTES];
	char line[INPUT_NAME_BYTES_MAX + 64];
	struct input **sorted;
	size_t known = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/ids", agent->spool_folder);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	sorted = input_list_sort(&agent->list);
	while (fgets(line, sizeof(line), file) != NULL)
		take_id_line(sorted, agent->list.count, line);
	fclose(file);
	free(sorted);
	for (size_t i = 0; i < agent->list.count; i++)
		known += agent->list.items[i].id != 0;
	return known;
}

static void
save_ids(const struct agent *agent)
{
	char path[PATH_BYTES];
	struct fault fault;
	struct buf out;

	snprintf(path, sizeof(path), "%s/ids", agent->spool_folder);
	buf_init(&out, 0);
	buf_text(&out, ""); /* a list of none is a text, too */
	for (size_t i = 0; i < agent->list.count; i++)
		buf_printf(&out, "%" PRId32 " %d %s\n", agent->list.items[i].id,
			(int)agent->list.items[i].kind,
			agent->list.items[i].name);
	if (file_write(path, out.data, 0600, &fault) != RC_OK)
		log_warn(NULL, "%s", fault.text);
	buf_free(&out);
}

void
agent_keep_ids(struct agent *agent, const struct input_list *given)
{
	bool changed = false;

	pthread_mutex_lock(&agent->lock);
	for (size_t i = 0; i < given->count; i++) {
		changed |= agent->list.items[i].id != given->items[i].id;
		agent->list.items[i].id = given->items[i].id;
	}
	agent->limits.version += changed;
	pthread_mutex_unlock(&agent->lock);
	if (changed)
		save_ids(agent);
}
