import { Problem } from '@fairweather/client';

import { explain } from './explain';
import { CalledOff } from './step-up.svelte';

/** One thing at a time that a form or a button does, and what went wrong with it. */
export class Task {
  busy = $state(false);
  failure = $state<string | null>(null);

  /**
   * Runs `work` unless something is running. True when it succeeded. `told` has texts for codes that mean something
   * special here.
   */
  async run(work: () => Promise<void>, told: Partial<Record<string, string>> = {}): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.failure = null;
    try {
      await work();
      return true;
    } catch (error) {
      const special = error instanceof Problem ? told[error.code] : undefined;
      if (!(error instanceof CalledOff)) this.failure = special ?? explain(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  refuse(why: string): void {
    this.failure = why;
  }
}
