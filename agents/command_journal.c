/* command_journal: which commands were begun, on disk before they are. */

#include "agents/command_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/wire.h"

/* A record is a head, the length of what follows and its CRC, and then step,
 * id and the text. */
#define HEAD_BYTES  8
#define FIXED_BYTES (1 + UUID_BYTES)
#define PATH_BYTES  1024
/* So much of old records is written anew without them. */
#define STALE_BYTES ((size_t)256 * 1024)
/* No command is good for more than five minutes. */
#define KEEP_US (6 * CLOCK_MINUTE_US)

struct command_journal {
	char path[PATH_BYTES];
	int fd;
	size_t bytes;
	size_t fresh_bytes; /* after the last rewrite */
	bool torn;          /* something is behind "bytes" */
	struct command_entry *items;
	size_t count;
	size_t capacity;
};

/* --- records ---------------------------------------------------------------
 */

static void
put_record(struct buf *out, const struct command_entry *entry)
{
	size_t text = entry->text != NULL ? strlen(entry->text) : 0;
	uint8_t head[HEAD_BYTES];
	size_t at = out->length;

	buf_add(out, "\0\0\0\0\0\0\0", HEAD_BYTES);
	wire_add_u8(out, entry->step);
	buf_add(out, entry->id, UUID_BYTES);
	if (text > 0)
		buf_add(out, entry->text, text);
	wire_put_u32(head, (uint32_t)(FIXED_BYTES + text));
	wire_put_u32(head + 4,
		crc32c(0, out->data + at + HEAD_BYTES, FIXED_BYTES + text));
	memcpy(out->data + at, head, HEAD_BYTES);
}

/* False at the end, and at a record that is not whole. */
static bool
take_record(struct wire_reader *in, struct command_entry *entry,
	char text[COMMAND_JOURNAL_TEXT_BYTES + 1])
{
	const uint8_t *head = wire_take(in, HEAD_BYTES);
	uint32_t length = head != NULL ? wire_u32(head) : 0;
	const uint8_t *body;

	if (length < FIXED_BYTES ||
		length > FIXED_BYTES + COMMAND_JOURNAL_TEXT_BYTES)
		return false;
	body = wire_take(in, length);
	if (body == NULL || crc32c(0, body, length) != wire_u32(head + 4) ||
		body[0] < COMMAND_BEGUN || body[0] > COMMAND_TOLD)
		return false;
	entry->step = (enum command_step)body[0];
	memcpy(entry->id, body + 1, UUID_BYTES);
	memcpy(text, body + FIXED_BYTES, length - FIXED_BYTES);
	text[length - FIXED_BYTES] = '\0';
	entry->text = text[0] != '\0' ? text : NULL;
	return true;
}

size_t
command_journal_read(const void *data, size_t length,
	void (*take)(void *context, const struct command_entry *entry),
	void *context)
{
	struct wire_reader in = wire_reader(data, length);
	char text[COMMAND_JOURNAL_TEXT_BYTES + 1];
	struct command_entry entry;
	const uint8_t *good = in.at;

	while (take_record(&in, &entry, text)) {
		take(context, &entry);
		good = in.at;
	}
	return (size_t)(good - (const uint8_t *)data);
}

/* --- in memory -------------------------------------------------------------
 */

static struct command_entry *
find(const struct command_journal *journal, const uint8_t id[UUID_BYTES])
{
	for (size_t i = journal->count; i > 0; i--)
		if (memcmp(journal->items[i - 1].id, id, UUID_BYTES) == 0)
			return &journal->items[i - 1];
	return NULL;
}

static struct command_entry *
add(struct command_journal *journal)
{
	if (journal->count == journal->capacity) {
		journal->capacity = journal->capacity * 2 + 64;
		journal->items = realloc(journal->items,
			journal->capacity * sizeof(*journal->items));
		if (journal->items == NULL)
			abort();
	}
	return memset(
		&journal->items[journal->count++], 0, sizeof(*journal->items));
}

static void
apply(void *context, const struct command_entry *entry)
{
	struct command_journal *journal = context;
	struct command_entry *item = find(journal, entry->id);
	int64_t noted_us = item != NULL ? item->noted_us : clock_boot_us();

	if (item == NULL)
		item = add(journal);
	free(item->text);
	*item = *entry;
	item->noted_us = noted_us;
	item->text = entry->text != NULL ? strdup(entry->text) : NULL;
}

/* --- on disk ---------------------------------------------------------------
 */

/* From here on records go to the new file. Whether it has taken the place of
 * the old one for good is only known when the folder is on the disk as well. */
static enum rc
adopt(struct command_journal *journal, int fd, size_t bytes,
	struct fault *fault)
{
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = fd;
	journal->bytes = journal->fresh_bytes = bytes;
	journal->torn = !file_sync_folder(journal->path);
	return journal->torn ? file_refused(journal->path, fault) : RC_OK;
}

