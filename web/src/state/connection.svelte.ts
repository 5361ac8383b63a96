import { serverWatch } from '../api';
import { patience } from './patience';

let online = $state(navigator.onLine);
let away = $state(false);
let ask = (): Promise<void> => Promise.resolve();
let asking = false;

const tries = patience(() => void askOnce());

async function askOnce(): Promise<void> {
  if (asking) return;
  asking = true;
  try {
    await ask();
  } finally {
    asking = false;
  }
}

addEventListener('online', () => (online = true));
addEventListener('offline', () => (online = false));

serverWatch.addEventListener('unreached', () => {
  away = true;
  if (!tries.waiting) tries.again(null);
});
serverWatch.addEventListener('reached', () => {
  if (!away) return;
  away = false;
  tries.stop();
  // The request that came through may have been any; the rest of the page has waited for this.
  void askOnce();
});

/** Whether the device has a network, and whether our server answers on it. */
export const connection = {
  get online(): boolean {
    return online;
  },

  /** The last request did not reach the server. */
  get away(): boolean {
    return away;
  },

  /** What asks the server again while it is away, and once more when it is back. */
  onReturn(run: () => Promise<void>): void {
    ask = run;
  },
};
