import type { DetailForecast, Favourite, Overview, Units } from '../api';
import { recall, recallJson, remember } from './storage';

/** The last answers for one account, so that the first paint does not wait for the network. */
export interface Copy {
  version: number;
  favourites: Favourite[];
  overview: { units: Units; at: number; data: Overview } | null;
  details: { id: string; units: Units; at: number; data: DetailForecast }[];
}

/** Copies of another shape are thrown away. */
const VERSION = 1;
/** A detail is about 30 kB; the whole copy must stay far below the 5 MB that browsers give. */
const MOST_DETAILS = 12;

const ACCOUNT = 'fairweather.account';
const copyOf = (account: string): string => `fairweather.copy.${account}`;

export const cache = {
  /** Other tabs learn from a change of this key that somebody signed in or out. */
  key: ACCOUNT,

  /** The account that was signed in here last, or null. */
  get account(): string | null {
    return recall(ACCOUNT);
  },

  load(account: string): Copy | null {
    return recallJson<Copy>(copyOf(account), VERSION);
  },

  save(account: string, copy: Omit<Copy, 'version'>): void {
    remember(ACCOUNT, account);
    const details = copy.details.toSorted((a, b) => b.at - a.at).slice(0, MOST_DETAILS);
    remember(copyOf(account), JSON.stringify({ version: VERSION, ...copy, details }));
  },

  /** Forgets an account: after sign-out nothing on this device may tell its places. */
  forget(account: string): void {
    remember(copyOf(account), null);
    remember(ACCOUNT, null);
  },
};
