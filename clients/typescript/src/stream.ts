import { Backoff } from './backoff.ts';
import { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';
import type { Http } from './http.ts';
import { isAbort, Problem } from './problem.ts';
import { serverEvents } from './sse.ts';
import type { Delta } from './types.ts';

/** How the stream is carried, and what says who asks for it. */
export type Carrier =
  /** An EventSource on the server's own origin: the cookie. */
  | 'cookie'
  /** An EventSource from elsewhere: a ticket that is good for one connection. */
  | 'ticket'
  /** A fetch whose body is read as it comes: the headers. */
  | 'fetch';

/** `replaced` is final until the app calls `start` again: the account has more streams than it may. */
export type StreamState = 'closed' | 'opening' | 'open' | 'waiting' | 'replaced';

export interface StreamEvents {
  state: StreamState;
  /** The stream is open and continues from this cursor. */
  hello: { cursor: string };
  changes: Delta;
  /** The server cannot tell what happened since the local cursor. */
  reset: { reason: string };
  /** New forecasts of these favourites are there to be fetched. */
  forecast: { favourites: string[]; issued_at: string };
  alert: unknown;
  /** The session has ended or is about to. */
  session: { state: string };
}

/** The names of the server's events, which an EventSource must know beforehand. */
const NAMES = ['hello', 'changes', 'reset', 'forecast', 'alert', 'session'] as const;
/** Heartbeats come every 20 seconds unless `hello` says otherwise; two that fail mean a dead connection. */
const HEARTBEAT_S = 20;

interface Connection {
  close(): void;
}

/** One open stream of the account's changes, for as long as it is wanted: opened again whenever it ends. */
export class Stream {
  readonly events = new Emitter<StreamEvents>();
  readonly #http: Http;
  readonly #env: Environment;
  readonly #carrier: Carrier;
  readonly #cursor: () => string | null;
  readonly #backoff: Backoff;

  #state: StreamState = 'closed';
  #connection: Connection | null = null;
  #pause: AbortController | null = null;
  /** Every try has a number, so that what an old one still says is not heard. */
  #turn = 0;
  #retryMs = 0;

  constructor(parts: { http: Http; env: Environment; carrier: Carrier; cursor: () => string | null }) {
    this.#http = parts.http;
    this.#env = parts.env;
    this.#carrier = parts.carrier;
    this.#cursor = parts.cursor;
    this.#backoff = new Backoff(parts.env, 1_000, 60_000);
  }

  get state(): StreamState {
    return this.#state;
  }

  /** Opens the stream unless it is open, without the rest of a pause. */
  start(): void {
    if (this.#state === 'open' || this.#state === 'opening') return;
    this.#backoff.reset();
    void this.#open();
  }

  /** Opens it anew: for a connection that may be dead, as after a change of network. */
  restart(): void {
    if (this.#state === 'closed' || this.#state === 'replaced') return;
    this.#drop();
    this.#backoff.reset();
    void this.#open();
  }

  stop(): void {
    this.#drop();
    this.#become('closed');
  }

  #become(state: StreamState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.events.emit('state', state);
  }

  #drop(): void {
    this.#turn += 1;
    this.#connection?.close();
    this.#connection = null;
    this.#pause?.abort();
    this.#pause = null;
  }

  async #open(): Promise<void> {
    this.#drop();
    const turn = this.#turn;
    this.#become('opening');
    try {
      const connection = this.#carrier === 'fetch' ? this.#fetch(turn) : await this.#eventSource(turn);
      if (turn === this.#turn) this.#connection = connection;
      else connection.close();
    } catch (error) {
      if (turn === this.#turn) void this.#lost(turn, error);
    }
  }

  /** The connection is gone and does not come back by itself. */
  async #lost(turn: number, error: unknown): Promise<void> {
    if (turn !== this.#turn) return;
    this.#drop();
    const current = this.#turn;
    this.#become('waiting');
    const problem = error instanceof Problem ? error : null;
    const named = Math.max(this.#retryMs, (problem?.retryAfter ?? 0) * 1000);
    this.#retryMs = 0;
    this.#pause = new AbortController();
    await this.#env.wait(this.#backoff.next(named), this.#pause.signal);
    if (current !== this.#turn) return;
    if (this.#carrier !== 'fetch' && !(await this.#known())) return;
    if (current === this.#turn) void this.#open();
  }

  /**
   * An EventSource does not say why it failed. An ended session is the one reason for which opening it again is in
   * vain, and `/v1/me` tells; whoever hears the end of the session stops this stream.
   */
  async #known(): Promise<boolean> {
    const turn = this.#turn;
    try {
      await this.#http.call('GET', '/v1/me', { tries: 1 });
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (!error.ended) return true;
      if (turn === this.#turn) this.#end('closed', { state: 'revoked' });
      return false;
    }
  }

  #end(state: 'closed' | 'replaced', told: { state: string }): void {
    this.#drop();
    this.#become(state);
    this.events.emit('session', told);
  }

  #hear(turn: number, name: string, data: string): void {
    if (turn !== this.#turn) return;
    let content: never;
    try {
      content = JSON.parse(data) as never;
    } catch {
      return;
    }
    if (name === 'hello') {
      this.#backoff.reset();
      this.#become('open');
      this.events.emit('hello', content);
    } else if (name === 'session') {
      const told: { state: string } = content;
      // After `expired` and `revoked` the next try finds out from the server whether there is a session still.
      if (told.state === 'replaced') this.#end('replaced', told);
      else this.events.emit('session', told);
    } else if ((NAMES as readonly string[]).includes(name)) {
      this.events.emit(name as keyof StreamEvents, content);
    }
  }

  #path(parameters: Record<string, string | null>): string {
    const given = Object.entries(parameters).filter((one): one is [string, string] => one[1] !== null);
    return given.length === 0 ? '/v1/stream' : `/v1/stream?${new URLSearchParams(given)}`;
  }

  async #eventSource(turn: number): Promise<Connection> {
    const { EventSource } = this.#env;
    if (!EventSource) throw new Problem({ code: 'unsupported', detail: 'there is no EventSource here' });
    let ticket: string | null = null;
    if (this.#carrier === 'ticket') {
      ticket = (await this.#http.call<{ ticket: string }>('POST', '/v1/stream/ticket')).ticket;
    }
    const source = new EventSource(this.#http.baseUrl + this.#path({ cursor: this.#cursor(), ticket }));
    for (const name of NAMES) source.addEventListener(name, (event) => this.#hear(turn, name, String(event.data)));
    source.onerror = () => {
      // The browser opens it again by itself, after the pause that the server named, from the last id; but a ticket
      // opens one connection only.
      if (turn === this.#turn && source.readyState === EventSource.CONNECTING && ticket === null) this.#become('opening');
      else void this.#lost(turn, null);
    };
    return source;
  }

  #fetch(turn: number): Connection {
    const abort = new AbortController();
    void this.#read(turn, abort).catch((error: unknown) => {
      if (!isAbort(error) || turn === this.#turn) void this.#lost(turn, error);
    });
    return { close: () => abort.abort() };
  }

  async #read(turn: number, abort: AbortController): Promise<void> {
    const path = this.#path({ cursor: this.#cursor() });
    const answer = await this.#http.open(path, { accept: 'text/event-stream' }, abort.signal);
    if (!answer.body) throw new Problem({ code: 'unsupported', detail: 'fetch cannot stream here' });
    let heartbeatS = HEARTBEAT_S;
    let watch = new AbortController();
    const alive = (): void => {
      watch.abort();
      watch = new AbortController();
      const { signal } = watch;
      void this.#env.wait(heartbeatS * 2_500, signal).then(() => {
        if (!signal.aborted) void this.#lost(turn, null);
      });
    };
    alive();
    try {
      for await (const { event, data } of serverEvents(answer.body, { retry: (ms) => (this.#retryMs = ms), alive })) {
        if (event === 'hello') heartbeatS = heartbeatOf(data);
        this.#hear(turn, event, data);
      }
    } finally {
      watch.abort();
    }
    void this.#lost(turn, null);
  }
}

function heartbeatOf(hello: string): number {
  try {
    const { heartbeat_s: seconds } = JSON.parse(hello) as { heartbeat_s?: number };
    return seconds !== undefined && seconds > 0 ? seconds : HEARTBEAT_S;
  } catch {
    return HEARTBEAT_S;
  }
}
