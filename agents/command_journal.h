/*
 * command_journal: which commands were begun, on disk before they are.
 *
 * A command that is in it is never begun again, whatever the hub or the
 * network sends. One that was begun and has no result when the agent starts
 * was interrupted. Entries are kept for longer than any command is good.
 */
#ifndef FG_AGENTS_COMMAND_JOURNAL_H
#define FG_AGENTS_COMMAND_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/encode.h"
#include "lib/fault.h"

#define COMMAND_JOURNAL_MAX        50000
#define COMMAND_JOURNAL_TEXT_BYTES ((size_t)16 * 1024)

enum command_step {
	COMMAND_BEGUN = 1, /* the device may have been touched */
	COMMAND_DONE = 2,  /* "text" is the result, JSON, for the hub */
	COMMAND_TOLD = 3,  /* the hub has the result */
};

struct command_entry {
	uint8_t id[UUID_BYTES];
	enum command_step step;
	char *text;       /* of COMMAND_DONE; else NULL */
	int64_t noted_us; /* clock_boot_us; not on disk */
};

struct command_journal;

/*
 * Read the journal at "path", or begin one; a record that was torn is the end.
 * Where nothing can be written, as on a full disk, it notes nothing until that
 * is over. Fails: RC_IO: it cannot be read.
 */
MUST_CHECK enum rc command_journal_open(const char *path,
	struct command_journal **journal, struct fault *fault);
void command_journal_close(struct command_journal *journal);

/* The entries, in the order they were begun; good until the next change. */
const struct command_entry *command_journal_entries(
	const struct command_journal *journal, size_t *count);

/* NULL when the command is not in it. */
const struct command_entry *command_journal_find(
	const struct command_journal *journal, const uint8_t id[UUID_BYTES]);

/*
 * Write down that commands are at another step; on disk when it returns.
 * Fails: RC_IO, RC_TOO_MANY: nothing counts then.
 */
MUST_CHECK enum rc command_journal_note(struct command_journal *journal,
	const struct command_entry *entries, size_t count, struct fault *fault);

/* Forget those that are told and have been there for so long that they could
 * only be expired by now ("now_us" is of clock_boot_us). */
void command_journal_forget(struct command_journal *journal, int64_t now_us);

/* --- for tests -------------------------------------------------------------
 */

/* Call "take" for each whole record of the bytes; returns their length. */
size_t command_journal_read(const void *data, size_t length,
	void (*take)(void *context, const struct command_entry *entry),
	void *context);

#endif
