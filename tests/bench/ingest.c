/*
 * ingest: how many samples a second go in, over one connection.
 *
 *   ingest post KEY=VALUE...  send frames to a hub, as an agent does
 *   ingest raw KEY=VALUE...   insert the same bodies by libpq, nothing else
 *
 * Keys: form (binary, zstd, json), frames (a request or transaction), seconds,
 * datasource, ids (comma-separated, of float variables), first (sequence);
 * series (comma-separated, below FIELDGRID_DATA: take the values from there);
 * post: url, token, ca, cert, key; raw: host, user, password_file, node.
 * Prints samples a second, bytes a sample, and requests.
 */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/db.h"
#include "lib/encode.h"
#include "lib/http.h"
#include "lib/jsonw.h"
#include "model/frame.h"
#include "tests/unit/series.h"

#define FRAME_SAMPLES 1000
#define FRAMES_MAX    64
#define IDS_MAX       FRAME_SAMPLES
#define PERIOD_US     INT64_C(1000000)
#define SERIES_MAX    8

struct bench {
	struct arena *arena;
	const char *form;
	int frames;
	int seconds;
	uint8_t datasource[UUID_BYTES];
	int32_t ids[IDS_MAX];
	int ids_count;
	int64_t sequence;
	uint64_t spool_id;
	int64_t start_us;
	struct buf bodies[FRAMES_MAX];
	struct buf request;
	char **arguments;
	struct sample *series[SERIES_MAX]; /* real ones, if any */
	size_t series_samples[SERIES_MAX];
	size_t series_count;
};

static const struct stmt raw_stmts[] = {
	{"raw_insert", "nnIIINIB",
		"INSERT INTO frame (node_id, datasource_id, sequence, first_us"
		"     , last_us, samples, crc, body)"
		" SELECT $1, $2, f.* FROM unnest($3, $4, $5, $6, $7, $8) AS f"},
	{"raw_datasource", "u", "SELECT id FROM datasource WHERE uuid = $1"},
	STMT_END,
};

