import { Backoff } from './backoff.ts';
import { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';
import { accountChanged, isAbort, Problem } from './problem.ts';

/** Who a request is from. */
export interface Credential {
  readonly credentials: RequestCredentials;
  /** The headers that say so; may have to renew a token first. Fails when that is not `account`, where one is named. */
  headers(account?: string): Promise<Record<string, string>>;
  /** Whether requests are certainly from this account. */
  holds(account: string): Promise<boolean>;
  /** The server refused them (401). True when the request is worth repeating with `headers` asked anew. */
  refused(problem: Problem, sent: Record<string, string>): Promise<boolean>;
}

export interface CallOptions {
  body?: unknown;
  contentType?: string;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Makes an unsafe call repeatable: within 24 hours the server does it once. */
  idempotencyKey?: string;
  /** How often to try; calls that could act twice are tried once whatever this says. */
  tries?: number;
  /** Whose call it is: it is not sent, and its answer is not believed, unless requests are from this account. */
  account?: string;
  /** Tells the server's own answers. Others are a proxy's, whatever their status. */
  isOurs?: (body: unknown) => boolean;
  /** False for calls that nobody has to sign in for. */
  signed?: boolean;
}

/** What every request tells beside its answer. */
export interface HttpEvents {
  /** The server answered, or it did not. */
  reached: boolean;
}

/** The server promises the head of its answer within 30 seconds. */
const TIMEOUT_MS = 35_000;
const TRIES = 3;

/** Sends requests to one server: credentials, time limits, repeats that cannot act twice, problems as errors. */
export class Http {
  readonly events = new Emitter<HttpEvents>();
  readonly baseUrl: string;
  readonly #env: Environment;
  #credential: Credential | null = null;
  /** How far the server's clock is ahead of this device's. */
  #ahead = 0;

  constructor(baseUrl: string, env: Environment) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
    this.#env = env;
  }

  /** Whom the requests are from. The session itself sends requests, so it comes after. */
  signAs(credential: Credential): void {
    this.#credential = credential;
  }

  /** Milliseconds since 1970 by the server's clock, as far as one of its answers has told it; else by the device's. */
  now(): number {
    return this.#env.now() + this.#ahead;
  }

  /** Sends one request and gives its JSON body, or null for an answer without one. Everything else is a `Problem`. */
  async call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const repeatable = method === 'GET' || method === 'HEAD' || options.idempotencyKey !== undefined;
    const tries = repeatable ? (options.tries ?? TRIES) : 1;
    const backoff = new Backoff(this.#env, 400, 4_000);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once<T>(method, path, options);
      } catch (error) {
        const worthIt = error instanceof Problem && isWorthRepeating(error) && this.#env.online();
        if (attempt >= tries || !worthIt) throw error;
        await this.#env.wait(backoff.next((error.retryAfter ?? 0) * 1000), options.signal);
        options.signal?.throwIfAborted();
      }
    }
  }

  /** Opens an answer whose body comes piece by piece. It has no time limit but the signal. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    return this.#signed('GET', path, { signal, timeoutMs: 0 }, headers);
  }

  async #once<T>(method: string, path: string, options: CallOptions): Promise<T> {
    const answer = await this.#signed(method, path, options, { accept: 'application/json' });
    let text: string;
    try {
      text = await answer.text();
    } catch (error) {
      throw this.#unreached(error, options.signal);
    }
    const { account, isOurs } = options;
    if (account !== undefined && !(await this.#credential?.holds(account))) throw accountChanged();
    const body = parsed(text);
    if (body !== undefined && (!isOurs || isOurs(body))) {
      // Only an answer that is certainly the server's, and that no cache has kept, tells the time.
      if (isOurs) this.#ahead = Date.parse(answer.headers.get('date') ?? '') - this.#env.now() || 0;
      return body as T;
    }
    this.events.emit('reached', false);
    throw new Problem({ code: 'unexpected', status: answer.status });
  }

  async #signed(method: string, path: string, options: CallOptions, headers: Record<string, string>): Promise<Response> {
    const credential = options.signed === false ? null : this.#credential;
    let sent = (await credential?.headers(options.account)) ?? {};
    let answer = await this.#send(method, path, options, { ...headers, ...sent });
    if (answer.ok) return answer;
    let problem = await Problem.of(answer);
    if (answer.status === 401 && credential && (await credential.refused(problem, sent))) {
      sent = await credential.headers(options.account);
      answer = await this.#send(method, path, options, { ...headers, ...sent });
      if (answer.ok) return answer;
      problem = await Problem.of(answer);
      if (answer.status === 401) await credential.refused(problem, sent);
    }
    throw problem;
  }

  async #send(method: string, path: string, options: CallOptions, given: Record<string, string>): Promise<Response> {
    // Called off while a token was renewed, say.
    options.signal?.throwIfAborted();
    const headers = new Headers(given);
    if (options.body !== undefined) headers.set('content-type', options.contentType ?? 'application/json');
    if (options.idempotencyKey !== undefined) headers.set('idempotency-key', options.idempotencyKey);
    const signals = [options.signal, timeLimit(options.timeoutMs ?? TIMEOUT_MS)].filter((one) => one !== undefined);
    const init: RequestInit = { method, headers, credentials: this.#credential?.credentials ?? 'omit', cache: 'no-store' };
    if (options.body !== undefined) init.body = JSON.stringify(options.body);
    if (signals.length > 0) init.signal = AbortSignal.any(signals);
    if (isCacheable(method, path)) delete init.cache;
    let answer: Response;
    try {
      answer = await this.#env.fetch(this.baseUrl + path + queryOf(options.query), init);
    } catch (error) {
      throw this.#unreached(error, options.signal);
    }
    // Our own 503 is an answer; without our body it comes from a proxy, and the server may be away.
    this.events.emit('reached', answer.ok || isProblem(answer));
    return answer;
  }

  #unreached(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted && isAbort(error)) return error;
    this.events.emit('reached', false);
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    return new Problem({ code: late ? 'timeout' : 'unreachable' }, null, error);
  }
}

/** Answers that a short pause may change. A forecast that is on its way or a spent budget is the caller's to wait for. */
function isWorthRepeating(problem: Problem): boolean {
  return problem.unreached || ['store_unavailable', 'outcome_unknown', 'timeout', 'rate_limited'].includes(problem.code);
}

/** Places and weather codes are the same for everybody and may come from the browser's cache. */
function isCacheable(method: string, path: string): boolean {
  return method === 'GET' && (path.startsWith('/v1/places') || path.startsWith('/v1/weather-codes'));
}

function isProblem(answer: Response): boolean {
  return answer.headers.get('content-type')?.includes('problem+json') ?? false;
}

/** The JSON of a body, null where there is none, undefined where it is something else. */
function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function timeLimit(ms: number): AbortSignal | undefined {
  return ms > 0 ? AbortSignal.timeout(ms) : undefined;
}

function queryOf(query: CallOptions['query']): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}
