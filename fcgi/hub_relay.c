/* hub_relay: commands between the hubs over one database. */

#include "fcgi/hub_relay.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_command.h"
#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_order.h"
#include "fcgi/hub_peers.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "model/presence.h"

#define ANSWER_US CLOCK_SECOND_US

struct offer {
	struct offer *next;
	uint8_t id[UUID_BYTES];
	int64_t node_id;
	char run[UUID_TEXT_BYTES]; /* to whom */
	int64_t expires_us;        /* hub's clock */
	int64_t until_us;          /* steady clock: for the answer */
};

/* Every notification is a commit, so messages go together. */
#define POST_MAX 256

struct hub_relay {
	pthread_mutex_t lock;
	struct offer *first;

	/* Of the thread of hub_peers alone, in its arena. */
	const char *runs[POST_MAX];
	const char *texts[POST_MAX];
	size_t posted;
};

struct hub_relay *
hub_relay_new(void)
{
	struct hub_relay *relay = memory_new(1, sizeof(*relay));

	pthread_mutex_init(&relay->lock, NULL);
	return relay;
}

void
hub_relay_free(struct hub_relay *relay)
{
	if (relay == NULL)
		return;
	while (relay->first != NULL) {
		struct offer *offer = relay->first;

		relay->first = offer->next;
		free(offer);
	}
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}

static void
send_all(struct db *db, const char *const *runs, const char *const *texts,
	size_t count)
{
	struct fault fault;

	if (count > 0 && presence_send(db, runs, texts, count, &fault) != RC_OK)
		log_warn(NULL, "no message to another hub: %s", fault.text);
}

/* In the thread of hub_peers: with the others, when all have been read. */
static void
post(struct hub *hub, struct db *db, const char *run, const char *text)
{
	struct hub_relay *relay = hub->relay;

	relay->runs[relay->posted] = run;
	relay->texts[relay->posted++] = text;
	if (relay->posted == POST_MAX)
		hub_relay_flush(hub, db);
}

void
hub_relay_flush(struct hub *hub, struct db *db)
{
	struct hub_relay *relay = hub->relay;

	send_all(db, relay->runs, relay->texts, relay->posted);
	relay->posted = 0;
}

/* --- results ---------------------------------------------------------------
 */

void
hub_relay_over(struct hub *hub, struct db *db, struct arena *arena,
	const struct command *const *commands, size_t count)
{
	const char **runs = arena_array(arena, count, sizeof(*runs));
	const char **texts = arena_array(arena, count, sizeof(*texts));
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		char run[UUID_TEXT_BYTES];
		char id[UUID_TEXT_BYTES];

		uuid_format(run, commands[i]->run);
		uuid_format(id, commands[i]->id);
		if (!hub_peers_is_other(hub, run)) {
			hub_order_finish(hub, commands[i]);
			continue;
		}
		runs[used] = arena_strdup(arena, run);
		texts[used++] = arena_printf(arena, "over %s", id);
	}
	send_all(db, runs, texts, used);
}

void
hub_relay_take_back(struct hub *hub, struct db *db, struct arena *arena,
	const uint8_t id[UUID_BYTES], int64_t node_id)
{
	struct command_result result = {
		.node_id = node_id,
		.state = COMMAND_REFUSED,
		.code = "PlantOffline",
		.message = "The plant has just gone offline. Nothing was sent.",
	};
	const struct command_clock clock = hub_command_clock(hub);
	struct command stored;
	const struct command *over = &stored;
	struct fault fault;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, &fault);

	memcpy(result.id, id, UUID_BYTES);
	if (rc == RC_OK)
		rc = command_finish(
			db, arena, &clock, &result, &stored, &fault);
	if (rc == RC_OK)
		rc = db_commit(db, &fault);
	if (rc == RC_OK)
		hub_relay_over(hub, db, arena, &over, 1);
	else
		log_warn(NULL, "%s", fault.text);
	if (db_in_transaction(db))
		db_rollback(db);
}

/* --- the hub that was asked ------------------------------------------------
 */

static void
keep_offer(struct hub_relay *relay, const struct command *command,
	const char *run, int64_t expires_us)
{
	struct offer *offer = memory_new(1, sizeof(*offer));

	memcpy(offer->id, command->id, UUID_BYTES);
	offer->node_id = command->node_id;
	snprintf(offer->run, sizeof(offer->run), "%s", run);
	offer->expires_us = expires_us;
	offer->until_us = clock_steady_us() + ANSWER_US;
	pthread_mutex_lock(&relay->lock);
	offer->next = relay->first;
	relay->first = offer;
	pthread_mutex_unlock(&relay->lock);
}

/* Whoever takes an offer is the only one. With an id the one of that id, else
 * one that waits in vain; NULL: there is none. */
static struct offer *
take_offer(struct hub_relay *relay, const uint8_t *id)
{
	int64_t now_us = clock_steady_us();
	struct offer **at = &relay->first;
	struct offer *found;

	pthread_mutex_lock(&relay->lock);
	while (*at != NULL &&
		(id != NULL ? memcmp((*at)->id, id, UUID_BYTES) != 0
			    : now_us < (*at)->until_us))
		at = &(*at)->next;
	found = *at;
	if (found != NULL)
		*at = found->next;
	pthread_mutex_unlock(&relay->lock);
	return found;
}

