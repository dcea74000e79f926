/* unit: what every unit test includes before it starts. */
#ifndef FG_TESTS_UNIT_UNIT_H
#define FG_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
