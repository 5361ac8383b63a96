import { api, Problem, serverWatch, type Account, type Units } from '../api';
import { speech } from '../text/index.svelte';
import { cache } from './cache';
import { connection } from './connection.svelte';
import { places } from './places.svelte';
import { preferences } from './preferences.svelte';
import { pendingRegistration } from './registration';
import { route } from './route.svelte';
import { surroundings } from './surroundings.svelte';
import { toasts } from './toasts.svelte';

/** How often an open page asks for fresh forecasts. */
const REFRESH_MS = 10 * 60_000;

let account = $state.raw<Account | null>(null);
let known = $state(false);

/** Units belong to the account: its choice comes from the server, and a choice made here goes there. */
function agreeOnUnits(whose: Account): void {
  if (preferences.agreeOnUnits(whose.account_id, whose.preferences.units)) void sendUnits(whose.account_id);
}

/** A choice that does not get through stays marked, and the next start sends it. */
async function sendUnits(whose: string): Promise<void> {
  const { units } = preferences;
  try {
    await api.setPreferences({ units });
  } catch {
    return;
  }
  if (account?.account_id !== whose) return;
  account = { ...account, preferences: { units } };
  if (units === preferences.units) preferences.unitsSent();
}

/** Takes over what the server says about who is here. */
async function settle(): Promise<void> {
  account = await api.me();
  known = true;
  const before = cache.account;
  if (before !== null && before !== account?.account_id) cache.forget(before);
  if (account) {
    places.open(account.account_id);
    agreeOnUnits(account);
    await places.refresh();
  } else {
    if (before !== null) toasts.show(speech.t.account.ended);
    places.close();
  }
}

/** Who uses the app on this device. */
export const session = {
  /** Null where there is no account yet. */
  get account(): Account | null {
    return account;
  },

  /** Whether the server has said who is here. */
  get known(): boolean {
    return known;
  },

  /** Paints the last copy, then asks the server. A visitor who never picked a place gets no account here. */
  async start(): Promise<void> {
    if (cache.account !== null) places.open(cache.account);
    try {
      await settle();
    } catch {
      // Offline or the server is away: the copy stays, and the return of the connection asks again.
      if (cache.account === null) places.close();
    }
    connection.onReturn(() => this.reload());
    surroundings.onReturn(() => void this.wake());
    setInterval(() => {
      if (document.visibilityState === 'visible') void this.wake();
    }, REFRESH_MS);
    serverWatch.addEventListener('ended', () => void this.reload());
    // Another tab confirmed a registration, signed in or signed out.
    addEventListener('storage', ({ key, newValue }) => {
      const confirmed = key === pendingRegistration.key && newValue === null;
      if (confirmed || key === cache.key) void this.reload();
    });
  },

  async wake(): Promise<void> {
    if (!known || connection.away || places.aged) await this.reload();
  },

  async reload(): Promise<void> {
    try {
      await settle();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  },

  /** Makes the anonymous account of a first pick. */
  async enter(): Promise<void> {
    if (account) return;
    // Another tab that made an account has told this one, so a known absence needs no second question.
    if (!known) account = await api.me();
    if (!account) {
      await api.createAnonymous();
      account = await api.me();
    }
    known = true;
    if (!account) return;
    places.open(account.account_id);
    agreeOnUnits(account);
  },

  async chooseUnits(units: Units): Promise<void> {
    preferences.chooseUnits(units, account?.account_id ?? null);
    if (account) await sendUnits(account.account_id);
  },

  /** Signs in. True when the device had places of its own, which the user may want to bring along. */
  async signIn(email: string, password: string): Promise<{ mfa: boolean; left: number }> {
    const left = account?.kind === 'anonymous' ? (places.list?.length ?? 0) : 0;
    const answer = await api.login(email, password);
    if (answer?.mfa_required) return { mfa: true, left: 0 };
    route.close(true);
    await settle();
    return { mfa: false, left };
  },

  async confirm(registration: string, code: string): Promise<void> {
    await api.confirm(registration, code);
    pendingRegistration.clear();
    await settle();
  },

  /** `discard` deletes an anonymous account with its places; the server refuses to end one without it. */
  async signOut(discard: boolean): Promise<void> {
    await api.logout(discard);
    if (account) cache.forget(account.account_id);
    account = null;
    route.close(true);
    places.close();
    toasts.show(speech.t.account.signedOut);
  },
};
