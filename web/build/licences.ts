import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Plugin } from 'vite';

/** What of other people's work ends up in `dist`, and the files in which they ask to be named. */
const WORKS: Record<string, string[]> = {
  svelte: ['LICENSE.md'],
  '@fontsource-variable/figtree': ['LICENSE'],
  '@meteocons/svg-static': ['LICENSE'],
  uqr: ['LICENSE'],
  'swagger-ui-dist': ['NOTICE', 'LICENSE', 'swagger-ui-bundle.js.LICENSE.txt'],
};

/** Writes all their licence texts into one file, which the page of data and licences links. */
export function licences(): Plugin {
  return {
    name: 'fairweather:licences',
    generateBundle() {
      const texts = Object.entries(WORKS).map(([work, files]) => {
        const texts = files.map((file) => readFileSync(join(import.meta.dirname, '../node_modules', work, file), 'utf8').trim());
        return [work, '='.repeat(work.length), ...texts].join('\n\n');
      });
      this.emitFile({ type: 'asset', fileName: 'about/licences.txt', source: `${texts.join('\n\n\n')}\n` });
    },
  };
}
