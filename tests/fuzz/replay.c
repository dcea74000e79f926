/* fuzz/replay: a fuzzer's kept inputs as a test, without the fuzzer's engine.
 * Called fuzz_NAME it reads the files of tests/fuzz/corpus/NAME. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_BYTES_MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static int
replay_file(const char *folder, const char *name)
{
	static uint8_t input[INPUT_BYTES_MAX];
	char path[4096];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return 1;
	}
	length = fread(input, 1, sizeof(input), file);
	fclose(file);
	LLVMFuzzerTestOneInput(input, length);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *source = getenv("srcdir") != NULL ? getenv("srcdir") : ".";
	const char *name = strstr(argv[0], "fuzz_");
	const struct dirent *entry;
	char folder[2048];
	int failed = 0;
	int count = 0;
	DIR *list;

	(void)argc;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", source,
		name != NULL ? name + strlen("fuzz_") : "");
	list = opendir(folder);
	if (list == NULL) {
		perror(folder);
		return EXIT_FAILURE;
	}
	while ((entry = readdir(list)) != NULL)
		if (entry->d_name[0] != '.') {
			failed += replay_file(folder, entry->d_name);
			count++;
		}
	closedir(list);
	printf("%d inputs\n", count);
	return failed == 0 && count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
