/* driver_modbus_link: the thread that reads and writes one connection. */

#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "agents/driver_modbus.h"
#include "agents/plant_clock.h"
#include "lib/clock.h"

#define STACK_BYTES ((size_t)256 * 1024) /* resolving names needs some */
#define WAIT_US     CLOCK_SECOND_US      /* the wall clock may be set */

void
modbus_link_wake(const struct modbus_link *link)
{
	link->setup->wake(link->setup->wake_context);
}

bool
modbus_link_is_stopping(struct modbus_link *link)
{
	bool stopping;

	pthread_mutex_lock(&link->lock);
	stopping = link->stopping;
	pthread_mutex_unlock(&link->lock);
	return stopping;
}

/* --- writing ------------------------------------------------------------- */

static struct modbus_job *
take_job(struct modbus_link *link)
{
	struct modbus_job *job;

	pthread_mutex_lock(&link->lock);
	job = link->stopping ? NULL : link->jobs;
	if (job != NULL)
		link->jobs = job->next;
	pthread_mutex_unlock(&link->lock);
	return job;
}

static void
finish_job(struct modbus_link *link, struct modbus_job *job)
{
	struct modbus_job **place = &link->done;

	pthread_mutex_lock(&link->lock);
	while (*place != NULL)
		place = &(*place)->next;
	job->next = NULL;
	*place = job;
	link->job_count--;
	pthread_mutex_unlock(&link->lock);
	modbus_link_wake(link);
}

void
modbus_link_run_jobs(struct modbus_link *link)
{
	struct modbus_job *job;

	while ((job = take_job(link)) != NULL) {
		modbus_job_run(link->line, job);
		finish_job(link, job);
	}
}

/* --- the thread ---------------------------------------------------------- */

/* When the station may be read, on the wall clock. */
static int64_t
ready_at(const struct modbus_station *station, int64_t now_us)
{
	int64_t pause_us = station->not_before_us - clock_steady_us();

	return station->due_us > now_us + pause_us ? station->due_us
						   : now_us + pause_us;
}

/* The clock was set back: do not sleep through the time gained. */
static void
set_due(struct modbus_station *station, int64_t now_us)
{
	if (station->due_us == 0 ||
		station->due_us - now_us > 2 * station->period_us)
		station->due_us = now_us - now_us % station->period_us +
				  station->period_us;
}

static struct modbus_station *
next_station(struct modbus_link *link, int64_t *ready_us)
{
	int64_t now_us = plant_clock_us();
	struct modbus_station *next = NULL;

	for (size_t i = 0; i < link->station_count; i++) {
		struct modbus_station *station = link->stations[i];
		int64_t at_us;

		set_due(station, now_us);
		at_us = ready_at(station, now_us);
		if (next == NULL || at_us < *ready_us) {
			next = station;
			*ready_us = at_us;
		}
	}
	return next;
}

static void
wait_for_work(struct modbus_link *link, int64_t wait_us)
{
	int64_t until_us =
		clock_steady_us() + (wait_us < WAIT_US ? wait_us : WAIT_US);
	struct timespec until = {.tv_sec = (time_t)(until_us / CLOCK_SECOND_US),
		.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000};

	pthread_mutex_lock(&link->lock);
	if (!link->stopping && link->jobs == NULL)
		pthread_cond_timedwait(&link->work, &link->lock, &until);
	pthread_mutex_unlock(&link->lock);
}

static void *
run(void *context)
{
	struct modbus_link *link = context;

	link->line = modbus_line_new(link);
	while (!modbus_link_is_stopping(link)) {
		int64_t ready_us = 0;
		struct modbus_station *station = next_station(link, &ready_us);
		int64_t wait_us = ready_us - plant_clock_us();

		modbus_link_run_jobs(link);
		if (wait_us > 0) {
			wait_for_work(link, wait_us);
			continue;
		}
		modbus_station_read(station);
		/* What is late skips instants instead of catching up. */
		station->due_us = 0;
	}
	modbus_line_free(link->line);
	return NULL;
}

enum rc
modbus_link_start(struct modbus_link *link, struct fault *fault)
{
	pthread_condattr_t steady;
	pthread_attr_t attributes;
	int result;

	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(&link->work, &steady);
	pthread_condattr_destroy(&steady);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	link->socket = -1;
	result = pthread_create(&link->thread, &attributes, run, link);
	pthread_attr_destroy(&attributes);
	link->started = result == 0;
	if (result != 0)
		return fault_set(fault, RC_IO, "no thread for %s: %s",
			link->device->connection, strerror(result));
	return RC_OK;
}

void
modbus_link_end(struct modbus_link *link)
{
	if (!link->started)
		return;
	pthread_mutex_lock(&link->lock);
	link->stopping = true;
	if (link->socket >= 0) /* ends a wait for an answer */
		shutdown(link->socket, SHUT_RDWR);
	pthread_cond_signal(&link->work);
	pthread_mutex_unlock(&link->lock);
}

void
modbus_link_join(struct modbus_link *link)
{
	if (!link->started)
		return;
	pthread_join(link->thread, NULL);
	pthread_mutex_destroy(&link->lock);
	pthread_cond_destroy(&link->work);
}
