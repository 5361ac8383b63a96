import {
  api, isAbort, Problem,
  type Attribution, type DetailForecast, type Favourite, type FavouritePatch, type Forecast, type Overview, type Place, type UnitLabels,
} from '../api';
import { speech } from '../text/index.svelte';
import { cache, type Copy } from './cache';
import { inOrder, move } from './position';
import { preferences } from './preferences.svelte';
import { patience } from './patience';
import { route } from './route.svelte';
import { toasts } from './toasts.svelte';

/** An overview older than this is asked for again when the user returns. */
const FRESH_MS = 5 * 60_000;

/** What a row of the list shows. */
export interface Glance {
  forecast: Forecast;
  units: UnitLabels;
}

/** The forecast of the open place: its last copy, and whether the next one is late. */
export interface Detail {
  data: DetailForecast | null;
  problem: Problem | null;
}

let account: string | null = null;
let list = $state.raw<Favourite[] | null>(null);
let overview = $state.raw<Copy['overview']>(null);
let details = $state.raw<Copy['details']>([]);
let problems = $state.raw<Record<string, Problem>>({});
let arriving = $state.raw<Place | null>(null);
let failed = $state.raw<Problem | null>(null);

const overviewPatience = patience(() => void places.refreshOverview());

function keep(): void {
  if (account !== null && list !== null) cache.save(account, { favourites: list, overview, details });
}

function put(favourite: Favourite): void {
  list = [...(list ?? []).filter(({ id }) => id !== favourite.id), favourite].sort(inOrder);
  keep();
}

function drop(id: string): void {
  list = (list ?? []).filter((favourite) => favourite.id !== id);
  details = details.filter((detail) => detail.id !== id);
  keep();
}

/** The favourites of the account with their forecasts, and everything that changes them. */
export const places = {
  /** Null until the first answer or copy. */
  get list(): readonly Favourite[] | null {
    return list;
  },

  /** A place that was just picked and is not saved yet. */
  get arriving(): Place | null {
    return arriving;
  },

  /** Why there is no list, when there is none. */
  get failed(): Problem | null {
    return failed;
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

  find(id: string | null): Favourite | null {
    return list?.find((favourite) => favourite.id === id) ?? null;
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

  /** Shows an account's last copy. The network's answers replace it. */
  open(id: string): void {
    if (account === id) return;
    account = id;
    const copy = cache.load(id);
    list = copy?.favourites ?? null;
    overview = copy?.overview ?? null;
    details = copy?.details ?? [];
    failed = null;
  },

  /** Empties the page, after sign-out or where there is no account. */
  close(): void {
    account = null;
    list = [];
    overview = null;
    details = [];
    problems = {};
    failed = null;
    overviewPatience.stop();
  },

  async refresh(): Promise<void> {
    if (account === null) return;
    const asked = account;
    const [favourites] = await Promise.all([
      api.favourites().then(
        (items) => items.toSorted(inOrder),
        (error: unknown) => {
          failed = error instanceof Problem ? error : null;
          return null;
        },
      ),
      this.refreshOverview(),
    ]);
    if (favourites === null || asked !== account) return;
    failed = null;
    list = favourites;
    keep();
  },

  async refreshOverview(): Promise<void> {
    if (account === null) return;
    const asked = account;
    const { units } = preferences;
    let data: Overview;
    try {
      data = await api.overview(units);
    } catch (error) {
      if (error instanceof Problem && error.status !== 401) overviewPatience.again(error.retryAfter);
      return;
    }
    if (asked !== account || units !== preferences.units) return;
    overview = { units, at: Date.now(), data };
    keep();
    if (data.items.some(({ problem }) => problem !== undefined)) overviewPatience.again(null);
    else overviewPatience.stop();
  },

  /** Fetches the open place's forecast once. Resolves to the seconds to wait before the next try, or null when done. */
  async fetchDetail(id: string, signal: AbortSignal): Promise<{ retry: boolean; after: number | null }> {
    const { units } = preferences;
    try {
      const data = await api.forecast(id, units, signal);
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

  /**
   * Saves a picked place and opens it. The first pick of a visitor makes the account; `enter` does that and says
   * whether there is one.
   */
  async add(place: Place, enter: () => Promise<void>): Promise<void> {
    const known = list?.find(({ place_id }) => place_id === place.id);
    if (known) {
      toasts.show(speech.t.places.already(known.name));
      route.open(known.id);
      return;
    }
    const complete = list !== null;
    arriving = place;
    try {
      await enter();
      const favourite = await api.addFavourite({ place_id: place.id });
      put(favourite);
      route.open(favourite.id);
      toasts.say(speech.t.places.add(favourite.name));
      void (complete ? this.refreshOverview() : this.refresh());
    } catch (error) {
      toasts.fail(error);
    } finally {
      arriving = null;
    }
  },

  /** Changes a favourite at once and takes the change back when the server refuses it. */
  async change(id: string, patch: FavouritePatch): Promise<boolean> {
    const before = this.find(id);
    if (!before) return false;
    put({ ...before, ...patch });
    try {
      put(await api.patchFavourite(id, patch));
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 404) drop(id);
      else put(before);
      toasts.fail(error);
      return false;
    }
  },

  async reorder(from: number, to: number): Promise<void> {
    for (const { id, position } of move(list ?? [], from, to)) {
      if (!(await this.change(id, { position }))) return;
    }
  },

  /** Removes a favourite and offers to bring it back; it comes back as a new one, since ids are never reused. */
  async remove(id: string): Promise<void> {
    const favourite = this.find(id);
    if (!favourite) return;
    drop(id);
    if (route.placeId === id) route.close(true);
    try {
      await api.removeFavourite(id);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 404)) {
        put(favourite);
        toasts.fail(error);
        return;
      }
    }
    toasts.show(speech.t.places.removed(favourite.name), {
      label: speech.t.places.undo,
      run: () => void this.restore(favourite),
    });
  },

  async restore(favourite: Favourite): Promise<void> {
    const { name, lat, lon, place_id, note, position } = favourite;
    try {
      put(
        await api.addFavourite({
          ...(place_id === null ? { name, lat, lon } : { place_id, name }),
          position,
          ...(note === null ? {} : { note }),
        }),
      );
      toasts.say(speech.t.places.add(name));
      void this.refreshOverview();
    } catch (error) {
      toasts.fail(error);
    }
  },
};
