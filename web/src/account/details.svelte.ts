import type { EmailAddress, Factors, Identity, Passkey, Provider, Session } from '@fairweather/client';

import { api } from './api';

export interface Details {
  email: EmailAddress;
  factors: Factors;
  passkeys: Passkey[];
  identities: Identity[];
  providers: Provider[];
  sessions: Session[];
}

let known = $state.raw<Details | null>(null);
let failure = $state.raw<unknown>(null);
/** Counts the questions, so that an answer that was overtaken is not believed. */
let turn = 0;

/** Everything that the account page shows of an account, asked anew after each change. */
export const details = {
  get known(): Details | null {
    return known;
  },

  get failure(): unknown {
    return failure;
  },

  async load(): Promise<void> {
    turn += 1;
    const mine = turn;
    try {
      const [email, factors, passkeys, identities, providers, sessions] = await Promise.all([
        api.email(),
        api.factors(),
        api.passkeys(),
        api.identities(),
        api.providers(),
        api.sessions(),
      ]);
      if (mine !== turn) return;
      known = { email, factors, passkeys, identities, providers, sessions };
      failure = null;
    } catch (error) {
      if (mine === turn) failure = error;
    }
  },

  forget(): void {
    turn += 1;
    known = null;
    failure = null;
  },
};
