/* commands: values that the hub wants written, each once or not at all. */

#include "agents/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agents/command_journal.h"
#include "agents/command_order.h"
#include "agents/hub_time.h"
#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/field.h"
#include "lib/log.h"
#include "model/command_value.h"

#define INBOX_MAX 1000
#define EXCHANGE_US                                                            \
	(2 * CLOCK_SECOND_US)           /* from one look at the hub's clock    \
					 */
#define RETRY_US  (CLOCK_SECOND_US / 2) /* when the hub does not answer */
#define BATCH_MAX 64
/* Longest text of a value in a result: escaped it fits into the journal. */
#define TEXT_BYTES_MAX 2048

/* A command from the stream, or a result from the sampler, until our thread
 * comes to it. */
struct item {
	struct item *next;
	size_t length;
	char text[]; /* of the stream */
};

struct ending {
	struct ending *next;
	uint64_t token;
	struct command_outcome outcome;
	char message[256];
	char *text; /* of the value; NULL = it is none */
	bool begun;
	int64_t ended_us; /* steady clock */
};

/* What the sampler has. */
struct running {
	struct running *next;
	uint64_t token;
	uint8_t id[UUID_BYTES];
	int64_t until_us; /* steady clock */
};

struct commands {
	struct agent *agent;
	struct sampler *sampler;
	struct hub *hub;
	struct command_journal *journal;
	struct input **sorted;
	const atomic_bool *stop;
	struct arena *arena; /* of one round */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* steady clock */
	struct item *inbox, **inbox_end;
	size_t inbox_count;
	struct ending *endings, **endings_end;
	struct hub_time time;

	/* Of our thread alone. */
	struct running *running;
	uint64_t last_token;
	int64_t exchange_due_us; /* steady clock */
	int64_t tell_due_us;     /* steady clock */
	size_t untold;           /* results the hub does not have */
	struct buf body;
};

/* --- the stream's thread ---------------------------------------------------
 */

void
commands_take(void *context, const char *text, size_t length)
{
	struct commands *commands = context;
	struct item *item = malloc(sizeof(*item) + length + 1);
	bool full;

	if (item == NULL)
		abort();
	*item = (struct item){.length = length};
	memcpy(item->text, text, length);
	item->text[length] = '\0';
	pthread_mutex_lock(&commands->lock);
	full = commands->inbox_count >= INBOX_MAX;
	if (!full) {
		*commands->inbox_end = item;
		commands->inbox_end = &item->next;
		commands->inbox_count++;
		pthread_cond_signal(&commands->changed);
	}
	pthread_mutex_unlock(&commands->lock);
	if (full) {
		log_warn(NULL, "more than %d commands wait: one is left out",
			INBOX_MAX);
		free(item);
	}
}

struct time_text {
	const char *boot;
	int64_t steady_us;
	const char *time;
};

static const struct field time_fields[] = {
	{"boot", FIELD_TEXT, offsetof(struct time_text, boot), true, 0, 36,
		NULL},
	{"steady", FIELD_INT, offsetof(struct time_text, steady_us), true, 0,
		INT64_MAX, NULL},
	{"time", FIELD_TEXT, offsetof(struct time_text, time), false, 0, 64,
		NULL},
	FIELDS_END,
};

void
commands_take_time(void *context, const char *text, size_t length)
{
	struct commands *commands = context;
	struct arena *arena = arena_new();
	struct json_object *object = NULL;
	struct time_text time;
	uint8_t boot[UUID_BYTES];
	struct fault fault;

	if (json_parse(arena, text, length, &object, &fault) == RC_OK &&
		field_read(arena, object, time_fields, &time, "", &fault) ==
			RC_OK &&
		uuid_parse(time.boot, boot)) {
		pthread_mutex_lock(&commands->lock);
		hub_time_check(
			&commands->time, boot, time.steady_us, clock_boot_us());
		pthread_cond_signal(&commands->changed);
		pthread_mutex_unlock(&commands->lock);
	}
	arena_free(arena);
}

/* --- the sampler's thread --------------------------------------------------
 */

/* The text of a value lives as long as the ending; a long one is not told. */
static void
keep_text(struct ending *ending, struct value *value)
{
	if (value->kind != VALUE_STRING)
		return;
	if (value->string.bytes > TEXT_BYTES_MAX) {
		value->kind = VALUE_NONE;
		return;
	}
	ending->text = malloc((size_t)value->string.bytes + 1);
	if (ending->text == NULL)
		abort();
	memcpy(ending->text, value->string.data, value->string.bytes);
	value->string.data = ending->text;
}

static void
ending_free(struct ending *ending)
{
	free(ending->text);
	free(ending);
}

