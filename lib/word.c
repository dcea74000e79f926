/* word: what people and machines write for a truth or a number. */

#include "lib/word.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NUMBER_BYTES 64

bool
word_truth(const char *text, bool *truth)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		for (int k = 0; k < 2; k++)
			if (strcasecmp(text, words[i][k]) == 0) {
				*truth = k == 1;
				return true;
			}
	return false;
}

bool
word_number(const char *text, double *number)
{
	char copy[NUMBER_BYTES];
	char *comma;
	char *end;

	if (strlen(text) >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%s", text);
	comma = strchr(copy, ',');
	if (comma != NULL && strchr(copy, '.') == NULL)
		*comma = '.';
	*number = strtod(copy, &end);
	return end != copy && *end == '\0' && isfinite(*number);
}
