/* driver_file: one value in each file, as sensors and outputs below /sys. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/csv_cell.h"
#include "agents/driver.h"
#include "lib/file.h"

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
	const char **path; /* of each input */
	char text[VALUE_STRING_BYTES_MAX + 1];
	struct value value; /* the last one read; a string is in "text" */
};

static enum rc
files_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	const struct file_options *options = setup->options;
	struct files *own = arena_alloc(setup->arena, sizeof(*own));

	*state = own;
	own->list = setup->list;
	own->path = arena_array(setup->arena, own->list->count, sizeof(char *));
	for (size_t i = 0; i < own->list->count; i++) {
		const struct input *input = &own->list->items[i];

		if (strstr(input->address, "..") != NULL)
			return input_fault(own->list, input, fault,
				"\"%.80s\" leaves the folder", input->address);
		own->path[i] = arena_printf(
			setup->arena, "%s/%s", options->folder, input->address);
	}
	return RC_OK;
}

/* The first line of the input's file; NULL when that is no such value. */
static const struct value *
read_value(struct files *own, size_t index)
{
	const struct input *input = &own->list->items[index];

	if (!file_peek_line(own->path[index], own->text, sizeof(own->text)) ||
		!csv_cell_value(own->text, input, false, &own->value))
		return NULL;
	return &own->value;
}

static enum rc
files_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct files *own = state;

	(void)next_us; /* at the next period */
	(void)fault;
	for (size_t i = 0; i < own->list->count; i++)
		sink->put(sink, i, due_us, 0, read_value(own, i));
	return RC_OK;
}

static enum rc
files_write(void *state, const struct driver_write *write, struct sink *sink,
	struct fault *fault)
{
	struct files *own = state;
	const char *path = own->path[write->index];
	int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (file < 0)
		return fault_set(
			fault, RC_UNAVAILABLE, "%s: %s", path, strerror(errno));
	dprintf(file, "%s\n", driver_text(write->raw, own->text));
	close(file); /* what it has then tells whether it was written */
	driver_read_back(sink, write, read_value(own, write->index));
	return RC_OK;
}

const struct driver driver_file = {
	.name = "file",
	.conf = file_conf,
	.conf_bytes = sizeof(struct file_options),
	.open = files_open,
	.poll = files_poll,
	.write = files_write,
};
