import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

import { licences } from './build/licences.ts';
import { sharedMarkup } from './build/markup.ts';
import { apiReference } from './build/reference.ts';
import { writeWeatherIcons } from './build/weather-icons.ts';

writeWeatherIcons();

const server = process.env['FAIRWEATHER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // The client library is taken from its sources, so that there is one build and no order of builds.
  resolve: { alias: { '@fairweather/client': new URL('../clients/typescript/src/index.ts', import.meta.url).pathname } },
  plugins: [sharedMarkup(), svelte(), apiReference(), licences()],
  build: {
    target: 'es2022',
    // The Content-Security-Policy allows data: images, but a file of its own is cached and costs no script size.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: ['', 'about/data/', 'account/', 'confirm/', 'docs/', 'forgot/', 'reset/'].map((folder) => `${folder}index.html`),
      // The script names every icon, and a hash cannot be compressed: 30 bits tell two versions of one icon apart.
      output: { assetFileNames: 'assets/[name]-[hash:5][extname]' },
    },
  },
  server: {
    fs: { allow: ['.', '../clients/typescript/src'] },
    proxy: Object.fromEntries(
      ['/v1', '/openapi.json', '/dev/mailbox'].map((path) => [path, { target: server }]),
    ),
  },
});
