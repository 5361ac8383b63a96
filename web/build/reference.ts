import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { Plugin } from 'vite';

/** What the API reference page at /docs takes from swagger-ui-dist, under the names that the page asks for. */
const FILES = ['swagger-ui-bundle.js', 'swagger-ui.css'];

/**
 * Swagger UI comes as one finished bundle. Copying it beside the page keeps it out of the app's own bundle and spares
 * every build from taking it apart again.
 */
export function apiReference(): Plugin {
  const from = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const source = (name: string): Buffer => readFileSync(join(from, name));
  return {
    name: 'fairweather:api-reference',
    generateBundle() {
      for (const name of FILES) {
        this.emitFile({ type: 'asset', fileName: `docs/${name}`, source: source(name) });
      }
    },
    configureServer(server) {
      server.middlewares.use('/docs', (request, response, next) => {
        const name = FILES.find((file) => request.url === `/${file}`);
        if (name === undefined) return next();
        response.setHeader('content-type', name.endsWith('.css') ? 'text/css' : 'text/javascript');
        response.end(source(name));
      });
    },
  };
}
