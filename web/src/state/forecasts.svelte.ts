import {
  isAbort, Problem,
  type Attribution, type FavouriteForecasts, type Forecast, type LocalFavourite, type SingleForecast,
} from '@fairweather/client';

import { cache, type Copy } from './cache';
import { fairweather } from './fairweather';
import { patience } from './patience';
import { preferences } from './preferences.svelte';

/** An overview older than this is asked for again when the user returns. */
const FRESH_MS = 5 * 60_000;

/** What a row of the list shows. */
export interface Glance {
  forecast: Forecast;
  units: FavouriteForecasts['units'];
}

/** The forecast of the open place: its last copy, and whether the next one is late. */
export interface Detail {
  data: SingleForecast | null;
  problem: Problem | null;
}

let account: string | null = null;
let overview = $state.raw<Copy['overview']>(null);
let details = $state.raw<Copy['details']>([]);
let problems = $state.raw<Record<string, Problem>>({});
let hints = $state.raw<Record<string, number>>({});
let asking: Promise<void> | null = null;

const wait = patience(() => void forecasts.refresh());

function keep(): void {
  if (account !== null) cache.save(account, { overview, details });
}

fairweather.on('forecast', ({ favourites: ids }) => {
  hints = { ...hints, ...Object.fromEntries(ids.map((id) => [id, (hints[id] ?? 0) + 1])) };
  void forecasts.refresh();
});

/** The weather of the account's places: the last copy, and what the server says now. */
export const forecasts = {
  /** Shows an account's last copy, or nothing where there is no account. */
  open(id: string | null): void {
    if (account === id) return;
    if (account !== null) cache.forget(account);
    account = id;
    const copy = id === null ? null : cache.load(id);
    overview = copy?.overview ?? null;
    details = copy?.details ?? [];
    problems = {};
    wait.stop();
  },

  /** Whether the list's forecasts are old enough to be asked for again. */
  get aged(): boolean {
    return overview === null || Date.now() - overview.at > FRESH_MS;
  },

  /** Whether the weather is invented; the server never mixes the two. */
  get sandbox(): boolean {
    return overview?.data.items.some(({ forecast }) => forecast?.source === 'sandbox') ?? false;
  },

  /** Whom the list's forecasts come from. */
  get sources(): Attribution[] {
    return Object.values(overview?.data.sources ?? {});
  },

  /** The newest of what the list's request and the place's own request said. */
  glance(id: string): Glance | null {
    const item = overview?.data.items.find(({ favourite_id }) => favourite_id === id);
    const detail = details.find((one) => one.id === id && one.units === preferences.units);
    if (overview && item?.forecast && !(detail && detail.at > overview.at)) {
      return { forecast: item.forecast, units: overview.data.units };
    }
    return detail ? { forecast: detail.data, units: detail.data.units } : null;
  },

  /** Why the list has no forecast for a favourite; null while it is only late. */
  trouble(id: string): string | null {
    const item = overview?.data.items.find(({ favourite_id }) => favourite_id === id);
    return item?.problem && item.problem.code !== 'forecast_pending' ? item.problem.code : null;
  },

  detail(id: string): Detail {
    return { data: details.find((one) => one.id === id)?.data ?? null, problem: problems[id] ?? null };
  },

  /** Rises when the server says that there is a newer forecast. */
  hint(id: string): number {
    return hints[id] ?? 0;
  },

  /** Asks when a place of the list has no forecast here, and forgets those of places that are gone. */
  follow(list: readonly LocalFavourite[]): void {
    const ids = new Set(list.map(({ id }) => id));
    if (details.some(({ id }) => !ids.has(id))) {
      details = details.filter(({ id }) => ids.has(id));
      keep();
    }
    const known = new Set(overview?.data.items.map(({ favourite_id }) => favourite_id));
    if (list.some(({ id, rev }) => rev > 0 && !known.has(id))) void this.refresh();
  },

  /** Fetches the forecasts of the whole list. While one is fetched, nobody asks for another. */
  refresh(): Promise<void> {
    const { units } = preferences;
    const asked = account;
    asking ??= this.fetchOverview().finally(() => {
      asking = null;
      if (asked !== account || units !== preferences.units) void this.refresh();
    });
    return asking;
  },

  async fetchOverview(): Promise<void> {
    if (account === null) return;
    const asked = account;
    const { units } = preferences;
    let data: FavouriteForecasts;
    try {
      data = await fairweather.forecasts.favourites({ hours: 12, days: 1, units });
    } catch (error) {
      if (error instanceof Problem && error.status !== 401) wait.again(error.retryAfter);
      return;
    }
    if (asked !== account || units !== preferences.units) return;
    overview = { units, at: Date.now(), data };
    keep();
    if (data.items.some(({ problem }) => problem !== undefined)) wait.again(null);
    else wait.stop();
  },

  /** Fetches the open place's forecast once. Says whether to try again, and after how many seconds at least. */
  async fetchDetail(id: string, signal: AbortSignal): Promise<{ retry: boolean; after: number | null }> {
    const { units } = preferences;
    try {
      const data = await fairweather.forecasts.favourite(id, { days: 14, units, signal });
      details = [...details.filter((one) => one.id !== id), { id, units, at: Date.now(), data }];
      const { [id]: _, ...rest } = problems;
      problems = rest;
      keep();
      return { retry: false, after: null };
    } catch (error) {
      if (isAbort(error) || !(error instanceof Problem)) return { retry: false, after: null };
      problems = { ...problems, [id]: error };
      return { retry: error.status !== 404 && error.status !== 401, after: error.retryAfter };
    }
  },
};
