/*
 * node_conf: the keys that every agent has: its log, and how it is a node.
 */
#ifndef FG_AGENTS_NODE_CONF_H
#define FG_AGENTS_NODE_CONF_H

#include "agents/hub.h"
#include "lib/conf.h"
#include "lib/log.h"

struct node_conf {
	const char *log_level;
	const char **urls;
	const char *ca;
	const char *certificate;
	const char *key;
	const char *client_id;
	const char *client_secret;
	int64_t timeout_ms;
	enum log_level level; /* made of log_level by node_conf_check */
};

#define NODE_CONF_KEY(base, member)                                            \
	((base) + offsetof(struct node_conf, member))

/* Entries of a conf table; "base" is the offset of a struct node_conf. */
#define NODE_CONF_ENTRIES(base)                                                \
	{"log", "level", CONF_TEXT, NODE_CONF_KEY(base, log_level), "info", 0, \
		0, "error, warn, info or debug"},                              \
		{"hub", "url", CONF_LIST, NODE_CONF_KEY(base, urls), NULL, 0,  \
			0,                                                     \
			"addresses of the hub, tried in turn: "                \
			"https://HOST:9410"},                                  \
		{"hub", "ca", CONF_PATH, NODE_CONF_KEY(base, ca), NULL, 0, 0,  \
			"certificates that may sign the hub's, PEM"},          \
		{"hub", "certificate", CONF_PATH,                              \
			NODE_CONF_KEY(base, certificate), NULL, 0, 0,          \
			"certificate of this node, PEM"},                      \
		{"hub", "key", CONF_PATH, NODE_CONF_KEY(base, key), NULL, 0,   \
			0, "private key of the certificate, PEM"},             \
		{"hub", "client_id", CONF_TEXT,                                \
			NODE_CONF_KEY(base, client_id), NULL, 0, 0,            \
			"OAuth client of this node"},                          \
		{"hub", "client_secret", CONF_PATH,                            \
			NODE_CONF_KEY(base, client_secret), NULL, 0, 0,        \
			"file with the client's secret"},                      \
	{                                                                      \
		"hub", "timeout_ms", CONF_INT,                                 \
			NODE_CONF_KEY(base, timeout_ms), "15000", 1000, 60000, \
			"longest wait for an answer, ms"                       \
	}

/* Fails: RC_BAD_INPUT with what is wrong; "path" is the file's. */
MUST_CHECK enum rc node_conf_check(
	struct node_conf *conf, const char *path, struct fault *fault);

/* For hub_open; "datasource" may be NULL. */
struct hub_options node_conf_hub(const struct node_conf *conf,
	const uint8_t datasource[UUID_BYTES], const atomic_bool *stop);

#endif
