/** @fairweather/client: accounts, forecasts and favourites of a Fairweather server, offline and live. */
export { type Accounts, type SecondFactor, type ShownFactor } from './accounts.ts';
export { Client, type ClientEvents, type ClientOptions, createClient, type Status } from './client.ts';
export type { LocalFavourite } from './copy.ts';
export type { Environment } from './environment.ts';
export type { Favourites, NewFavourite } from './favourites.ts';
export type { Extent, Forecasts } from './forecasts.ts';
export type { CallOptions, Http } from './http.ts';
export type { Places } from './places.ts';
export { between, behind, inOrder, move } from './position.ts';
export { isAbort, Problem, UnsentEdits } from './problem.ts';
export type { EditEvent } from './queue.ts';
export { browserStorage } from './store/indexeddb.ts';
export { memoryStorage } from './store/memory.ts';
export type { Step, Storage } from './store/storage.ts';
export type { Carrier, StreamState } from './stream.ts';
export type * from './types.ts';
export { uuidv7 } from './uuid.ts';
