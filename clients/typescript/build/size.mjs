// Fails when what an app downloads for the client outgrows its budget. Types weigh nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

const BUDGET = 15_000;
const home = join(import.meta.dirname, '..');

const { outputFiles } = await build({
  entryPoints: [join(home, 'src/index.ts')],
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  write: false,
});
const size = gzipSync(outputFiles[0].contents, { level: 9 }).length;
console.log(`${size} of ${BUDGET} bytes gzip, from ${readdirSync(join(home, 'src'), { recursive: true }).length} files`);

const { dependencies } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
if (size > BUDGET || dependencies !== undefined) {
  console.error('the client is too large, or has dependencies at run time');
  process.exit(1);
}
