/* sim_wind: what the tests know of the wind park. */
#ifndef FG_AGENTS_SIM_WIND_H
#define FG_AGENTS_SIM_WIND_H

/* Power of one turbine in W at a steady wind in m/s. */
double sim_power_curve(double speed);

#endif
