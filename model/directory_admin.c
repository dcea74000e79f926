/* directory_admin: what an administrator does with directories. */

#include "model/directory_admin.h"

const char *
directory_source(struct arena *arena, const struct directory *directory)
{
	return arena_printf(
		arena, DIRECTORY_SOURCE_PREFIX "%s", directory->name);
}

static void
write_connection(struct jsonw *json, const struct directory *directory)
{
	jsonw_open_arr(json, "uris");
	for (size_t i = 0; i < directory->uris.count; i++)
		jsonw_str(json, NULL, directory->uris.items[i]);
	jsonw_close_arr(json);
	jsonw_str(json, "mode", directory->mode);
	jsonw_str(json, "ca", directory->ca);
	jsonw_str(json, "bindDn", directory->bind_dn);
	jsonw_int(json, "timeoutMs", directory->timeout_ms);
}

void
directory_write(struct jsonw *json, const struct directory *directory)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, directory->uuid);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", uuid);
	jsonw_str(json, "name", directory->name);
	jsonw_str(json, "state", directory->state);
	jsonw_int(json, "position", directory->position);
	write_connection(json, directory);
	jsonw_str(json, "base", directory->base);
	jsonw_str(json, "userFilter", directory->user_filter);
	jsonw_str(json, "idAttribute", directory->id_attribute);
	jsonw_str(json, "nameAttribute", directory->name_attribute);
	jsonw_str(json, "fullNameAttribute", directory->full_name_attribute);
	jsonw_str(json, "emailAttribute", directory->email_attribute);
	jsonw_str(json, "groupMode", directory->group_mode);
	jsonw_str(json, "groupBase", directory->group_base);
	jsonw_str(json, "groupFilter", directory->group_filter);
	jsonw_int(json, "syncSeconds", directory->sync_s);
	jsonw_int(json, "maxAgeSeconds", directory->max_age_s);
	jsonw_time(json, "synced", directory->synced_us);
	jsonw_str(json, "syncFault", directory->sync_fault);
	jsonw_close_obj(json);
}

const char *
directory_describe(struct arena *arena, const struct directory *directory)
{
	struct jsonw *json = jsonw_in(arena);

	directory_write(json, directory);
	return json->out->data;
}
