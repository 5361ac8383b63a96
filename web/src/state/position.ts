/**
 * The order of favourites is a fractional index: a string of base 62 digits in byte order, at most 64 long. Moving one
 * favourite writes one new string between its new neighbours and leaves all others alone.
 */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LONGEST = 64;

interface Ordered {
  id: string;
  position: string;
}

/** By position, then by id, as the server orders. Byte order, never the order of a language. */
export function inOrder(a: Ordered, b: Ordered): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/**
 * A position strictly between two; null stands for the start or the end of the list. Null comes back when there is no
 * room: two devices may have given two favourites the same position, and digits run out after many moves.
 */
export function between(before: string | null, after: string | null): string | null {
  if (before !== null && after !== null && before >= after) return null;
  let bounded = after !== null;
  let digits = '';
  for (let at = 0; at < LONGEST; at += 1) {
    const low = digitAt(before, at) ?? 0;
    const high = bounded ? digitAt(after, at) : DIGITS.length;
    if (high === null) return null;
    if (high > low + 1) return digits + DIGITS.charAt((low + high) >> 1);
    bounded = bounded && high === low;
    digits += DIGITS.charAt(low);
  }
  return null;
}

/** The fewest writes that put the item at `from` to index `to`: one, or all behind it when there is no room. */
export function move<T extends Ordered>(list: readonly T[], from: number, to: number): { id: string; position: string }[] {
  const moved = list[from];
  if (!moved || from === to) return [];
  const rest = list.filter((_, index) => index !== from);
  const before = rest[to - 1]?.position ?? null;
  const after = rest[to]?.position ?? null;
  const position = between(before, after);
  if (position !== null) return [{ id: moved.id, position }];

  const order = [...rest.slice(0, to), moved, ...rest.slice(to)];
  return order.map(({ id }, index) => ({ id, position: spread(index) })).filter(({ id, position: next }) =>
    order.find((item) => item.id === id)?.position !== next,
  );
}

/** The nth of evenly spaced positions with room between any two. */
function spread(index: number): string {
  const step = (index + 1) * 8;
  return `a${DIGITS.charAt(Math.floor(step / DIGITS.length) % DIGITS.length)}${DIGITS.charAt(step % DIGITS.length)}V`;
}

function digitAt(text: string | null, at: number): number | null {
  if (text === null || at >= text.length) return null;
  return DIGITS.indexOf(text.charAt(at));
}
