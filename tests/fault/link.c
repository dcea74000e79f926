/*
 * link: the line between a plant and its grid, as bad as a test wants it.
 *
 *   link SEED
 *
 * makes a network namespace, the plant's, and a TUN interface at either end,
 * "plant%d" here and "grid0" there. Every packet between them passes through
 * this program: late, lost, slowly, or not at all. It prints the name of the
 * interface that is here; "nsenter --net=/proc/PID/ns/net" starts programs
 * there. Standard input sets, a line each:
 *
 *   delay MS      each way
 *   loss PERCENT  each way, drawn from SEED
 *   rate KBIT     a second each way; 0: no limit
 *   pass WHAT     both; none: nobody is told, so connections stay half open;
 *                 there: what the plant sends arrives, no answer comes back
 *
 * It ends with its input. Kernels without sch_netem can do this as well as any
 * other, and the same seed loses the same packets of the same traffic.
 */

#define _GNU_SOURCE /* unshare */

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_BYTES  2048
#define QUEUE_PACKETS 4096
/* What a line's modem holds at a rate; more than that is lost. */
#define QUEUE_MS 1000

struct packet {
	int64_t due_us;
	size_t length;
	unsigned char data[PACKET_BYTES];
};

/* One direction: a ring of packets on their way, the first due first. */
struct way {
	int from;
	int to;
	size_t first;
	size_t count;
	int64_t busy_until_us; /* the line, at the rate */
	struct packet *packets;
};

static struct {
	int64_t delay_us;
	double loss; /* 0..1 */
	int64_t rate_kbit;
	bool there;
	bool back;
	uint64_t random;
} line = {.there = true, .back = true};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

/* xorshift64*: evenly in 0..1 */
static double
draw(void)
{
	line.random ^= line.random >> 12;
	line.random ^= line.random << 25;
	line.random ^= line.random >> 27;
	return (double)((line.random * 2685821657736338717u) >> 11) /
	       9007199254740992.0;
}

static int
open_tun(const char *pattern, char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (tun < 0)
		fail("/dev/net/tun");
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", pattern);
	if (ioctl(tun, TUNSETIFF, &request) < 0)
		fail("TUNSETIFF");
	memcpy(name, request.ifr_name, sizeof(request.ifr_name));
	return tun;
}

/* When the last bit of it has passed the line. */
static int64_t
passed_us(struct way *way, size_t length)
{
	int64_t at_us = now_us();

	if (way->busy_until_us > at_us)
		at_us = way->busy_until_us;
	if (line.rate_kbit > 0)
		at_us += (int64_t)length * 8000 / line.rate_kbit;
	way->busy_until_us = at_us;
	return at_us;
}

static void
take(struct way *way, bool passes)
{
	struct packet *packet =
		&way->packets[(way->first + way->count) % QUEUE_PACKETS];
	ssize_t length = read(way->from, packet->data, sizeof(packet->data));

	if (length <= 0 || !passes || draw() < line.loss ||
		way->count == QUEUE_PACKETS - 1 ||
		way->busy_until_us > now_us() + QUEUE_MS * 1000)
		return;
	packet->length = (size_t)length;
	packet->due_us = passed_us(way, packet->length) + line.delay_us;
	way->count++;
}

/* A packet that the other side does not take is lost. */
static void
give(struct way *way)
{
	while (way->count > 0 && way->packets[way->first].due_us <= now_us()) {
		const struct packet *packet = &way->packets[way->first];

		if (write(way->to, packet->data, packet->length) < 0 &&
			errno != EIO && errno != EAGAIN)
			fail("write");
		way->first = (way->first + 1) % QUEUE_PACKETS;
		way->count--;
	}
}

static int
wait_ms(const struct way *ways)
{
	int64_t wait_us = 1000000;

	for (int i = 0; i < 2; i++) {
		const struct way *way = &ways[i];
		int64_t own_us =
			way->count == 0
				? wait_us
				: way->packets[way->first].due_us - now_us();

		if (own_us < wait_us)
			wait_us = own_us;
	}
	return wait_us <= 0 ? 0 : (int)(wait_us / 1000) + 1;
}

static void
set(const char *words)
{
	char what[16];
	char value[16];

	if (sscanf(words, "%15s %15s", what, value) != 2)
		return;
	if (strcmp(what, "delay") == 0)
		line.delay_us = atoll(value) * 1000;
	else if (strcmp(what, "loss") == 0)
		line.loss = atof(value) / 100;
	else if (strcmp(what, "rate") == 0)
		line.rate_kbit = atoll(value);
	else if (strcmp(what, "pass") == 0) {
		line.there = strcmp(value, "none") != 0;
		line.back = strcmp(value, "both") == 0;
	}
}

/* false: the input has ended. */
static bool
read_settings(void)
{
	char text[1024];
	ssize_t length = read(STDIN_FILENO, text, sizeof(text) - 1);
	char *rest = text;
	char *one;

	if (length <= 0)
		return false;
	text[length] = '\0';
	while ((one = strsep(&rest, "\n")) != NULL)
		set(one);
	return true;
}

static void
run(struct way *there, struct way *back, struct way *ways)
{
	struct pollfd files[] = {{STDIN_FILENO, POLLIN, 0},
		{there->from, POLLIN, 0}, {back->from, POLLIN, 0}};

	for (;;) {
		if (poll(files, 3, wait_ms(ways)) < 0 && errno != EINTR)
			fail("poll");
		if (files[0].revents != 0 && !read_settings())
			return;
		if ((files[1].revents & POLLIN) != 0)
			take(there, line.there);
		if ((files[2].revents & POLLIN) != 0)
			take(back, line.back);
		give(there);
		give(back);
	}
}

int
main(int argc, char **argv)
{
	char here[IFNAMSIZ];
	char name[IFNAMSIZ];
	int grid = open_tun("plant%d", here);
	struct way ways[2] = {{.to = grid}, {.from = grid}};

	line.random = argc > 1 ? strtoull(argv[1], NULL, 10) * 2 + 1 : 1;
	if (unshare(CLONE_NEWNET) < 0)
		fail("unshare");
	ways[0].from = ways[1].to = open_tun("grid0", name);
	for (int i = 0; i < 2; i++) {
		ways[i].packets = calloc(QUEUE_PACKETS, sizeof(struct packet));
		if (ways[i].packets == NULL)
			fail("calloc");
	}
	printf("%s\n", here);
	fflush(stdout);
	run(&ways[0], &ways[1], ways);
	return 0;
}
