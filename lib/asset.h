/*
 * asset: where the browser finds style sheets, scripts and pictures.
 *
 * The build copies them under names that hold a hash of their content and
 * writes manifest.json: {"css/app.css": "/static/css/app.1a2b3c4d.css", ...}.
 */
#ifndef FG_LIB_ASSET_H
#define FG_LIB_ASSET_H

#include "lib/fault.h"

struct json_object;

/*
 * Read the manifest as an object for templates: its keys without the suffix,
 * "_" for every run of other characters than letters and digits, so that
 * {{asset.css_app}} is the address of css/app.css.
 * Owns:  *assets is freed by json_object_put.
 * Fails: RC_IO the file; RC_BAD_INPUT it is no manifest, or two keys clash.
 */
MUST_CHECK enum rc asset_load(
	const char *path, struct json_object **assets, struct fault *fault);

#endif
