import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Plugin } from 'vite';

const PARTS = join(import.meta.dirname, 'markup');

/** Puts what pages share where they name it: `<!-- head -->` stands for `markup/head.html`. */
export function sharedMarkup(): Plugin {
  const fill = (html: string): string =>
    html.replace(/[ \t]*<!-- (answer|brand|head) -->\n/g, (_, part: string) => fill(readFileSync(join(PARTS, `${part}.html`), 'utf8')));
  return {
    name: 'fairweather:shared-markup',
    // Before anything looks for scripts and styles in it.
    transformIndexHtml: { order: 'pre', handler: fill },
  };
}
