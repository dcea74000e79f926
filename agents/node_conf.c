/* node_conf: the keys that every agent has. */

#include "agents/node_conf.h"

#include <string.h>

static enum rc
take_level(struct node_conf *conf, const char *path, struct fault *fault)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strcmp(conf->log_level, names[i]) == 0) {
			conf->level = (enum log_level)i;
			return RC_OK;
		}
	return fault_set(fault, RC_BAD_INPUT,
		"%s: [log] level = %s: must be error, warn, info or debug",
		path, conf->log_level);
}

static enum rc
check_urls(const struct node_conf *conf, const char *path, struct fault *fault)
{
	for (const char **url = conf->urls; *url != NULL; url++) {
		size_t length = strlen(*url);

		if (strncmp(*url, "https://", 8) != 0 || length < 9 ||
			length > 255 || (*url)[length - 1] == '/')
			return fault_set(fault, RC_BAD_INPUT,
				"%s: [hub] url = %.100s: must be "
				"https://HOST[:PORT] without a / at the end",
				path, *url);
	}
	if (conf->urls[0] == NULL)
		return fault_set(
			fault, RC_BAD_INPUT, "%s: [hub] url is empty", path);
	return RC_OK;
}

enum rc
node_conf_check(struct node_conf *conf, const char *path, struct fault *fault)
{
	enum rc rc = take_level(conf, path, fault);

	return rc == RC_OK ? check_urls(conf, path, fault) : rc;
}

struct hub_options
node_conf_hub(const struct node_conf *conf,
	const uint8_t datasource[UUID_BYTES], const atomic_bool *stop)
{
	struct hub_options options = {.urls = conf->urls,
		.ca = conf->ca,
		.certificate = conf->certificate,
		.key = conf->key,
		.client_id = conf->client_id,
		.client_secret = conf->client_secret,
		.timeout_ms = conf->timeout_ms,
		.stop = stop};

	if (datasource != NULL)
		memcpy(options.datasource, datasource, UUID_BYTES);
	return options;
}
