/* http: requests to one service over TLS, one at a time, kept alive. */

#include "lib/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"

struct http {
	CURL *curl;
	struct http_options options;
	char error[CURL_ERROR_SIZE];
	/* Of http_follow; NULL = no stream now. */
	const struct http_stream *stream;
	struct http_reply *reply;
	int64_t heard_us; /* steady clock */
};

static enum rc
check_readable(const char *path, struct fault *fault)
{
	if (path != NULL && access(path, R_OK) != 0)
		return fault_set(fault, RC_IO, "%s: %s", path, strerror(errno));
	return RC_OK;
}

enum rc
http_open(const struct http_options *options, struct http **result,
	struct fault *fault)
{
	struct http *http;
	enum rc rc = check_readable(options->ca, fault);

	if (rc == RC_OK)
		rc = check_readable(options->certificate, fault);
	if (rc == RC_OK)
		rc = check_readable(options->key, fault);
	if (rc != RC_OK)
		return rc;
	http = calloc(1, sizeof(*http));
	if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		abort();
	http->options = *options;
	http->curl = curl_easy_init();
	if (http->curl == NULL)
		abort();
	*result = http;
	return RC_OK;
}

void
http_close(struct http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->curl);
	curl_global_cleanup();
	free(http);
}

static size_t
take_body(char *data, size_t size, size_t count, void *context)
{
	struct buf *body = context;

	buf_add(body, data, size * count);
	return body->overflow ? 0 : size * count;
}

/* An answer that is not 200 is an answer like any other. */
static size_t
take_part(char *data, size_t size, size_t count, void *context)
{
	struct http *http = context;
	long status = 0;

	http->heard_us = clock_steady_us();
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return take_body(data, size, count, &http->reply->body);
	http->stream->take(http->stream->context, data, size * count);
	return size * count;
}

static bool
is_silent(const struct http *http)
{
	return http->stream != NULL && clock_steady_us() - http->heard_us >
					       http->stream->silence_ms * 1000;
}

static int
look_for_stop(void *context, curl_off_t total, curl_off_t now,
	curl_off_t up_total, curl_off_t up_now)
{
	const struct http *http = context;

	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	return (http->options.stop != NULL &&
		       atomic_load(http->options.stop)) ||
	       is_silent(http);
}

/* Without one of its own, libcurl keeps to the list of the system. */
static void
set_authority(CURL *curl, const struct http_options *options)
{
	struct curl_blob pem = {.flags = CURL_BLOB_COPY};

	if (options->ca_pem != NULL) {
		pem.data = (void *)(uintptr_t)options->ca_pem;
		pem.len = strlen(options->ca_pem);
		curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &pem);
	} else if (options->ca != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca);
	} else {
		return;
	}
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
}

static void
set_connection(struct http *http)
{
	CURL *curl = http->curl;
	const struct http_options *options = &http->options;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(
		curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(
		curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_authority(curl, options);
	if (options->unverified) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(curl, CURLOPT_SSLCERT, options->certificate);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, options->key);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
		(long)options->connect_timeout_ms);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_stop);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "fieldgrid/" FG_VERSION);
}

static void
set_authentication(CURL *curl, const struct http_call *call)
{
	if (call->bearer != NULL) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
		curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, call->bearer);
	} else if (call->user != NULL) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, call->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, call->password);
	}
}

static struct curl_slist *
add_header(struct curl_slist *headers, const char *name, const char *value)
{
	char header[256];

	snprintf(header, sizeof(header), "%s: %s", name, value);
	return curl_slist_append(headers, header);
}

/* Also the headers, which the caller frees. */
static struct curl_slist *
set_body(CURL *curl, const struct http_call *call)
{
	struct curl_slist *headers = NULL;

	if (call->accept != NULL)
		headers = add_header(headers, "Accept", call->accept);
	if (call->place != NULL)
		headers = add_header(headers, "Fieldgrid-Place", call->place);
	if (call->content_type != NULL) {
		headers =
			add_header(headers, "Content-Type", call->content_type);
		/* The answer to a body is the answer; no round trip to ask
		 * first. */
		headers = curl_slist_append(headers, "Expect:");
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
			(curl_off_t)call->body_bytes);
	}
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	return headers;
}

static enum rc
explain(const struct http *http, const struct http_call *call, CURLcode code,
	struct fault *fault)
{
	const char *why =
		http->error[0] != '\0' ? http->error : curl_easy_strerror(code);

	switch (code) {
	case CURLE_WRITE_ERROR:
		return fault_set(fault, RC_TOO_LARGE,
			"%s: the answer is too long", call->url);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return fault_set(fault, RC_UPSTREAM, "%s: %s", call->url, why);
	default:
		return fault_set(
			fault, RC_UNAVAILABLE, "%s: %s", call->url, why);
	}
}

static enum rc
perform(struct http *http, const struct http_call *call,
	struct http_reply *reply, struct fault *fault)
{
	CURL *curl = http->curl;
	struct curl_slist *headers;
	CURLcode code;
	long status = 0;
	curl_off_t retry_after_s = 0;

	curl_easy_reset(curl); /* keeps the connections */
	http->error[0] = '\0';
	buf_clear(&reply->body);
	reply->body.limit_bytes = http->options.response_bytes_max;
	set_connection(http);
	set_authentication(curl, call);
	headers = set_body(curl, call);
	curl_easy_setopt(curl, CURLOPT_URL, call->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	if (http->stream != NULL) {
		curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 0L);
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_part);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
	} else {
		curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
		curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply->body);
	}
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	curl_slist_free_all(headers);
	if (code != CURLE_OK)
		return explain(http, call, code, fault);
	reply->status = (int)status;
	reply->retry_after_s = (int64_t)retry_after_s;
	return RC_OK;
}

enum rc
http_send(struct http *http, const struct http_call *call,
	struct http_reply *reply, struct fault *fault)
{
	http->stream = NULL;
	return perform(http, call, reply, fault);
}

enum rc
http_follow(struct http *http, const struct http_call *call,
	const struct http_stream *stream, struct http_reply *reply,
	struct fault *fault)
{
	enum rc rc;

	http->stream = stream;
	http->reply = reply;
	http->heard_us = clock_steady_us();
	rc = perform(http, call, reply, fault);
	http->stream = NULL;
	return rc;
}
