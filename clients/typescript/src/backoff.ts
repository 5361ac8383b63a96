import type { Environment } from './environment.ts';

/** Pauses between tries: they double from `first`, end at `longest`, and spread so that clients do not come in step. */
export class Backoff {
  #tries = 0;
  readonly #env: Pick<Environment, 'random'>;
  readonly #first: number;
  readonly #longest: number;

  constructor(env: Pick<Environment, 'random'>, first = 1_000, longest = 60_000) {
    this.#env = env;
    this.#first = first;
    this.#longest = longest;
  }

  /** Milliseconds to wait before the next try. A server that names a pause gets at least that one. */
  next(atLeastMs = 0): number {
    const pause = Math.min(this.#longest, this.#first * 2 ** Math.min(this.#tries, 20));
    this.#tries += 1;
    return Math.max(pause / 2 + (this.#env.random() * pause) / 2, atLeastMs * (1 + this.#env.random() / 4));
  }

  reset(): void {
    this.#tries = 0;
  }
}
