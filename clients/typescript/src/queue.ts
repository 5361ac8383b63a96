import type { Acknowledged, Copy, Queued } from './copy.ts';
import { readCursor } from './cursor.ts';
import type { Favourite, Field, FieldProblem, Mutation, MutationResult, Refusal } from './types.ts';

/** The server takes 100 mutations and 256 KiB; the rest of the body needs a little. */
export const LARGEST_BATCH = 100;
const BATCH_BYTES = 240 * 1024;

/** What the user should hear about edits. */
export type EditEvent =
  /** A mutation changed nothing, and the list shows again what the server has. */
  | { type: 'refused'; mutation: Mutation; error: Refusal; item: Favourite | null; fields: readonly FieldProblem[] }
  /** An edit of this device replaced what another device had written, which this one had not seen. */
  | { type: 'overwrote'; id: string; field: Field; was: unknown; yours: unknown }
  /** Another device's change replaced an edit of this device that had been acknowledged within the last 24 hours. */
  | { type: 'replaced'; id: string; field: Field; yours: unknown; theirs: unknown }
  /** Another device removed what was edited here, now or within the last 24 hours. `item` is as it was seen here. */
  | { type: 'removed'; id: string; item: Favourite };

/**
 * Adds a mutation, joined with one that waits where that says the same: so a name that was typed three times offline is
 * sent once, and what was made and removed offline is not sent at all.
 */
export function enqueue(copy: Copy, added: Queued): Copy {
  const { mutation } = added;
  const own = copy.queue.filter((queued) => queued.mutation.id === mutation.id);
  const last = own.at(-1);
  if (mutation.op === 'delete') {
    const unmade = own[0]?.mutation.op === 'create' && !own[0].sent;
    const queue = copy.queue.filter((queued) => queued.mutation.id !== mutation.id || queued.sent);
    const acknowledged = copy.acknowledged.filter(({ id }) => id !== mutation.id);
    return { ...copy, acknowledged, queue: unmade ? queue : [...queue, added] };
  }
  if (mutation.op === 'update' && last && !last.sent && joins(last.mutation, mutation)) {
    const joined = { ...last, mutation: { ...last.mutation, set: { ...last.mutation.set, ...mutation.set } } };
    return { ...copy, queue: copy.queue.map((queued) => (queued === last ? joined : queued)) };
  }
  return { ...copy, queue: [...copy.queue, added] };
}

function joins(last: Mutation, next: Mutation): boolean {
  if (next.policy === 'if_match' || last.policy === 'if_match') return false;
  return last.op === 'create' || (last.op === 'update' && last.base_rev === next.base_rev);
}

/**
 * Takes the next mutations to send, and marks them so that a repeat is the same. `midOf` may replace the mid of one that
 * was never sent.
 */
export function takeBatch(copy: Copy, limit: number, midOf = (mid: string) => mid): { copy: Copy; batch: Mutation[] } {
  const batch: Mutation[] = [];
  const guarded = new Set<string>();
  let bytes = 0;
  const queue = [...copy.queue];
  for (const [index, queued] of copy.queue.entries()) {
    if (queued.rev !== null) continue;
    const mutation = queued.sent ? queued.mutation : { ...queued.mutation, mid: midOf(queued.mutation.mid) };
    bytes += new TextEncoder().encode(JSON.stringify(mutation)).length + 1;
    // The revision that a second guarded edit must name is only known when the first is answered.
    const waits = mutation.policy === 'if_match' && guarded.has(mutation.id);
    if (batch.length === limit || (batch.length > 0 && bytes > BATCH_BYTES) || waits) break;
    guarded.add(mutation.id);
    batch.push(mutation);
    queue[index] = { ...queued, mutation, sent: true };
  }
  return { copy: { ...copy, queue }, batch };
}

/** Takes in what became of a batch. Rows and cursor stay: they move by deltas and snapshots only. */
export function takeResults(copy: Copy, results: readonly MutationResult[], now: number): { copy: Copy; events: EditEvent[] } {
  const events: EditEvent[] = [];
  let next = copy;
  const own = new Set([...results, ...copy.queue].map(({ rev }) => rev ?? null));
  for (const result of results) {
    const queued = next.queue.find(({ mutation, rev }) => mutation.mid === result.mid && rev === null);
    if (!queued) continue;
    const { mutation } = queued;
    const refused = result.error ?? (result.status === 'conflict' || result.status === 'rejected' ? 'invalid' : null);
    if (refused !== null) {
      next = { ...next, queue: withoutRefused(next.queue, mutation, refused) };
      events.push({ type: 'refused', mutation, error: refused, item: result.item ?? null, fields: result.errors ?? [] });
      continue;
    }
    for (const [field, { was }] of Object.entries(result.overwrote ?? {})) {
      events.push({ type: 'overwrote', id: mutation.id, field: field as Field, was, yours: mutation.set?.[field as Field] });
    }
    next = acknowledge(next, queued, result, own, now);
  }
  return { copy: next, events };
}

/** Without a favourite there is nothing that its later edits could change. */
function withoutRefused(queue: readonly Queued[], refused: Mutation, error: Refusal): Queued[] {
  const orphaned = refused.op === 'create' && error !== 'exists';
  return queue.filter(({ mutation }) => mutation.mid !== refused.mid && !(orphaned && mutation.id === refused.id));
}

/**
 * An account's revisions leave out no number. So when all between two revisions of a favourite are of this device's own
 * edits, nobody else has changed it in between.
 */
function isAlone(own: ReadonlySet<number | null>, from: number, to: number): boolean {
  if (from >= to || to - from > own.size + 1) return false;
  for (let rev = from + 1; rev < to; rev += 1) if (!own.has(rev)) return false;
  return true;
}

/** `own` are the revisions that are known to be this device's. */
function acknowledge(copy: Copy, queued: Queued, result: MutationResult, own: ReadonlySet<number | null>, now: number): Copy {
  const { mutation } = queued;
  const rev = result.status === 'noop' ? null : (result.rev ?? null);
  const item = result.item ?? null;
  const passed = rev === null || rev <= (readCursor(copy.cursor)?.seq ?? -1);
  const queue = copy.queue
    .filter((one) => one !== queued || !passed)
    .map((one) => {
      if (one === queued) return { ...one, rev, item };
      // A guarded edit that was made on top of this one now knows what it stands on.
      const follows = one.mutation.id === mutation.id && one.mutation.policy === 'if_match' && !one.sent;
      const base = one.mutation.base_rev ?? null;
      if (!follows || rev === null || (base !== (mutation.base_rev ?? null) && (base === null || !isAlone(own, base, rev)))) return one;
      return { ...one, mutation: { ...one.mutation, base_rev: rev } };
    });
  if (rev === null || mutation.op !== 'update') return { ...copy, queue };

  const fields = Object.keys(mutation.set ?? {}) as Field[];
  const news = fields.map((field): Acknowledged => {
    // The server may have tidied the value.
    const value = item?.rev === rev ? item[field] : (mutation.set?.[field] ?? null);
    return { id: mutation.id, field, value, rev, at: now };
  });
  const rest = copy.acknowledged.filter(({ id, field }) => id !== mutation.id || !fields.includes(field));
  return { ...copy, queue, acknowledged: [...rest, ...news] };
}
