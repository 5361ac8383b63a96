import { Problem, type Favourite, type LocalFavourite, type Place } from '@fairweather/client';

import { speech } from '../text/index.svelte';
import { fairweather } from './fairweather';
import { forecasts } from './forecasts.svelte';
import { route } from './route.svelte';
import { toasts } from './toasts.svelte';

let list = $state.raw<readonly LocalFavourite[] | null>([]);
let arriving = $state.raw<Place | null>(null);
let failed = $state.raw<Problem | null>(null);

/**
 * A device that knows of no account starts empty at once. Should its browser hold a session all the same, which only
 * the server can tell, the list follows.
 */
function look(): void {
  forecasts.open(fairweather.accountId);
  const { reached, problem } = fairweather.status;
  list = fairweather.accountId === null ? [] : fairweather.favourites.list;
  failed = list === null && (problem !== null || !reached) ? (problem ?? new Problem({ code: 'unreachable' })) : null;
  forecasts.follow(list ?? []);
}

fairweather.on('favourites', look);
fairweather.on('account', look);
fairweather.on('status', () => {
  if (list === null) look();
});

/** The favourites of the account and everything that changes them. Changes are there at once and are sent behind. */
export const places = {
  /** Null where an account is known, but not yet its places. */
  get list(): readonly LocalFavourite[] | null {
    return list;
  },

  /** A place that was just picked, while its visitor gets an account. */
  get arriving(): Place | null {
    return arriving;
  },

  /** Why there is no list, when there is none. */
  get failed(): Problem | null {
    return failed;
  },

  find(id: string | null): LocalFavourite | null {
    return list?.find((favourite) => favourite.id === id) ?? null;
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
    arriving = place;
    try {
      await enter();
      route.open(await fairweather.favourites.create({ place }));
      toasts.say(speech.t.places.add(place.name));
    } catch (error) {
      toasts.fail(error);
    } finally {
      arriving = null;
    }
  },

  async change(id: string, patch: { name?: string; note?: string | null }): Promise<void> {
    try {
      await fairweather.favourites.update(id, patch);
    } catch (error) {
      toasts.fail(error);
    }
  },

  async reorder(from: number, to: number): Promise<void> {
    const id = list?.[from]?.id;
    if (id !== undefined) await fairweather.favourites.move(id, to);
  },

  /** Removes a favourite and offers to bring it back; it comes back as a new one, since ids are never reused. */
  async remove(id: string): Promise<void> {
    const favourite = this.find(id);
    if (!favourite) return;
    if (route.placeId === id) route.close(true);
    await fairweather.favourites.remove(id);
    toasts.show(speech.t.places.removed(favourite.name), {
      label: speech.t.places.undo,
      run: () => void this.restore(favourite),
    });
  },

  async restore(favourite: Favourite): Promise<void> {
    try {
      await fairweather.favourites.create(favourite);
      toasts.say(speech.t.places.add(favourite.name));
    } catch (error) {
      toasts.fail(error);
    }
  },
};
