/* sun: where the sun stands and what it gives under a clear sky. */
#ifndef FG_AGENTS_SUN_H
#define FG_AGENTS_SUN_H

#include <stdint.h>

/* Degrees; azimuth clockwise from north. */
struct sun {
	double elevation; /* of the centre, without refraction */
	double azimuth;
};

/* Solar coordinates of low precision (Meeus, chapter 25): 0.01 degrees. */
struct sun sun_position(int64_t time_us, double latitude, double longitude);

/* Global irradiance on the horizontal in W/m2 under a clear sky (Haurwitz). */
double sun_clear_sky(const struct sun *sun);

/*
 * Irradiance in a plane tilted towards "facing" from the global irradiance on
 * the horizontal: beam, sky and ground parts, split after Erbs.
 */
double sun_on_plane(
	const struct sun *sun, double global, double tilt, double facing);

#endif
