/** The place that is open is part of the address, so that back, forward and reload do what they should. */

const PLACE = /^#\/place\/([\w-]+)$/;

let placeId = $state(read());
addEventListener('hashchange', () => (placeId = read()));

function read(): string | null {
  return PLACE.exec(location.hash)?.[1] ?? null;
}

export const route = {
  get placeId(): string | null {
    return placeId;
  },

  open(id: string): void {
    location.hash = `/place/${id}`;
    placeId = id;
  },

  /** Back to the list. `replace` leaves no way back to a place that is gone. */
  close(replace = false): void {
    if (replace) history.replaceState(null, '', location.pathname);
    else history.pushState(null, '', location.pathname);
    placeId = null;
  },
};
