import type { Http } from './http.ts';
import type { FavouriteForecasts, ForecastPoint, PointForecasts, SingleForecast, Units, WeatherCode } from './types.ts';

/** How much of a forecast, and in which units. What is left out is the server's default. */
export interface Extent {
  hours?: number;
  days?: number;
  /** The account's preference when left out. */
  units?: Units;
  signal?: AbortSignal;
}

/** Weather of favourites, places and points. A forecast that is still being fetched is a `Problem` `forecast_pending`. */
export class Forecasts {
  readonly #http: Http;
  readonly #delivered: (id: string) => Promise<void>;

  /** `delivered` waits until the server knows a favourite that was made here. */
  constructor(http: Http, delivered: (id: string) => Promise<void>) {
    this.#http = http;
    this.#delivered = delivered;
  }

  /** All favourites at once, for a list. One that fails carries its problem and spares the others. */
  favourites(extent: Extent = {}): Promise<FavouriteForecasts> {
    return this.#get('/v1/favourites/forecasts', extent);
  }

  /** One that was just made here is sent first; where that fails, this fails for the same reason. */
  async favourite(id: string, extent: Extent = {}): Promise<SingleForecast> {
    await this.#delivered(id);
    return this.#get(`/v1/favourites/${encodeURIComponent(id)}/forecast`, extent);
  }

  place(id: number, extent: Extent = {}): Promise<SingleForecast> {
    return this.#get(`/v1/places/${id}/forecast`, extent);
  }

  /** At most ten points, answered in their order. They travel in the body, since addresses of requests are logged. */
  points(points: ForecastPoint[], { signal, ...query }: Extent = {}): Promise<PointForecasts> {
    return this.#http.call('POST', '/v1/forecasts', { body: { points }, query, ...(signal && { signal }) });
  }

  /** What the codes of a forecast mean, in English or German. */
  async codes(lang: 'en' | 'de' = 'en'): Promise<WeatherCode[]> {
    const path = '/v1/weather-codes';
    return (await this.#http.call<{ items: WeatherCode[] }>('GET', path, { query: { lang }, signed: false })).items;
  }

  #get<T>(path: string, { signal, ...query }: Extent): Promise<T> {
    return this.#http.call('GET', path, { query, ...(signal && { signal }) });
  }
}
