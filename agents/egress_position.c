/* egress_position: how far an egress agent has mirrored, on disk. */

#include "agents/egress_position.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/jsonw.h"
#include "lib/utf8.h"

#define PATH_BYTES     1024
#define FILE_BYTES_MAX ((size_t)1024 * 1024)
#define FORM           1

void
egress_position_init(struct egress_position *position)
{
	*position = (struct egress_position){.frames = strdup(""),
		.alarms = strdup(""),
		.events = strdup(""),
		.fill = strdup(""),
		.fill_of = strdup(""),
		.outlet = strdup("")};
}

void
egress_position_free(struct egress_position *position)
{
	free(position->frames);
	free(position->alarms);
	free(position->events);
	free(position->fill);
	free(position->fill_of);
	free(position->outlet);
}

void
egress_position_set(char **text, const char *with)
{
	char *copy = strdup(with);

	if (copy == NULL)
		abort();
	free(*text);
	*text = copy;
}

static void
path_of(const char *folder, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", folder, name);
}

/* --- reading ------------------------------------------------------------- */

static bool
take_text(struct json_object *object, const char *name, char **text)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, json_type_string) ||
		!utf8_valid(json_object_get_string(member),
			(size_t)json_object_get_string_len(member)))
		return false;
	egress_position_set(text, json_object_get_string(member));
	return true;
}

static bool
take_number(struct json_object *object, const char *name, int64_t *number)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, name, &member) ||
		!json_object_is_type(member, json_type_int))
		return false;
	*number = json_object_get_int64(member);
	return true;
}

static bool
take_all(struct json_object *object, struct egress_position *position)
{
	int64_t version = 0;
	int64_t filling = 0;
	bool good =
		take_number(object, "version", &version) && version == FORM &&
		take_text(object, "frames", &position->frames) &&
		take_text(object, "alarms", &position->alarms) &&
		take_text(object, "events", &position->events) &&
		take_text(object, "fill", &position->fill) &&
		take_text(object, "fillOf", &position->fill_of) &&
		take_number(object, "filling", &filling) &&
		take_number(object, "fillFromUs", &position->fill_from_us) &&
		take_number(object, "fillToUs", &position->fill_to_us) &&
		take_text(object, "outlet", &position->outlet);

	position->filling = filling != 0;
	position->stored = good;
	return good;
}

enum rc
egress_position_load(struct egress_position *position, const char *folder,
	struct fault *fault)
{
	struct arena *arena = arena_new();
	struct json_object *object;
	char path[PATH_BYTES];
	char *text;
	enum rc rc = RC_OK;

	path_of(folder, "position", path);
	if (access(path, F_OK) == 0) {
		rc = file_read(arena, path, FILE_BYTES_MAX, &text, NULL, fault);
		object = rc == RC_OK ? json_tokener_parse(text) : NULL;
		if (rc == RC_OK && !take_all(object, position))
			rc = fault_set(fault, RC_BAD_INPUT,
				"%s is damaged: remove it to begin anew", path);
		json_object_put(object);
	}
	arena_free(arena);
	return rc;
}

/* --- writing ------------------------------------------------------------- */

enum rc
egress_position_save(const struct egress_position *position, const char *folder,
	struct fault *fault)
{
	char path[PATH_BYTES];
	struct buf text;
	struct jsonw json;
	enum rc rc;

	path_of(folder, "position", path);
	buf_init(&text, 0);
	jsonw_init(&json, &text);
	jsonw_open_obj(&json, NULL);
	jsonw_int(&json, "version", FORM);
	jsonw_str(&json, "frames", position->frames);
	jsonw_str(&json, "alarms", position->alarms);
	jsonw_str(&json, "events", position->events);
	jsonw_str(&json, "fill", position->fill);
	jsonw_str(&json, "fillOf", position->fill_of);
	jsonw_int(&json, "filling", position->filling);
	jsonw_int(&json, "fillFromUs", position->fill_from_us);
	jsonw_int(&json, "fillToUs", position->fill_to_us);
	jsonw_str(&json, "outlet", position->outlet);
	jsonw_close_obj(&json);
	buf_char(&text, '\n');
	rc = file_write(path, text.data, 0600, fault);
	buf_free(&text);
	return rc;
}

enum rc
egress_position_lock(const char *folder, struct fault *fault)
{
	char path[PATH_BYTES];
	int fd;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return fault_set(
			fault, RC_IO, "%s: %s", folder, strerror(errno));
	path_of(folder, "lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return fault_set(fault, RC_CONFLICT,
			"%s: another egress agent uses this folder", folder);
	}
	return RC_OK; /* open, and so locked, until the process ends */
}