static void
on_done(void *context, const struct sampler_result *result)
{
	struct commands *commands = context;
	struct ending *ending = calloc(1, sizeof(*ending));

	if (ending == NULL)
		abort();
	ending->token = result->token;
	ending->begun = result->begun;
	ending->ended_us = clock_steady_us();
	ending->outcome = command_outcome_of(result);
	snprintf(ending->message, sizeof(ending->message), "%s", result->why);
	ending->outcome.message = ending->message;
	keep_text(ending, &ending->outcome.old_value);
	keep_text(ending, &ending->outcome.value);
	pthread_mutex_lock(&commands->lock);
	*commands->endings_end = ending;
	commands->endings_end = &ending->next;
	pthread_cond_signal(&commands->changed);
	pthread_mutex_unlock(&commands->lock);
}

/* --- the hub's clock -------------------------------------------------------
 */

/* False when the hub did not answer. */
static bool
exchange(struct commands *commands)
{
	uint8_t boot[UUID_BYTES];
	int64_t asked_us = clock_boot_us();
	int64_t hub_us;
	struct fault fault;
	enum rc rc = hub_clock(commands->hub, boot, &hub_us, &fault);

	commands->exchange_due_us = clock_steady_us() + EXCHANGE_US;
	if (rc != RC_OK) {
		log_debug(NULL, "%s", fault.text);
		if ((rc == RC_DENIED || rc == RC_UPSTREAM) &&
			hub_refresh(commands->hub, &fault) != RC_OK)
			log_debug(NULL, "%s", fault.text);
		hub_turn(commands->hub);
		return false;
	}
	pthread_mutex_lock(&commands->lock);
	hub_time_note(&commands->time, boot, hub_us, asked_us, clock_boot_us());
	pthread_mutex_unlock(&commands->lock);
	return true;
}

static int64_t
latest(struct commands *commands, const struct command_order *order)
{
	int64_t now_us = clock_boot_us();
	int64_t latest_us;

	pthread_mutex_lock(&commands->lock);
	hub_time_check(&commands->time, order->boot, order->sent_us, now_us);
	latest_us = hub_time_latest(&commands->time, order->boot, now_us);
	pthread_mutex_unlock(&commands->lock);
	return latest_us;
}

/* How long the command is good for surely; 0 or less: it may be too late.
 * What is not known is asked for. */
static int64_t
time_left(struct commands *commands, const struct command_order *order)
{
	int64_t latest_us = latest(commands, order);

	if (latest_us >= order->expires_us && exchange(commands))
		latest_us = latest(commands, order);
	return latest_us >= order->expires_us ? 0
					      : order->expires_us - latest_us;
}

/* --- results ---------------------------------------------------------------
 */

static void
note_result(struct commands *commands, const uint8_t id[UUID_BYTES],
	const struct command_outcome *outcome)
{
	struct command_entry entry = {.step = COMMAND_DONE};
	struct fault fault;
	struct buf text;

	buf_init(&text, COMMAND_JOURNAL_TEXT_BYTES);
	command_outcome_write(&text, id, outcome);
	memcpy(entry.id, id, UUID_BYTES);
	entry.text = text.data;
	if (command_journal_note(commands->journal, &entry, 1, &fault) != RC_OK)
		log_error(NULL, "the result of a command is lost: %s",
			fault.text);
	else
		commands->untold++;
	buf_free(&text);
	commands->tell_due_us = 0;
	log_info(NULL, "command %s %s%s%s", outcome->state, outcome->code,
		outcome->message[0] != '\0' ? ": " : "", outcome->message);
}

static struct ending *
take_endings(struct commands *commands)
{
	struct ending *endings;

	pthread_mutex_lock(&commands->lock);
	endings = commands->endings;
	commands->endings = NULL;
	commands->endings_end = &commands->endings;
	pthread_mutex_unlock(&commands->lock);
	return endings;
}

static void
end_running(struct commands *commands, struct ending *ending)
{
	struct running **at = &commands->running;
	struct running *found;

	while (*at != NULL && (*at)->token != ending->token)
		at = &(*at)->next;
	found = *at;
	if (found == NULL)
		return;
	*at = found->next;
	if (!ending->begun &&
		strcmp(ending->outcome.code, "DeviceOffline") == 0 &&
		ending->ended_us >= found->until_us) {
		ending->outcome.state = "expired";
		ending->outcome.code = "Expired";
	}
	note_result(commands, found->id, &ending->outcome);
	free(found);
}

static void
note_endings(struct commands *commands)
{
	struct ending *endings = take_endings(commands);

	while (endings != NULL) {
		struct ending *ending = endings;

		endings = ending->next;
		end_running(commands, ending);
		ending_free(ending);
	}
}

