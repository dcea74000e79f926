/* clock: points in time as int64 microseconds since 1970-01-01 UTC. */

#include "lib/clock.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * CLOCK_SECOND_US + now.tv_nsec / 1000;
}

int64_t
clock_now_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t
clock_latest_us(void)
{
	static _Atomic int64_t latest_offset_us = INT64_MIN;
	int64_t boot_us = clock_boot_us();
	int64_t offset_us = clock_now_us() - boot_us;
	int64_t known_us = atomic_load(&latest_offset_us);

	while (offset_us > known_us &&
		!atomic_compare_exchange_weak(
			&latest_offset_us, &known_us, offset_us))
		;
	return boot_us + (offset_us > known_us ? offset_us : known_us);
}

int64_t
clock_steady_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_boot_us(void)
{
	return read_clock(CLOCK_BOOTTIME);
}

/* "digits" digits of a number that is not negative. */
static char *
put_number(char *at, int64_t number, int digits)
{
	for (int i = digits - 1; i >= 0; i--, number /= 10)
		at[i] = (char)('0' + number % 10);
	return at + digits;
}

/*
 * Year, month and day of a day counted from 1970-01-01, without gmtime_r: an
 * answer may hold thousands of times. Years begin in March here, so that the
 * leap day is the last of its year, and 400 of them have 146,097 days.
 */
static char *
put_date(char *at, int64_t day)
{
	int64_t shifted = day + 719468;
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	int64_t of_era = shifted - era * 146097;
	int64_t year_of_era =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
		365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 -
					   year_of_era / 100);
	int64_t march_month = (5 * of_year + 2) / 153;
	int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;

	at = put_number(at, year_of_era + era * 400 + (month <= 2), 4);
	*at++ = '-';
	at = put_number(at, month, 2);
	*at++ = '-';
	return put_number(at, of_year - (153 * march_month + 2) / 5 + 1, 2);
}

void
clock_format(char text[CLOCK_TEXT_BYTES], int64_t time_us)
{
	int64_t day = time_us / CLOCK_DAY_US;
	int64_t rest = time_us % CLOCK_DAY_US;
	int64_t micro;
	char *at;

	if (rest < 0) {
		rest += CLOCK_DAY_US;
		day--;
	}
	at = put_date(text, day);
	*at++ = 'T';
	at = put_number(at, rest / CLOCK_HOUR_US, 2);
	*at++ = ':';
	at = put_number(at, rest / CLOCK_MINUTE_US % 60, 2);
	*at++ = ':';
	at = put_number(at, rest / CLOCK_SECOND_US % 60, 2);
	*at++ = '.';
	micro = rest % CLOCK_SECOND_US;
	at = micro % 1000 == 0 ? put_number(at, micro / 1000, 3)
			       : put_number(at, micro, 6);
	*at++ = 'Z';
	*at = '\0';
}

/* Exactly "digits" digits at *text, which moves on. */
static bool
take_number(const char **text, int digits, int *number)
{
	*number = 0;
	for (int i = 0; i < digits; i++, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		*number = *number * 10 + (**text - '0');
	}
	return true;
}

static bool
take_char(const char **text, char expected)
{
	if (**text != expected)
		return false;
	(*text)++;
	return true;
}

static bool
take_date(const char **text, struct tm *tm)
{
	if (!take_number(text, 4, &tm->tm_year) || !take_char(text, '-') ||
		!take_number(text, 2, &tm->tm_mon) || !take_char(text, '-') ||
		!take_number(text, 2, &tm->tm_mday))
		return false;
	if (tm->tm_year < 1970 || tm->tm_year > 2261 || tm->tm_mon < 1 ||
		tm->tm_mon > 12 || tm->tm_mday < 1 || tm->tm_mday > 31)
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return true;
}

static bool
take_time(const char **text, struct tm *tm)
{
	if (!take_number(text, 2, &tm->tm_hour) || !take_char(text, ':') ||
		!take_number(text, 2, &tm->tm_min) || !take_char(text, ':') ||
		!take_number(text, 2, &tm->tm_sec))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 61;
}

/* Digits past the sixth are cut off: nothing here is finer. */
static bool
take_fraction(const char **text, int64_t *micro)
{
	int64_t scale = CLOCK_SECOND_US / 10;

	*micro = 0;
	if (!take_char(text, '.'))
		return true;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++, scale /= 10)
		*micro += scale * (**text - '0');
	return true;
}

static bool
take_zone(const char **text, int64_t *offset_us)
{
	int hours;
	int minutes;
	int sign = **text == '-' ? -1 : 1;

	*offset_us = 0;
	if (take_char(text, 'Z') || take_char(text, 'z'))
		return true;
	if (**text != '+' && **text != '-')
		return false;
	(*text)++;
	if (!take_number(text, 2, &hours) || !take_char(text, ':') ||
		!take_number(text, 2, &minutes) || hours > 14 || minutes > 59)
		return false;
	*offset_us = sign * (hours * CLOCK_HOUR_US + minutes * CLOCK_MINUTE_US);
	return true;
}

bool
clock_parse(const char *text, int64_t *time_us)
{
	struct tm tm = {0};
	struct tm check;
	int64_t micro;
	int64_t offset_us;
	time_t time;

	if (!take_date(&text, &tm) ||
		!(take_char(&text, 'T') || take_char(&text, ' ')) ||
		!take_time(&text, &tm) || !take_fraction(&text, &micro) ||
		!take_zone(&text, &offset_us) || *text != '\0')
		return false;
	check = tm;
	time = timegm(&check);
	if (check.tm_mday != tm.tm_mday) /* 30 February and the like */
		return false;
	*time_us = (int64_t)time * CLOCK_SECOND_US + micro - offset_us;
	return true;
}
