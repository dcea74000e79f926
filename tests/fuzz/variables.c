/* fuzz/variables: any bytes as the variables CSV of an agent. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/input.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static size_t
one_instance(struct arena *arena, const char *address, const char **names,
	size_t room)
{
	(void)arena;
	(void)address;
	if (room > 0)
		names[0] = "one";
	return room > 0;
}

/* What is accepted is fit for the hub. */
static void
check_input(const struct input *input)
{
	size_t length = strlen(input->name);

	if (length == 0 || !utf8_valid(input->name, length) ||
		input->decimals < 0 || input->decimals > 15 ||
		input->scale == 0 || input_type(input)[0] == '\0' ||
		input->dead_band < 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct input_list list;
	struct fault fault;
	FILE *file;

	if (length == 0)
		return 0;
	if (arena == NULL)
		arena = arena_new();
	file = fmemopen((void *)(uintptr_t)data, length, "r");
	if (file == NULL)
		abort();
	if (input_list_read(
		    arena, file, "v.csv", one_instance, &list, &fault) == RC_OK)
		for (size_t i = 0; i < list.count; i++)
			check_input(&list.items[i]);
	fclose(file);
	arena_reset(arena);
	return 0;
}
