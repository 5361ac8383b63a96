import { Accounts } from './accounts.ts';
import { type Copy, unsent } from './copy.ts';
import { Emitter } from './emitter.ts';
import { type Environment, inBrowser, surroundings } from './environment.ts';
import { Favourites } from './favourites.ts';
import { Forecasts } from './forecasts.ts';
import { Http } from './http.ts';
import { Live } from './live.ts';
import { Places } from './places.ts';
import type { Problem } from './problem.ts';
import type { EditEvent } from './queue.ts';
import { BearerSession, CookieSession, type Session } from './session.ts';
import { browserStorage } from './store/indexeddb.ts';
import { memoryStorage } from './store/memory.ts';
import type { Storage } from './store/storage.ts';
import type { Carrier, StreamEvents, StreamState } from './stream.ts';
import type { Account } from './types.ts';

export interface ClientOptions {
  /** Where the server is, without a path. The page's own origin when left out in a browser. */
  baseUrl?: string;
  /** `cookie` on the server's own origin, `bearer` everywhere else; found out when left out. */
  auth?: 'cookie' | 'bearer';
  /** Where tokens and copies are kept: IndexedDB in a browser, else memory, unless something else is given. */
  storage?: Storage;
  /** How the stream is carried; found out when left out. */
  stream?: Carrier;
  /** False for a client that sends and asks only when told: for scripts. */
  live?: boolean;
  environment?: Partial<Environment>;
}

/** How the device and the server stand. */
export interface Status {
  /** The device has a network. */
  online: boolean;
  /** The server answered the last request. */
  reached: boolean;
  /** Changes of other devices arrive by themselves. `replaced`: not until `resume` is called. */
  stream: StreamState;
  /** Changes that wait to be sent. */
  unsent: number;
  busy: boolean;
  /** Why sending or asking failed last; it is tried again. */
  problem: Problem | null;
}

export interface ClientEvents {
  /** `favourites.list` is another one. */
  favourites: void;
  status: Status;
  /** Who is signed in: found out, changed, or signed out. Undefined while the server has not said. */
  account: Account | null | undefined;
  /** An edit was refused, replaced another device's, or was replaced by one. */
  edit: EditEvent;
  /** New forecasts of these favourites can be fetched. */
  forecast: StreamEvents['forecast'];
  /**
   * The device's storage was emptied from outside while the app was open: the user cleared the site's data. What this
   * tab knew is kept again, with so many unsent changes.
   */
  rescued: { unsent: number };
  /**
   * An account has left this device before so many of its changes were sent: made in another tab while this one signed
   * in or out, say. They stay on the device and are sent after the next sign-in to that account. Those of an
   * anonymous account are not told: `adopt` brings them along with the rest.
   */
  left: { unsent: number };
  /** The session ended elsewhere. `account` is null by then, and of the account's copy only unsent changes are still on this device. */
  ended: void;
}

/** Everything an app needs of one server. */
export class Client {
  readonly http: Http;
  readonly accounts: Accounts;
  readonly favourites: Favourites;
  readonly forecasts: Forecasts;
  readonly places: Places;
  readonly #events = new Emitter<ClientEvents>();
  readonly #env: Environment;
  readonly #storage: Storage;
  readonly #session: Session;
  readonly #origin: string;
  readonly #carrier: Carrier;
  readonly #streaming: boolean;
  readonly #stopping = new AbortController();
  #live: Live | null = null;
  #reached = true;
  #list: unknown = null;
  /** The copy of the anonymous account that was just left, where it had changes that were never sent. */
  #late: Copy | null = null;