void
hub_relay_offer(struct hub *hub, struct db *db, struct arena *arena,
	const struct command *const *commands, const char *const *via,
	size_t count, int64_t expires_us)
{
	const char **texts = arena_array(arena, count, sizeof(*texts));
	char id[UUID_TEXT_BYTES];

	for (size_t i = 0; i < count; i++) {
		uuid_format(id, commands[i]->id);
		texts[i] = arena_printf(arena, "offer %s %d %s", id,
			commands[i]->node_id, hub_peers_own(hub));
		keep_offer(hub->relay, commands[i], via[i], expires_us);
	}
	send_all(db, via, texts, count);
}

static void
take_accept(struct hub *hub, struct db *db, struct arena *arena,
	const uint8_t id[UUID_BYTES], int64_t stamp_us, const char *run)
{
	struct offer *offer = take_offer(hub->relay, id);
	char text[UUID_TEXT_BYTES];
	int64_t left_us;

	if (offer == NULL)
		return; /* it came too late, or again */
	left_us = offer->expires_us - clock_boot_us();
	uuid_format(text, id);
	if (strcmp(offer->run, run) == 0 && left_us > 0)
		post(hub, db, run,
			arena_printf(arena,
				"go %s %" PRId64 " %" PRId64 " %" PRId64, text,
				offer->node_id, stamp_us, left_us));
	free(offer);
}

static void
take_back_offer(struct hub *hub, struct db *db, struct arena *arena,
	struct offer *offer)
{
	hub_relay_take_back(hub, db, arena, offer->id, offer->node_id);
	free(offer);
}

void
hub_relay_look(struct hub *hub, struct db *db, struct arena *arena)
{
	struct offer *offer;

	while ((offer = take_offer(hub->relay, NULL)) != NULL)
		take_back_offer(hub, db, arena, offer);
}

static void
take_over(struct hub *hub, struct db *db, struct arena *arena,
	const uint8_t id[UUID_BYTES])
{
	struct command command;
	struct fault fault;

	if (command_find(db, arena, id, &command, &fault) != RC_OK) {
		log_warn(NULL, "%s", fault.text);
		return;
	}
	hub_command_show(hub, arena, &command);
	hub_order_finish(hub, &command);
}

/* --- the hub that holds the stream -----------------------------------------
 */

static void
take_offered(struct hub *hub, struct db *db, struct arena *arena,
	const char *id, int64_t node_id, const char *run)
{
	int64_t stamp_us = clock_boot_us();

	post(hub, db, run,
		hub_node_stream_is_open(hub, node_id)
			? arena_printf(arena, "accept %s %" PRId64 " %s", id,
				  stamp_us, hub_peers_own(hub))
			: arena_printf(arena, "decline %s", id));
}

static void
take_go(struct hub *hub, struct db *db, struct arena *arena,
	const uint8_t id[UUID_BYTES], int64_t node_id, int64_t expires_us)
{
	struct command command;
	struct fault fault;

	if (command_find(db, arena, id, &command, &fault) != RC_OK) {
		log_warn(NULL, "%s", fault.text);
		return;
	}
	if (command.node_id == node_id &&
		strcmp(command.state, COMMAND_SENT) == 0 &&
		!hub_command_pass(hub, arena, &command, expires_us))
		hub_relay_take_back(hub, db, arena, id, node_id);
}

/* --- messages --------------------------------------------------------------
 */

#define WORDS_MAX 5

static size_t
split(struct arena *arena, const char *message, char *words[WORDS_MAX])
{
	char *rest = arena_strdup(arena, message);
	size_t count = 0;

	while (count < WORDS_MAX && *rest != '\0') {
		words[count++] = rest;
		rest += strcspn(rest, " ");
		if (*rest != '\0')
			*rest++ = '\0';
	}
	return count;
}

static int64_t
number(const char *word)
{
	return strtoll(word, NULL, 10);
}

/* "word" and so many behind it, the first of them an id. */
static bool
is(char *const words[WORDS_MAX], size_t count, const char *word, size_t behind,
	uint8_t id[UUID_BYTES])
{
	return count == behind + 1 && strcmp(words[0], word) == 0 &&
	       uuid_parse(words[1], id);
}

void
hub_relay_take(struct hub *hub, struct db *db, struct arena *arena,
	const char *message)
{
	char *words[WORDS_MAX];
	size_t count = split(arena, message, words);
	uint8_t id[UUID_BYTES];
	struct offer *offer;

	if (is(words, count, "offer", 3, id))
		take_offered(
			hub, db, arena, words[1], number(words[2]), words[3]);
	else if (is(words, count, "accept", 3, id))
		take_accept(hub, db, arena, id, number(words[2]), words[3]);
	else if (is(words, count, "decline", 1, id)) {
		if ((offer = take_offer(hub->relay, id)) != NULL)
			take_back_offer(hub, db, arena, offer);
	} else if (is(words, count, "go", 4, id))
		take_go(hub, db, arena, id, number(words[2]),
			number(words[3]) + number(words[4]));
	else if (is(words, count, "over", 1, id))
		take_over(hub, db, arena, id);
	else if (count == 2 && strcmp(words[0], "replaced") == 0)
		hub_node_stream_replace(hub, number(words[1]));
	else
		log_warn(NULL, "a message of another hub is not understood");
}
