// passwords: the well-known passwords of @zxcvbn-ts/language-common that are
// long enough to be set, in lower case and sorted by bytes, one a line.
//
//   node passwords.mjs passwords.json > passwords.txt

import { readFileSync } from 'node:fs';

const SHORTEST = 8; // PASSWORD_BYTES_MIN in lib/password.h
const words = JSON.parse(readFileSync(process.argv[2], 'utf8'))
	.map((word) => Buffer.from(word.toLowerCase()))
	.filter((word) => word.length >= SHORTEST && !word.includes('\n'))
	.sort(Buffer.compare)
	.map(String);

process.stdout.write(`${[...new Set(words)].join('\n')}\n`);
