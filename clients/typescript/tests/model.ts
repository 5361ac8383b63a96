import { readCursor } from '../src/cursor.ts';
import { inOrder } from '../src/position.ts';
import type { Delta, Favourite, Field, Mutation, MutationResult } from '../src/types.ts';

interface Row {
  id: string;
  rev: number;
  /** Null for a tombstone. */
  item: Favourite | null;
  /** Who changed each field last, and at which revision. */
  fields: Map<string, { rev: number; device: string }>;
}

interface State {
  eras: { era: number; start: number }[];
  head: number;
  floor: number;
  rows: Map<string, Row>;
  /** What was asked under a mid, and what became of it. */
  receipts: Map<string, { content: string; rev: number | null; error?: string }>;
}

/**
 * The server of one account as the protocol describes it, small enough to be seen to be right. It is only used to let
 * clients run through thousands of schedules; what the real server does is tested against the real server.
 */
export class Model {
  #state: State;
  #era = 100;
  quota = 200;
  pageSize = 500;

  constructor() {
    this.#state = { eras: [{ era: this.#era, start: 0 }], head: 0, floor: 0, rows: new Map(), receipts: new Map() };
  }

  get list(): Favourite[] {
    return [...this.#state.rows.values()].flatMap(({ item }) => (item ? [item] : [])).sort(inOrder);
  }

  get head(): string {
    return this.#cursor(this.#state.head);
  }

  /** A copy of the database, for `restore`. */
  backup(): State {
    return structuredClone(this.#state);
  }

  /** The database is rewound. The next write is in a new era, and what came after the copy is lost. */
  restore(state: State): void {
    this.#state = structuredClone(state);
    this.#era += 1;
  }

  /** Purges all tombstones. */
  compact(): void {
    for (const [id, { item, rev }] of this.#state.rows) {
      if (item) continue;
      this.#state.rows.delete(id);
      this.#state.floor = Math.max(this.#state.floor, rev);
    }
  }

  /** Answers a request, or undefined for a path that is none of the protocol's. */
  answer(method: string, url: URL, body: unknown): { status: number; body: unknown } | undefined {
    if (method === 'GET' && url.pathname === '/v1/favourites') {
      return { status: 200, body: { items: this.list, next: null, cursor: this.head } };
    }
    if (method === 'GET' && url.pathname === '/v1/changes') {
      const delta = this.changes(url.searchParams.get('since') ?? '');
      return 'reason' in delta
        ? { status: 410, body: { status: 410, code: 'cursor_expired', reason: delta.reason } }
        : { status: 200, body: delta };
    }
    if (method === 'POST' && url.pathname === '/v1/sync') {
      const { device, since, mutations } = body as { device: string; since: string | null; mutations: Mutation[] };
      const results = mutations.map((mutation) => this.#apply(device, mutation));
      const delta = since === null ? null : this.changes(since);
      if (delta && 'reason' in delta) return { status: 200, body: { results, delta: null, reset: delta } };
      return { status: 200, body: { results, delta, reset: null } };
    }
    return undefined;
  }

  changes(since: string): Delta | { reason: string } {
    const { eras, head, floor, rows } = this.#state;
    const cursor = readCursor(since);
    if (!cursor) return { reason: 'malformed' };
    const at = eras.findIndex(({ era }) => String(era) === cursor.era);
    const end = eras[at + 1]?.start;
    if (at < 0 || (end !== undefined && cursor.seq > end)) return { reason: 'era' };
    if (cursor.seq > head) return { reason: 'ahead' };
    if (cursor.seq < floor) return { reason: 'expired' };
    const due = [...rows.values()].filter(({ rev }) => rev > cursor.seq).sort((a, b) => a.rev - b.rev);
    const page = due.slice(0, this.pageSize);
    const has_more = page.length < due.length;
    const changes = page.map(({ id, rev, item }) => ({
      kind: 'favourite',
      id,
      rev,
      deleted: item === null,
      ...(item && { item: structuredClone(item) }),
    }));
    return { from: since, to: has_more ? this.#cursor(page.at(-1)?.rev ?? head) : this.head, changes, has_more };
  }

  #cursor(seq: number): string {
    return `v1.${this.#state.eras.at(-1)?.era}.${seq}`;
  }

  #apply(device: string, mutation: Mutation): MutationResult {
    const { mid, op, id } = mutation;
    const receipt = this.#state.receipts.get(mid);
    const row = this.#state.rows.get(id);
    const content = JSON.stringify(mutation);
    if (receipt && receipt.content !== content) return { mid, status: 'rejected', error: 'mid_reused' };
    if (receipt) {
      const item = row?.item ?? null;
      return { mid, status: 'duplicate', ...(receipt.rev !== null && { rev: receipt.rev }), item, ...(receipt.error && { error: receipt.error as never }) };
    }
    const refuse = (status: 'conflict' | 'rejected', error: MutationResult['error']): MutationResult => {
      this.#state.receipts.set(mid, { content, rev: null, error: error ?? '' });
      return { mid, status, error: error ?? null, item: row?.item ?? null };
    };
    if (op === 'create') {
      if (row) return refuse('conflict', row.item ? 'exists' : 'gone');
      if (this.list.length >= this.quota) return refuse('rejected', 'quota');
    } else if (!row?.item) {
      return refuse('conflict', 'gone');
    } else if (mutation.policy === 'if_match' && row.rev !== mutation.base_rev) {
      return refuse('conflict', 'stale');
    }

    const set = mutation.set ?? {};
    if (op === 'update' && row?.item && Object.entries(set).every(([field, value]) => row.item?.[field as Field] === value)) {
      this.#state.receipts.set(mid, { content, rev: null });
      return { mid, status: 'noop', item: row.item };
    }

    const rev = this.#raise();
    const fields = row?.fields ?? new Map();
    const overwrote: NonNullable<MutationResult['overwrote']> = {};
    for (const field of Object.keys(set)) {
      const last = fields.get(field);
      if (op === 'update' && mutation.base_rev !== null && last && last.rev > mutation.base_rev && last.device !== device) {
        overwrote[field] = { was: row?.item?.[field as Field], rev: last.rev };
      }
      fields.set(field, { rev, device });
    }
    const blank = { name: '', lat: 0, lon: 0, place_id: null, elevation: null, note: null, position: 'a0' };
    const item = op === 'delete' ? null : { ...blank, ...row?.item, ...set, id, rev, tz: 'UTC', updated_at: '2026-11-21T12:00:00Z' };
    this.#state.rows.set(id, { id, rev, item, fields });
    this.#state.receipts.set(mid, { content, rev });
    return { mid, status: 'applied', rev, item, ...(Object.keys(overwrote).length > 0 && { overwrote }) };
  }

  /** The next revision. The account enters the present era with its first write in it. */
  #raise(): number {
    const { eras, head } = this.#state;
    if (eras.at(-1)?.era !== this.#era) eras.push({ era: this.#era, start: head });
    this.#state.head += 1;
    return this.#state.head;
  }
}
