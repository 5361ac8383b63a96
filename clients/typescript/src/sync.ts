import { Backoff } from './backoff.ts';
import { type Copy, copyFrom, type LocalFavourite, type Queued, rescued, unsent, view } from './copy.ts';
import { findRemoved, findReplaced, takeDelta, takeSnapshot } from './delta.ts';
import { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';
import type { CallOptions, Http } from './http.ts';
import { accountChanged, Problem } from './problem.ts';
import { type EditEvent, enqueue, LARGEST_BATCH, takeBatch, takeResults } from './queue.ts';
import type { Session } from './session.ts';
import { isDelta, isFavouritePage, isSyncAnswer } from './shapes.ts';
import type { Storage } from './store/storage.ts';
import type { Delta, FavouritePage, Mutation, MutationResult, SyncAnswer } from './types.ts';
import { madeAt, uuidv7 } from './uuid.ts';

export interface SyncEvents {
  /** The list or its state changed, here or in another tab. */
  changed: void;
  /** This tab has changed the storage. */
  wrote: void;
  /** What the user should hear about edits. */
  edit: EditEvent;
  /** The storage was emptied from outside; what this tab knew is kept again, with so many unsent changes. */
  rescued: { unsent: number };
  /** An exchange has ended; null when it went well. */
  exchanged: Problem | null;
}

/** Where a synchronisation stands. */
export interface Progress {
  /** Changes that the server has not acknowledged. */
  unsent: number;
  /** An exchange is under way. */
  busy: boolean;
  /** Why the last one failed; it is tried again by itself. */
  problem: Problem | null;
}

/** Keeps the copy of one account and the server equal. Everything it knows is in the storage, where all tabs see it. */
export class Sync {
  readonly events = new Emitter<SyncEvents>();
  readonly #http: Http;
  readonly #session: Session;
  readonly #storage: Storage;
  readonly #env: Environment;
  readonly #account: string;
  readonly #key: string;
  readonly #backoff: Backoff;
  readonly #stopped = new AbortController();
  /** Ends what is under way. */
  #halt = new AbortController();

  #copy: Copy | null = null;
  #list: readonly LocalFavourite[] | null = null;
  #problem: Problem | null = null;
  #running: Promise<void> | null = null;
  #retry: AbortController | null = null;
  #wanted = { again: false, pull: false, snapshot: false };
  #limit = LARGEST_BATCH;
  #begun = false;
  /** What is in the storage may be less than what this tab knows. */
  #cleared = false;

  constructor(parts: { http: Http; session: Session; storage: Storage; env: Environment; key: string; account: string }) {
    this.#http = parts.http;
    this.#session = parts.session;
    this.#storage = parts.storage;
    this.#env = parts.env;
    this.#account = parts.account;
    this.#key = parts.key;
    this.#backoff = new Backoff(parts.env, 2_000, 60_000);
  }

  /** The favourites in order, with unsent changes; null until a copy of the account is complete. */
  get list(): readonly LocalFavourite[] | null {
    return this.#list;
  }

  get cursor(): string | null {
    return this.#copy?.cursor ?? null;
  }

  get progress(): Progress {
    return { unsent: this.#copy ? unsent(this.#copy) : 0, busy: this.#running !== null, problem: this.#problem };
  }

  /** Reads the copy from the storage: at the start, and when another tab has written. */
  async load(): Promise<void> {
    await this.#transact((copy) => ({ copy, result: undefined }));
  }

  /** The storage was emptied from outside: keeps again what this tab knows, before anything is built on nothing. */
  rescue(): Promise<void> {
    this.#cleared = true;
    return this.load();
  }

  /** Begins to talk to the server, once it is certain that requests are from this account. */
  begin(): Promise<void> {
    if (this.#halt.signal.aborted) this.#halt = new AbortController();
    this.#begun = true;
    return this.exchange({ pull: true });
  }

  /** Sends nothing until `begin`, and calls off what is under way: requests may soon be from another account. */
  pause(): void {
    this.#begun = false;
    this.#retry?.abort();
    this.#halt.abort();
  }

  /** Queues a change, which the list shows at once. It is sent as soon as that is possible. */
  async edit(change: (copy: Copy, mid: string) => Omit<Mutation, 'mid' | 'kind'> | null, tz = 'UTC'): Promise<void> {
    const at = this.#env.now();
    const mid = uuidv7(at, this.#env.bytes);
    await this.#transact((copy) => {
      const wanted = change(copy, mid);
      if (!wanted) return { copy, result: undefined };
      const mutation: Mutation = { mid, kind: 'favourite', ...wanted };
      const added: Queued = { mutation, sent: false, rev: null, item: null, tz, at };
      return { copy: enqueue(copy, added), result: undefined };
    });
    void this.exchange({ pull: false });
  }

  /**
   * Sends what is queued and, with `pull`, asks what changed elsewhere. Resolves when both are done or have failed; a
   * failure is in `progress` and is tried again later.
   */
  exchange({ pull }: { pull: boolean }): Promise<void> {
    this.#wanted.again = true;
    this.#wanted.pull ||= pull;
    this.#retry?.abort();
    if (!this.#begun || this.#stopped.signal.aborted) return Promise.resolve();
    if (!this.#running) {
      this.#running = this.#run();
      this.events.emit('changed', undefined);
    }
    return this.#running;
  }

  /** Sends what is queued if a favourite is only on this device yet. Fails when it still is after that. */
  async deliver(id: string): Promise<void> {
    const waits = () => this.#list?.some((one) => one.id === id && one.unsent && one.rev === 0);
    if (waits()) await this.exchange({ pull: false });
    if (waits()) throw this.#problem ?? new Problem({ code: 'unreachable' });
  }

  /**
   * Takes a delta of the stream. One that does not fit is no harm: the changes are asked for instead. So are those that
   * come in pages, and those that arrive between two pages: what was sent before a page was read can be older than it.
   */
  async take(delta: Delta): Promise<void> {
    if (!(await this.#session.holds(this.#account))) return;
    const fits = !delta.has_more && (await this.#transact((copy) => (copy.paging ? { copy, result: false } : fitted(copy, delta))));
    if (!fits) await this.exchange({ pull: true });
  }

  /** The server cannot tell what happened since the local cursor. */
  reset(): Promise<void> {
    this.#wanted.snapshot = true;
    return this.exchange({ pull: false });
  }

  /** Sends and takes nothing from now on. */
  stop(): void {
    this.#stopped.abort();
    this.pause();
  }

  async #run(): Promise<void> {
    const { signal } = this.#halt;
    try {
      do {
        this.#wanted.again = false;
        await this.#exclusively(signal, () => this.#rounds(signal)).catch((error: unknown) => {
          // Somebody asked while it failed: the network may be back, and the pause would be for nothing.
          const anew = error instanceof Problem && error.unreached && this.#wanted.again && this.#env.online();
          if (!anew) throw error;
        });
      } while (this.#wanted.again && !signal.aborted);
      this.#problem = null;
      this.#backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      // What is no problem of the server's is one of the storage: full, or taken away by the user.
      this.#problem = error instanceof Problem ? error : new Problem({ code: 'storage' }, null, error);
      if (!this.#problem.ended) this.#later(this.#problem);
    } finally {
      this.#running = null;
      if (!this.#stopped.signal.aborted) {
        this.events.emit('exchanged', this.#problem);
        this.events.emit('changed', undefined);
        // It was begun again before it had ended.
        if (signal.aborted && this.#begun) void this.exchange({ pull: true });
      }
    }
  }

  /** Goes on until nothing is left to send or to ask. */
  async #rounds(signal: AbortSignal): Promise<void> {
    // Without a network nothing is marked as sent, so edits that wait can still be joined.
    if (!this.#env.online()) throw new Problem({ code: 'unreachable' });
    const call: Call = (method, path, options) => this.#http.call(method, path, { ...options, signal, account: this.#account });
    // An earlier exchange has stopped between two pages, in this tab or before the app was opened.
    if (await this.#transact((copy) => ({ copy, result: copy.paging }))) this.#wanted.snapshot = true;
    while (!signal.aborted) {
      if (!(await this.#session.holds(this.#account))) throw accountChanged();
      const asked = this.cursor;
      const batch = await this.#transact((copy) => {
        const taken = takeBatch(copy, this.#limit, (mid) => this.#believable(mid));
        return { copy: taken.batch.length === 0 ? copy : taken.copy, result: taken.batch };
      });
      if (batch.length > 0) await this.#push(call, batch);
      else if (this.cursor === null || this.#wanted.snapshot) await this.#snapshot(call, asked);
      else if (this.#wanted.pull) await this.#pull(call, this.cursor);
      else return;
    }
  }

  /**
   * The server does not believe a mid whose time is months away from its own. One that was never sent may still be
   * replaced: then a device whose clock is wrong can save all the same.
   */
  #believable(mid: string): string {
    const now = this.#http.now();
    return Math.abs(madeAt(mid) - now) > DAY_MS ? uuidv7(now, this.#env.bytes) : mid;
  }

  async #push(call: Call, mutations: Mutation[]): Promise<void> {
    const { device = '', cursor = null } = this.#copy ?? {};
    // Where a snapshot is due, no delta may stand in for it.
    const since = this.#wanted.snapshot ? null : cursor;
    let answer: SyncAnswer;
    try {
      answer = await call<SyncAnswer>('POST', '/v1/sync', { body: { device, since, mutations }, isOurs: isSyncAnswer });
    } catch (error) {
      if (!(error instanceof Problem) || !isAtFault(error)) throw error;
      return this.#divide(mutations, error);
    }
    this.#limit = LARGEST_BATCH;
    const known = new Set(answer.results.map(({ mid }) => mid));
    if (!mutations.some(({ mid }) => known.has(mid))) throw new Problem({ code: 'unexpected', status: 502 });
    const { delta } = answer;
    const fits = await this.#transact((copy) => {
      const { copy: acknowledged, events } = takeResults(copy, answer.results, this.#env.now());
      return delta ? { ...fitted(acknowledged, delta), events } : { copy: acknowledged, result: true, events };
    });
    if (answer.reset) this.#wanted.snapshot = true;
    else if (!fits || delta?.has_more) this.#wanted.pull = true;
    else if (delta) this.#wanted.pull = false;
  }

  /** A batch that is refused as a whole is halved until the one mutation at fault is alone. */
  async #divide(mutations: Mutation[], problem: Problem): Promise<void> {
    this.#limit = Math.max(1, Math.ceil(mutations.length / 2));
    const [alone] = mutations;
    if (!alone || mutations.length > 1) return;
    this.#limit = LARGEST_BATCH;
    await this.#transact((copy) => {
      const refused: MutationResult = { mid: alone.mid, status: 'rejected', error: 'invalid', errors: [...problem.fields] };
      const { copy: next, events } = takeResults(copy, [refused], this.#env.now());
      return { copy: next, result: undefined, events };
    });
  }

  async #pull(call: Call, since: string): Promise<void> {
    let delta: Delta;
    try {
      delta = await call<Delta>('GET', '/v1/changes', { query: { since }, isOurs: isDelta });
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'cursor_expired') throw error;
      this.#wanted.snapshot = true;
      return;
    }
    // The stream may have moved the copy meanwhile. Then this one overlaps, or the next round asks again.
    const fits = await this.#transact((copy) => fitted(copy, delta));
    this.#wanted.pull = !fits || delta.has_more;
  }

  /**
   * Takes everything anew. One page holds all that an account may have by default; should there be more, what changed
   * between the pages comes with the changes that are asked for at the end.
   */
  async #snapshot(call: Call, asked: string | null): Promise<void> {
    const isOurs = isFavouritePage;
    let page = await call<FavouritePage>('GET', '/v1/favourites', { isOurs });
    const { cursor } = page;
    const items = [...page.items];
    this.#wanted.pull = page.next !== null;
    while (page.next !== null) {
      page = await call<FavouritePage>('GET', '/v1/favourites', { query: { after: page.next }, isOurs });
      items.push(...page.items);
    }
    await this.#transact((copy) => ({ copy: takeSnapshot(copy, asked, items, cursor), result: undefined }));
    this.#wanted.snapshot = false;
  }

  #later(problem: Problem): void {
    const timer = new AbortController();
    this.#retry = timer;
    const pause = this.#backoff.next((problem.retryAfter ?? 0) * 1000);
    void this.#env.wait(pause, timer.signal).then(() => {
      if (!timer.signal.aborted && !this.#stopped.signal.aborted) void this.exchange({ pull: true });
    });
  }

  /**
   * One tab at a time exchanges, and none while the account is changed: with a cookie the requests would then be from
   * somebody else.
   */
  #exclusively(halt: AbortSignal, work: () => Promise<void>): Promise<void> {
    return this.#session.steady(async () => {
      const { locks } = this.#env;
      if (!locks) return work();
      let begun = false;
      try {
        const signal = AbortSignal.any([halt, AbortSignal.timeout(15_000)]);
        await locks.request(`${this.#key}|sync`, { signal }, () => ((begun = true), work()));
      } catch (error) {
        if (begun || halt.aborted) throw error;
        // A tab that hangs holds the lock. Exchanges side by side are slower, not wrong.
        await work();
      }
    });
  }

  /** One step of the copy, with all that follows from it: rows, cursor, queue and edits are written together. */
  async #transact<T>(step: (copy: Copy) => Outcome<T>): Promise<T> {
    const { now, bytes } = this.#env;
    // A step that was begun before the storage was emptied may still write to what is about to go.
    const late = this.#cleared;
    let rescues = false;
    const update = this.#storage.update(this.#key, (value) => {
      // A step that was begun for an account must not bring its copy back after it was removed.
      if (this.#stopped.signal.aborted) throw new DOMException('the copy is closed', 'AbortError');
      const found = copyFrom(value, () => uuidv7(now(), bytes));
      const kept = (rescues || this.#cleared) && this.#copy ? rescued(value === undefined ? null : found, this.#copy) : found;
      if (late && this.#cleared) [rescues, this.#cleared] = [true, false];
      const outcome = step(kept);
      const { copy: next, events } = outcome.copy === kept ? { copy: kept, events: outcome.events ?? [] } : settled(kept, outcome, now());
      return [next, { copy: next, result: outcome.result, events, wrote: next !== value }];
    });
    const { copy, result, events, wrote } = await update.catch((error: unknown) => {
      this.#cleared ||= rescues;
      throw error;
    });
    const before = this.#copy;
    this.#copy = copy;
    if (!before || !same(before, copy)) {
      this.#list = copy.cursor === null && copy.queue.length === 0 ? null : view(copy);
      this.events.emit('changed', undefined);
    }
    if (wrote) this.events.emit('wrote', undefined);
    if (rescues && before) this.events.emit('rescued', { unsent: unsent(copy) });
    for (const event of events) this.events.emit('edit', event);
    return result;
  }
}

