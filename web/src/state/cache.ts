import type { FavouriteForecasts, SingleForecast, Units } from '@fairweather/client';

import { recallJson, remember } from './storage';

/** The last forecasts for one account, so that the first paint does not wait for the network. */
export interface Copy {
  version: number;
  overview: { units: Units; at: number; data: FavouriteForecasts } | null;
  details: { id: string; units: Units; at: number; data: SingleForecast }[];
}

/** Copies of another shape are thrown away. */
const VERSION = 2;
/** A detail is about 30 kB; the whole copy must stay far below the 5 MB that browsers give. */
const MOST_DETAILS = 12;

const copyOf = (account: string): string => `fairweather.copy.${account}`;

export const cache = {
  load(account: string): Copy | null {
    return recallJson<Copy>(copyOf(account), VERSION);
  },

  save(account: string, copy: Omit<Copy, 'version'>): void {
    const details = copy.details.toSorted((a, b) => b.at - a.at).slice(0, MOST_DETAILS);
    remember(copyOf(account), JSON.stringify({ version: VERSION, ...copy, details }));
  },

  /** Forgets an account: after sign-out nothing on this device may tell its places. */
  forget(account: string): void {
    remember(copyOf(account), null);
  },
};
