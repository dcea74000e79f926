/* bench/mqtt: a loud publisher, and a subscriber that only counts.
 *
 *   mqtt publish PORT USER PASSWORD QOS COUNT TOPICS FORM   plain or json
 *   mqtt count   PORT USER PASSWORD QOS COUNT
 *
 * Both speak in clear text with a broker on the loopback. "count" says
 * "ready", counts, and prints how long it took and what CPU time it cost.
 */

#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/clock.h"

#define IN_FLIGHT 2000

static struct {
	int qos;
	long wanted;
	long done;
	int64_t first_us;
} task;

static void
fail(const char *what, int code)
{
	fprintf(stderr, "%s: %s\n", what, mosquitto_strerror(code));
	exit(EXIT_FAILURE);
}

static struct mosquitto *
open_client(char **words)
{
	struct mosquitto *client = mosquitto_new(NULL, true, NULL);
	int code;

	mosquitto_username_pw_set(client, words[1], words[2]);
	mosquitto_max_inflight_messages_set(client, IN_FLIGHT);
	task.qos = atoi(words[3]);
	task.wanted = atol(words[4]);
	code = mosquitto_connect(client, "127.0.0.1", atoi(words[0]), 60);
	if (code != MOSQ_ERR_SUCCESS)
		fail("connect", code);
	return client;
}

static void
loop(struct mosquitto *client, int timeout_ms)
{
	int code = mosquitto_loop(client, timeout_ms, 1);

	if (code != MOSQ_ERR_SUCCESS)
		fail("loop", code);
}

/* --- counting ------------------------------------------------------------ */

static void
on_connect(struct mosquitto *client, void *context, int code)
{
	(void)context;
	if (code != 0)
		fail("connect", code);
	mosquitto_subscribe(client, NULL, "bench/#", task.qos);
}

static void
on_subscribe(struct mosquitto *client, void *context, int id, int count,
	const int *granted)
{
	(void)client;
	(void)context;
	(void)id;
	(void)count;
	(void)granted;
	puts("ready");
	fflush(stdout);
}

static void
on_message(struct mosquitto *client, void *context,
	const struct mosquitto_message *message)
{
	(void)client;
	(void)context;
	(void)message;
	if (task.done++ == 0)
		task.first_us = clock_steady_us();
}

static double
seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void
count(struct mosquitto *client)
{
	struct rusage usage;

	mosquitto_connect_callback_set(client, on_connect);
	mosquitto_subscribe_callback_set(client, on_subscribe);
	mosquitto_message_callback_set(client, on_message);
	while (task.done < task.wanted)
		loop(client, 1000);
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"messages\":%ld,\"seconds\":%.3f,\"cpu\":%.3f}\n", task.done,
		(double)(clock_steady_us() - task.first_us) / 1e6,
		seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
}

/* --- publishing ---------------------------------------------------------- */

static void
on_publish(struct mosquitto *client, void *context, int id)
{
	(void)client;
	(void)context;
	(void)id;
	task.done++;
}

static void
publish_one(struct mosquitto *client, long number, long topics, int json)
{
	char topic[40];
	char text[80];
	int code;

	snprintf(topic, sizeof(topic), "bench/%ld", number % topics);
	snprintf(text, sizeof(text),
		json ? "{\"v\":%ld.%ld,\"on\":true,\"t\":%lld}" : "%ld.%ld",
		number / topics, number % 10,
		(long long)(clock_now_us() / 1000));
	code = mosquitto_publish(
		client, NULL, topic, (int)strlen(text), text, task.qos, false);
	if (code != MOSQ_ERR_SUCCESS)
		fail("publish", code);
}

static void
publish(struct mosquitto *client, long topics, int json)
{
	mosquitto_publish_callback_set(client, on_publish);
	for (long sent = 0; task.done < task.wanted;) {
		for (int i = 0; i < 100 && sent < task.wanted &&
				sent - task.done < IN_FLIGHT;
			i++)
			publish_one(client, sent++, topics, json);
		loop(client, sent - task.done < IN_FLIGHT && sent < task.wanted
				     ? 0
				     : 100);
	}
	mosquitto_disconnect(client);
	mosquitto_loop(client, 0, 1); /* ends with "not connected" */
}

int
main(int argc, char **argv)
{
	struct mosquitto *client;

	mosquitto_lib_init();
	if (argc == 7 && strcmp(argv[1], "count") == 0) {
		client = open_client(argv + 2);
		count(client);
	} else if (argc == 9 && strcmp(argv[1], "publish") == 0) {
		client = open_client(argv + 2);
		publish(client, atol(argv[7]), strcmp(argv[8], "json") == 0);
	} else {
		fputs("usage: mqtt publish PORT USER PASSWORD QOS COUNT TOPICS "
		      "plain|json\n"
		      "       mqtt count PORT USER PASSWORD QOS COUNT\n",
			stderr);
		return EXIT_FAILURE;
	}
	mosquitto_destroy(client);
	mosquitto_lib_cleanup();
	return EXIT_SUCCESS;
}
