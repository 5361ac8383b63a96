/** Shapes of the HTTP API as this app uses them. Times in series are seconds since 1970 UTC. */

export type Units = 'metric' | 'imperial' | 'si';

/** An entry of the gazetteer. */
export interface Place {
  id: number;
  name: string;
  admin1: string | null;
  country: string;
  country_code: string;
  lat: number;
  lon: number;
  tz: string;
  population: number;
  elevation: number | null;
}

/** A place that the account saved. `position` orders the list; equal positions are ordered by id. */
export interface Favourite {
  id: string;
  rev: number;
  name: string;
  lat: number;
  lon: number;
  tz: string;
  place_id: number | null;
  elevation: number | null;
  note: string | null;
  position: string;
  updated_at: string;
}

/**
 * What creates a favourite: an entry of the gazetteer, whose name may be replaced, or a name with a coordinate. Without
 * a position it goes behind all others.
 */
export type NewFavourite = { note?: string; position?: string } & (
  | { place_id: number; name?: string }
  | { name: string; lat: number; lon: number }
);

export type FavouritePatch = Partial<Pick<Favourite, 'name' | 'note' | 'position'>>;

export interface Account {
  account_id: string;
  kind: 'anonymous' | 'registered';
  email: string | null;
  preferences: Preferences;
}

/** What the account chose for all its devices; null where it never chose. */
export interface Preferences {
  units: Units | null;
}

/** Whom to name beside the data. Invented weather has nobody to link to. */
export interface Attribution {
  text: string;
  url: string | null;
}

/** The weather of one slot. A provider may not know a value, which is then null or missing. */
export interface Instant {
  time: number;
  temperature: number | null;
  apparent_temperature?: number | null;
  humidity?: number | null;
  dew_point?: number | null;
  cloud_cover?: number | null;
  weather_code: number | null;
  is_day: boolean | number | null;
  wind_speed?: number | null;
  wind_direction?: number | null;
  wind_gust?: number | null;
  precipitation?: number | null;
  precipitation_probability?: number | null;
}

/** One local day at the place. */
export interface Day {
  date: string;
  temperature_min: number | null;
  temperature_max: number | null;
  precipitation?: number | null;
  precipitation_probability?: number | null;
  weather_code: number | null;
  sunrise?: number | null;
  sunset?: number | null;
}

/** Arrays of one length, one entry for each slot. A variable that the source does not have is missing. */
export interface Hourly {
  time: number[];
  step_s: number[];
  temperature?: (number | null)[];
  precipitation?: (number | null)[];
  precipitation_probability?: (number | null)[];
  weather_code?: (number | null)[];
  is_day?: (boolean | number | null)[];
  wind_speed?: (number | null)[];
  wind_direction?: (number | null)[];
  wind_gust?: (number | null)[];
}

/** Arrays of one length, one entry for each local day. */
export interface Daily {
  date: string[];
  temperature_min: (number | null)[];
  temperature_max: (number | null)[];
  precipitation?: (number | null)[];
  precipitation_probability?: (number | null)[];
  weather_code?: (number | null)[];
  sunrise?: (number | null)[];
  sunset?: (number | null)[];
}

/** Unit labels by variable, for example `{"temperature": "°C"}`. */
export type UnitLabels = Record<string, string>;

export interface Forecast {
  source: string;
  issued_at: string | null;
  fetched_at: string;
  stale: boolean;
  /** Null where the place has no zone of its own; the favourite always has one. */
  tz: string | null;
  now: Instant | null;
  today: Day | null;
  hourly: Hourly;
  daily: Daily;
}

/** The forecast of one favourite, as its own page shows it. */
export interface DetailForecast extends Forecast {
  attribution: Attribution;
  age_s: number;
  units: UnitLabels;
}

export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  code: string;
  detail?: string;
  instance?: string;
  errors?: { pointer: string; code: string; detail: string }[];
}

/** One line of the favourites screen: a forecast, or why there is none. */
export type OverviewItem =
  | { favourite_id: string; forecast: Forecast; problem?: undefined }
  | { favourite_id: string; problem: Pick<ProblemBody, 'code' | 'title' | 'detail'>; forecast?: undefined };

export interface Overview {
  units: UnitLabels;
  sources: Record<string, Attribution>;
  items: OverviewItem[];
}

export interface Registration {
  registration: string;
  expires_in: number;
}

export type LoginAnswer = { mfa_required: true; challenge: string; factors: string[] } | null;