static const char *
argument(const struct bench *bench, const char *key, const char *fallback)
{
	size_t length = strlen(key);

	for (char **at = bench->arguments; *at != NULL; at++)
		if (strncmp(*at, key, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	if (fallback == NULL) {
		fprintf(stderr, "ingest: %s= is missing\n", key);
		exit(2);
	}
	return fallback;
}

static void
need(enum rc rc, const struct fault *fault)
{
	if (rc == RC_OK)
		return;
	fprintf(stderr, "ingest: %s\n", fault->text);
	exit(1);
}

/* --- the frames --------------------------------------------------------- */

/* A slow wave with noise and two decimals, as a sensor has. */
static double
reading(int variable, int64_t step)
{
	double wave = 50 + 30 * sin((double)(step + variable * 37) / 300);
	double noise = (double)((step * 7919 + variable * 104729) % 200) / 100;

	return round((wave + noise) * 100) / 100;
}

/* The real series in turn, each variable from another place of one. */
static double
real_reading(const struct bench *bench, int variable, int64_t step)
{
	size_t at = (size_t)variable % bench->series_count;
	size_t place = (size_t)(4000 + variable * 397 + step) %
		       bench->series_samples[at];

	return bench->series[at][place].value.number;
}

/* Sample k of frame "index": each variable has a stretch of seconds. */
static void
make_samples(const struct bench *bench, int index, struct sample *samples)
{
	int each = FRAME_SAMPLES / bench->ids_count;

	for (int i = 0; i < FRAME_SAMPLES; i++) {
		int variable = i / each;
		int64_t step = (int64_t)index * each + i % each;

		samples[i] = (struct sample){
			.variable_id = bench->ids[variable],
			.time_us = bench->start_us + step * PERIOD_US,
			.status = STATUS_SPONT,
			.value = {.kind = VALUE_FLOAT,
				.number = bench->series_count > 0
						  ? real_reading(bench,
							    variable, step)
						  : reading(variable, step)},
		};
	}
}

static void
make_binary(struct bench *bench, int index)
{
	struct sample samples[FRAME_SAMPLES];
	const struct frame_content content = {
		.samples = samples, .sample_count = FRAME_SAMPLES};
	struct frame_head head = {.spool_id = bench->spool_id, .sequence = 1};
	struct fault fault;

	memcpy(head.datasource, bench->datasource, UUID_BYTES);
	make_samples(bench, index, samples);
	need(frame_encode(&head, &content,
		     strcmp(bench->form, "zstd") == 0 ? FRAME_ZSTD
						      : FRAME_PLAIN,
		     &bench->bodies[index], &fault),
		&fault);
}

/* The sequence is written over the spaces later. */
static void
make_json(struct bench *bench, int index)
{
	struct sample samples[FRAME_SAMPLES];
	struct buf *out = &bench->bodies[index];
	char uuid[UUID_TEXT_BYTES];
	int each = FRAME_SAMPLES / bench->ids_count;
	struct jsonw json;

	make_samples(bench, index, samples);
	uuid_format(uuid, bench->datasource);
	buf_printf(out,
		"{\"sequence\":%20s,\"datasource\":\"%s\",\"spool\":\"%016llx\""
		",\"time\":",
		"", uuid, (unsigned long long)bench->spool_id);
	jsonw_init(&json, out);
	jsonw_open_arr(&json, NULL);
	for (int i = 0; i < each; i++)
		jsonw_int(&json, NULL, samples[i].time_us);
	jsonw_close_arr(&json);
	jsonw_open_arr(&json, "series");
	for (int i = 0; i < bench->ids_count; i++) {
		jsonw_open_obj(&json, NULL);
		jsonw_str(&json, "name",
			arena_printf(bench->arena, "bench/%03d", i));
		jsonw_open_arr(&json, "value");
		for (int k = 0; k < each; k++)
			jsonw_num(&json, NULL,
				samples[i * each + k].value.number);
		jsonw_close_arr(&json);
		jsonw_close_obj(&json);
	}
	jsonw_close_arr(&json);
	buf_char(out, '}');
}

static bool
is_json(const struct bench *bench)
{
	return strcmp(bench->form, "json") == 0;
}

static void
stamp_json(const struct bench *bench, int index, int64_t sequence)
{
	char text[24];

	snprintf(text, sizeof(text), "%20lld", (long long)sequence);
	memcpy(bench->bodies[index].data + strlen("{\"sequence\":"), text, 20);
}

/* doc/FRAME.md: the CRC is at 12, over everything else. */
static void
stamp_binary(const struct bench *bench, int index, int64_t sequence)
{
	char *frame = bench->bodies[index].data;
	size_t length = bench->bodies[index].length;
	uint32_t crc;

	memcpy(frame + 40, &sequence, sizeof(sequence));
	crc = crc32c(0, frame, 12);
	crc = crc32c(crc, frame + 16, length - 16);
	memcpy(frame + 12, &crc, sizeof(crc));
}

static void
stamp_all(struct bench *bench)
{
	for (int i = 0; i < bench->frames; i++) {
		if (is_json(bench))
			stamp_json(bench, i, bench->sequence++);
		else
			stamp_binary(bench, i, bench->sequence++);
	}
}

static void
make_request(struct bench *bench)
{
	buf_clear(&bench->request);
	if (is_json(bench))
		buf_text(&bench->request, "{\"frames\":[");
	for (int i = 0; i < bench->frames; i++) {
		if (is_json(bench) && i > 0)
			buf_char(&bench->request, ',');
		buf_add(&bench->request, bench->bodies[i].data,
			bench->bodies[i].length);
	}
	if (is_json(bench))
		buf_text(&bench->request, "]}");
}

/* --- the two ways ------------------------------------------------------- */

static void
report(const struct bench *bench, int64_t requests, int64_t started_us)
{
	double seconds = (double)(clock_steady_us() - started_us) / 1e6;
	double samples =
		(double)requests * bench->frames * (double)FRAME_SAMPLES;

	printf("%.0f %.2f %lld\n", samples / seconds,
		(double)bench->request.length /
			((double)bench->frames * FRAME_SAMPLES),
		(long long)requests + 1);
}

static void
send_one(struct bench *bench, struct http *http, struct http_reply *reply)
{
	struct http_call call = {
		.method = "POST",
		.url = argument(bench, "url", NULL),
		.bearer = argument(bench, "token", NULL),
		.content_type =
			is_json(bench) ? "application/json" : FRAME_MEDIA_TYPE,
	};
	struct fault fault;

	stamp_all(bench);
	make_request(bench);
	call.body = bench->request.data;
	call.body_bytes = bench->request.length;
	need(http_send(http, &call, reply, &fault), &fault);
	if (reply->status != 200) {
		fprintf(stderr, "ingest: %d %s\n", reply->status,
			reply->body.data);
		exit(1);
	}
}

static void
run_post(struct bench *bench)
{
	struct http_options options = {
		.ca = argument(bench, "ca", NULL),
		.certificate = argument(bench, "cert", NULL),
		.key = argument(bench, "key", NULL),
		.connect_timeout_ms = 5000,
		.timeout_ms = 30000,
		.response_bytes_max = 65536,
	};
	struct http_reply reply;
	struct http *http;
	struct fault fault;
	int64_t requests = 0;
	int64_t started_us;

	buf_init(&reply.body, 0);
	need(http_open(&options, &http, &fault), &fault);
	send_one(bench, http, &reply);
	started_us = clock_steady_us();
	while (clock_steady_us() - started_us <
		bench->seconds * CLOCK_SECOND_US) {
		send_one(bench, http, &reply);
		requests++;
	}
	report(bench, requests, started_us);
	http_close(http);
	buf_free(&reply.body);
}

static void
insert_one(struct bench *bench, struct db *db, int64_t node, int64_t datasource)
{
	int64_t sequences[FRAMES_MAX];
	int64_t firsts[FRAMES_MAX];
	int64_t lasts[FRAMES_MAX];
	int32_t samples[FRAMES_MAX];
	int64_t crcs[FRAMES_MAX];
	struct bytes bodies[FRAMES_MAX];
	size_t count = (size_t)bench->frames;
	struct fault fault;

	stamp_all(bench);
	for (int i = 0; i < bench->frames; i++) {
		sequences[i] = bench->sequence - bench->frames + i;
		firsts[i] = lasts[i] = bench->start_us;
		samples[i] = FRAME_SAMPLES;
		crcs[i] = 1;
		bodies[i] = (struct bytes){
			bench->bodies[i].data, bench->bodies[i].length};
	}
	need(db_exec(db, &raw_stmts[0],
		     PARAMS(P_SHORT(node), P_SHORT(datasource),
			     P_INTS(sequences, count), P_INTS(firsts, count),
			     P_INTS(lasts, count), P_SHORTS(samples, count),
			     P_INTS(crcs, count), P_BLOBS(bodies, count)),
		     NULL, &fault),
		&fault);
}

static void
run_raw(struct bench *bench)
{
	struct db_conf conf = {
		.host = argument(bench, "host", NULL),
		.port = 5432,
		.name = "fieldgrid",
		.user = argument(bench, "user", NULL),
		.password_file = argument(bench, "password_file", ""),
		.sslmode = "disable",
		.statement_timeout_ms = 30000,
	};
	static const struct stmt *const sets[] = {raw_stmts, NULL};
	int64_t node = strtoll(argument(bench, "node", NULL), NULL, 10);
	struct rows *rows;
	struct db *db;
	struct fault fault;
	int64_t datasource;
	int64_t requests = 0;
	int64_t started_us;

	need(db_open(&conf, "bench", sets, &db, &fault), &fault);
	need(db_find(db, bench->arena, &raw_stmts[1],
		     PARAMS(P_UUID(bench->datasource)), &rows, &fault),
		&fault);
	datasource = rows_int(rows, 0, 0);
	make_request(bench); /* for the bytes a sample */
	insert_one(bench, db, node, datasource);
	started_us = clock_steady_us();
	while (clock_steady_us() - started_us <
		bench->seconds * CLOCK_SECOND_US) {
		insert_one(bench, db, node, datasource);
		requests++;
	}
	report(bench, requests, started_us);
	db_close(db);
}

/* --- main --------------------------------------------------------------- */

static void
read_ids(struct bench *bench, const char *text)
{
	while (*text != '\0' && bench->ids_count < IDS_MAX) {
		char *end;

		bench->ids[bench->ids_count++] =
			(int32_t)strtol(text, &end, 10);
		text = *end == ',' ? end + 1 : end;
	}
	if (bench->ids_count == 0 || FRAME_SAMPLES % bench->ids_count != 0) {
		fprintf(stderr,
			"ingest: a frame of %d samples does not divide "
			"by the number of ids\n",
			FRAME_SAMPLES);
		exit(2);
	}
}

static void
load_series(struct bench *bench, const char *names)
{
	while (*names != '\0' && bench->series_count < SERIES_MAX) {
		size_t length = strcspn(names, ",");
		size_t at = bench->series_count++;

		bench->series[at] = series_load(bench->arena,
			arena_strndup(bench->arena, names, length),
			&bench->series_samples[at]);
		if (bench->series[at] == NULL ||
			bench->series_samples[at] == 0) {
			fprintf(stderr, "ingest: no series %s\n", names);
			exit(2);
		}
		names += length + (names[length] == ',');
	}
}

int
main(int argc, char **argv)
{
	static struct bench bench;

	if (argc < 2) {
		fprintf(stderr, "usage: ingest post|raw KEY=VALUE...\n");
		return 2;
	}
	bench.arena = arena_new();
	bench.arguments = argv + 2;
	bench.form = argument(&bench, "form", "binary");
	bench.frames = atoi(argument(&bench, "frames", "16"));
	bench.seconds = atoi(argument(&bench, "seconds", "5"));
	bench.sequence = strtoll(argument(&bench, "first", "1"), NULL, 10);
	bench.start_us = clock_now_us() - CLOCK_HOUR_US;
	bench.spool_id = 0xbe9c4;
	if (!uuid_parse(argument(&bench, "datasource", NULL), bench.datasource))
		return 2;
	read_ids(&bench, argument(&bench, "ids", NULL));
	load_series(&bench, argument(&bench, "series", ""));
	if (bench.frames < 1 || bench.frames > FRAMES_MAX)
		return 2;
	buf_init(&bench.request, 0);
	for (int i = 0; i < bench.frames; i++) {
		buf_init(&bench.bodies[i], 0);
		if (is_json(&bench))
			make_json(&bench, i);
		else
			make_binary(&bench, i);
	}
	if (strcmp(argv[1], "raw") == 0)
		run_raw(&bench);
	else
		run_post(&bench);
	for (int i = 0; i < bench.frames; i++)
		buf_free(&bench.bodies[i]);
	buf_free(&bench.request);
	arena_free(bench.arena);
	return 0;
}
