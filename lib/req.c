/* req: one request, whatever brought it. */

#include "lib/req.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/encode.h"
#include "lib/utf8.h"

#define PAIRS_MAX         256
#define HEADER_NAME_BYTES 128

const char *
req_arg(const struct req *req, const char *name)
{
	for (size_t i = 0; i < req->args_count; i++)
		if (strcmp(req->args[i].name, name) == 0)
			return req->args[i].value;
	return NULL;
}

enum rc
req_arg_uuid(struct req *req, const char *name, uint8_t uuid[16])
{
	const char *text = req_arg(req, name);

	if (text == NULL || !uuid_parse(text, uuid))
		return fault_set(
			&req->fault, RC_NOT_FOUND, "{%s} is not a UUID", name);
	return RC_OK;
}

/* CGI spells If-None-Match as HTTP_IF_NONE_MATCH (RFC 3875, 4.1.18). */
const char *
req_header(const struct req *req, const char *name)
{
	char key[HEADER_NAME_BYTES] = "HTTP_";
	size_t used = strlen(key);

	for (; *name != '\0' && used + 1 < sizeof(key); name++)
		key[used++] = *name == '-'
				      ? '_'
				      : (char)toupper((unsigned char)*name);
	key[used] = '\0';
	return req->param(req, key);
}

const char *
req_cookie(const struct req *req, const char *name)
{
	const char *cookies = req_header(req, "Cookie");
	size_t length = strlen(name);

	while (cookies != NULL && *cookies != '\0') {
		size_t bytes;

		cookies += strspn(cookies, "; ");
		bytes = strcspn(cookies, ";");
		if (bytes > length && strncmp(cookies, name, length) == 0 &&
			cookies[length] == '=')
			return arena_strndup(req->arena, cookies + length + 1,
				bytes - length - 1);
		cookies += bytes;
	}
	return NULL;
}

static int
hex_digit(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	letter = (char)(letter | 0x20);
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

char *
percent_decode(struct arena *arena, const char *text, size_t length,
	bool plus_is_space)
{
	char *decoded = arena_alloc(arena, length + 1);
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		char byte = text[i];

		if (byte == '%') {
			bool complete = length - i > 2;
			int high = complete ? hex_digit(text[i + 1]) : -1;
			int low = complete ? hex_digit(text[i + 2]) : -1;

			if (high < 0 || low < 0)
				return NULL;
			byte = (char)(high << 4 | low);
			i += 2;
		} else if (byte == '+' && plus_is_space) {
			byte = ' ';
		}
		if (byte == '\0')
			return NULL;
		decoded[used++] = byte;
	}
	return decoded;
}

char *
percent_encode(struct arena *arena, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *encoded = arena_alloc(arena, 3 * strlen(text) + 1);
	size_t used = 0;

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (isalnum(byte) || strchr("-._~", byte) != NULL) {
			encoded[used++] = (char)byte;
			continue;
		}
		encoded[used++] = '%';
		encoded[used++] = digits[byte >> 4];
		encoded[used++] = digits[byte & 15];
	}
	return encoded;
}

static const char *
decode_part(struct arena *arena, const char *text, size_t length)
{
	const char *decoded = percent_decode(arena, text, length, true);

	if (decoded == NULL || !utf8_valid(decoded, strlen(decoded)))
		return NULL;
	return decoded;
}

static enum rc
split_pairs(struct req *req, const char *text, struct pairs *pairs)
{
	struct pair *items = arena_array(req->arena, PAIRS_MAX, sizeof(*items));
	size_t count = 0;

	while (*text != '\0') {
		size_t length = strcspn(text, "&");
		size_t name_length = strcspn(text, "=&");
		size_t skip = name_length < length ? name_length + 1 : length;

		if (length > 0 && count == PAIRS_MAX)
			return fault_tell(&req->fault, RC_BAD_INPUT,
				"BadRequest", NULL, "More than %d parameters.",
				PAIRS_MAX);
		if (length > 0) {
			struct pair *pair = &items[count++];

			pair->name = decode_part(req->arena, text, name_length);
			pair->value = decode_part(
				req->arena, text + skip, length - skip);
			if (pair->name == NULL || pair->value == NULL)
				return fault_tell(&req->fault, RC_BAD_INPUT,
					"BadRequest", NULL,
					"A parameter is not percent-encoded "
					"UTF-8 text.");
		}
		text += length + (text[length] == '&');
	}
	pairs->count = count;
	pairs->items = items;
	return RC_OK;
}

enum rc
req_query(struct req *req, struct pairs *pairs)
{
	return split_pairs(req, req->query, pairs);
}

enum rc
req_form(struct req *req, struct pairs *pairs)
{
	static const char type[] = "application/x-www-form-urlencoded";
	size_t length = sizeof(type) - 1;

	if (strncasecmp(req->content_type, type, length) != 0 ||
		strchr("; ", req->content_type[length]) == NULL)
		return fault_tell(&req->fault, RC_UNSUPPORTED,
			"UnsupportedMediaType", NULL, "Send the form as %s.",
			type);
	if (strlen(req->body) != req->body_bytes)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", NULL,
			"The form contains a zero byte.");
	return split_pairs(req, req->body, pairs);
}

const char *
pairs_find(const struct pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, name) == 0)
			return pairs->items[i].value;
	return NULL;
}

size_t
pairs_count(const struct pairs *pairs, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < pairs->count; i++)
		count += strcmp(pairs->items[i].name, name) == 0;
	return count;
}
