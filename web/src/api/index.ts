import { Problem, isAbort, send, serverWatch } from './request';
import type {
  Account, DetailForecast, Favourite, FavouritePatch, LoginAnswer, NewFavourite, Overview, Place, Preferences, Registration,
  Units,
} from './types';

export * from './types';
export { Problem, isAbort, serverWatch };

/** The whole of the server's API that this app uses; nothing else in the app knows a path. */
export const api = {
  async searchPlaces(q: string, lang: string, signal: AbortSignal): Promise<Place[]> {
    const query = new URLSearchParams({ q, lang, limit: '8' });
    return (await send<{ items: Place[] }>('GET', `/v1/places?${query}`, { signal })).items;
  },

  /** The gazetteer's place nearest to a coordinate. The coordinate is rounded to about a kilometre before it is sent. */
  async nearestPlace(lat: number, lon: number): Promise<Place> {
    const body = { lat: Math.round(lat * 100) / 100, lon: Math.round(lon * 100) / 100 };
    return (await send<{ place: Place }>('POST', '/v1/places/nearest', { body })).place;
  },

  /** The account of this browser, or null when there is none. */
  async me(): Promise<Account | null> {
    try {
      return await send<Account>('GET', '/v1/me');
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },

  setPreferences: (body: Preferences): Promise<null> => send('PUT', '/v1/me/preferences', { body }),

  createAnonymous: (): Promise<null> => send('POST', '/v1/auth/anonymous', { body: {} }),

  register: (email: string, password: string): Promise<Registration> =>
    send('POST', '/v1/auth/register', { body: { email, password } }),

  confirm: (registration: string, code: string): Promise<null> =>
    send('POST', '/v1/auth/register/confirm', { body: { registration, code } }),

  login: (email: string, password: string): Promise<LoginAnswer> =>
    send('POST', '/v1/auth/login', { body: { email, password } }),

  logout: (discard: boolean): Promise<null> =>
    send('POST', '/v1/auth/logout', { body: discard ? { discard: true } : {} }),

  /** Moves the favourites of the anonymous account that this sign-in replaced. False when there was none. */
  async adopt(): Promise<boolean> {
    try {
      await send('POST', '/v1/me/adopt', { body: {} });
      return true;
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return false;
      throw error;
    }
  },

  /** All favourites in one page; the server's quota is 200. */
  async favourites(): Promise<Favourite[]> {
    return (await send<{ items: Favourite[] }>('GET', '/v1/favourites?limit=200')).items;
  },

  addFavourite: (body: NewFavourite): Promise<Favourite> => send('POST', '/v1/favourites', { body }),

  patchFavourite: (id: string, body: FavouritePatch): Promise<Favourite> =>
    send('PATCH', `/v1/favourites/${id}`, { body, contentType: 'application/merge-patch+json' }),

  removeFavourite: (id: string): Promise<null> => send('DELETE', `/v1/favourites/${id}`),

  overview: (units: Units): Promise<Overview> =>
    send('GET', `/v1/favourites/forecasts?hours=12&days=1&units=${units}`),

  forecast: (id: string, units: Units, signal: AbortSignal): Promise<DetailForecast> =>
    send('GET', `/v1/favourites/${id}/forecast?days=14&units=${units}`, { signal }),
};
