import type { Status } from '@fairweather/client';

import { fairweather } from './fairweather';

let status = $state.raw<Status>(fairweather.status);
fairweather.on('status', (next) => (status = next));

/** How calm or troubled the connection is, in the words of its users. */
export type Mood = 'live' | 'connecting' | 'offline' | 'saving' | 'waiting' | 'paused';

/** Whether the device has a network, whether our server answers on it, and what waits to be sent. */
export const connection = {
  get online(): boolean {
    return status.online;
  },

  /** The last request did not reach the server. */
  get away(): boolean {
    return status.online && !status.reached;
  },

  /** Changes that the server does not have yet. */
  get unsent(): number {
    return status.unsent;
  },

  get mood(): Mood {
    if (status.unsent > 0) return status.online && status.reached && status.problem === null ? 'saving' : 'waiting';
    if (status.stream === 'replaced') return 'paused';
    if (!status.online) return 'offline';
    return status.stream === 'open' && status.reached ? 'live' : 'connecting';
  },

  /** Opens the stream again that another device took. */
  resume(): void {
    fairweather.resume();
  },

  /** Calls back when the server answers again after it did not. */
  onReturn(back: () => void): void {
    let away = false;
    fairweather.on('status', ({ online, reached }) => {
      if (away && online && reached) back();
      away = !online || !reached;
    });
  },
};
