/*
 * archive_read: the values of an archive over a range of time.
 *
 * All are calculated from history when they are asked for. A spontaneous
 * archive gives the samples as they came; a cyclic one the value that held at
 * every multiple of its cycle since 1970 UTC; an aggregated one a value for
 * each whole cycle that has ended, stamped with the end of that cycle.
 */
#ifndef FG_MODEL_ARCHIVE_READ_H
#define FG_MODEL_ARCHIVE_READ_H

#include "lib/db.h"
#include "model/archive.h"
#include "model/sample.h"

struct archive_request {
	const struct archive *archive;
	const struct variable *variables; /* of the archive */
	size_t count;
	int64_t from_us; /* inclusive */
	int64_t to_us;   /* inclusive */
	int64_t samples_max;
};

/* Each variable of the request once, in order, then its values by time.
 * "sample" is valid during the call. */
struct archive_visitor {
	enum rc (*variable)(void *context, const struct variable *variable,
		struct fault *fault);
	enum rc (*sample)(void *context, const struct sample *sample,
		struct fault *fault);
	void *context;
};

/*
 * Hand every value of the request to the visitor, all from one snapshot.
 * Needs: archive_stmts, history_stmts; no transaction.
 * Fails: RC_TOO_LARGE more than samples_max, or more cycles than can be
 *        calculated at once; as history_read; what the visitor says.
 */
MUST_CHECK enum rc archive_read(struct db *db, struct arena *arena,
	const struct archive_request *request,
	const struct archive_visitor *visitor, struct fault *fault);

#endif
