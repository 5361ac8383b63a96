import { Problem } from '@fairweather/client';

import { api, type Proof } from './api';

/** The user left the dialog. Nothing was done, and there is nothing to complain of. */
export class CalledOff extends Error {
  override readonly name = 'CalledOff';
}

interface Asked {
  /** What the server would take: `password`, `totp`, `passkey`, `provider`. */
  accepts: readonly string[];
  answer: (proved: boolean) => void;
}

let asked = $state.raw<Asked | null>(null);
let asking: Promise<boolean> | null = null;

/** What the server would take as a fresh proof; null when that is not what it wants. */
function wanted(error: unknown): readonly string[] | null {
  if (!(error instanceof Problem) || error.code !== 'insufficient_user_authentication') return null;
  const { accepts } = error.body;
  return Array.isArray(accepts) ? accepts.filter((one) => typeof one === 'string') : [];
}

function ask(accepts: readonly string[]): Promise<boolean> {
  asking ??= new Promise<boolean>((answer) => {
    asked = { accepts, answer };
  }).finally(() => {
    asked = null;
    asking = null;
  });
  return asking;
}

/** Fresh proofs of identity, which the server wants before sensitive changes. */
export const stepUp = {
  /** What the one dialog asks for now. */
  get asked(): Asked | null {
    return asked;
  },

  /**
   * Runs a call; when the server wants a fresh proof first, asks for one and runs it once more. `password` is one that
   * the user has typed for this very call, so that nobody types it twice.
   */
  async guard<T>(work: () => Promise<T>, password = ''): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const accepts = wanted(error);
      if (accepts === null) throw error;
      if (password !== '' && accepts.includes('password')) await this.prove({ password });
      else if (!(await ask(accepts))) throw new CalledOff();
      return work();
    }
  },

  async prove(proof: Proof): Promise<void> {
    await api.stepUp(proof);
  },
};
