/** What the browser says about itself: time, connection, width, visibility. */

let now = $state(Date.now());
setInterval(() => (now = Date.now()), 30_000);

let online = $state(navigator.onLine);
addEventListener('online', () => (online = true));
addEventListener('offline', () => (online = false));

const two = matchMedia('(min-width: 48rem)');
let wide = $state(two.matches);
two.addEventListener('change', (event) => (wide = event.matches));

export const surroundings = {
  /** Milliseconds since 1970, moving on every half minute. */
  get now(): number {
    return now;
  },

  get online(): boolean {
    return online;
  },

  /** Room for the list beside the detail. */
  get wide(): boolean {
    return wide;
  },

  get calm(): boolean {
    return matchMedia('(prefers-reduced-motion: reduce)').matches;
  },

  /** Calls back when the user returns to the page or the connection to the network. */
  onReturn(back: () => void): void {
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') {
        now = Date.now();
        back();
      }
    });
    addEventListener('online', back);
  },
};
