/* fuzz/mirror: any bytes as mirror.csv and, behind a line with a dot, as the
 * hub's page of variables. */

#include <stdlib.h>
#include <string.h>

#include "agents/mirror.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static const char split[] = "\n.\n";

/* What the hub is asked for has each datasource once. */
static void
check_rows(const struct mirror *mirror)
{
	struct buf asked;

	if (mirror->count == 0 || mirror->count > MIRROR_ROWS_MAX)
		abort();
	for (size_t i = 0; i < mirror->count; i++) {
		const struct mirror_row *row = &mirror->rows[i];

		if (strlen(row->datasource) != UUID_TEXT_BYTES - 1 ||
			strlen(row->prefix) > MIRROR_PREFIX_BYTES ||
			mirror_prefix(mirror, row->datasource, NULL) == NULL ||
			(row->alarms &&
				!mirror_wants_alarms(mirror, row->datasource)))
			abort();
	}
	buf_init(&asked, 0);
	mirror_write_datasources(mirror, "", &asked);
	if (asked.length < strlen("[{}]"))
		abort();
	buf_free(&asked);
}

/* Whatever is known is found by its place and by its name over there. */
static void
check_known(struct mirror *mirror)
{
	size_t known = 0;

	for (size_t i = 0; i < mirror->room; i++) {
		const struct mirror_variable *one = mirror->slots[i];

		if (one == NULL)
			continue;
		known++;
		if (mirror_find(mirror, one->id) != one ||
			mirror_find_shown(mirror, one->shown) == NULL)
			abort();
	}
	if (known != mirror->known)
		abort();
}

static void
learn(struct mirror *mirror, const uint8_t *data, size_t length)
{
	struct fault fault;
	struct buf page;
	int64_t next;

	buf_init(&page, 0);
	buf_add(&page, (const char *)data, length);
	buf_char(&page, '\0');
	page.length--;
	for (int i = 0; i < 2; i++) /* the hub tells it again after a change */
		if (mirror_learn(mirror, &page, &next, &fault) != RC_OK)
			break;
	buf_free(&page);
	check_known(mirror);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	size_t rows = length;
	struct mirror *mirror;
	struct fault fault;

	for (size_t i = 0; i + strlen(split) <= length; i++)
		if (memcmp(data + i, split, strlen(split)) == 0) {
			rows = i + 1;
			break;
		}
	if (mirror_open(fuzz_file("mirror.csv", data, rows), &mirror, &fault) !=
		RC_OK)
		return 0;
	check_rows(mirror);
	if (rows < length)
		learn(mirror, data + rows + 2, length - rows - 2);
	mirror_close(mirror);
	return 0;
}
