/* sse: events of a stream, in whatever pieces they come. */

#include "tests/unit/unit.h"

#include "lib/sse.h"

static void
collect(void *context, const char *name, const char *data, size_t length)
{
	struct buf *out = context;

	buf_printf(out, "%s=%s(%zu);", name, data, length);
}

/* Whatever pieces they come in. */
static void
test_sse_reads_events_from_any_pieces(void **state)
{
	static const char text[] = ": hello\n\nevent: a\ndata: 1\ndata:2\n\n"
				   "data:  x\r\n\r\nevent: none\n\nid: 7\n"
				   "event:b\ndata\n\ndata: open";

	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		struct buf out;
		struct sse sse;

		buf_init(&out, 0);
		sse_init(&sse, 64);
		sse.take = collect;
		sse.context = &out;
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			sse_feed(&sse, text + at,
				at + step < sizeof(text) - 1
					? step
					: sizeof(text) - 1 - at);
		assert_string_equal(out.data, "a=1\n2(3);message= x(2);b=(0);");
		sse_free(&sse);
		buf_free(&out);
	}
}

static void
test_sse_leaves_out_what_is_too_long(void **state)
{
	struct buf out;
	struct sse sse;

	(void)state;
	buf_init(&out, 0);
	sse_init(&sse, 16);
	sse.take = collect;
	sse.context = &out;
	for (int i = 0; i < 3; i++)
		sse_feed(&sse, "data: 0123456789\n", 17);
	sse_feed(&sse, "\ndata: ok\n\n", 11);
	sse_feed(&sse, "data: 01234567890123456789\n\ndata: b\n\n", 37);
	assert_string_equal(out.data, "message=ok(2);message=b(1);");
	sse_free(&sse);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sse_reads_events_from_any_pieces),
		cmocka_unit_test(test_sse_leaves_out_what_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
