/** A position in the account's log: an era (one history of the server's database) and the number of a change in it. */
export interface Cursor {
  era: string;
  seq: number;
}

/** Reads `v1.<era>.<seq>`; null for anything else, which is then told apart from every cursor by its text only. */
export function readCursor(text: string | null): Cursor | null {
  const match = /^v1\.(\d+)\.(\d+)$/.exec(text ?? '');
  return match ? { era: match[1] ?? '', seq: Number(match[2]) } : null;
}
