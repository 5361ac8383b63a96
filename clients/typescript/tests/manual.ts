import type { Environment } from '../src/environment.ts';

/** A small generator of our own, so that a failing run can be repeated from its printed seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A clock that stands still until it is moved, and chance that repeats itself. */
export class Manual {
  time = Date.UTC(2026, 10, 21, 12);
  isOnline = true;
  readonly random: () => number;
  readonly #timers = new Set<{ at: number; fire: () => void }>();

  constructor(seed = 1) {
    this.random = randomFrom(seed);
  }

  environment(replaced: Partial<Environment> = {}): Environment {
    return {
      fetch: () => Promise.reject(new TypeError('no network in this test')),
      now: () => this.time,
      wait: (ms, signal) => this.#wait(ms, signal),
      random: this.random,
      bytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(this.random() * 256)),
      online: () => this.isOnline,
      visible: () => true,
      locks: null,
      channel: null,
      EventSource: null,
      ...replaced,
    };
  }

  /** Milliseconds until the next pause ends, or null when nobody waits. */
  get nextIn(): number | null {
    const first = Math.min(...[...this.#timers].map(({ at }) => at));
    return Number.isFinite(first) ? Math.max(0, first - this.time) : null;
  }

  /** Moves the clock and ends the pauses that are over, then lets everything that follows happen. */
  async advance(ms: number): Promise<void> {
    this.time += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.time) continue;
      this.#timers.delete(timer);
      timer.fire();
    }
    await idle();
  }

  #wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const timer = { at: this.time + ms, fire: resolve };
      this.#timers.add(timer);
      signal?.addEventListener('abort', () => (this.#timers.delete(timer), resolve()));
    });
  }
}

/** Lets all promises that can go on do so. Nothing in these tests waits for anything but promises. */
export async function idle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
