import type { Http } from './http.ts';
import type { NearestPlace, Place } from './types.ts';

/** The gazetteer. Nobody has to be signed in, and the server keeps nothing of what was searched. */
export class Places {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  /** What fits what was typed so far. Call it off with the signal when more is typed. */
  async search(q: string, options: { lang?: string; limit?: number; signal?: AbortSignal } = {}): Promise<Place[]> {
    const { lang, limit, signal } = options;
    const query = { q, lang, limit };
    const answer = await this.#http.call<{ items: Place[] }>('GET', '/v1/places', { query, signed: false, ...(signal && { signal }) });
    return answer.items;
  }

  get(id: number): Promise<Place> {
    return this.#http.call('GET', `/v1/places/${id}`, { signed: false });
  }

  /** The entry nearest to a coordinate, which is rounded to about a kilometre before it leaves the device. */
  nearest(lat: number, lon: number): Promise<NearestPlace> {
    const body = { lat: Math.round(lat * 100) / 100, lon: Math.round(lon * 100) / 100 };
    return this.#http.call('POST', '/v1/places/nearest', { body, signed: false });
  }
}
