/* identity_consent: what a person is told about a client and its scopes. */

#include "fcgi/identity_consent.h"

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity_page.h"

static const struct {
	const char *scope;
	const char *words;
} scope_words[] = {
	{"openid", "Know who you are"},
	{"profile", "See your name"},
	{"email", "See your e-mail address"},
	{"roles", "See your groups and roles"},
	{"offline_access", "Stay connected when you are not here"},
	{"API", "Do in the grid what you may do: read, write, configure"},
	{"API.read", "Read in the grid what you may read"},
	{"API.write", "Read, write values and acknowledge alarms, as far as "
		      "you may"},
	{"serviceGridAPI.full_access",
		"Do in the grid what you may do: read, write, configure"},
	{"iiotServicesAPI",
		"Do in the grid what you may do: read, write, configure"},
	{"dataStorageAPI", "Read in the grid what you may read"},
};

static const char *
words_of(const char *scope)
{
	for (size_t i = 0; i < ARRAY_LENGTH(scope_words); i++)
		if (strcmp(scope_words[i].scope, scope) == 0)
			return scope_words[i].words;
	return NULL;
}

void
consent_describe(struct json_object *view, const struct client *client,
	const char *const *scopes)
{
	struct json_object *list = json_object_new_array();

	page_text(view, "client", client->name);
	page_text(view, "client_id", client->client_id);
	if (client->home_page != NULL && client->home_page[0] != '\0')
		page_text(view, "home_page", client->home_page);
	json_object_object_add(view, "scopes", list);
	for (; *scopes != NULL; scopes++) {
		struct json_object *item = json_object_new_object();

		page_text(item, "scope", *scopes);
		page_text(item, "words", words_of(*scopes));
		json_object_array_add(list, item);
	}
}
