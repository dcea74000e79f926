/* command_json: a command as clients see it. */
#ifndef FG_FCGI_COMMAND_JSON_H
#define FG_FCGI_COMMAND_JSON_H

#include "lib/resp.h"
#include "model/command.h"

/* The HTTP status that says how a command went; 202 while it is under way. */
int command_status(const struct command *command);

/* An object; one that was not confirmed has errorCode and errorMessage. */
void command_write(
	struct jsonw *json, const char *key, const struct command *command);

/* The answer to a request for one command, or for many: each with its own
 * "status", and 207 when these differ. */
void command_answer(struct resp *resp, const struct command *command);
void command_answer_many(
	struct resp *resp, const struct command *commands, size_t count);

#endif
