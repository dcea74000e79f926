/* sun: where the sun stands and what it gives under a clear sky. */

#include "agents/sun.h"

#include <math.h>

#define DEGREE         0.017453292519943295
#define SOLAR_CONSTANT 1361.0
#define GROUND_ALBEDO  0.2
#define LOW_SUN_COSINE 0.065 /* 3.7 degrees: below, the beam is not trusted */

static double
wrap(double degrees)
{
	double rest = fmod(degrees, 360);

	return rest < 0 ? rest + 360 : rest;
}

struct sun
sun_position(int64_t time_us, double latitude, double longitude)
{
	double days = (double)time_us / 86400e6 - 10957.5; /* since J2000 */
	double t = days / 36525;
	double anomaly = DEGREE * (357.52911 + 35999.05029 * t);
	double centre = (1.914602 - 0.004817 * t) * sin(anomaly) +
			0.019993 * sin(2 * anomaly) +
			0.000289 * sin(3 * anomaly);
	double node = DEGREE * (125.04 - 1934.136 * t);
	double lambda = DEGREE * (280.46646 + 36000.76983 * t + centre -
					 0.00569 - 0.00478 * sin(node));
	double tilt =
		DEGREE * (23.439291 - 0.0130042 * t + 0.00256 * cos(node));
	double ascension = atan2(cos(tilt) * sin(lambda), cos(lambda));
	double declination = asin(sin(tilt) * sin(lambda));
	double sidereal = 280.46061837 + 360.98564736629 * days;
	double hour = DEGREE * wrap(sidereal + longitude) - ascension;
	double north = DEGREE * latitude;
	struct sun sun;

	sun.elevation = asin(sin(north) * sin(declination) +
				cos(north) * cos(declination) * cos(hour)) /
			DEGREE;
	sun.azimuth = wrap(
		180 + atan2(sin(hour), cos(hour) * sin(north) -
					       tan(declination) * cos(north)) /
			      DEGREE);
	return sun;
}

double
sun_clear_sky(const struct sun *sun)
{
	double cosine = sin(DEGREE * sun->elevation);

	return cosine <= 0 ? 0 : 1098 * cosine * exp(-0.057 / cosine);
}

/* Share of the global irradiance that comes from the whole sky (Erbs 1982). */
static double
diffuse_share(double clearness)
{
	double k = clearness;

	if (k <= 0.22)
		return 1 - 0.09 * k;
	if (k > 0.80)
		return 0.165;
	return 0.9511 - 0.1604 * k + 4.388 * k * k - 16.638 * k * k * k +
	       12.336 * k * k * k * k;
}

double
sun_on_plane(const struct sun *sun, double global, double tilt, double facing)
{
	double zenith_cosine = sin(DEGREE * sun->elevation);
	double beam_cosine = zenith_cosine * cos(DEGREE * tilt) +
			     cos(DEGREE * sun->elevation) * sin(DEGREE * tilt) *
				     cos(DEGREE * (sun->azimuth - facing));
	double diffuse;

	if (zenith_cosine <= 0 || global <= 0)
		return 0;
	diffuse = global *
		  diffuse_share(global / (SOLAR_CONSTANT * zenith_cosine));
	return (global - diffuse) * fmax(0, beam_cosine) /
		       fmax(zenith_cosine, LOW_SUN_COSINE) +
	       diffuse * (1 + cos(DEGREE * tilt)) / 2 +
	       global * GROUND_ALBEDO * (1 - cos(DEGREE * tilt)) / 2;
}