/* A new file with what there is, in the place of the old one. */
static enum rc
rewrite(struct command_journal *journal, struct fault *fault)
{
	char fresh[PATH_BYTES + 8];
	struct buf out;
	size_t bytes;
	bool good;
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.new", journal->path);
	buf_init(&out, 0);
	for (size_t i = 0; i < journal->count; i++)
		put_record(&out, &journal->items[i]);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
		0600);
	good = fd >= 0 &&
	       (out.length == 0 || file_write_all(fd, out.data, out.length)) &&
	       fdatasync(fd) == 0 && rename(fresh, journal->path) == 0;
	bytes = out.length;
	buf_free(&out);
	if (!good) {
		enum rc rc = file_refused(journal->path, fault);

		if (fd >= 0)
			close(fd);
		return rc;
	}
	return adopt(journal, fd, bytes, fault);
}

static enum rc
load(struct command_journal *journal, struct fault *fault)
{
	int fd = open(journal->path, O_RDONLY | O_CLOEXEC);
	struct stat facts;
	struct buf in;
	void *room;
	enum rc rc = RC_OK;

	if (fd < 0)
		return errno == ENOENT ? RC_OK
				       : file_refused(journal->path, fault);
	buf_init(&in, 0);
	if (fstat(fd, &facts) != 0 ||
		(room = buf_reserve(&in, (size_t)facts.st_size)) == NULL ||
		read(fd, room, (size_t)facts.st_size) != facts.st_size)
		rc = file_refused(journal->path, fault);
	else if (command_journal_read(room, (size_t)facts.st_size, apply,
			 journal) < (size_t)facts.st_size)
		log_warn(NULL, "%s ends with a torn record", journal->path);
	buf_free(&in);
	close(fd);
	return rc;
}

enum rc
command_journal_open(
	const char *path, struct command_journal **result, struct fault *fault)
{
	struct command_journal *journal = calloc(1, sizeof(*journal));
	enum rc rc;

	if (journal == NULL)
		abort();
	journal->fd = -1;
	snprintf(journal->path, sizeof(journal->path), "%s", path);
	rc = load(journal, fault);
	if (rc != RC_OK) {
		command_journal_close(journal);
		return rc;
	}
	if (rewrite(journal, fault) != RC_OK) {
		journal->torn = true;
		log_error(NULL, "commands are refused: %s", fault->text);
	}
	*result = journal;
	return RC_OK;
}

void
command_journal_close(struct command_journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	for (size_t i = 0; i < journal->count; i++)
		free(journal->items[i].text);
	free(journal->items);
	free(journal);
}

const struct command_entry *
command_journal_entries(const struct command_journal *journal, size_t *count)
{
	*count = journal->count;
	return journal->items;
}

const struct command_entry *
command_journal_find(
	const struct command_journal *journal, const uint8_t id[UUID_BYTES])
{
	return find(journal, id);
}

/* What could not be written whole is cut off again, or it would hide what is
 * written behind it: until that is done nothing is written. */
static enum rc
append(struct command_journal *journal, const struct buf *out,
	struct fault *fault)
{
	enum rc rc;

	if (journal->torn && rewrite(journal, fault) != RC_OK)
		return fault->rc;
	if (file_write_all(journal->fd, out->data, out->length) &&
		fdatasync(journal->fd) == 0) {
		journal->bytes += out->length;
		return RC_OK;
	}
	rc = file_refused(journal->path, fault);
	journal->torn = ftruncate(journal->fd, (off_t)journal->bytes) != 0;
	return rc;
}

enum rc
command_journal_note(struct command_journal *journal,
	const struct command_entry *entries, size_t count, struct fault *fault)
{
	struct buf out;
	enum rc rc;

	if (count == 0)
		return RC_OK;
	if (entries[0].step == COMMAND_BEGUN &&
		journal->count + count > COMMAND_JOURNAL_MAX)
		return fault_set(fault, RC_TOO_MANY,
			"the journal holds %zu commands", journal->count);
	buf_init(&out, 0);
	for (size_t i = 0; i < count; i++)
		put_record(&out, &entries[i]);
	rc = append(journal, &out, fault);
	buf_free(&out);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		apply(journal, &entries[i]);
	return rc;
}

static bool
is_over(const struct command_entry *entry, int64_t now_us)
{
	return entry->step == COMMAND_TOLD &&
	       now_us - entry->noted_us > KEEP_US;
}

void
command_journal_forget(struct command_journal *journal, int64_t now_us)
{
	struct fault fault;
	size_t kept = 0;

	for (size_t i = 0; i < journal->count; i++) {
		if (is_over(&journal->items[i], now_us))
			free(journal->items[i].text);
		else
			journal->items[kept++] = journal->items[i];
	}
	journal->count = kept;
	if (journal->bytes > journal->fresh_bytes + STALE_BYTES &&
		rewrite(journal, &fault) != RC_OK)
		log_warn(NULL, "%s", fault.text);
}
