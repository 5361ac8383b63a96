/**
 * A UUIDv7: the milliseconds since 1970, then chance. Ids that a device makes grow with time, which keeps the order of
 * favourites that were appended at the same position.
 */
export function uuidv7(now: number, bytes: (count: number) => Uint8Array): string {
  const chance = bytes(10);
  const time = Math.max(0, Math.floor(now)).toString(16).padStart(12, '0').slice(-12);
  const hex = Array.from(chance, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = (8 + ((chance[2] ?? 0) >> 6)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(1, 4)}-${variant}${hex.slice(5, 8)}-${hex.slice(8, 20)}`;
}

/** When a UUIDv7 was made, by the clock of who made it. */
export function madeAt(id: string): number {
  return parseInt(id.replace('-', ''), 16);
}