const DAY_MS = 86_400_000;

/** A request of this account's, which a pause calls off. */
type Call = <T>(method: string, path: string, options?: CallOptions) => Promise<T>;

/** The server says that the body is wrong, and where, or that it is too large. A firewall that says no is no reason. */
function isAtFault({ status, code, fields }: Problem): boolean {
  return code === 'body_too_large' || ([400, 422].includes(status) && fields.length > 0);
}

/** What a step makes of the copy, and what it has to tell. */
interface Outcome<T> {
  copy: Copy;
  result: T;
  events?: readonly EditEvent[];
}

/** What follows for the edits of this device from a step, and all that is to be told. A removal is told once. */
function settled(before: Copy, { copy, events = [] }: Outcome<unknown>, now: number): { copy: Copy; events: EditEvent[] } {
  const removed = findRemoved(before, copy, now);
  const replaced = findReplaced(removed.copy, now);
  const ids = new Set(removed.events.map((event) => event.type === 'removed' && event.id));
  const rest = events.filter((event) => event.type !== 'refused' || event.error !== 'gone' || !ids.has(event.mutation.id));
  return { copy: replaced.copy, events: [...rest, ...removed.events, ...replaced.events] };
}

function fitted(copy: Copy, delta: Delta): Outcome<boolean> {
  const next = takeDelta(copy, delta);
  return { copy: next ?? copy, result: next !== null };
}

/** Rows are those at the cursor, except between two pages; so two copies with one cursor and one queue look alike. */
function same(a: Copy, b: Copy): boolean {
  return a.cursor === b.cursor && a.paging === b.paging && JSON.stringify(a.queue) === JSON.stringify(b.queue);
}
