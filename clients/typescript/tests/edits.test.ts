import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Copy, emptyCopy, type Queued, unsent, view } from '../src/copy.ts';
import { findRemoved, findReplaced, takeDelta, takeSnapshot } from '../src/delta.ts';
import { enqueue, takeBatch, takeResults } from '../src/queue.ts';
import type { Delta, Favourite, Mutation } from '../src/types.ts';

const NOW = Date.UTC(2026, 10, 21);

function favourite(id: string, rev: number, fields: Partial<Favourite> = {}): Favourite {
  const rest = { name: id, lat: 1, lon: 2, tz: 'UTC', place_id: null, elevation: null, note: null, position: 'a0' };
  return { ...rest, updated_at: '2026-11-21T00:00:00Z', ...fields, id, rev };
}

function copyWith(cursor: string | null, ...rows: Favourite[]): Copy {
  return { ...emptyCopy('device'), cursor, rows: Object.fromEntries(rows.map((row) => [row.id, row])) };
}

let mids = 0;
function queued(mutation: Partial<Mutation> & Pick<Mutation, 'op' | 'id'>): Queued {
  const full: Mutation = { mid: `mid-${(mids += 1)}`, kind: 'favourite', base_rev: null, ...mutation };
  return { mutation: full, sent: false, rev: null, item: null, tz: 'UTC', at: NOW };
}

function delta(from: string, to: string, ...changes: (Favourite | { id: string; rev: number; deleted: true })[]): Delta {
  const told = changes.map((one) =>
    'deleted' in one ? { kind: 'favourite', ...one } : { kind: 'favourite', id: one.id, rev: one.rev, deleted: false, item: one },
  );
  return { from, to, changes: told, has_more: false };
}

test('what was made, renamed and removed offline is never sent', () => {
  let copy = enqueue(copyWith('v1.1.5'), queued({ op: 'create', id: 'a', set: { name: 'A' } }));
  copy = enqueue(copy, queued({ op: 'update', id: 'a', set: { name: 'B' } }));
  assert.equal(copy.queue.length, 1);
  assert.equal(view(copy)[0]?.name, 'B');
  copy = enqueue(copy, queued({ op: 'delete', id: 'a' }));
  assert.deepEqual(copy.queue, []);
});

test('edits of one field join, but never with one that may have been sent', () => {
  let copy = enqueue(copyWith('v1.1.5', favourite('a', 3)), queued({ op: 'update', id: 'a', base_rev: 3, set: { name: 'B' } }));
  copy = enqueue(copy, queued({ op: 'update', id: 'a', base_rev: 3, set: { note: 'n' } }));
  assert.equal(copy.queue.length, 1);
  const { copy: sent, batch } = takeBatch(copy, 100);
  assert.deepEqual(batch[0]?.set, { name: 'B', note: 'n' });
  copy = enqueue(sent, queued({ op: 'update', id: 'a', base_rev: 3, set: { name: 'C' } }));
  assert.equal(copy.queue.length, 2);
  assert.deepEqual(takeBatch(copy, 100).batch[0], batch[0], 'a repeat is the same');
});

test('a batch holds 100 mutations and stays below 256 KiB', () => {
  let copy = copyWith('v1.1.5');
  for (let n = 0; n < 130; n += 1) copy = enqueue(copy, queued({ op: 'create', id: `id${n}`, set: { name: 'x' } }));
  assert.equal(takeBatch(copy, 100).batch.length, 100);
  copy = copyWith('v1.1.5');
  for (let n = 0; n < 100; n += 1) copy = enqueue(copy, queued({ op: 'create', id: `id${n}`, set: { note: 'ü'.repeat(2000) } }));
  const { batch } = takeBatch(copy, 100);
  assert.ok(batch.length > 10 && batch.length < 100);
  assert.ok(new TextEncoder().encode(JSON.stringify(batch)).length < 250 * 1024);
});

