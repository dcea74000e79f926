/* refusals: requests that were answered 401 or 403, for the audit. */

#include "fcgi/refusals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/secret.h"
#include "model/audit.h"

#define ACTION "access.refuse"

/* What is equal has the same key; the rest is for the row with the count. */
struct refusal {
	bool used;
	uint8_t key[SECRET_HASH_BYTES];
	int64_t ends_us; /* of its minute, steady */
	int64_t count;   /* not written yet */
	const char *kind;
	char actor[128];
	char subject[128];
	char client[128];
	char address[64];
	char object[160];
	char reason[96]; /* JSON */
};

struct refusals {
	int64_t window_us;
	int64_t look_us; /* before that nothing is over */
	struct refusal items[REFUSALS_MAX];
	struct refusal others;
};

struct refusals *
refusals_new(int64_t window_us)
{
	struct refusals *refusals = memory_new(1, sizeof(*refusals));

	refusals->window_us = window_us;
	return refusals;
}

void
refusals_free(struct refusals *refusals)
{
	free(refusals);
}

/* --- one refusal ------------------------------------------------------- */

static const char *
code_of(const struct req *req)
{
	return req->fault.code[0] != '\0' ? req->fault.code : "Refused";
}

/* Codes are ours, letters only; a route's pattern is a constant. */
static void
describe(struct refusal *refusal, const struct req *req,
	const struct resp *resp, const struct route *route)
{
	const struct audit_actor actor = audit_actor_of(req);

	memset(refusal, 0, sizeof(*refusal));
	refusal->kind = actor.kind;
	snprintf(refusal->actor, sizeof(refusal->actor), "%s", actor.name);
	snprintf(refusal->subject, sizeof(refusal->subject), "%s",
		actor.subject);
	snprintf(refusal->client, sizeof(refusal->client), "%s",
		actor.client != NULL ? actor.client : "");
	snprintf(refusal->address, sizeof(refusal->address), "%s",
		actor.address);
	snprintf(refusal->object, sizeof(refusal->object), "route:%s %s",
		method_name(req->method), route != NULL ? route->pattern : "-");
	snprintf(refusal->reason, sizeof(refusal->reason),
		"{\"status\":%d,\"code\":\"%s\"}", resp->status, code_of(req));
	secret_hash(refusal->key, refusal, sizeof(*refusal));
}

static void
write_row(const struct refusal *refusal, struct db *db, const char *request,
	int64_t repeats)
{
	const struct audit_actor actor = {.kind = refusal->kind,
		.name = refusal->actor,
		.subject = refusal->subject,
		.client = refusal->client,
		.address = refusal->address,
		.request = request};
	const struct audit what = {.action = ACTION,
		.object = refusal->object,
		.result = AUDIT_REFUSED,
		.after = refusal->reason,
		.repeats = repeats};
	struct fault fault;

	if (audit_write_by(db, &actor, &what, &fault) != RC_OK)
		log_error(request, "a refusal is not in the audit: %s",
			fault.text);
}

/* --- many -------------------------------------------------------------- */

static struct refusal *
find(struct refusals *refusals, const struct refusal *wanted)
{
	for (size_t i = 0; i < REFUSALS_MAX; i++) {
		struct refusal *item = &refusals->items[i];

		if (item->used &&
			memcmp(item->key, wanted->key, sizeof(item->key)) == 0)
			return item;
	}
	return NULL;
}

static struct refusal *
find_room(struct refusals *refusals)
{
	for (size_t i = 0; i < REFUSALS_MAX; i++)
		if (!refusals->items[i].used)
			return &refusals->items[i];
	return NULL;
}

static void
start(struct refusals *refusals, struct refusal *item)
{
	item->used = true;
	item->ends_us = clock_steady_us() + refusals->window_us;
	if (refusals->look_us == 0 || item->ends_us < refusals->look_us)
		refusals->look_us = item->ends_us;
}

/* More kinds at once than are told apart. */
static void
count_other(struct refusals *refusals)
{
	struct refusal *others = &refusals->others;

	if (!others->used) {
		others->kind = "nobody";
		snprintf(others->object, sizeof(others->object), "route:other");
		snprintf(others->reason, sizeof(others->reason),
			"{\"code\":\"TooManyKinds\"}");
		start(refusals, others);
	}
	others->count++;
}

void
refusals_note(struct refusals *refusals, struct req *req,
	const struct resp *resp, const struct route *route)
{
	struct refusal fresh;
	struct refusal *item;

	if ((resp->status != 401 && resp->status != 403) || req->audited)
		return;
	refusals_flush(refusals, req->db);
	describe(&fresh, req, resp, route);
	item = find(refusals, &fresh);
	if (item != NULL) {
		item->count++;
		return;
	}
	item = find_room(refusals);
	if (item == NULL) {
		count_other(refusals);
		return;
	}
	*item = fresh;
	start(refusals, item);
	write_row(item, req->db, req->id, 1);
}

static void
end(struct refusal *item, struct db *db)
{
	if (item->used && item->count > 0)
		write_row(item, db, NULL, item->count);
	memset(item, 0, sizeof(*item));
}

void
refusals_flush(struct refusals *refusals, struct db *db)
{
	int64_t now_us = clock_steady_us();
	struct refusal *others = &refusals->others;

	if (refusals->look_us == 0 || now_us < refusals->look_us)
		return;
	refusals->look_us = 0;
	for (size_t i = 0; i <= REFUSALS_MAX; i++) {
		struct refusal *item =
			i < REFUSALS_MAX ? &refusals->items[i] : others;

		if (item->used && now_us >= item->ends_us)
			end(item, db);
		else if (item->used &&
			 (refusals->look_us == 0 ||
				 item->ends_us < refusals->look_us))
			refusals->look_us = item->ends_us;
	}
}

void
refusals_flush_all(struct refusals *refusals, struct db *db)
{
	for (size_t i = 0; i < REFUSALS_MAX; i++)
		end(&refusals->items[i], db);
	end(&refusals->others, db);
	refusals->look_us = 0;
}
