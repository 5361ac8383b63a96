/**
 * The order of favourites is a fractional index: a string of base 62 digits in byte order, at most 64 long. Moving one
 * favourite writes one new string between its new neighbours and leaves all others alone.
 */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LONGEST = 64;
/** Where the first favourite of an account stands. */
const FIRST = 'a0';

export interface Ordered {
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

/**
 * The position behind the last one, or the first of all. It counts up and grows by a digit when all digits are at
 * their end; at the longest it stays, and the ids, which grow with time, decide the order.
 */
export function behind(last: string | null): string {
  if (last === null) return FIRST;
  for (let at = last.length - 1; at >= 0; at -= 1) {
    const digit = DIGITS.indexOf(last.charAt(at));
    if (digit < DIGITS.length - 1) return last.slice(0, at) + DIGITS.charAt(digit + 1) + '0'.repeat(last.length - at - 1);
  }
  return last.length < LONGEST ? `${last}1` : last;
}

/** The fewest writes that put the item at `from` to index `to`: one, or all that differ when there is no room. */
export function move<T extends Ordered>(list: readonly T[], from: number, to: number): Ordered[] {
  const moved = list[from];
  if (!moved || from === to) return [];
  const rest = list.filter((_, index) => index !== from);
  const position = between(rest[to - 1]?.position ?? null, rest[to]?.position ?? null);
  if (position !== null) return [{ id: moved.id, position }];

  const order = [...rest.slice(0, to), moved, ...rest.slice(to)];
  return order
    .map((item, index) => ({ id: item.id, position: spread(index), was: item.position }))
    .filter((item) => item.position !== item.was)
    .map(({ id, position: next }) => ({ id, position: next }));
}

/** The nth of evenly spaced positions with room between any two: eight digits apart in `a00` to `azz`, then on. */
function spread(index: number): string {
  const step = (index + 1) * 8;
  const size = DIGITS.length;
  const lead = DIGITS.charAt(36 + (Math.floor(step / (size * size)) % 26));
  return `${lead}${DIGITS.charAt(Math.floor(step / size) % size)}${DIGITS.charAt(step % size)}V`;
}

function digitAt(text: string | null, at: number): number | null {
  if (text === null || at >= text.length) return null;
  return DIGITS.indexOf(text.charAt(at));
}
