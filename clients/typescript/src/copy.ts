import { inOrder } from './position.ts';
import type { Favourite, Field, Fields, Mutation } from './types.ts';

/** A mutation on its way. */
export interface Queued {
  mutation: Mutation;
  /** It may have reached the server, so it must not change any more: a repeat has to be the same. */
  sent: boolean;
  /** The revision that it became. It is shown on top of the rows until the cursor has passed that revision. */
  rev: number | null;
  /** What the server made of it, once it is acknowledged. */
  item: Favourite | null;
  /** The zone to show until the server has computed it. */
  tz: string;
  at: number;
}

/** One field that this device wrote and the server acknowledged, kept for a day to tell when it is replaced. */
export interface Acknowledged {
  id: string;
  field: Field;
  value: Fields[Field];
  rev: number;
  at: number;
}

/**
 * What a device knows of one account. `rows` are the server's at `cursor`, nothing newer and nothing older; what is not
 * there yet lies in `queue`. All of it is kept as one value, so rows, cursor and queue move together or not at all.
 */
export interface Copy {
  readonly version: 1;
  /** Tells this device's own writes from those of others. All tabs of a browser are one device. */
  readonly device: string;
  readonly cursor: string | null;
  /**
   * Between two pages of changes. The rows are then as they never were together: what changed again has left its place
   * in the log, and is told on a later page. Whoever stops here takes the snapshot.
   */
  readonly paging: boolean;
  readonly rows: Readonly<Record<string, Favourite>>;
  readonly queue: readonly Queued[];
  readonly acknowledged: readonly Acknowledged[];
}

/** A favourite as the user sees it: the server's, with the changes of this device on top. */
export type LocalFavourite = Favourite & {
  /** A change of it waits to be sent. `rev` is 0 while the server does not know the favourite at all. */
  unsent: boolean;
};

export function emptyCopy(device: string): Copy {
  return { version: 1, device, cursor: null, paging: false, rows: {}, queue: [], acknowledged: [] };
}

/** What a storage gave back, or an empty copy when it is nothing of ours or of another version. */
export function copyFrom(value: unknown, device: () => string): Copy {
  const known = typeof value === 'object' && value !== null && (value as Partial<Copy>).version === 1;
  return known ? (value as Copy) : emptyCopy(device());
}

/** Of a kept copy what the server has not acknowledged and nobody else can know, or undefined when there is no such thing. */
export function outboxOf(value: unknown): Copy | undefined {
  const copy = copyFrom(value, () => '');
  const queue = copy.queue.filter(({ rev }) => rev === null);
  return queue.length === 0 ? undefined : { ...emptyCopy(copy.device), queue };
}

/**
 * After the storage was emptied under an open tab: what is there again by now, written by another tab, with the unsent
 * changes that only this one knows. Sending one twice does no harm.
 */
export function rescued(kept: Copy | null, known: Copy): Copy {
  if (!kept) return known;
  const mids = new Set(kept.queue.map(({ mutation }) => mutation.mid));
  const missing = known.queue.filter(({ mutation, rev }) => rev === null && !mids.has(mutation.mid));
  return missing.length === 0 ? kept : { ...kept, queue: [...kept.queue, ...missing] };
}

/** The list that the user sees, in order. */
export function view(copy: Copy): LocalFavourite[] {
  const seen = new Map<string, LocalFavourite>();
  for (const row of Object.values(copy.rows)) seen.set(row.id, { ...row, unsent: false });
  for (const queued of copy.queue) {
    const { op, id } = queued.mutation;
    const unsent = queued.rev === null;
    if (op === 'delete') {
      seen.delete(id);
    } else if (op === 'create') {
      if (!seen.has(id)) seen.set(id, { ...(queued.item ?? draft(queued)), unsent });
    } else {
      const row = seen.get(id);
      if (row) seen.set(id, { ...row, ...queued.mutation.set, unsent: row.unsent || unsent });
    }
  }
  return [...seen.values()].sort(inOrder);
}

/** A favourite that only this device knows. */
function draft({ mutation, tz, at }: Queued): Favourite {
  const { name = '', lat = 0, lon = 0, place_id = null, elevation = null, note = null, position = '' } = mutation.set ?? {};
  const updated_at = new Date(at).toISOString();
  return { id: mutation.id, rev: 0, name, lat, lon, tz, place_id, elevation, note, position, updated_at };
}

/** How many changes the server has not acknowledged. */
export function unsent(copy: Copy): number {
  return copy.queue.filter(({ rev }) => rev === null).length;
}
