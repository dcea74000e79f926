/*
 * outlet_file: values, alarms and events into files of lines, exactly once.
 *
 * A commit syncs what was written and tells which files there are and how long
 * they are; whatever is behind that at the next start was written for nothing
 * and is cut off. Lines before it are never touched again, so whoever reads
 * the files may take every whole line that is below the position.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/egress_conf.h"
#include "agents/outlet.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

#define WRITE_BYTES ((size_t)256 * 1024)
#define FILE_MODE   0640
#define PATH_BYTES  1024

enum stream { VALUES, ALARMS, EVENTS, STREAMS };

static const char *const stream_names[STREAMS] = {
	[VALUES] = "values",
	[ALARMS] = "alarms",
	[EVENTS] = "events",
};

/* Files NAME-NUMBER.EXTENSION, one after the other. */
struct series {
	int fd;          /* -1 = none is open */
	int64_t number;  /* of the file; 0 = there was none */
	int64_t offset;  /* its length with what waits in "out"; -1 = it is of
			  * another mirror */
	int64_t begun_s; /* wall clock */
	struct buf out;  /* not written yet */
};

struct files {
	const struct outlet_file_conf *conf;
	bool csv;
	struct series series[STREAMS];
	int folder; /* to sync names */
};

/* --- one file ------------------------------------------------------------ */

static void
path_of(const struct files *files, enum stream stream, int64_t number,
	char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s-%06" PRId64 ".%s",
		files->conf->folder, stream_names[stream], number,
		files->csv ? "csv" : "jsonl");
}

static enum rc
io_fault(const char *path, struct fault *fault)
{
	return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
}

static enum rc
write_out(struct files *files, enum stream stream, struct fault *fault)
{
	struct series *series = &files->series[stream];
	char path[PATH_BYTES];

	path_of(files, stream, series->number, path);
	if (!file_write_all(series->fd, series->out.data, series->out.length))
		return io_fault(path, fault);
	buf_clear(&series->out);
	return RC_OK;
}

static enum rc
sync_file(struct files *files, enum stream stream, struct fault *fault)
{
	struct series *series = &files->series[stream];
	struct stat facts;
	char path[PATH_BYTES];
	enum rc rc;

	if (series->fd < 0)
		return RC_OK;
	rc = write_out(files, stream, fault);
	path_of(files, stream, series->number, path);
	if (rc != RC_OK)
		return rc;
	if (fdatasync(series->fd) != 0 || fstat(series->fd, &facts) != 0)
		return io_fault(path, fault);
	if (facts.st_nlink == 0)
		return fault_set(fault, RC_IO,
			"%s was removed while it was written; what was not "
			"committed comes into the next file",
			path);
	return RC_OK;
}

static void
close_file(struct series *series)
{
	if (series->fd >= 0)
		close(series->fd);
	series->fd = -1;
	buf_clear(&series->out);
}

static void
add_head(const struct files *files, enum stream stream, struct buf *out)
{
	if (!files->csv)
		return;
	if (stream == VALUES)
		buf_text(out, outlet_csv_value_head());
	else
		outlet_csv_record_head(
			out, stream == ALARMS ? OUTLET_ALARM : OUTLET_EVENT);
	buf_char(out, '\n');
}

static enum rc
next_file(struct files *files, enum stream stream, struct fault *fault)
{
	struct series *series = &files->series[stream];
	char path[PATH_BYTES];
	enum rc rc = sync_file(files, stream, fault);

	if (rc != RC_OK)
		return rc;
	close_file(series);
	series->number++;
	path_of(files, stream, series->number, path);
	series->fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
	if (series->fd < 0)
		return io_fault(path, fault);
	if (fsync(files->folder) != 0)
		return io_fault(files->conf->folder, fault);
	series->begun_s = clock_now_us() / CLOCK_SECOND_US;
	add_head(files, stream, &series->out);
	series->offset = (int64_t)series->out.length;
	return RC_OK;
}

