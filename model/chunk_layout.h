/* chunk_layout: the numbers of doc/STORAGE.md, for both halves of the codec. */
#ifndef FG_MODEL_CHUNK_LAYOUT_H
#define FG_MODEL_CHUNK_LAYOUT_H

#define CHUNK_VERSION      1
#define CHUNK_CRC_BYTES    4 /* at the end */
#define CHUNK_DECIMALS_MAX 12

/* How the times are written. */
enum chunk_times {
	CHUNK_TIMES_REGULAR = 0, /* the step */
	CHUNK_TIMES_DELTA = 1,   /* a common divisor, then deltas of deltas */
};

/* How the values are written. */
enum chunk_values {
	CHUNK_VALUES_CONSTANT = 0,  /* one value, as in a frame */
	CHUNK_VALUES_BITS = 1,      /* bool */
	CHUNK_VALUES_INTEGERS = 2,  /* int64 */
	CHUNK_VALUES_DECIMAL = 3,   /* float64 = integer / 10^decimals */
	CHUNK_VALUES_DECIMAL32 = 4, /* the same, rounded to float32 */
	CHUNK_VALUES_SHUFFLED = 5,  /* float64, by bytes of equal weight */
	CHUNK_VALUES_STRINGS = 6,
};

/* How a column of integers is written. */
enum chunk_integers {
	CHUNK_INTEGERS_VARINT = 0, /* zigzag deltas */
	CHUNK_INTEGERS_PLANES = 1, /* zigzag deltas, by bytes of equal weight */
};

extern const double chunk_powers[CHUNK_DECIMALS_MAX + 1]; /* of ten */

#endif
