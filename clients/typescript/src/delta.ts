import type { Acknowledged, Copy } from './copy.ts';
import { readCursor } from './cursor.ts';
import type { EditEvent } from './queue.ts';
import type { Delta, Favourite } from './types.ts';

const DAY_MS = 24 * 60 * 60_000;

/**
 * Applies a delta if it fits, by the client rule of the protocol. It fits when it begins at the local cursor; or when
 * it begins earlier in the very same era, and then what is known already is left out. Anything else has a gap before
 * it, or belongs to another history of the server's database, and is answered with null: ask for the changes instead.
 */
export function takeDelta(copy: Copy, delta: Delta): Copy | null {
  const local = readCursor(copy.cursor);
  const from = readCursor(delta.from);
  const to = readCursor(delta.to);
  if (!local || !from || !to) return null;
  const begins = delta.from === copy.cursor;
  const overlaps = from.era === local.era && to.era === local.era && from.seq <= local.seq;
  if (!begins && !overlaps) return null;
  // Of a page, or of what comes after one, only the one that was asked for next is as new as it has to be.
  if (!begins && (copy.paging || delta.has_more)) return null;

  const rows = { ...copy.rows };
  for (const { kind, id, rev, deleted, item } of delta.changes) {
    if (kind !== 'favourite') continue;
    if (!begins && rev <= local.seq) continue;
    if ((rows[id]?.rev ?? -1) >= rev) continue;
    if (deleted || !item) delete rows[id];
    else rows[id] = item;
  }
  // Within an era the cursor never goes back.
  const cursor = to.era === local.era && to.seq < local.seq ? copy.cursor : delta.to;
  // Of acknowledged edits those are among the rows now whose revision was passed. In another era the numbers that were
  // acknowledged in the old one mean nothing: what is left of those edits is in the rows.
  const queue = copy.queue.filter(({ rev }) => rev === null || (to.era === local.era && rev > to.seq));
  return { ...copy, rows, cursor, queue, paging: delta.has_more };
}

/**
 * Replaces all rows by a snapshot; unsent edits stay. `asked` is the cursor that made the snapshot necessary. When the
 * copy has gone on meanwhile, within the era of the snapshot and beyond it, the snapshot is late and changes nothing.
 */
export function takeSnapshot(copy: Copy, asked: string | null, items: readonly Favourite[], cursor: string): Copy {
  const local = readCursor(copy.cursor);
  const taken = readCursor(cursor);
  if (copy.cursor !== asked && local && taken && local.era === taken.era && local.seq >= taken.seq) return copy;
  const rows = Object.fromEntries(items.map((item) => [item.id, item]));
  return { ...copy, rows, cursor, paging: false, queue: copy.queue.filter(({ rev }) => rev === null) };
}

/** Finds the acknowledged edits of the last 24 hours that a change of another device has replaced in the rows. */
export function findReplaced(copy: Copy, now: number): { copy: Copy; events: EditEvent[] } {
  const seq = readCursor(copy.cursor)?.seq ?? -1;
  const events: EditEvent[] = [];
  const acknowledged: Acknowledged[] = [];
  for (const edit of copy.acknowledged) {
    const row = copy.rows[edit.id];
    if (now - edit.at > DAY_MS || (!row && edit.rev <= seq)) continue;
    if (!row || row.rev < edit.rev) {
      acknowledged.push(edit);
    } else if (row.rev === edit.rev) {
      acknowledged.push({ ...edit, value: row[edit.field] });
    } else if (row[edit.field] === edit.value || isWriting(copy, edit)) {
      acknowledged.push(edit);
    } else {
      events.push({ type: 'replaced', id: edit.id, field: edit.field, yours: edit.value, theirs: row[edit.field] });
    }
  }
  return { copy: { ...copy, acknowledged }, events };
}

/**
 * Finds what another device has removed although this one had edited it, now or within the last 24 hours. A removal
 * wins, so edits of it that wait are dropped.
 */
export function findRemoved(before: Copy, after: Copy, now: number): { copy: Copy; events: EditEvent[] } {
  const events: EditEvent[] = [];
  if (before.rows === after.rows) return { copy: after, events };
  const removed = new Set<string>();
  for (const [id, row] of Object.entries(before.rows)) {
    const own = before.queue.filter(({ mutation }) => mutation.id === id);
    if (after.rows[id] || own.some(({ mutation }) => mutation.op === 'delete')) continue;
    removed.add(id);
    const edited = own.length > 0 || before.acknowledged.some((edit) => edit.id === id && now - edit.at <= DAY_MS);
    if (edited) events.push({ type: 'removed', id, item: Object.assign({}, row, ...own.map(({ mutation }) => mutation.set)) as Favourite });
  }
  const queue = after.queue.filter(({ mutation }) => mutation.op !== 'update' || !removed.has(mutation.id));
  return { copy: { ...after, queue }, events };
}

/** A later edit of this device's own is on its way: its answer will tell what became of the field. */
function isWriting(copy: Copy, { id, field }: Acknowledged): boolean {
  return copy.queue.some(({ mutation }) => mutation.id === id && mutation.set !== undefined && field in mutation.set);
}
