import { type Copy, outboxOf } from './copy.ts';
import { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';
import type { Http } from './http.ts';
import type { EditEvent } from './queue.ts';
import type { Session } from './session.ts';
import type { Storage } from './store/storage.ts';
import { type Carrier, Stream, type StreamEvents, type StreamState } from './stream.ts';
import { Sync } from './sync.ts';
import { Tabs } from './tabs.ts';

/** What the tabs of one account tell each other. */
type Message =
  | { t: 'wrote' }
  | { t: 'stream'; state: StreamState }
  | { t: 'ask' }
  | { t: 'edit'; event: EditEvent }
  | { t: 'forecast'; hint: StreamEvents['forecast'] };

export interface LiveEvents {
  /** List, progress or stream changed. */
  changed: void;
  edit: EditEvent;
  forecast: StreamEvents['forecast'];
  rescued: { unsent: number };
  /** The session is over or another one; it is worth asking who is signed in. */
  session: { state: string };
}

/** Without news for so long a stream is checked: an EventSource cannot see that its connection is dead. */
const CHECK_MS = 120_000;

export interface LiveParts {
  http: Http;
  session: Session;
  storage: Storage;
  env: Environment;
  /** Names the copy: the server and the account. */
  key: string;
  account: string;
  carrier: Carrier;
  /** False for a client that only wants to send and ask when told. */
  streaming: boolean;
}

/** One account on this device: its copy, and the one stream that all tabs share. */
export class Live {
  readonly events = new Emitter<LiveEvents>();
  readonly sync: Sync;
  readonly account: string;
  readonly #stream: Stream;
  readonly #tabs: Tabs<Message>;
  readonly #parts: LiveParts;
  readonly #closing = new AbortController();
  #begun = false;
  #paused = false;
  /** What the tab that leads says of its stream. */
  #told: StreamState = 'closed';
  /** Deltas are taken one after the other, in the order of the stream. */
  #taking: Promise<void> = Promise.resolve();

  constructor(parts: LiveParts) {
    this.#parts = parts;
    this.account = parts.account;
    this.sync = new Sync(parts);
    this.#stream = new Stream({ ...parts, cursor: () => this.sync.cursor });
    this.#tabs = new Tabs(parts.env, parts.key);
    this.#listen();
  }

  get stream(): StreamState {
    return this.#tabs.leads ? this.#stream.state : this.#told;
  }

  /** Shows what the device knows. Nothing is sent. */
  async open(): Promise<void> {
    await this.sync.load();
  }

  /**
   * Begins to send and to listen, once the server has said that this is the account. Called again when its session is
   * another one: a stream of the old session is about to end, and would only come back after a pause.
   */
  async begin(): Promise<void> {
    const exchanged = this.sync.begin();
    this.#paused = false;
    if (this.#begun) return this.wake();
    this.#begun = true;
    await exchanged;
    if (!this.#parts.streaming || this.#closing.signal.aborted) return;
    this.#tabs.say({ t: 'ask' });
    this.#tabs.stand();
    void this.#check();
  }

  /** Sends and hears nothing until `begin`: the device may be about to have another account. */
  pause(): void {
    this.#paused = true;
    this.#stream.stop();
    this.sync.pause();
  }

  /** The user or the network is back: asks what changed, and does not trust an old connection. */
  wake(): void {
    if (this.#paused) return;
    void this.sync.exchange({ pull: true });
    if (!this.#tabs.leads) return;
    if (this.#stream.state === 'closed') this.#stream.start();
    else this.#stream.restart();
  }

  /** The network is gone: an open stream would only notice later. */
  rest(): void {
    this.#stream.stop();
  }

  /** Opens the stream again after the server replaced it by another device's. */
  resume(): void {
    if (this.#paused) return;
    void this.sync.exchange({ pull: true });
    if (this.#tabs.leads) this.#stream.start();
  }

  /**
   * Stops everything, the stream first. Says what of the account stays on the device; gives the copy as it was where
   * that holds changes that were never sent.
   */
  async close(stays: 'all' | 'unsent' | 'nothing'): Promise<Copy | null> {
    this.#closing.abort();
    this.#stream.stop();
    this.sync.stop();
    this.#tabs.close();
    const { storage, key } = this.#parts;
    if (stays === 'all') return null;
    // Decided on what is there now: until this moment another tab may have added to it.
    const outbox = (value: unknown): Copy | undefined => (stays === 'unsent' ? outboxOf(value) : undefined);
    return storage.update(key, (value) => [outbox(value), outbox(value) ? (value as Copy) : null], true);
  }

  #listen(): void {
    const { sync, events } = this;
    sync.events.on('changed', () => events.emit('changed', undefined));
    sync.events.on('rescued', (event) => events.emit('rescued', event));
    sync.events.on('wrote', () => this.#tabs.say({ t: 'wrote' }));
    sync.events.on('edit', (event) => {
      events.emit('edit', event);
      this.#tabs.say({ t: 'edit', event });
    });

    const stream = this.#stream.events;
    stream.on('state', (state) => {
      this.#tabs.say({ t: 'stream', state });
      events.emit('changed', undefined);
    });
    stream.on('changes', (delta) => this.#take(() => sync.take(delta)));
    stream.on('reset', () => this.#take(() => sync.reset()));
    // A stream that begins elsewhere than here has a gap before it.
    stream.on('hello', ({ cursor }) => {
      if (cursor !== sync.cursor) this.#take(() => sync.exchange({ pull: true }));
    });
    stream.on('forecast', (hint) => {
      events.emit('forecast', hint);
      this.#tabs.say({ t: 'forecast', hint });
    });
    stream.on('session', (told) => {
      // The token ends soon: the next connection takes a new one.
      if (told.state === 'expiring') this.#stream.restart();
      else events.emit('session', told);
    });

    sync.events.on('exchanged', (problem) => {
      if (problem?.code === 'account_changed') events.emit('session', { state: 'changed' });
    });

    this.#tabs.events.on('lead', () => {
      if (!this.#paused) this.#stream.start();
      events.emit('changed', undefined);
    });
    this.#tabs.events.on('message', (message) => this.#heard(message));
  }

  #heard(message: Message): void {
    if (message.t === 'wrote') this.#take(() => this.sync.load());
    else if (message.t === 'edit') this.events.emit('edit', message.event);
    else if (message.t === 'forecast') this.events.emit('forecast', message.hint);
    else if (message.t === 'ask' && this.#tabs.leads) this.#tabs.say({ t: 'stream', state: this.#stream.state });
    else if (message.t === 'stream') {
      this.#told = message.state;
      this.events.emit('changed', undefined);
    }
  }

  #take(work: () => Promise<void>): void {
    const { signal } = this.#closing;
    // What could not be kept is asked for again, and then the failure shows in the progress.
    const again = (): void => void this.sync.exchange({ pull: true });
    this.#taking = this.#taking.then(() => (signal.aborted ? undefined : work())).catch(again);
  }

  async #check(): Promise<void> {
    const { env } = this.#parts;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await env.wait(CHECK_MS, signal);
      if (signal.aborted || !this.#tabs.leads || !env.visible()) continue;
      const { cursor } = this.sync;
      const claimed = this.#stream.state === 'open';
      await this.sync.exchange({ pull: true });
      if (claimed && !signal.aborted && this.sync.cursor !== cursor) this.#stream.restart();
    }
  }
}