static bool
is_full(const struct files *files, const struct series *series)
{
	int64_t age_s = clock_now_us() / CLOCK_SECOND_US - series->begun_s;

	return series->fd < 0 ||
	       series->offset >= files->conf->rotate_mib * 1024 * 1024 ||
	       age_s >= files->conf->rotate_s || age_s < 0;
}

/* --- the last position --------------------------------------------------- */

/* Without a position the files that are there are of another mirror: this one
 * begins behind them. */
static enum rc
begin_behind(struct files *files, enum stream stream, struct fault *fault)
{
	const char *name = stream_names[stream];
	DIR *folder = opendir(files->conf->folder);
	const struct dirent *entry;
	int64_t number;

	if (folder == NULL)
		return io_fault(files->conf->folder, fault);
	files->series[stream].offset = -1;
	while ((entry = readdir(folder)) != NULL)
		if (strncmp(entry->d_name, name, strlen(name)) == 0 &&
			sscanf(entry->d_name + strlen(name), "-%18" SCNd64,
				&number) == 1 &&
			number > files->series[stream].number)
			files->series[stream].number = number;
	closedir(folder);
	return RC_OK;
}

/* Files behind the position are of no commit. */
static void
remove_later(const struct files *files, enum stream stream, int64_t number)
{
	char path[PATH_BYTES];

	for (;;) {
		path_of(files, stream, ++number, path);
		if (unlink(path) != 0)
			return;
		log_info(NULL, "%s was not finished and is written anew", path);
	}
}

static enum rc
go_back(struct files *files, enum stream stream, struct fault *fault)
{
	struct series *series = &files->series[stream];
	struct stat facts;
	char path[PATH_BYTES];

	remove_later(files, stream, series->number);
	if (series->number == 0 || series->offset < 0)
		return RC_OK;
	path_of(files, stream, series->number, path);
	series->fd = open(path, O_WRONLY | O_CLOEXEC);
	if (series->fd < 0 && errno == ENOENT)
		return RC_OK; /* somebody has taken it: the next one begins */
	if (series->fd < 0 || fstat(series->fd, &facts) != 0)
		return io_fault(path, fault);
	if (facts.st_size < series->offset)
		return fault_set(fault, RC_IO,
			"%s has %" PRId64 " bytes, %" PRId64
			" were written: it was changed",
			path, (int64_t)facts.st_size, series->offset);
	if (ftruncate(series->fd, series->offset) != 0 ||
		lseek(series->fd, series->offset, SEEK_SET) < 0)
		return io_fault(path, fault);
	return RC_OK;
}

static enum rc
read_position(struct files *files, const char *position, struct fault *fault)
{
	const char *at = position;

	for (int i = 0; i < STREAMS; i++) {
		struct series *series = &files->series[i];
		int length = 0;

		close_file(series);
		series->number = 0;
		if (position == NULL)
			continue;
		if (sscanf(at, "%" SCNd64 " %" SCNd64 " %" SCNd64 "%n",
			    &series->number, &series->offset, &series->begun_s,
			    &length) != 3)
			return fault_set(fault, RC_BAD_INPUT,
				"the position \"%.60s\" is not one of files",
				position);
		at += length;
	}
	return RC_OK;
}

static enum rc
files_undo(void *state, const char *position, struct fault *fault)
{
	struct files *files = state;
	enum rc rc = read_position(files, position, fault);

	for (int i = 0; rc == RC_OK && i < STREAMS; i++)
		rc = position != NULL
			     ? go_back(files, (enum stream)i, fault)
			     : begin_behind(files, (enum stream)i, fault);
	return rc;
}

static enum rc
files_commit(void *state, struct buf *position, struct fault *fault)
{
	struct files *files = state;
	enum rc rc = RC_OK;

	for (int i = 0; rc == RC_OK && i < STREAMS; i++)
		rc = sync_file(files, (enum stream)i, fault);
	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < STREAMS; i++) {
		const struct series *series = &files->series[i];

		buf_printf(position, "%s%" PRId64 " %" PRId64 " %" PRId64,
			i > 0 ? " " : "", series->number, series->offset,
			series->begun_s);
	}
	return RC_OK;
}

