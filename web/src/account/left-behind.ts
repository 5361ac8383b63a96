import { fairweather } from '../state/fairweather';
import { places } from '../state/places.svelte';
import { session } from '../state/session.svelte';
import { recallJson, remember } from '../state/storage';

const KEY = 'fairweather.left';
const VERSION = 1;

interface Left {
  version: number;
  account: string;
  places: number;
}

/**
 * The way to a provider leaves the page, and may come back to another account. What an anonymous account has here is
 * noted before, so that it can be offered then.
 */
export const leftBehind = {
  note(): void {
    const { account } = session;
    const count = places.list?.length ?? 0;
    const left = account?.kind === 'anonymous' && count > 0 ? { version: VERSION, account: account.account_id, places: count } : null;
    remember(KEY, left && JSON.stringify(left));
  },

  /** How many places the account had that the sign-in has replaced, told once. */
  async take(): Promise<number> {
    const left = recallJson<Left>(KEY, VERSION);
    remember(KEY, null);
    if (left === null) return 0;
    await fairweather.accounts.ask();
    const now = session.account?.account_id ?? left.account;
    return now === left.account ? 0 : left.places;
  },
};
