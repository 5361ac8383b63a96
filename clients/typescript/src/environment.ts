/** What the client takes from where it runs. Tests and unusual platforms replace parts of it. */
export interface Environment {
  fetch: typeof fetch;
  /** Milliseconds since 1970. Used for ids, for ages and for the end of tokens, never to decide who wrote last. */
  now(): number;
  /** A pause that ends early, without an error, when the signal is aborted. */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
  bytes(count: number): Uint8Array;
  /** Whether the device says that it has a network. True where nobody knows. */
  online(): boolean;
  /** Whether somebody looks at the page. True where there is none. */
  visible(): boolean;
  /** Web Locks; null where tabs cannot agree, and each is then alone. */
  locks: LockManager | null;
  /** Between tabs; null where there are none. */
  channel: ((name: string) => BroadcastChannel) | null;
  EventSource: typeof EventSource | null;
}

/** The browser's or Node's own. */
export function surroundings(): Environment {
  return {
    fetch: (input, init) => globalThis.fetch(input, init),
    now: () => Date.now(),
    wait,
    random: () => Math.random(),
    bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    online: () => globalThis.navigator?.onLine ?? true,
    visible: () => !inBrowser() || document.visibilityState === 'visible',
    // Node has channels and newer ones have locks; there is one "tab" all the same.
    locks: inBrowser() ? (navigator.locks ?? null) : null,
    channel: inBrowser() && 'BroadcastChannel' in globalThis ? (name) => new BroadcastChannel(name) : null,
    EventSource: globalThis.EventSource ?? null,
  };
}

export function inBrowser(): boolean {
  return typeof document !== 'undefined';
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