test('two guarded edits of one favourite go one after the other', () => {
  let copy = copyWith('v1.1.3', favourite('a', 3));
  for (const name of ['B', 'C']) copy = enqueue(copy, queued({ op: 'update', id: 'a', base_rev: 3, set: { name }, policy: 'if_match' }));
  const first = takeBatch(copy, 100);
  assert.equal(first.batch.length, 1);
  const { copy: answered } = takeResults(first.copy, [{ mid: first.batch[0]?.mid ?? '', status: 'applied', rev: 4 }], NOW);
  const [second] = takeBatch(answered, 100).batch;
  assert.equal(second?.base_rev, 4, 'it stands on what the first one made');
});

test('an acknowledged edit is shown until the rows have it, without a flicker', () => {
  let copy = enqueue(copyWith('v1.1.3', favourite('a', 3)), queued({ op: 'update', id: 'a', base_rev: 3, set: { name: 'B' } }));
  const { copy: sent, batch } = takeBatch(copy, 100);
  ({ copy } = takeResults(sent, [{ mid: batch[0]?.mid ?? '', status: 'applied', rev: 4 }], NOW));
  assert.deepEqual(view(copy).map(({ name, unsent: waits }) => [name, waits]), [['B', false]]);
  assert.equal(unsent(copy), 0);
  copy = takeDelta(copy, delta('v1.1.3', 'v1.1.4', favourite('a', 4, { name: 'B' }))) ?? copy;
  assert.deepEqual(copy.queue, []);
  assert.equal(view(copy)[0]?.rev, 4);
});

test('every refusal repairs the list and is told', () => {
  for (const [status, error] of [
    ['conflict', 'exists'], ['conflict', 'gone'], ['conflict', 'stale'],
    ['rejected', 'invalid'], ['rejected', 'quota'], ['rejected', 'mid_reused'], ['rejected', 'expired'],
  ] as const) {
    let copy = enqueue(copyWith('v1.1.3', favourite('a', 3)), queued({ op: 'update', id: 'a', base_rev: 3, set: { name: 'B' } }));
    const { copy: sent, batch } = takeBatch(copy, 100);
    const taken = takeResults(sent, [{ mid: batch[0]?.mid ?? '', status, error }], NOW);
    ({ copy } = taken);
    assert.equal(view(copy)[0]?.name, 'a');
    assert.deepEqual(taken.events.map((event) => event.type === 'refused' && event.error), [error]);
  }
});

test('a favourite that could not be made takes its later edits along', () => {
  const made = enqueue(copyWith('v1.1.3'), queued({ op: 'create', id: 'a', set: { name: 'A' } }));
  const { copy: sent, batch } = takeBatch(made, 100);
  const edited = enqueue(sent, queued({ op: 'update', id: 'a', set: { name: 'B' } }));
  const { copy } = takeResults(edited, [{ mid: batch[0]?.mid ?? '', status: 'rejected', error: 'quota' }], NOW);
  assert.deepEqual(copy.queue, []);
});

test('a replaced value of another device is told with what it was', () => {
  const edited = enqueue(copyWith('v1.1.3', favourite('a', 3)), queued({ op: 'update', id: 'a', base_rev: 3, set: { note: 'mine' } }));
  const { copy: sent, batch } = takeBatch(edited, 100);
  const result = { mid: batch[0]?.mid ?? '', status: 'applied', rev: 5, overwrote: { note: { was: 'theirs', rev: 4 } } } as const;
  const { events } = takeResults(sent, [result], NOW);
  assert.deepEqual(events, [{ type: 'overwrote', id: 'a', field: 'note', was: 'theirs', yours: 'mine' }]);
});

/** A device that wrote a note, acknowledged as revision 4 and seen in its rows. */
function acknowledged(): Copy {
  const edited = enqueue(copyWith('v1.1.3', favourite('a', 3)), queued({ op: 'update', id: 'a', base_rev: 3, set: { note: 'mine' } }));
  const { copy: sent, batch } = takeBatch(edited, 100);
  const { copy } = takeResults(sent, [{ mid: batch[0]?.mid ?? '', status: 'applied', rev: 4 }], NOW);
  const seen = takeDelta(copy, delta('v1.1.3', 'v1.1.4', favourite('a', 4, { note: 'mine' })));
  assert.ok(seen);
  return findReplaced(seen, NOW).copy;
}

