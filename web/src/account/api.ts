import type { AddedPasskey, ConfirmedTotp, EmailAddress, Factors, Identity, Passkey, Provider, RecoveryCodes, Session, TotpSetup } from '@fairweather/client';

import { fairweather } from '../state/fairweather';

/** One proof of who is there. */
export type Proof = { password: string } | { code: string } | { credential: unknown };

interface List<T> {
  items: T[];
  next: string | null;
}

const { http } = fairweather;

async function all<T>(path: string): Promise<T[]> {
  return (await http.call<List<T>>('GET', path)).items;
}

/** What the account pages ask of the server. Everything else goes through the client library. */
export const api = {
  forgotPassword: (email: string) => http.call<null>('POST', '/v1/auth/password/forgot', { body: { email }, signed: false }),
  resetPassword: (reset: string, password: string) =>
    http.call<null>('POST', '/v1/auth/password/reset', { body: { reset, password }, signed: false }),

  providers: () => all<Provider>('/v1/auth/providers'),
  startOauth: (provider: string, purpose: 'login' | 'link' | 'step_up', returnTo: string) =>
    http.call<{ url: string }>('POST', `/v1/auth/oauth/${provider}/start`, { body: { purpose, return_to: returnTo } }),
  startPasskey: (purpose: 'sign_in' | 'step_up') =>
    http.call<{ public_key: PublicKeyCredentialRequestOptionsJSON }>('POST', '/v1/auth/passkeys/start', { body: { purpose } }),
  stepUp: (proof: Proof) => http.call<unknown>('POST', '/v1/auth/step-up', { body: proof }),

  email: () => http.call<EmailAddress>('GET', '/v1/me/email'),
  changeEmail: (email: string) => http.call<EmailAddress>('POST', '/v1/me/email', { body: { email } }),
  confirmEmail: (code: string) => http.call<EmailAddress>('POST', '/v1/me/email/confirm', { body: { code } }),
  cancelEmail: () => http.call<null>('DELETE', '/v1/me/email'),

  changePassword: (password: string, current: string) =>
    http.call<null>('PUT', '/v1/me/password', { body: current === '' ? { password } : { password, current } }),

  passkeys: () => all<Passkey>('/v1/me/passkeys'),
  newPasskey: () => http.call<{ public_key: PublicKeyCredentialCreationOptionsJSON }>('POST', '/v1/me/passkeys/start', { body: {} }),
  addPasskey: (name: string, credential: unknown) =>
    http.call<AddedPasskey>('POST', '/v1/me/passkeys/finish', { body: { name, credential } }),
  renamePasskey: (id: string, name: string) => http.call<Passkey>('PATCH', `/v1/me/passkeys/${id}`, { body: { name } }),
  removePasskey: (id: string) => http.call<null>('DELETE', `/v1/me/passkeys/${id}`),

  factors: () => http.call<Factors>('GET', '/v1/me/factors'),
  setUpTotp: () => http.call<TotpSetup>('POST', '/v1/me/factors/totp', { body: {} }),
  confirmTotp: (code: string) => http.call<ConfirmedTotp>('POST', '/v1/me/factors/totp/confirm', { body: { code } }),
  removeTotp: () => http.call<null>('DELETE', '/v1/me/factors/totp'),
  newRecoveryCodes: () => http.call<RecoveryCodes>('POST', '/v1/me/factors/recovery-codes', { body: {} }),

  identities: () => all<Identity>('/v1/me/identities'),
  removeIdentity: (id: string) => http.call<null>('DELETE', `/v1/me/identities/${id}`),

  async sessions(): Promise<Session[]> {
    const found: Session[] = [];
    let after: string | undefined;
    do {
      const page: List<Session> = await http.call('GET', '/v1/me/sessions', { query: { after, limit: 200 } });
      found.push(...page.items);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return found;
  },
  endSession: (id: string) => http.call<null>('DELETE', `/v1/me/sessions/${id}`),
  endOtherSessions: () => http.call<{ ended: number }>('DELETE', '/v1/me/sessions'),

  /** The archive with everything, and the name that the server gives it. */
  async export(): Promise<{ name: string; archive: Blob }> {
    const answer = await http.open('/v1/me/export', { accept: 'application/zip' }, AbortSignal.timeout(120_000));
    const name = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '')?.[1];
    return { name: name ?? 'fairweather.zip', archive: await answer.blob() };
  },
};
