/* provider_person: who the claims of an ID token say the person is. */

#include "model/provider_person.h"

#include <json-c/json.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/jwt.h"

#define SUBJECT_BYTES_MAX 255 /* OpenID Connect Core 1.0, 2 */
#define TEXT_BYTES_MAX    256

static enum rc
deny(struct fault *fault, const char *why)
{
	return fault_set(fault, RC_DENIED, "the ID token %s", why);
}

static bool
is_subject(const char *text)
{
	size_t length = text != NULL ? strlen(text) : 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= SUBJECT_BYTES_MAX;
}

static bool
read_uuid(struct json_object *claims, const char *name,
	char text[UUID_TEXT_BYTES])
{
	const char *claim = jwt_claim_text(claims, name);
	uint8_t uuid[UUID_BYTES];

	if (claim == NULL || !uuid_parse(claim, uuid))
		return false;
	uuid_format(text, uuid);
	return true;
}

static enum rc
read_subject(struct arena *arena, const struct provider *provider,
	struct json_object *claims, struct provider_person *person,
	struct fault *fault)
{
	char tenant[UUID_TEXT_BYTES];
	char object[UUID_TEXT_BYTES];

	person->subject = jwt_claim_text(claims, "sub");
	if (!is_subject(person->subject))
		return deny(fault, "names nobody (sub)");
	if (strcmp(provider->subject, "sub") == 0)
		return RC_OK;
	if (!read_uuid(claims, "tid", tenant) ||
		!read_uuid(claims, "oid", object))
		return deny(fault, "has no tid and oid");
	person->subject = arena_printf(arena, "tid:%s oid:%s", tenant, object);
	return RC_OK;
}

static const char *
short_text(struct json_object *claims, const char *name)
{
	const char *text = jwt_claim_text(claims, name);

	return text != NULL && strlen(text) <= TEXT_BYTES_MAX ? text : NULL;
}

static const char *
first_text(struct json_object *claims, const char *const *names)
{
	const char *text = NULL;

	for (; *names != NULL && (text == NULL || text[0] == '\0'); names++)
		text = short_text(claims, *names);
	return text;
}

/* One that the provider itself does not trust is left out. */
static const char *
read_email(struct json_object *claims)
{
	struct json_object *verified = NULL;

	if (json_object_object_get_ex(claims, "email_verified", &verified) &&
		!json_object_get_boolean(verified))
		return NULL;
	return short_text(claims, "email");
}

/* More groups than fit: Azure names a place to ask instead. */
static bool
names_elsewhere(struct json_object *claims, const char *claim)
{
	struct json_object *elsewhere = NULL;

	return json_object_object_get_ex(claims, "_claim_names", &elsewhere) &&
	       json_object_is_type(elsewhere, json_type_object) &&
	       json_object_object_get_ex(elsewhere, claim, NULL);
}

static size_t
take_texts(struct json_object *value, const char **items, size_t count_max)
{
	size_t count = 0;

	if (json_object_is_type(value, json_type_string) && count_max > 0)
		items[count++] = json_object_get_string(value);
	if (!json_object_is_type(value, json_type_array))
		return count;
	for (size_t i = 0; i < json_object_array_length(value); i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		if (count < count_max &&
			json_object_is_type(item, json_type_string))
			items[count++] = json_object_get_string(item);
	}
	return count;
}

static void
read_groups(struct arena *arena, const struct provider *provider,
	struct json_object *claims, struct provider_person *person)
{
	const char *claim = provider->groups_claim;
	struct json_object *value = NULL;
	const char **items;

	person->groups_unknown =
		claim[0] == '\0' || names_elsewhere(claims, claim);
	if (person->groups_unknown ||
		!json_object_object_get_ex(claims, claim, &value))
		return;
	items = arena_array(arena, PROVIDER_GROUPS_MAX, sizeof(*items));
	person->groups.count = take_texts(value, items, PROVIDER_GROUPS_MAX);
	person->groups.items = items;
}

static bool
says_factor(const struct provider *provider, struct json_object *claims,
	const char *name)
{
	const char *items[32];
	struct json_object *value = NULL;
	size_t count;

	if (!json_object_object_get_ex(claims, name, &value))
		return false;
	count = take_texts(value, items, ARRAY_LENGTH(items));
	for (size_t i = 0; i < count; i++)
		for (const char **at = provider->factor_values; *at != NULL;
			at++)
			if (strcmp(items[i], *at) == 0)
				return true;
	return false;
}

static void
read_rest(struct arena *arena, const struct provider *provider,
	struct json_object *claims, struct provider_person *person)
{
	const char *const names[] = {provider->name_claim, "preferred_username",
		"upn", "email", "sub", NULL};

	person->name = first_text(claims, names);
	person->full_name = short_text(claims, "name");
	person->email = read_email(claims);
	person->second_factor = says_factor(provider, claims, "amr") ||
				says_factor(provider, claims, "acr");
	read_groups(arena, provider, claims, person);
}

enum rc
provider_person_read(struct arena *arena, const struct provider *provider,
	struct json_object *claims, struct provider_person *person,
	struct fault *fault)
{
	enum rc rc;

	memset(person, 0, sizeof(*person));
	rc = read_subject(arena, provider, claims, person, fault);
	if (rc == RC_OK)
		read_rest(arena, provider, claims, person);
	return rc;
}