test('an acknowledged edit that another device replaces is told once, within 24 hours', () => {
  const next = takeDelta(acknowledged(), delta('v1.1.4', 'v1.1.5', favourite('a', 5, { note: 'theirs' })));
  assert.ok(next);
  const found = findReplaced(next, NOW + 1000);
  assert.deepEqual(found.events, [{ type: 'replaced', id: 'a', field: 'note', yours: 'mine', theirs: 'theirs' }]);
  assert.deepEqual(findReplaced(found.copy, NOW + 2000).events, []);
  assert.deepEqual(findReplaced(next, NOW + 25 * 3_600_000).events, []);
});

test('another field, or the own later edit, replaces nothing', () => {
  const renamed = takeDelta(acknowledged(), delta('v1.1.4', 'v1.1.5', favourite('a', 5, { note: 'mine', name: 'New' })));
  assert.ok(renamed);
  assert.deepEqual(findReplaced(renamed, NOW).events, []);

  // The stream brings the second edit before its own answer does.
  const second = takeBatch(enqueue(acknowledged(), queued({ op: 'update', id: 'a', base_rev: 4, set: { note: 'mine again' } })), 100);
  const ahead = takeDelta(second.copy, delta('v1.1.4', 'v1.1.5', favourite('a', 5, { note: 'mine again' })));
  assert.ok(ahead);
  const quiet = findReplaced(ahead, NOW);
  assert.deepEqual(quiet.events, []);
  const answered = takeResults(quiet.copy, [{ mid: second.batch[0]?.mid ?? '', status: 'applied', rev: 5 }], NOW);
  assert.deepEqual(findReplaced(answered.copy, NOW).events, []);
});

test('a delta fits at the cursor, or before it in the same era; nothing else does', () => {
  const copy = copyWith('v1.1.5', favourite('a', 5));
  assert.ok(takeDelta(copy, delta('v1.1.5', 'v1.2.6', favourite('b', 6))), 'at the cursor, into a new era');
  const overlap = takeDelta(copy, delta('v1.1.3', 'v1.1.6', favourite('b', 4), favourite('c', 6)));
  assert.deepEqual(Object.keys(overlap?.rows ?? {}), ['a', 'c'], 'what is known already is not taken again');
  assert.equal(takeDelta(copy, delta('v1.1.2', 'v1.1.4'))?.cursor, 'v1.1.5', 'the cursor does not go back');
  assert.equal(takeDelta(copy, delta('v1.1.6', 'v1.1.7', favourite('b', 7))), null, 'a gap');
  assert.equal(takeDelta(copy, delta('v1.2.3', 'v1.2.7', favourite('b', 7))), null, 'another era');
  assert.equal(takeDelta(copy, delta('v1.1.3', 'v1.2.7', favourite('b', 7))), null, 'into another era, from elsewhere');
  const page = { ...delta('v1.1.3', 'v1.1.6', favourite('c', 6)), has_more: true };
  assert.equal(takeDelta(copy, page), null, 'a page of several that begins elsewhere');
  assert.equal(takeDelta(copy, { ...page, from: 'v1.1.5' })?.paging, true);
  const between = { ...copy, paging: true };
  assert.equal(takeDelta(between, delta('v1.1.3', 'v1.1.6')), null, 'between two pages, what begins elsewhere');
  assert.equal(takeDelta(between, delta('v1.1.5', 'v1.1.6'))?.paging, false);
  assert.equal(takeDelta(copyWith(null), delta('v1.1.0', 'v1.1.1')), null, 'nothing to stand on');
});

test('kinds that this version does not know are passed over', () => {
  const news = delta('v1.1.5', 'v1.1.6');
  news.changes.push({ kind: 'trip', id: 't', rev: 6, deleted: false });
  assert.deepEqual(takeDelta(copyWith('v1.1.5'), news)?.rows, {});
});

