/* outlet_stdout: lines of JSON on standard output, for a pipe. What was
 * written cannot be taken back, so after a failure lines may come twice. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agents/outlet.h"

#define FLUSH_BYTES ((size_t)64 * 1024)

static struct buf waiting; /* there is only one standard output */

static enum rc
put_out(struct fault *fault)
{
	size_t length = waiting.length;
	size_t done = fwrite(waiting.data, 1, length, stdout);

	buf_clear(&waiting);
	if (done != length || fflush(stdout) != 0)
		return fault_set(
			fault, RC_IO, "standard output: %s", strerror(errno));
	return RC_OK;
}

static enum rc
stdout_open(const struct egress_conf *conf, const char *position,
	struct egress_writes *writes, void **state, struct fault *fault)
{
	(void)writes;
	(void)conf;
	(void)position;
	(void)fault;
	buf_init(&waiting, 0);
	*state = &waiting;
	return RC_OK;
}

static void
stdout_close(void *state)
{
	buf_free(state);
}

static enum rc
end_line(struct fault *fault)
{
	buf_char(&waiting, '\n');
	return waiting.length >= FLUSH_BYTES ? put_out(fault) : RC_OK;
}

static enum rc
stdout_value(void *state, const struct mirror_variable *variable,
	const struct sample *sample, struct fault *fault)
{
	outlet_json_value(state, variable, sample);
	return end_line(fault);
}

static enum rc
stdout_record(
	void *state, const struct outlet_record *record, struct fault *fault)
{
	outlet_json_record(state, record);
	return end_line(fault);
}

static enum rc
stdout_commit(void *state, struct buf *position, struct fault *fault)
{
	(void)state;
	(void)position;
	return put_out(fault);
}

static enum rc
stdout_undo(void *state, const char *position, struct fault *fault)
{
	(void)position;
	(void)fault;
	buf_clear(state);
	return RC_OK;
}

extern const struct outlet outlet_stdout;
const struct outlet outlet_stdout = {
	.name = "stdout",
	.open = stdout_open,
	.close = stdout_close,
	.value = stdout_value,
	.record = stdout_record,
	.commit = stdout_commit,
	.undo = stdout_undo,
};
