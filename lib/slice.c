/* slice: one page of a long list. */

#include "lib/slice.h"

size_t
slice_take(struct slice *slice, const struct rows *rows, int column)
{
	size_t count = rows_count(rows);

	slice->more = count > (size_t)slice->limit;
	if (!slice->more)
		return count;
	count = (size_t)slice->limit;
	slice->next = rows_text(rows, count - 1, column);
	slice->next_id = rows_int(rows, count - 1, column + 1);
	return count;
}
