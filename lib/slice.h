/*
 * slice: one page of a long list: in which order, from where, how many rows.
 *
 * A statement that answers slices takes SLICE_TYPES as its first parameters,
 * gives every row a "place" (text that sorts as the list does, never NULL) and
 * a number "id" that makes the place unique, and selects these two last. The
 * filters begin at $6; NULL is a filter that is not set:
 *
 *	SELECT item.name, item.email, place, id
 *	  FROM (SELECT account.*
 *	             , CASE $1 WHEN 'name' THEN name
 *	                       WHEN 'created' THEN SLICE_TIME("created_at")
 *	               END COLLATE "C" AS place
 *	          FROM account) AS item
 *	 WHERE SLICE_AFTER
 *	   AND ($6::text IS NULL OR item.state = $6)
 *	SLICE_ORDER
 *
 * One prepared statement so serves every order and direction. It sorts what
 * the filters leave, which is right for the lists of an administrator; a list
 * of millions (the audit) has a statement of its own that walks an index.
 * Rows that come or go between two pages shift nothing: the next page starts
 * behind the last row that was seen.
 */
#ifndef FG_LIB_SLICE_H
#define FG_LIB_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"

#define SLICE_TYPES "totii"
#define SLICE_AFTER                                                            \
	" ($3::text IS NULL OR CASE WHEN $2 THEN (place, id) < ($3, $4)"       \
	" ELSE (place, id) > ($3, $4) END) "
#define SLICE_ORDER                                                            \
	" ORDER BY CASE WHEN NOT $2 THEN place END"                            \
	", CASE WHEN $2 THEN place END DESC"                                   \
	", CASE WHEN $2 THEN -id ELSE id END LIMIT $5"
/* A timestamptz as a place; NULL stands before all others. */
#define SLICE_TIME(column)                                                     \
	" coalesce(to_char(" column " AT TIME ZONE 'UTC'"                      \
	", 'YYYY-MM-DD HH24:MI:SS.US'), '') "

struct slice {
	const char *sort; /* a name that the statement's CASE knows */
	bool descending;
	const char *after; /* place of the last row seen; NULL = start */
	int64_t after_id;
	int64_t limit;
	/* Set by slice_take. */
	bool more;
	const char *next; /* place of the last row of this page */
	int64_t next_id;
};

/* The parameters $1 to $5: one row more than the limit is asked for. */
#define P_SLICE(s)                                                             \
	P_TEXT((s)->sort), P_BOOL((s)->descending), P_TEXT((s)->after),        \
		P_INT((s)->after_id), P_INT((s)->limit + 1)

/*
 * How many of "rows" belong to the page; notes whether there are more and
 * where they begin. "column" is the number of "place"; "id" is behind it.
 */
size_t slice_take(struct slice *slice, const struct rows *rows, int column);

#endif
