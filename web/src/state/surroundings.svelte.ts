/** What the browser says about itself: time, width, visibility. */

let now = $state(Date.now());
setInterval(() => (now = Date.now()), 30_000);

const two = matchMedia('(min-width: 48rem)');
let wide = $state(two.matches);
two.addEventListener('change', (event) => (wide = event.matches));

export const surroundings = {
  /** Milliseconds since 1970, moving on every half minute. */
  get now(): number {
    return now;
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
