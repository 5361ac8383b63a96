// A certified OpenID provider (npm: oidc-provider), started by the stories of sign-in through a provider and by
// scripts/test for the browser's journeys.
//
// It keeps everything in memory, takes a free port, prints its name of itself, and lets everybody in whose name stands
// in the header `x-test-person`, without pages: what is under test is what our server does with its answers.

import { createServer } from 'node:http';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';

// A native client may be sent back to any port of this machine: the journeys start this before our server has one.
const { CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, TOKEN_AUTH = 'client_secret_basic', CLIENT_KIND = 'web', NOW } = process.env;

// Stories have a time of their own: this clock runs from there, so that both sides mean the same moment.
const SystemDate = Date;
const ahead = NOW === undefined ? 0 : Number(NOW) * 1000 - SystemDate.now();
globalThis.Date = class extends SystemDate {
  constructor(...parts) {
    super(...(parts.length > 0 ? parts : [SystemDate.now() + ahead]));
  }

  static now() {
    return SystemDate.now() + ahead;
  }
};
// Whoever started this reads one line of its output.
const tell = console.log;
console.log = console.info = console.error;
const { Provider } = await import('oidc-provider');

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: CLIENT_ID,
      client_secret: CLIENT_SECRET,
      application_type: CLIENT_KIND,
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: TOKEN_AUTH,
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  // Claims go into the ID token, as Google's do.
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, email: `${sub}@example.org`, email_verified: true }),
  }),
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
  const person = ctx.get('x-test-person');
  if (!person) {
    const refused = { error: 'access_denied', error_description: 'nobody is there' };
    return provider.interactionFinished(ctx.req, ctx.res, refused, { mergeWithLastSubmission: false });
  }
  const accountId = prompt.name === 'login' ? person : session.accountId;
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId }, consent: { grantId: await grant.save() } };
  return provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
});

server.on('request', provider.callback());
tell(issuer);
// The story that started it holds its input: when the story ends, however it ends, so does this. A script stops it with
// a signal and gives it no pipe.
if (fstatSync(0).isFIFO()) {
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(0));
}