  constructor(options: ClientOptions = {}) {
    this.#env = { ...surroundings(), ...options.environment };
    this.#storage = options.storage ?? (inBrowser() ? browserStorage() : memoryStorage());
    const here = inBrowser() ? location.origin : '';
    const baseUrl = options.baseUrl ?? here;
    this.#origin = baseUrl === '' ? 'local' : new URL(baseUrl).origin;
    const auth = options.auth ?? (inBrowser() && this.#origin === here ? 'cookie' : 'bearer');
    this.#carrier = options.stream ?? (auth === 'cookie' && this.#env.EventSource ? 'cookie' : 'fetch');
    this.#streaming = options.live ?? true;

    this.http = new Http(baseUrl, this.#env);
    this.#session =
      auth === 'cookie'
        ? new CookieSession(this.#origin, this.#env, this.#storage)
        : new BearerSession(this.#origin, this.#env, this.#storage, this.http);
    this.http.signAs(this.#session);
    this.favourites = new Favourites(() => this.#live?.sync ?? null, this.#env);
    this.forecasts = new Forecasts(this.http, async (id) => this.#live?.sync.deliver(id));
    this.places = new Places(this.http);
    this.accounts = new Accounts({
      http: this.http,
      session: this.#session,
      env: this.#env,
      origin: this.#origin,
      flush: async () => this.#live?.sync.exchange({ pull: false }),
      pause: () => this.#live?.pause(),
      unsent: async () => (await this.#live?.sync.load(), this.status.unsent),
      open: () => this.accountId,
      enter: (id, stays) => this.#enter(id, true, stays),
      changed: (account) => this.#events.emit('account', account),
      ended: () => this.#events.emit('ended', undefined),
      adopted: async () => {
        await this.sync();
        if (this.#late) await this.favourites.carry(this.#late);
      },
    });
    this.#storage.onCleared?.(() => this.#rescue());
    this.http.events.on('reached', (reached) => this.#hasReached(reached));
  }

  /**
   * Shows what this device knows of who was here last, without the network; then, behind, asks the server and begins
   * to listen. Resolves after the first half, so that an app can paint at once.
   */
  async start(): Promise<void> {
    const id = await this.#session.account();
    if (id !== null) await this.#enter(id, false);
    this.#watch();
    this.accounts.begin();
  }

  /** Sends what waits and asks what changed. Resolves when that is done or has failed; see `status`. */
  async sync(): Promise<void> {
    await this.#live?.sync.exchange({ pull: true });
  }

  /** Opens the stream again after it was replaced, or without the rest of a pause. */
  resume(): void {
    this.#live?.resume();
  }

  /** Closes everything. What the device knows stays for the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.accounts.stop();
    await this.#live?.close('all');
    this.#live = null;
  }

  /** The account whose copy is open: known from the device alone, before the server has said who is here. */
  get accountId(): string | null {
    return this.#live?.account ?? null;
  }

  get status(): Status {
    const progress = this.#live?.sync.progress ?? { unsent: 0, busy: false, problem: null };
    return { online: this.#env.online(), reached: this.#reached, stream: this.#live?.stream ?? 'closed', ...progress };
  }

  /** Listens until the returned function is called. */
  on<K extends keyof ClientEvents>(name: K, listener: (event: ClientEvents[K]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** The account of this device is another one, or none; `confirmed` when the server has said so. */
  async #enter(id: string | null, confirmed: boolean, stays: 'unsent' | 'nothing' = 'unsent'): Promise<void> {
    if (this.#live?.account !== id) {
      const old = this.#live;
      // The stream of the old account ends before anything of the new one is read.
      this.#live = null;
      const left = (await old?.close(stays)) ?? null;
      this.#late = this.accounts.current?.kind === 'anonymous' ? left : null;
      if (id !== null) {
        const key = `${this.#origin}|${id}`;
        const { http, env, session, storage } = { http: this.http, env: this.#env, session: this.#session, storage: this.#storage };
        const live = new Live({ http, env, session, storage, key, account: id, carrier: this.#carrier, streaming: this.#streaming });
        live.events.on('changed', () => this.#changed());
        live.events.on('edit', (event) => this.#events.emit('edit', event));
        live.events.on('forecast', (hint) => this.#events.emit('forecast', hint));
        live.events.on('rescued', (event) => this.#events.emit('rescued', event));
        live.events.on('session', () => void this.accounts.ask());
        this.#live = live;
        await live.open();
      }
      this.#changed();
      if (left && !this.#late) this.#events.emit('left', { unsent: unsent(left) });
    }
    if (confirmed && id !== null) void this.#live?.begin();
  }

  /** Keeps again at once what is known of the account, before anybody reads that there is nothing. */
  #rescue(): void {
    const live = this.#live;
    if (!live || this.#stopping.signal.aborted) return;
    const kept = Promise.all([live.sync.rescue(), this.#session.rescue(live.account)]);
    // What could not be kept is tried again, and then the failure shows in the status.
    void kept.catch(() => live.sync.exchange({ pull: true })).then(() => this.accounts.rescue());
  }

  #changed(): void {
    const list = this.favourites.list;
    if (list !== this.#list) {
      this.#list = list;
      this.#events.emit('favourites', undefined);
    }
    this.#events.emit('status', this.status);
  }

  #hasReached(reached: boolean): void {
    if (reached === this.#reached) return;
    this.#reached = reached;
    this.#events.emit('status', this.status);
  }

  /** A page is told when its network or its user comes and goes. */
  #watch(): void {
    if (!inBrowser()) return;
    const { signal } = this.#stopping;
    const back = (): void => {
      this.accounts.begin();
      this.#live?.wake();
      this.#events.emit('status', this.status);
    };
    addEventListener('online', back, { signal });
    // A page that comes from the browser's back and forward cache has lost its connections.
    addEventListener('pageshow', ({ persisted }) => persisted && back(), { signal });
    addEventListener('offline', () => (this.#live?.rest(), this.#events.emit('status', this.status)), { signal });
    document.addEventListener('visibilitychange', () => this.#env.visible() && void this.sync(), { signal });
  }
}

/** The client of one server. Nothing happens before `start`. */
export function createClient(options: ClientOptions = {}): Client {
  return new Client(options);
}