/* --- the outlet ----------------------------------------------------------- */

static void
files_close(void *state)
{
	struct files *files = state;

	if (files == NULL)
		return;
	for (int i = 0; i < STREAMS; i++) {
		close_file(&files->series[i]);
		buf_free(&files->series[i].out);
	}
	if (files->folder >= 0)
		close(files->folder);
	free(files);
}

static enum rc
open_folder(struct files *files, struct fault *fault)
{
	const char *path = files->conf->folder;

	if (path[0] == '\0')
		return fault_set(
			fault, RC_BAD_INPUT, "[file] folder is missing");
	if (mkdir(path, 0750) != 0 && errno != EEXIST)
		return io_fault(path, fault);
	files->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return files->folder >= 0 ? RC_OK : io_fault(path, fault);
}

static enum rc
files_open(const struct egress_conf *conf, const char *position,
	struct egress_writes *writes, void **state, struct fault *fault)
{
	struct files *files = calloc(1, sizeof(*files));
	enum rc rc;

	if (files == NULL)
		abort();
	(void)writes;
	files->conf = &conf->file;
	files->csv = strcmp(conf->file.format, "csv") == 0;
	files->folder = -1;
	for (int i = 0; i < STREAMS; i++) {
		files->series[i].fd = -1;
		buf_init(&files->series[i].out, 0);
	}
	if (!files->csv && strcmp(conf->file.format, "jsonl") != 0)
		rc = fault_set(fault, RC_BAD_INPUT,
			"[file] format = %.60s: must be jsonl or csv",
			conf->file.format);
	else
		rc = open_folder(files, fault);
	if (rc == RC_OK)
		rc = files_undo(files, position, fault);
	if (rc == RC_OK)
		*state = files;
	else
		files_close(files);
	return rc;
}

/* Room for one more line. */
static enum rc
prepare(struct files *files, enum stream stream, struct fault *fault)
{
	struct series *series = &files->series[stream];

	if (is_full(files, series))
		return next_file(files, stream, fault);
	return series->out.length >= WRITE_BYTES
		       ? write_out(files, stream, fault)
		       : RC_OK;
}

static enum rc
end_line(struct series *series, size_t before, struct fault *fault)
{
	buf_char(&series->out, '\n');
	series->offset += (int64_t)(series->out.length - before);
	return series->out.overflow
		       ? fault_set(fault, RC_BUG, "a line is too long")
		       : RC_OK;
}

static enum rc
files_value(void *state, const struct mirror_variable *variable,
	const struct sample *sample, struct fault *fault)
{
	struct files *files = state;
	struct series *series = &files->series[VALUES];
	enum rc rc = prepare(files, VALUES, fault);
	size_t before = series->out.length;

	if (rc != RC_OK)
		return rc;
	if (files->csv)
		outlet_csv_value(&series->out, variable, sample);
	else
		outlet_json_value(&series->out, variable, sample);
	return end_line(series, before, fault);
}

static enum rc
files_record(
	void *state, const struct outlet_record *record, struct fault *fault)
{
	struct files *files = state;
	enum stream stream = record->list == OUTLET_ALARM ? ALARMS : EVENTS;
	struct series *series = &files->series[stream];
	enum rc rc = prepare(files, stream, fault);
	size_t before = series->out.length;

	if (rc != RC_OK)
		return rc;
	if (files->csv)
		outlet_csv_record(&series->out, record);
	else
		outlet_json_record(&series->out, record);
	return end_line(series, before, fault);
}

extern const struct outlet outlet_file;
const struct outlet outlet_file = {
	.name = "file",
	.open = files_open,
	.close = files_close,
	.value = files_value,
	.record = files_record,
	.commit = files_commit,
	.undo = files_undo,
};
