/* hub: an agent's connection with a Data Hub. */

#include "agents/hub_parts.h"

#include <stdlib.h>

#include "lib/log.h"

#define RESPONSE_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define CONNECT_TIMEOUT_MS 5000

static enum rc
open_http(const struct hub_options *options, struct http **http,
	struct fault *fault)
{
	struct http_options http_options = {.ca = options->ca,
		.certificate = options->certificate,
		.key = options->key,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.timeout_ms = options->timeout_ms,
		.response_bytes_max = RESPONSE_BYTES_MAX,
		.stop = options->stop};

	return http_open(&http_options, http, fault);
}

enum rc
hub_open(const struct hub_options *options, struct hub **result,
	struct fault *fault)
{
	struct hub *hub = calloc(1, sizeof(*hub));
	enum rc rc;

	if (hub == NULL)
		abort();
	hub->options = *options;
	while (options->urls[hub->url_count] != NULL)
		hub->url_count++;
	buf_init(&hub->reply.body, 0);
	buf_init(&hub->body, 0);
	rc = open_http(options, &hub->http, fault);
	if (rc != RC_OK) {
		hub_close(hub);
		return rc;
	}
	*result = hub;
	return RC_OK;
}

struct http *
hub_http(struct hub *hub)
{
	return hub->http;
}

enum rc
hub_use(struct hub *hub, const char *certificate, const char *key,
	struct fault *fault)
{
	struct hub_options options = hub->options;
	struct http *http = NULL;
	enum rc rc;

	options.certificate = certificate;
	options.key = key;
	rc = open_http(&options, &http, fault);
	if (rc != RC_OK)
		return rc;
	http_close(hub->http);
	hub->http = http;
	hub->options = options;
	hub_forget_token(hub); /* it is bound to the other certificate */
	return RC_OK;
}

void
hub_close(struct hub *hub)
{
	if (hub == NULL)
		return;
	hub_forget_token(hub);
	http_close(hub->http);
	buf_free(&hub->reply.body);
	buf_free(&hub->body);
	free(hub);
}

const char *
hub_url(const struct hub *hub)
{
	return hub->options.urls[hub->url];
}

size_t
hub_url_count(const struct hub *hub)
{
	return hub->url_count;
}

void
hub_turn(struct hub *hub)
{
	if (hub->url_count == 1)
		return;
	hub->url = (hub->url + 1) % hub->url_count;
	hub_forget_token(hub); /* the other one may not know it */
}

void
hub_recover(struct hub *hub, enum rc rc)
{
	struct fault fault;

	if ((rc == RC_DENIED || rc == RC_UPSTREAM) &&
		hub_use(hub, hub->options.certificate, hub->options.key,
			&fault) != RC_OK)
		log_warn(NULL, "%s", fault.text);
	hub_turn(hub);
}
