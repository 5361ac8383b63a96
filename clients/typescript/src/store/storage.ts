/**
 * Where the client keeps things between runs: tokens, and the copy of each account. One operation is all it needs, and
 * all that another implementation has to give.
 */
export interface Storage {
  /**
   * Reads the value under a key, lets `step` decide, and keeps what it says: in one transaction that no other tab or
   * call comes between. `step` gets undefined where nothing is, gives undefined to remove, and the very value it got
   * to leave it. It must not wait for anything. With `strict` the value must survive a power cut when the promise
   * resolves: tokens are kept so, since the server forgets the old ones. Without it, it must survive the app's end.
   */
  update<T>(key: string, step: (value: unknown) => Step<T>, strict?: boolean): Promise<T>;
  /**
   * Calls back when everything was taken away from outside while it was in use, before the next `update` sees that
   * there is nothing. A storage that cannot notice has no such method.
   */
  onCleared?(listener: () => void): void;
}

/** What to keep, and what to tell the caller. */
export type Step<T> = readonly [keep: unknown, result: T];

/** Reads a value and leaves it. */
export function read(storage: Storage, key: string): Promise<unknown> {
  return storage.update(key, (value) => [value, value]);
}

/** Replaces a value, to stay whatever happens; undefined removes it. */
export function write(storage: Storage, key: string, value: unknown): Promise<void> {
  return storage.update(key, () => [value, undefined], true);
}
