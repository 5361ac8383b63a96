import type { components } from './openapi.ts';

type Schemas = components['schemas'];

/** A saved place or point, as the server tells it. */
export type Favourite = Schemas['Favourite'];
/** An entry of the gazetteer. */
export type Place = Schemas['Place'];
export type NearestPlace = Schemas['NearestPlace'];
/** The account of the caller. */
export type Account = Schemas['Me'];
export type Preferences = Schemas['Preferences'];
export type Units = NonNullable<Preferences['units']>;
export type Tokens = Schemas['Tokens'];
export type Registration = Schemas['Registration'];
/** The address of an account, and the one that is to take its place. */
export type EmailAddress = Schemas['EmailAddress'];
export type Factors = Schemas['FactorList'];
export type TotpSetup = Schemas['TotpSetup'];
export type ConfirmedTotp = Schemas['ConfirmedTotp'];
export type RecoveryCodes = Schemas['RecoveryCodes'];
export type Passkey = Schemas['Passkey'];
export type AddedPasskey = Schemas['AddedPasskey'];
/** Somebody else's sign-in that this server is set up with. */
export type Provider = Schemas['Provider'];
/** A person at a provider who leads into the account. */
export type Identity = Schemas['Identity'];
/** Where the account is signed in. */
export type Session = Schemas['Session'];
export type Forecast = Schemas['Forecast'];
/** A forecast that was asked for alone, with what stands once for all in a list. */
export type SingleForecast = Forecast & Required<Pick<Forecast, 'attribution' | 'units' | 'age_s'>>;
export type FavouriteForecast = Schemas['FavouriteForecast'];
export type FavouriteForecasts = Schemas['FavouriteForecasts'];
export type ForecastPoint = Schemas['ForecastPoint'];
export type PointForecasts = Schemas['PointForecasts'];
/** Unit labels by variable, for example `{"temperature": "°C"}`. */
export type UnitLabels = FavouriteForecasts['units'];
export type Attribution = Schemas['Attribution'];
export type WeatherCode = Schemas['WeatherCode'];
export type Now = Schemas['Now'];
export type Day = Schemas['Day'];
export type Hourly = Schemas['Hourly'];
export type Daily = Schemas['Daily'];
export type FieldProblem = Schemas['FieldProblem'];
export type ProblemBody = Schemas['Problem'];
export type FavouritePage = Schemas['FavouritePage'];

/** The fields of a favourite that a client may set. `tz` follows from the coordinates. */
export type Fields = Pick<Favourite, 'name' | 'lat' | 'lon' | 'place_id' | 'elevation' | 'note' | 'position'>;
export type Field = keyof Fields;

/** One change that a client asks for. `mid` stays the same however often it is sent. */
export interface Mutation {
  mid: string;
  kind: 'favourite';
  op: 'create' | 'update' | 'delete';
  id: string;
  /** The revision that the user saw; null when the item was made offline. */
  base_rev: number | null;
  set?: Partial<Fields>;
  policy?: 'merge' | 'if_match';
}

/** Why a mutation changed nothing. */
export type Refusal = 'exists' | 'gone' | 'stale' | 'invalid' | 'quota' | 'mid_reused' | 'expired';

/** What became of one mutation. */
export interface MutationResult {
  mid: string;
  status: 'applied' | 'duplicate' | 'noop' | 'conflict' | 'rejected';
  rev?: number | null;
  /** Values of other devices that this mutation replaced, by field. */
  overwrote?: { [field: string]: { was: unknown; rev: number } } | null;
  error?: Refusal | null;
  item?: Favourite | null;
  errors?: FieldProblem[] | null;
}

/** The newest change of one item. */
export type Change = Schemas['Change'];
/** The changes that lead from one cursor to another. */
export type Delta = Schemas['Delta'];

/** The answer to a batch. */
export interface SyncAnswer {
  results: MutationResult[];
  delta: Delta | null;
  reset: { reason: string } | null;
}
