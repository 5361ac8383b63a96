import '../styles/docs.css';

/** What this page uses of Swagger UI's bundle, which the page loads as it is. */
interface SwaggerUi {
  (options: Record<string, unknown>): unknown;
  presets: { apis: unknown };
}

// Swagger UI brings dark colours of its own, under this class.
const system = matchMedia('(prefers-color-scheme: dark)');
function shade(): void {
  const { classList, dataset } = document.documentElement;
  classList.toggle('dark-mode', dataset['theme'] === undefined ? system.matches : dataset['theme'] === 'dark');
}
system.addEventListener('change', shade);
shade();

/**
 * The bundle is a classic script; loading it from here keeps the order certain. "Try it out" acts as an app elsewhere
 * would: with the bearer token that was typed, never with the cookie of the person who reads.
 */
const script = document.createElement('script');
script.src = '/docs/swagger-ui-bundle.js';
script.addEventListener('load', () => {
  const { SwaggerUIBundle } = window as unknown as { SwaggerUIBundle: SwaggerUi };
  SwaggerUIBundle({
    url: '/openapi.json',
    dom_id: '#reference',
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    docExpansion: 'list',
    displayRequestDuration: true,
    persistAuthorization: false,
    syntaxHighlight: { activated: false },
    validatorUrl: null,
    requestInterceptor: (request: Record<string, unknown>) => ({ ...request, credentials: 'omit' }),
  });
});
document.head.append(script);