/* Up to BATCH_MAX results as one body. Returns how many. */
static size_t
gather(struct commands *commands, struct command_entry told[BATCH_MAX])
{
	size_t count = 0;
	size_t entries;
	const struct command_entry *items =
		command_journal_entries(commands->journal, &entries);

	buf_clear(&commands->body);
	buf_text(&commands->body, "{\"results\":[");
	for (size_t i = 0; i < entries && count < BATCH_MAX; i++) {
		if (items[i].step != COMMAND_DONE)
			continue;
		if (count > 0)
			buf_char(&commands->body, ',');
		buf_text(&commands->body, items[i].text);
		told[count] = (struct command_entry){.step = COMMAND_TOLD};
		memcpy(told[count++].id, items[i].id, UUID_BYTES);
	}
	buf_text(&commands->body, "]}");
	return count;
}

static void
tell_results(struct commands *commands)
{
	struct command_entry told[BATCH_MAX];
	struct fault fault;
	size_t count = gather(commands, told);
	enum rc rc = hub_results(commands->hub, &commands->body, &fault);

	if (rc == RC_OK || rc == RC_BAD_INPUT) /* again would not help */
		rc = command_journal_note(
			commands->journal, told, count, &fault);
	if (rc == RC_OK) {
		commands->untold -= count;
		return;
	}
	log_warn(NULL, "results of commands wait: %s", fault.text);
	commands->tell_due_us = clock_steady_us() + RETRY_US;
	if ((rc == RC_DENIED || rc == RC_UPSTREAM) &&
		hub_refresh(commands->hub, &fault) != RC_OK)
		log_debug(NULL, "%s", fault.text);
	hub_turn(commands->hub);
}

/* --- beginning -------------------------------------------------------------
 */

static void
end_at_once(struct commands *commands, const struct command_order *order,
	const char *state, const char *code, const char *message)
{
	const struct command_outcome outcome = {.state = state,
		.code = code,
		.message = message,
		.time_us = plant_clock_us()};

	note_result(commands, order->id, &outcome);
}

static void
hand_over(struct commands *commands, const struct command_order *order,
	struct sampler_order *write)
{
	struct running *running = calloc(1, sizeof(*running));
	struct fault fault;

	if (running == NULL)
		abort();
	running->token = write->token = ++commands->last_token;
	running->until_us = write->until_us;
	memcpy(running->id, order->id, UUID_BYTES);
	running->next = commands->running;
	commands->running = running;
	write->done = on_done;
	write->context = commands;
	if (sampler_write(commands->sampler, write, &fault) == RC_OK)
		return;
	commands->running = running->next;
	free(running);
	end_at_once(commands, order, "refused", "Busy", fault.text);
}

/* From here on it never runs again, whatever happens. */
static bool
begin_in_journal(struct commands *commands, const struct command_order *order)
{
	struct command_entry entry = {.step = COMMAND_BEGUN};
	struct fault fault;

	memcpy(entry.id, order->id, UUID_BYTES);
	if (command_journal_note(commands->journal, &entry, 1, &fault) == RC_OK)
		return true;
	log_error(NULL, "a command is refused: %s", fault.text);
	return false;
}

static enum rc
make_write(struct commands *commands, const struct command_order *order,
	struct sampler_order *write, struct fault *fault)
{
	const struct input *input;
	enum rc rc;

	if (memcmp(order->datasource, commands->agent->datasource,
		    UUID_BYTES) != 0 ||
		(input = input_find(commands->sorted,
			 commands->agent->list.count, order->variable)) == NULL)
		return fault_set(fault, RC_DENIED,
			"this agent does not have the variable");
	write->index = (size_t)(input - commands->agent->list.items);
	rc = command_value_read(commands->arena, input->kind, order->value,
		"value", &write->value, fault);
	write->expects = order->expected != NULL;
	if (rc == RC_OK && write->expects)
		rc = command_value_read(commands->arena, input->kind,
			order->expected, "expected", &write->expected, fault);
	return rc;
}

static void
carry_out(struct commands *commands, const struct command_order *order)
{
	struct sampler_order write = {.token = 0};
	struct fault fault;
	int64_t left_us;

	if (command_journal_find(commands->journal, order->id) != NULL) {
		log_warn(NULL, "a command came twice: left out");
		return;
	}
	if (time_left(commands, order) <= 0) {
		end_at_once(commands, order, "expired", "Expired",
			"The command came too late to be carried out.");
		return;
	}
	if (make_write(commands, order, &write, &fault) != RC_OK) {
		end_at_once(
			commands, order, "refused", "NotWritable", fault.text);
		return;
	}
	if (!begin_in_journal(commands, order))
		return;
	left_us = time_left(commands, order); /* disks can be slow */
	write.until_us = clock_steady_us() + left_us;
	hand_over(commands, order, &write);
}

static struct item *
take_inbox(struct commands *commands)
{
	struct item *items;

	pthread_mutex_lock(&commands->lock);
	items = commands->inbox;
	commands->inbox = NULL;
	commands->inbox_end = &commands->inbox;
	commands->inbox_count = 0;
	pthread_mutex_unlock(&commands->lock);
	return items;
}

