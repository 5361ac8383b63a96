// Writes src/openapi.ts from the server's document. With --check it only compares, and fails when the file is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import openapi, { astToString } from 'openapi-typescript';

const HOME = join(import.meta.dirname, '..');
const TARGET = join(HOME, 'src/openapi.ts');
const HEAD = '/** Generated from schema/openapi.json by `npm run types`. Do not edit. */\n\n';

const document = JSON.parse(readFileSync(join(HOME, '../../schema/openapi.json'), 'utf8'));
const text = HEAD + astToString(await openapi(document, { silent: true }));

if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, text);
} else if (readFileSync(TARGET, 'utf8') !== text) {
  console.error('src/openapi.ts is stale: run `npm run types` and commit the result.');
  process.exit(1);
}
