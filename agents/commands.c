/* commands: values that the hub wants written, each once or not at all. */

#include "agents/commands_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/field.h"
#include "lib/log.h"
#include "model/command_value.h"

#define INBOX_MAX 1000

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

/* --- beginning -------------------------------------------------------------
 */

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
	write->done = commands_done;
	write->context = commands;
	if (sampler_write(commands->sampler, write, &fault) == RC_OK)
		return;
	commands->running = running->next;
	free(running);
	commands_end_at_once(commands, order, "refused", "Busy", fault.text);
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
	if (commands_time_left(commands, order) <= 0) {
		commands_end_at_once(commands, order, "expired", "Expired",
			"The command came too late to be carried out.");
		return;
	}
	if (make_write(commands, order, &write, &fault) != RC_OK) {
		commands_end_at_once(
			commands, order, "refused", "NotWritable", fault.text);
		return;
	}
	if (!begin_in_journal(commands, order))
		return;
	left_us = commands_time_left(commands, order); /* disks can be slow */
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
	commands_end_interrupted(commands);
	while (!atomic_load(commands->stop)) {
		carry_out_all(commands);
		commands_note_endings(commands);
		if (commands->untold > 0 &&
			clock_steady_us() >= commands->tell_due_us)
			commands_tell_results(commands);
		if (clock_steady_us() >= commands->exchange_due_us) {
			commands_exchange(commands);
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
	commands->batch = COMMANDS_BATCH_MAX;
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
	commands_note_endings(commands);
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
