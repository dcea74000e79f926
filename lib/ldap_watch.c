/* ldap_watch: the last guard against a server that falls silent. */

#include "lib/ldap_watch.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define SECOND_NS 1000000000L

/* The lock is held while a socket is cut, so that it cannot be closed, and its
 * number be another's, at the same moment. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_once_t once;
	bool on;
	int socket;
	struct timespec end;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER,
	.once = PTHREAD_ONCE_INIT,
	.socket = -1};

static bool
is_over(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > watch.end.tv_sec ||
	       (now.tv_sec == watch.end.tv_sec &&
		       now.tv_nsec >= watch.end.tv_nsec);
}

static void *
keep_watch(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&watch.lock);
	for (;;) {
		if (!watch.on || watch.socket < 0)
			pthread_cond_wait(&watch.changed, &watch.lock);
		else if (!is_over())
			pthread_cond_timedwait(
				&watch.changed, &watch.lock, &watch.end);
		else {
			shutdown(watch.socket, SHUT_RDWR);
			watch.on = false;
		}
	}
	return NULL;
}

static void
start(void)
{
	pthread_condattr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watch.changed, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are main's */
	if (pthread_create(&thread, NULL, keep_watch, NULL) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_detach(thread);
}

void
ldap_watch_begin(int socket, int64_t us)
{
	pthread_once(&watch.once, start);
	pthread_mutex_lock(&watch.lock);
	clock_gettime(CLOCK_MONOTONIC, &watch.end);
	watch.end.tv_sec += us / 1000000;
	watch.end.tv_nsec += us % 1000000 * 1000;
	if (watch.end.tv_nsec >= SECOND_NS) {
		watch.end.tv_sec++;
		watch.end.tv_nsec -= SECOND_NS;
	}
	watch.socket = socket;
	watch.on = true;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
}

void
ldap_watch_socket(int socket)
{
	pthread_mutex_lock(&watch.lock);
	watch.socket = socket;
	pthread_cond_signal(&watch.changed);
	pthread_mutex_unlock(&watch.lock);
}

void
ldap_watch_end(void)
{
	pthread_mutex_lock(&watch.lock);
	watch.on = false;
	watch.socket = -1;
	pthread_mutex_unlock(&watch.lock);
}
