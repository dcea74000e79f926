/* asset: where the browser finds style sheets, scripts and pictures. */

#include "lib/asset.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#define KEY_BYTES 256

/* "vendor/uplot/uPlot.min.css" -> "vendor_uplot_uPlot_min" */
static void
template_key(char key[KEY_BYTES], const char *name)
{
	const char *suffix = strrchr(name, '.');
	size_t length = suffix != NULL ? (size_t)(suffix - name) : strlen(name);
	size_t used = 0;

	for (size_t i = 0; i < length && used + 1 < KEY_BYTES; i++)
		if (isalnum((unsigned char)name[i]))
			key[used++] = name[i];
		else if (used > 0 && key[used - 1] != '_')
			key[used++] = '_';
	key[used] = '\0';
}

enum rc
asset_load(const char *path, struct json_object **assets, struct fault *fault)
{
	struct json_object *manifest = json_object_from_file(path);
	struct json_object *made;
	enum rc rc = RC_OK;

	if (manifest == NULL)
		return fault_set(
			fault, RC_IO, "%s: %s", path, json_util_get_last_err());
	if (!json_object_is_type(manifest, json_type_object)) {
		json_object_put(manifest);
		return fault_set(
			fault, RC_BAD_INPUT, "%s: not an object", path);
	}
	made = json_object_new_object();
	json_object_object_foreach(manifest, name, url)
	{
		char key[KEY_BYTES];

		template_key(key, name);
		if (json_object_object_get_ex(made, key, NULL)) {
			rc = fault_set(fault, RC_BAD_INPUT,
				"%s: two files are called %s", path, key);
			break;
		}
		json_object_object_add(made, key, json_object_get(url));
	}
	json_object_put(manifest);
	if (rc == RC_OK)
		*assets = made;
	else
		json_object_put(made);
	return rc;
}
