import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { Plugin } from 'vite';

/** What the API reference page at /docs takes from swagger-ui-dist, under the name that the page asks for. */
const BUNDLE = 'swagger-ui-bundle.js';

/**
 * Swagger UI comes as one finished bundle. Copying it beside the page keeps it out of the app's own bundle and spares
 * every build from taking it apart again.
 */
export function apiReference(): Plugin {
  const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const source = (): Buffer => readFileSync(join(from, BUNDLE));
  return {
    name: 'fairweather:api-reference',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: `docs/${BUNDLE}`, source: source() });
    },
    configureServer(server) {
      server.middlewares.use('/docs', (request, response, next) => {
        if (request.url !== `/${BUNDLE}`) return next();
        response.setHeader('content-type', 'text/javascript');
        response.end(source());
      });
    },
  };
}
