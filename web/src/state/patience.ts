/** The longest pause between two tries. */
const LONGEST_S = 60;

export interface Patience {
  /** Tries again after a pause that doubles from two seconds; a server that names a pause gets at least that one. */
  again(retryAfter: number | null): void;
  /** Whether the next try is already on its way. */
  readonly waiting: boolean;
  stop(): void;
}

/** Retries politely: pauses double, spread a little so that many clients do not come back together. */
export function patience(run: () => void): Patience {
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const next = (): void => {
    timer = undefined;
    run();
  };
  return {
    get waiting() {
      return timer !== undefined;
    },
    again(retryAfter) {
      clearTimeout(timer);
      const pause = Math.min(LONGEST_S, 2 ** tries * 2);
      tries += 1;
      timer = setTimeout(next, Math.max(pause, retryAfter ?? 0) * 1000 * (1 + Math.random() / 4));
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
      tries = 0;
    },
  };
}
