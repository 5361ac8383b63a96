import '../styles/docs.css';

/** What this page uses of Swagger UI's bundle, which the page loads as it is. */
interface SwaggerUi {
  (options: Record<string, unknown>): unknown;
  presets: { apis: unknown };
}

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
