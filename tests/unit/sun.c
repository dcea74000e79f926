/* sun: positions against published ones. */

#include "agents/sun.h"
#include "lib/clock.h"
#include "tests/unit/unit.h"

#include <math.h>

static struct sun
sun_at(const char *time, double latitude, double longitude)
{
	int64_t time_us;

	assert_true(clock_parse(time, &time_us));
	return sun_position(time_us, latitude, longitude);
}

static void
assert_near(double found, double wanted, double tolerance)
{
	if (!(fabs(found - wanted) <= tolerance))
		fail_msg("%.4f is not %.4f +- %g", found, wanted, tolerance);
}

/* The worked example of NREL's Solar Position Algorithm. */
static void
test_sun_stands_where_nrel_says(void **state)
{
	struct sun sun =
		sun_at("2003-10-17T12:30:30-07:00", 39.742476, -105.1786);

	(void)state;
	assert_near(sun.elevation, 90 - 50.11162, 0.03); /* refraction: 0.016 */
	assert_near(sun.azimuth, 194.34024, 0.03);
}

static void
test_sun_knows_solstice_and_equinox(void **state)
{
	(void)state;
	/* Noon at Greenwich on 2026-06-21: 90 - latitude + 23.44. */
	assert_near(sun_at("2026-06-21T12:02:00Z", 51.48, 0).elevation, 61.96,
		0.03);
	assert_near(sun_at("2026-12-21T11:58:00Z", 51.48, 0).elevation, 15.08,
		0.03);
	/* On the equator it passes the zenith at the equinox. */
	assert_true(sun_at("2026-03-20T12:07:30Z", 0, 0).elevation > 89.5);
	assert_true(sun_at("2026-03-20T00:00:00Z", 0, 0).elevation < -85);
}

static void
test_sun_rises_in_the_east(void **state)
{
	(void)state;
	assert_near(sun_at("2026-03-20T06:07:00Z", 0, 0).azimuth, 90, 1);
	assert_near(sun_at("2026-03-20T18:07:00Z", 0, 0).azimuth, 270, 1);
	assert_near(sun_at("2026-03-20T02:00:00Z", -33.9, 151.2).azimuth, 0,
		2.5); /* Sydney: noon in the north */
}

static void
test_sun_gives_nothing_at_night(void **state)
{
	struct sun night = {.elevation = -5, .azimuth = 0};
	struct sun noon = {.elevation = 90, .azimuth = 180};

	(void)state;
	assert_true(sun_clear_sky(&night) == 0);
	assert_true(sun_on_plane(&night, 0, 25, 180) == 0);
	assert_near(sun_clear_sky(&noon), 1037, 1);
}

static void
test_sun_likes_a_plane_that_faces_it(void **state)
{
	struct sun sun = {.elevation = 30, .azimuth = 180};
	double global = sun_clear_sky(&sun);
	double south = sun_on_plane(&sun, global, 40, 180);
	double flat = sun_on_plane(&sun, global, 0, 180);
	double north = sun_on_plane(&sun, global, 40, 0);

	(void)state;
	assert_near(flat, global, 0.001);
	assert_true(south > flat && flat > north);
	assert_true(south < 1.9 * global);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sun_stands_where_nrel_says),
		cmocka_unit_test(test_sun_knows_solstice_and_equinox),
		cmocka_unit_test(test_sun_rises_in_the_east),
		cmocka_unit_test(test_sun_gives_nothing_at_night),
		cmocka_unit_test(test_sun_likes_a_plane_that_faces_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
