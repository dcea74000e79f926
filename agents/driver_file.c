/* driver_file: one value in each file, as sensors and outputs below /sys. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/csv_cell.h"
#include "agents/driver.h"
#include "lib/utf8.h"

struct file_options {
	const char *folder;
};

static const struct conf_entry file_conf[] = {
	{"file", "folder", CONF_PATH, offsetof(struct file_options, folder),
		"/sys", 0, 0, "folder that the addresses begin in"},
	CONF_END,
};

struct files {
	const struct input_list *list;
	const char **paths; /* of each input */
	char text[VALUE_STRING_BYTES_MAX + 1];
};

static enum rc
file_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	const struct file_options *options = setup->options;
	struct files *files = arena_alloc(setup->arena, sizeof(*files));

	*state = files;
	files->list = setup->list;
	files->paths = arena_array(
		setup->arena, setup->list->count, sizeof(*files->paths));
	for (size_t i = 0; i < setup->list->count; i++) {
		const struct input *input = &setup->list->items[i];

		if (strstr(input->address, "..") != NULL)
			return input_fault(setup->list, input, fault,
				"\"%.80s\" leaves the folder", input->address);
		files->paths[i] = arena_printf(
			setup->arena, "%s/%s", options->folder, input->address);
	}
	return RC_OK;
}

/* The first line of the input's file; false when that is no such value. */
static bool
read_value(struct files *files, size_t index, struct value *value)
{
	FILE *file = fopen(files->paths[index], "re");
	struct csv_field cell = {.text = files->text};

	if (file == NULL)
		return false;
	files->text[fread(files->text, 1, VALUE_STRING_BYTES_MAX, file)] = '\0';
	fclose(file);
	cell.length = strcspn(files->text, "\n");
	files->text[cell.length] = '\0';
	return utf8_valid(files->text, cell.length) &&
	       csv_cell_value(&cell, &files->list->items[index], false, value);
}

static enum rc
file_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct files *files = state;
	struct value value;

	(void)next_us; /* at the next period */
	(void)fault;
	for (size_t i = 0; i < files->list->count; i++) {
		if (read_value(files, i, &value))
			sink->put(sink, i, due_us, 0, &value);
		else
			sink->put(sink, i, due_us, STATUS_INVALID, NULL);
	}
	return RC_OK;
}

static bool
write_text(int file, const struct value *value)
{
	if (value->kind == VALUE_STRING)
		return dprintf(file, "%s\n", value->string.data) > 0;
	if (value->kind == VALUE_INT)
		return dprintf(file, "%" PRId64 "\n", value->integer) > 0;
	return dprintf(file, "%.17g\n", value_number(value)) > 0;
}

static enum rc
file_write(void *state, const struct driver_write *write, struct sink *sink,
	struct fault *fault)
{
	struct files *files = state;
	const char *path = files->paths[write->index];
	int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	struct value now;
	bool good;

	if (file < 0)
		return fault_set(
			fault, RC_UNAVAILABLE, "%s: %s", path, strerror(errno));
	good = write_text(file, write->raw);
	close(file);
	good = good && read_value(files, write->index, &now);
	driver_read_back(sink, write, good ? &now : NULL);
	return RC_OK;
}

const struct driver driver_file = {
	.name = "file",
	.conf = file_conf,
	.conf_bytes = sizeof(struct file_options),
	.open = file_open,
	.poll = file_poll,
	.write = file_write,
};
