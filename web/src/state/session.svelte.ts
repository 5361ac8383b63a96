import type { Account, SecondFactor, ShownFactor, Units } from '@fairweather/client';

import { speech } from '../text/index.svelte';
import { connection } from './connection.svelte';
import { fairweather } from './fairweather';
import { forecasts } from './forecasts.svelte';
import { places } from './places.svelte';
import { preferences } from './preferences.svelte';
import { pendingRegistration } from './registration';
import { route } from './route.svelte';
import { surroundings } from './surroundings.svelte';
import { toasts } from './toasts.svelte';

/** How often an open page asks for fresh forecasts. */
const REFRESH_MS = 10 * 60_000;

let account = $state.raw<Account | null>(null);
let asked = $state(false);

/** How a sign-in went: the server wants a second step, or the device had so many places of its own. */
export interface SignedIn {
  second: SecondFactor | null;
  /** Which the user may want to bring along. */
  left: number;
}

async function arrive(sign: () => Promise<Account | SecondFactor>): Promise<SignedIn> {
  const left = account?.kind === 'anonymous' ? (places.list?.length ?? 0) : 0;
  const answer = await sign();
  if ('mfa_required' in answer) return { second: answer, left: 0 };
  route.close(true);
  return { second: null, left };
}

/** Units belong to the account: its choice comes from the server, and a choice made here goes there. */
function agreeOnUnits(whose: Account): void {
  if (preferences.agreeOnUnits(whose.account_id, whose.preferences.units ?? null)) void sendUnits(whose.account_id);
}

/** A choice that does not get through stays marked, and the next start sends it. */
async function sendUnits(whose: string): Promise<void> {
  const { units } = preferences;
  try {
    await fairweather.accounts.setPreferences({ units });
  } catch {
    return;
  }
  if (account?.account_id === whose && units === preferences.units) preferences.unitsSent();
}

fairweather.on('account', (next) => {
  const before = account?.account_id;
  account = next ?? null;
  asked = next !== undefined;
  if (account && account.account_id !== before) agreeOnUnits(account);
});

fairweather.on('ended', () => {
  route.close(true);
  toasts.show(speech.t.account.ended);
});

/** Who uses the app on this device. */
export const session = {
  /** Null where there is no account yet. */
  get account(): Account | null {
    return account;
  },

  /** Shows the last copy, then lets the client ask the server. A visitor who never picked a place gets no account. */
  async start(): Promise<void> {
    await fairweather.start();
    if (fairweather.accountId !== null) void forecasts.refresh();
    connection.onReturn(() => void forecasts.refresh());
    const look = (): void => {
      if (forecasts.aged) void forecasts.refresh();
    };
    surroundings.onReturn(look);
    setInterval(() => document.visibilityState === 'visible' && look(), REFRESH_MS);
  },

  /** Asks again for what did not come. */
  async reload(): Promise<void> {
    await Promise.all([fairweather.accounts.ask(), fairweather.sync(), forecasts.refresh()]);
  },

  /** Makes the anonymous account of a first pick. */
  async enter(): Promise<void> {
    // What this device knows is enough to change it, also offline.
    if (fairweather.accountId !== null) return;
    if (fairweather.accounts.current === undefined) await fairweather.accounts.ask();
    if (fairweather.accountId === null) await fairweather.accounts.anonymous();
  },

  async chooseUnits(units: Units): Promise<void> {
    preferences.chooseUnits(units, account?.account_id ?? null);
    if (account) await sendUnits(account.account_id);
  },

  /** Whether the server has said who is here. */
  get known(): boolean {
    return asked;
  },

  signIn(email: string, password: string, discard = false): Promise<SignedIn> {
    return arrive(() => fairweather.accounts.login(email, password, discard));
  },

  answerSecondStep(challenge: string, factor: ShownFactor, discard = false): Promise<SignedIn> {
    return arrive(() => fairweather.accounts.secondFactor(challenge, factor, discard));
  },

  signInWithPasskey(credential: unknown, discard = false): Promise<SignedIn> {
    return arrive(() => fairweather.accounts.passkey(credential, discard));
  },

  async confirm(registration: string, code: string): Promise<void> {
    await fairweather.accounts.confirm(registration, code);
    pendingRegistration.clear();
  },

  /**
   * `discard` deletes an anonymous account with its places, which the server refuses to end without it, and drops what
   * could not be sent of any account.
   */
  async signOut(discard: boolean): Promise<void> {
    await fairweather.accounts.logout(discard);
    route.close(true);
    toasts.show(speech.t.account.signedOut);
  },
};
