/* zone: local time of a place in the IANA time zone database. */

#include "lib/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"

#define FOLDER     "/usr/share/zoneinfo/"
#define NAME_BYTES 64

/* Letters of zone names only: no absolute path, no dots, no POSIX rules. */
static bool
is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-/";
	size_t length = strlen(name);

	return length > 0 && length < NAME_BYTES && name[0] != '/' &&
	       strspn(name, letters) == length;
}

/* A zone file begins with a fixed word (RFC 8536, 3.1). */
static bool
has_file(const char *name)
{
	char path[sizeof(FOLDER) + NAME_BYTES];
	char magic[4] = "";
	FILE *file;

	snprintf(path, sizeof(path), FOLDER "%s", name);
	file = fopen(path, "rb");
	if (file == NULL)
		return false;
	if (fread(magic, 1, sizeof(magic), file) != sizeof(magic))
		magic[0] = '\0';
	fclose(file);
	return memcmp(magic, "TZif", sizeof(magic)) == 0;
}

bool
zone_use(const char *name)
{
	bool utc = strcmp(name, "UTC") == 0;
	bool known = utc || (is_name(name) && has_file(name));

	setenv("TZ", known && !utc ? name : "UTC0", 1);
	tzset();
	return known;
}

void
zone_format(char text[ZONE_TEXT_BYTES], int64_t time_us)
{
	int64_t micro = time_us % CLOCK_SECOND_US;
	time_t second;
	struct tm local;
	size_t used;
	int minutes;

	if (micro < 0)
		micro += CLOCK_SECOND_US;
	second = (time_t)((time_us - micro) / CLOCK_SECOND_US);
	localtime_r(&second, &local);
	minutes = (int)(local.tm_gmtoff / 60);
	used = strftime(text, ZONE_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &local);
	used += (size_t)(micro % 1000 == 0
				 ? snprintf(text + used, ZONE_TEXT_BYTES - used,
					   ".%03d", (int)(micro / 1000))
				 : snprintf(text + used, ZONE_TEXT_BYTES - used,
					   ".%06d", (int)micro));
	snprintf(text + used, ZONE_TEXT_BYTES - used, "%c%02d:%02d",
		minutes < 0 ? '-' : '+', abs(minutes) / 60 % 100,
		abs(minutes) % 60);
}
