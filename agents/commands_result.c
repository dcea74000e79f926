/* commands_result: how commands ended, kept and told until the hub has it. */

#include "agents/commands_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/log.h"

#define RETRY_US (CLOCK_SECOND_US / 2) /* when the hub does not answer */
/* Longest text of a value in a result: escaped it fits into the journal. */
#define TEXT_BYTES_MAX 2048

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

void
commands_done(void *context, const struct sampler_result *result)
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

void
commands_note_endings(struct commands *commands)
{
	struct ending *endings = take_endings(commands);

	while (endings != NULL) {
		struct ending *ending = endings;

		endings = ending->next;
		end_running(commands, ending);
		ending_free(ending);
	}
}

/* Some results as one body. Returns how many. */
static size_t
gather(struct commands *commands, struct command_entry told[COMMANDS_BATCH_MAX])
{
	size_t count = 0;
	size_t entries;
	const struct command_entry *items =
		command_journal_entries(commands->journal, &entries);

	buf_clear(&commands->body);
	buf_text(&commands->body, "{\"results\":[");
	for (size_t i = 0; i < entries && count < commands->batch; i++) {
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

void
commands_tell_results(struct commands *commands)
{
	struct command_entry told[COMMANDS_BATCH_MAX];
	struct fault fault;
	size_t count = gather(commands, told);
	enum rc rc = hub_results(commands->hub, &commands->body, &fault);

	if (rc == RC_BAD_INPUT && count > 1) {
		/* One of them: the others must not go with it. */
		commands->batch = 1;
		return;
	}
	commands->batch = COMMANDS_BATCH_MAX;
	if (rc == RC_OK || rc == RC_BAD_INPUT) /* again would not help */
		rc = command_journal_note(
			commands->journal, told, count, &fault);
	if (rc == RC_OK) {
		commands->untold -= count;
		return;
	}
	log_warn(NULL, "results of commands wait: %s", fault.text);
	commands->tell_due_us = clock_steady_us() + RETRY_US;
	hub_recover(commands->hub, rc);
}

void
commands_end_at_once(struct commands *commands,
	const struct command_order *order, const char *state, const char *code,
	const char *message)
{
	const struct command_outcome outcome = {.state = state,
		.code = code,
		.message = message,
		.time_us = plant_clock_us()};

	note_result(commands, order->id, &outcome);
}

void
commands_end_interrupted(struct commands *commands)
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