static void
carry_out_all(struct commands *commands)
{
	struct item *items = take_inbox(commands);

	while (items != NULL) {
		struct item *item = items;
		struct command_order order;
		struct fault fault;

		items = item->next;
		if (command_order_read(commands->arena, item->text,
			    item->length, &order, &fault) == RC_OK)
			carry_out(commands, &order);
		else
			log_warn(NULL, "a command is not understood: %s",
				fault.text);
		free(item);
	}
}

/* --- running ---------------------------------------------------------------
 */

/* Begun before the last end of this agent, and nobody knows how far. */
static void
end_interrupted(struct commands *commands)
{
	static const struct command_outcome interrupted = {.state = "failed",
		.code = "Interrupted",
		.message = "The agent was interrupted while it carried this "
			   "out; the value may have been written."};
	size_t count;
	const struct command_entry *items =
		command_journal_entries(commands->journal, &count);

	for (size_t i = 0; i < count; i++) {
		struct command_outcome outcome = interrupted;
		uint8_t id[UUID_BYTES];

		commands->untold += items[i].step == COMMAND_DONE;
		if (items[i].step != COMMAND_BEGUN)
			continue;
		outcome.time_us = plant_clock_us();
		memcpy(id, items[i].id, UUID_BYTES);
		note_result(commands, id, &outcome);
		items = command_journal_entries(commands->journal, &count);
	}
}

static void
wait_for_news(struct commands *commands)
{
	int64_t now_us = clock_steady_us();
	int64_t until_us = commands->exchange_due_us;
	struct timespec until;

	if (commands->untold > 0 && commands->tell_due_us < until_us)
		until_us = commands->tell_due_us;
	if (until_us > now_us + CLOCK_SECOND_US) /* "stop" does not wake us */
		until_us = now_us + CLOCK_SECOND_US;
	until.tv_sec = (time_t)(until_us / CLOCK_SECOND_US);
	until.tv_nsec = (long)(until_us % CLOCK_SECOND_US) * 1000;
	pthread_mutex_lock(&commands->lock);
	if (commands->inbox == NULL && commands->endings == NULL)
		pthread_cond_timedwait(
			&commands->changed, &commands->lock, &until);
	pthread_mutex_unlock(&commands->lock);
}

void
commands_run(struct commands *commands)
{
	end_interrupted(commands);
	while (!atomic_load(commands->stop)) {
		carry_out_all(commands);
		note_endings(commands);
		if (commands->untold > 0 &&
			clock_steady_us() >= commands->tell_due_us)
			tell_results(commands);
		if (clock_steady_us() >= commands->exchange_due_us) {
			exchange(commands);
			command_journal_forget(
				commands->journal, clock_boot_us());
		}
		arena_reset(commands->arena);
		wait_for_news(commands);
	}
}

/* --- open and close --------------------------------------------------------
 */

static void
make_condition(pthread_cond_t *condition)
{
	pthread_condattr_t steady;

	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &steady);
	pthread_condattr_destroy(&steady);
}

enum rc
commands_open(struct agent *agent, struct sampler *sampler,
	const struct hub_options *options, struct commands **result,
	struct fault *fault)
{
	struct commands *commands = calloc(1, sizeof(*commands));
	char path[1024];
	enum rc rc;

	if (commands == NULL)
		abort();
	commands->agent = agent;
	commands->sampler = sampler;
	commands->stop = options->stop;
	commands->arena = arena_new();
	commands->sorted = input_list_sort(&agent->list);
	commands->inbox_end = &commands->inbox;
	commands->endings_end = &commands->endings;
	pthread_mutex_init(&commands->lock, NULL);
	make_condition(&commands->changed);
	buf_init(&commands->body, 0);
	snprintf(path, sizeof(path), "%s/commands", agent->spool_folder);
	rc = command_journal_open(path, &commands->journal, fault);
	if (rc == RC_OK)
		rc = hub_open(options, &commands->hub, fault);
	if (rc != RC_OK)
		commands_close(commands);
	else
		*result = commands;
	return rc;
}

/* Results that came last are in the journal for the next start. */
void
commands_close(struct commands *commands)
{
	if (commands == NULL)
		return;
	note_endings(commands);
	for (struct item *item = take_inbox(commands); item != NULL;) {
		struct item *next = item->next;

		free(item);
		item = next;
	}
	while (commands->running != NULL) {
		struct running *next = commands->running->next;

		free(commands->running);
		commands->running = next;
	}
	command_journal_close(commands->journal);
	hub_close(commands->hub);
	free(commands->sorted);
	buf_free(&commands->body);
	pthread_mutex_destroy(&commands->lock);
	pthread_cond_destroy(&commands->changed);
	arena_free(commands->arena);
	free(commands);
}
