/* fuzz/screen: any bytes as a picture; what passes must pass again unchanged
 * and hold nothing that a browser would run or fetch. */

#include <expat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void
check_element(void *context, const char *name, const char **attributes)
{
	static const char *const harmful[] = {"script", "foreignObject",
		"style", "image", "animate", "set", "iframe"};

	(void)context;
	for (size_t i = 0; i < ARRAY_LENGTH(harmful); i++)
		if (strcasecmp(name, harmful[i]) == 0)
			abort();
	for (; *attributes != NULL; attributes += 2) {
		const char *value = attributes[1];

		if (strncasecmp(attributes[0], "on", 2) == 0 ||
			strcmp(attributes[0], "style") == 0 ||
			strchr(attributes[0], ':') != NULL)
			abort();
		if (strcmp(attributes[0], "href") == 0 && value[0] != '#' &&
			(value[0] != '/' || value[1] == '/'))
			abort();
	}
}

static void
check_harmless(const struct buf *svg)
{
	XML_Parser parser = XML_ParserCreate("UTF-8");

	XML_SetStartElementHandler(parser, check_element);
	if (XML_Parse(parser, svg->data, (int)svg->length, XML_TRUE) !=
		XML_STATUS_OK)
		abort();
	XML_ParserFree(parser);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct fault fault;
	struct buf once;
	struct buf twice;

	buf_init(&once, 1 << 20);
	buf_init(&twice, 1 << 20);
	if (screen_clean((const char *)data, length, &once, NULL, &fault) ==
		RC_OK) {
		check_harmless(&once);
		if (screen_clean(once.data, once.length, &twice, NULL,
			    &fault) != RC_OK ||
			strcmp(once.data, twice.data) != 0)
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
