// Fails the build when what a first visit downloads outgrows its budget. Icons and fonts are not counted: they are
// fetched after the first paint, each only when shown.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = join(import.meta.dirname, '../dist');
const BUDGET = { js: 65_000, css: 12_000 };

const page = readFileSync(join(DIST, 'index.html'), 'utf8');
const asked = [...page.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path);
const spent = { js: 0, css: 0 };
for (const path of asked) {
  const kind = path.endsWith('.css') ? 'css' : 'js';
  spent[kind] += gzipSync(readFileSync(join(DIST, path))).length;
}

const over = Object.keys(BUDGET).filter((kind) => spent[kind] > BUDGET[kind] || spent[kind] === 0);
for (const kind of Object.keys(BUDGET)) {
  console.log(`${kind}: ${spent[kind]} of ${BUDGET[kind]} bytes gzip`);
}
console.log(`${readdirSync(join(DIST, 'assets')).length} files in dist/assets`);
if (over.length > 0) {
  console.error(`over budget, or nothing found: ${over.join(', ')}`);
  process.exit(1);
}
