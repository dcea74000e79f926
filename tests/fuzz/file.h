/*
 * fuzz/file: the input as a file, for what reads files by their path.
 *
 * The file is below the working folder's or the system's temporary one, the
 * same for all inputs, and gone when the process ends.
 */
#ifndef FG_TESTS_FUZZ_FILE_H
#define FG_TESTS_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The folder, empty but for what fuzz_file wrote. */
const char *fuzz_folder(void);

/* Write "data" as the file "name" in the folder. Returns its path. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t length);

#endif