test('a snapshot replaces rows and keeps what is unsent; a late one changes nothing', () => {
  const edited = enqueue(copyWith('v1.1.5', favourite('a', 5)), queued({ op: 'update', id: 'a', base_rev: 5, set: { name: 'B' } }));
  const taken = takeSnapshot(edited, 'v1.1.5', [favourite('a', 9), favourite('c', 8)], 'v1.2.9');
  assert.deepEqual(view(taken).map(({ name }) => name), ['B', 'c']);
  const moved = { ...edited, cursor: 'v1.1.7' };
  assert.equal(takeSnapshot(moved, 'v1.1.5', [], 'v1.1.6'), moved);
});

test('a guarded edit stands on all that this device wrote before it, and on nothing of others', () => {
  let copy = copyWith('v1.1.1', favourite('a', 1), favourite('b', 1));
  copy = enqueue(copy, queued({ op: 'update', id: 'a', base_rev: 1, set: { note: 'one' }, policy: 'if_match' }));
  copy = enqueue(copy, queued({ op: 'update', id: 'b', base_rev: 1, set: { note: 'else' } }));
  copy = enqueue(copy, queued({ op: 'update', id: 'a', base_rev: 1, set: { name: 'two' } }));
  copy = enqueue(copy, queued({ op: 'update', id: 'a', base_rev: 1, set: { note: 'three' }, policy: 'if_match' }));
  const { copy: sent, batch } = takeBatch(copy, 100);
  assert.equal(batch.length, 3, 'the last one waits for its revision');
  const answer = (...revs: number[]) => batch.map(({ mid }, n) => ({ mid, status: 'applied' as const, rev: revs[n] ?? 0 }));
  const waiting = (answered: Copy) => answered.queue.at(-1)?.mutation.base_rev;
  assert.equal(waiting(takeResults(sent, answer(2, 3, 4), NOW).copy), 4);
  assert.equal(waiting(takeResults(sent, answer(2, 3, 5), NOW).copy), 2, 'revision 4 may be of somebody else');
});

test('a removal elsewhere of what was edited here is told with what is lost, and the edit is dropped', () => {
  const before = enqueue(copyWith('v1.1.3', favourite('a', 3), favourite('b', 2)), queued({ op: 'update', id: 'a', base_rev: 3, set: { note: 'mine' } }));
  const after = takeDelta(before, delta('v1.1.3', 'v1.1.5', { id: 'a', rev: 4, deleted: true }, { id: 'b', rev: 5, deleted: true }));
  assert.ok(after);
  const { copy, events } = findRemoved(before, after, NOW);
  assert.deepEqual(events, [{ type: 'removed', id: 'a', item: favourite('a', 3, { note: 'mine' }) }]);
  assert.deepEqual(copy.queue, []);
  assert.deepEqual(findRemoved(copy, takeSnapshot(copy, copy.cursor, [], 'v1.2.9'), NOW).events, []);
});

test('so is one of what was edited here within 24 hours, and one that a snapshot shows', () => {
  const before = acknowledged();
  const after = takeDelta(before, delta('v1.1.4', 'v1.1.5', { id: 'a', rev: 5, deleted: true }));
  assert.ok(after);
  const told = [{ type: 'removed', id: 'a', item: favourite('a', 4, { note: 'mine' }) }];
  assert.deepEqual(findRemoved(before, after, NOW).events, told);
  assert.deepEqual(findRemoved(before, after, NOW + 25 * 3_600_000).events, []);
  assert.deepEqual(findRemoved(before, takeSnapshot(before, before.cursor, [], 'v1.2.9'), NOW).events, told);
});

test('an own removal is not told, neither before nor after it is acknowledged', () => {
  const removed = enqueue(acknowledged(), queued({ op: 'delete', id: 'a', base_rev: 4 }));
  const { copy: sent, batch } = takeBatch(removed, 100);
  const { copy: answered } = takeResults(sent, [{ mid: batch[0]?.mid ?? '', status: 'applied', rev: 5 }], NOW);
  for (const before of [sent, answered]) {
    const after = takeDelta(before, delta('v1.1.4', 'v1.1.5', { id: 'a', rev: 5, deleted: true }));
    assert.ok(after);
    assert.deepEqual(findRemoved(before, after, NOW).events, []);
  }
});
