/*
 * outlet: where an egress agent brings what it mirrors.
 *
 * One file agents/outlet_<name>.c and one line in agents/outlet.c each. All
 * functions are called by one thread. What was put counts only after commit:
 * an outlet that can tell (files) undoes at open whatever was put behind its
 * last position, so nothing is there twice.
 */
#ifndef FG_AGENTS_OUTLET_H
#define FG_AGENTS_OUTLET_H

#include "agents/mirror.h"
#include "lib/jsonw.h"
#include "model/sample.h"

struct json_object;
struct egress_conf;

enum outlet_list { OUTLET_ALARM, OUTLET_EVENT };

/* A change of an alarm, or an event. */
struct outlet_record {
	enum outlet_list list;
	const char *datasource;
	const char *prefix;         /* of its names */
	struct json_object *object; /* as the hub's API writes it */
};

struct egress_writes;

struct outlet {
	const char *name;
	bool wants_current; /* begins with the value that each variable has */
	bool can_write;     /* the other side can ask for writes */

	/*
	 * "position" is what commit wrote last; NULL = there was none.
	 * "writes" is where to send what the other side wants written, until
	 * close; NULL = nowhere.
	 * Fails: RC_BAD_INPUT the configuration; RC_IO.
	 */
	enum rc (*open)(const struct egress_conf *conf, const char *position,
		struct egress_writes *writes, void **state,
		struct fault *fault);
	void (*close)(void *state);

	/* Fails: RC_IO, RC_UNAVAILABLE: everything since the last commit is
	 * put again later. */
	enum rc (*value)(void *state, const struct mirror_variable *variable,
		const struct sample *sample, struct fault *fault);
	enum rc (*record)(void *state, const struct outlet_record *record,
		struct fault *fault);

	/*
	 * Make what was put durable at the other side, as far as it can be, and
	 * write where that ends to "position". Fails: as value.
	 */
	enum rc (*commit)(
		void *state, struct buf *position, struct fault *fault);

	/* Give up what was put behind "position" (as for open). */
	enum rc (*undo)(void *state, const char *position, struct fault *fault);
};

extern const struct outlet *const outlets[];

/* NULL when there is no outlet of that name. */
const struct outlet *outlet_find(const char *name);

/* One line of a file or message each, without a line break. */
void outlet_json_value(struct buf *out, const struct mirror_variable *variable,
	const struct sample *sample);
void outlet_json_record(struct buf *out, const struct outlet_record *record);
void outlet_csv_value(struct buf *out, const struct mirror_variable *variable,
	const struct sample *sample);
void outlet_csv_record(struct buf *out, const struct outlet_record *record);
/* The value alone as JSON. */
void outlet_json_bare(struct buf *out, const struct value *value);
/* The value alone, as in a cell of CSV; a text as it is. */
void outlet_bare_value(struct buf *out, const struct value *value);
/* The first line of a CSV file of each. */
const char *outlet_csv_value_head(void);
void outlet_csv_record_head(struct buf *out, enum outlet_list list);

#endif
