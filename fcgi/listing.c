/* listing: lists of the administration by REST. */

#include "fcgi/listing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/utf8.h"

/* A cursor is the base64url of "<sort>\n<id>\n<place>". */
#define CURSOR_BYTES 2048

const char *const listing_yes_no[] = {"true", "false", NULL};

static enum rc PRINTF_LIKE(3, 4)
	refuse(struct req *req, const char *name, const char *format, ...);

static enum rc
refuse(struct req *req, const char *name, const char *format, ...)
{
	char text[sizeof(req->fault.client)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return fault_tell(
		&req->fault, RC_BAD_INPUT, "BadRequest", name, "%s", text);
}

/* "a, b or c", for messages. */
static const char *
say_words(struct arena *arena, const char *const *words)
{
	const char *text = "";

	for (size_t i = 0; words[i] != NULL; i++)
		text = arena_printf(arena, "%s%s%s", text,
			i == 0                 ? ""
			: words[i + 1] == NULL ? " or "
					       : ", ",
			words[i]);
	return text;
}

static bool
has_word(const char *const *words, const char *word)
{
	for (; *words != NULL; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

/* Digits only, so that each number is written in one way. */
static bool
parse_number(const char *text, int64_t *number)
{
	char *end;

	if (*text == '\0' || strspn(text, "-0123456789") != strlen(text))
		return false;
	errno = 0;
	*number = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

/* --- the parameters every list has --------------------------------------- */

static enum rc
read_limit(struct req *req, const char *value, struct slice *slice)
{
	if (!parse_number(value, &slice->limit) || slice->limit < 1 ||
		slice->limit > LISTING_LIMIT_MAX)
		return refuse(req, "limit",
			"\"limit\" must be a whole number from 1 to %d.",
			LISTING_LIMIT_MAX);
	return RC_OK;
}

static enum rc
read_sort(struct req *req, const struct listing *listing, const char *value,
	struct slice *slice)
{
	slice->descending = value[0] == '-';
	slice->sort = value + slice->descending;
	if (!has_word(listing->sorts, slice->sort))
		return refuse(req, "sort",
			"\"sort\" must be %s, with \"-\" in front for the "
			"other direction.",
			say_words(req->arena, listing->sorts));
	return RC_OK;
}

static const char *
sort_text(struct arena *arena, const struct slice *slice)
{
	return arena_printf(
		arena, "%s%s", slice->descending ? "-" : "", slice->sort);
}

/* Cut the text at its next line break; NULL when there is none. */
static char *
cut_line(char *text)
{
	char *end = strchr(text, '\n');

	if (end == NULL)
		return NULL;
	*end = '\0';
	return end + 1;
}

static bool
parse_cursor(struct req *req, const char *value, struct slice *slice)
{
	size_t bytes = 0;
	char *sort;
	char *id;
	char *place;

	if (strlen(value) > CURSOR_BYTES)
		return false;
	sort = (char *)decode_base64url(
		req->arena, value, strlen(value), &bytes);
	if (sort == NULL || strlen(sort) != bytes || !utf8_valid(sort, bytes))
		return false;
	id = cut_line(sort);
	place = id != NULL ? cut_line(id) : NULL;
	if (place == NULL || !parse_number(id, &slice->after_id))
		return false;
	slice->after = place;
	return strcmp(sort, sort_text(req->arena, slice)) == 0;
}

static enum rc
read_after(struct req *req, const char *value, struct slice *slice)
{
	if (!parse_cursor(req, value, slice))
		return refuse(req, "after",
			"\"after\" must be the \"next\" of an answer with the "
			"same \"sort\"; leave it out to start anew.");
	return RC_OK;
}

/* --- the list's own filters ---------------------------------------------- */

static const struct listing_filter *
find_filter(const struct listing *listing, const char *name)
{
	for (const struct listing_filter *filter = listing->filters;
		filter->name != NULL; filter++)
		if (strcmp(filter->name, name) == 0)
			return filter;
	return NULL;
}

static enum rc
read_filter(struct req *req, const struct listing_filter *filter,
	const char *value, void *target)
{
	void *place = (char *)target + filter->offset;
	uint8_t uuid[UUID_BYTES];

	if (strlen(value) > LISTING_FILTER_BYTES)
		return refuse(req, filter->name, "\"%s\" may have %d bytes.",
			filter->name, LISTING_FILTER_BYTES);
	if (filter->words != NULL && !has_word(filter->words, value))
		return refuse(req, filter->name, "\"%s\" must be %s.",
			filter->name, say_words(req->arena, filter->words));
	if (filter->kind == LISTING_TIME)
		return clock_parse(value, place)
			       ? RC_OK
			       : refuse(req, filter->name,
					 "\"%s\" must be a time such as "
					 "2026-01-31T08:00:00Z.",
					 filter->name);
	if (filter->kind == LISTING_UUID && !uuid_parse(value, uuid))
		return refuse(req, filter->name, "\"%s\" must be a UUID.",
			filter->name);
	*(const char **)place = value;
	return RC_OK;
}

static enum rc
refuse_name(struct req *req, const struct listing *listing, const char *name)
{
	const char *known = "limit, after, sort";

	for (const struct listing_filter *filter = listing->filters;
		filter->name != NULL; filter++)
		known = arena_printf(req->arena, "%s, %s", known, filter->name);
	return refuse(req, name, "\"%.40s\" is not known here; known are %s.",
		name, known);
}

static enum rc
read_pair(struct req *req, const struct listing *listing,
	const struct pair *pair, void *filter, struct slice *slice)
{
	const struct listing_filter *own = find_filter(listing, pair->name);

	if (own != NULL)
		return pair->value[0] != '\0'
			       ? read_filter(req, own, pair->value, filter)
			       : RC_OK;
	if (strcmp(pair->name, "limit") == 0 && pair->value[0] != '\0')
		return read_limit(req, pair->value, slice);
	if (strcmp(pair->name, "limit") != 0 &&
		strcmp(pair->name, "sort") != 0 &&
		strcmp(pair->name, "after") != 0)
		return refuse_name(req, listing, pair->name);
	return RC_OK; /* sort and after: read_place */
}

static const char *
given(const struct pairs *pairs, const char *name)
{
	const char *value = pairs_find(pairs, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The order first: a cursor is good for one order only. */
static enum rc
read_place(struct req *req, const struct listing *listing,
	const struct pairs *pairs, struct slice *slice)
{
	const char *sort = given(pairs, "sort");
	const char *after = given(pairs, "after");
	enum rc rc = RC_OK;

	if (sort == NULL)
		sort = listing->sort;
	if (sort != NULL)
		rc = read_sort(req, listing, sort, slice);
	if (rc == RC_OK && after != NULL)
		rc = read_after(req, after, slice);
	return rc;
}

enum rc
listing_read(struct req *req, const struct listing *listing, void *filter,
	struct slice *slice)
{
	struct pairs pairs;
	enum rc rc = req_query(req, &pairs);

	if (rc != RC_OK)
		return rc;
	*slice = (struct slice){
		.sort = listing->sorts[0], .limit = LISTING_LIMIT_DEFAULT};
	for (size_t i = 0; i < pairs.count; i++) {
		if (pairs_count(&pairs, pairs.items[i].name) > 1)
			return refuse(req, pairs.items[i].name,
				"\"%.40s\" is given more than once.",
				pairs.items[i].name);
		rc = read_pair(req, listing, &pairs.items[i], filter, slice);
		if (rc != RC_OK)
			return rc;
	}
	return read_place(req, listing, &pairs, slice);
}

/* --- the answer ----------------------------------------------------------- */

struct jsonw *
listing_open(struct resp *resp)
{
	struct jsonw *json = resp_json(resp, 200);

	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "items");
	return json;
}

static const char *
make_cursor(struct arena *arena, const struct slice *slice)
{
	const char *text =
		arena_printf(arena, "%s\n%lld\n%s", sort_text(arena, slice),
			(long long)slice->next_id, slice->next);

	return encode_base64url(arena, text, strlen(text));
}

void
listing_close(struct jsonw *json, struct req *req, const struct slice *slice)
{
	jsonw_close_arr(json);
	jsonw_str(json, "next",
		slice->more ? make_cursor(req->arena, slice) : NULL);
	jsonw_close_obj(json);
}
