import { Backoff } from './backoff.ts';
import { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';
import type { Credential, Http } from './http.ts';
import { accountChanged, Problem } from './problem.ts';
import { isTokens } from './shapes.ts';
import { read, type Storage, write } from './store/storage.ts';
import type { Tokens } from './types.ts';

/** Who is signed in here, as the storage keeps it. */
interface Kept {
  account: string;
  /** Null where a cookie is the credential. */
  tokens: KeptTokens | null;
  /** A sign-in or sign-out is under way: the cookie may be another account's already. */
  doubted?: boolean;
}

interface KeptTokens {
  access: string;
  refresh: string;
  /** By this device's clock, counted from when the answer came: so a wrong clock does no harm. */
  end: number;
}

export interface SessionEvents {
  /** The server does not know the session any more. */
  ended: Problem;
}

/** A token is renewed when it has less than this left: more than the minute before its end at which a stream asks for another. */
const MARGIN_MS = 90_000;
/** How often one call tries to renew; the refresh token survives all failures but a refusal. */
const TRIES = 4;
/** A tab that hangs must not keep all others from trying again. */
const LOCK_MS = 10_000;

/** Who the requests of this device are from. */
export interface Session extends Credential {
  readonly events: Emitter<SessionEvents>;
  /** The account that was signed in here last, from the storage. */
  account(): Promise<string | null>;
  /** Keeps what a sign-in answered (null where it set a cookie), for an account. */
  keep(tokens: Tokens | null, account: string): Promise<void>;
  /** Forgets the session on this device. */
  forget(): Promise<void>;
  /** Keeps again who was here, after the storage was emptied; whether that still holds the server has to say. */
  rescue(account: string): Promise<void>;
  /** From now on it is not certain whose the requests are, until `keep` says it or `trust` that nothing changed. */
  doubt(): Promise<void>;
  trust(): Promise<void>;
  /** Runs `work` while no other tab signs in or out. */
  steady<T>(work: () => Promise<T>): Promise<T>;
  /** Runs `work`, which signs in or out, while no other tab does and none sends changes. */
  changing<T>(work: () => Promise<T>): Promise<T>;
}

/** What cookies and tokens have in common. */
abstract class Kind {
  readonly events = new Emitter<SessionEvents>();
  protected readonly key: string;
  protected readonly env: Environment;
  protected readonly storage: Storage;

  constructor(origin: string, env: Environment, storage: Storage) {
    this.key = `${origin}|session`;
    this.env = env;
    this.storage = storage;
  }

  async account(): Promise<string | null> {
    return (await this.kept())?.account ?? null;
  }

  async forget(): Promise<void> {
    await write(this.storage, this.key, undefined);
  }

  async holds(account: string): Promise<boolean> {
    const kept = await this.kept();
    return kept?.account === account && kept.doubted !== true;
  }

  async rescue(_: string): Promise<void> {
    // Tokens were only in the storage.
  }

  async doubt(): Promise<void> {
    // Tokens say themselves whose they are.
  }

  async trust(): Promise<void> {
    // As they were.
  }

  steady<T>(work: () => Promise<T>): Promise<T> {
    return this.#locked('shared', work);
  }

  changing<T>(work: () => Promise<T>): Promise<T> {
    return this.#locked('exclusive', work);
  }

  protected async kept(): Promise<Kept | null> {
    return keptFrom(await read(this.storage, this.key));
  }

  /** Nobody waits for ever, and nobody goes ahead without the lock: requests would be from the wrong account. */
  async #locked<T>(mode: LockMode, work: () => Promise<T>): Promise<T> {
    const { locks } = this.env;
    if (!locks) return work();
    const late = new AbortController();
    const granted = new AbortController();
    void this.env.wait(LOCK_MS, granted.signal).then(() => late.abort());
    const run = (): Promise<T> => {
      granted.abort();
      return work();
    };
    try {
      return (await locks.request(`fairweather|${this.key}`, { mode, signal: late.signal }, run)) as T;
    } catch (error) {
      if (granted.signal.aborted) throw error;
      throw new Problem({ code: 'busy', title: 'another tab of this browser is busy with the session' }, null, error);
    }
  }
}

/** The page is on the server's own origin: the browser holds a cookie that no script can read. */
export class CookieSession extends Kind implements Session {
  readonly credentials = 'same-origin';

  async headers(account?: string): Promise<Record<string, string>> {
    if (account !== undefined && !(await this.holds(account))) throw accountChanged();
    return { 'x-fairweather-client': 'web' };
  }

  async refused(problem: Problem): Promise<boolean> {
    if (problem.ended) this.events.emit('ended', problem);
    return false;
  }

  override rescue(account: string): Promise<void> {
    const doubted: Kept = { account, tokens: null, doubted: true };
    return this.storage.update(this.key, (kept) => [kept ?? doubted, undefined], true);
  }

  override doubt(): Promise<void> {
    return this.#mark(true);
  }

  override trust(): Promise<void> {
    return this.#mark(false);
  }

  async #mark(doubted: boolean): Promise<void> {
    const kept = await this.kept();
    if (kept) await write(this.storage, this.key, { ...kept, doubted } satisfies Kept);
  }

  async keep(_: Tokens | null, account: string): Promise<void> {
    await write(this.storage, this.key, { account, tokens: null } satisfies Kept);
  }
}

/** Everywhere else: an access token that lives for minutes, and a refresh token that is exchanged for the next pair. */
export class BearerSession extends Kind implements Session {
  readonly credentials = 'omit';
  readonly #http: Http;
  /** One exchange at a time; everybody waits for the same one. */
  #renewing: Promise<KeptTokens | null> | null = null;

  constructor(origin: string, env: Environment, storage: Storage, http: Http) {
    super(origin, env, storage);
    this.#http = http;
  }

  async headers(account?: string): Promise<Record<string, string>> {
    const kept = await this.kept();
    if (account !== undefined && kept?.account !== account) throw accountChanged();
    let tokens = kept?.tokens ?? null;
    if (tokens && tokens.end - this.env.now() < MARGIN_MS) {
      const old = tokens;
      // Near its end a token still works: a failure to renew it is not yet a failure of the call.
      tokens = await this.#renew(old).catch((error: unknown) => {
        if (old.end > this.env.now()) return old;
        throw error;
      });
    }
    return tokens ? { authorization: `Bearer ${tokens.access}` } : {};
  }

  async refused(problem: Problem, sent: Record<string, string>): Promise<boolean> {
    const tokens = (await this.kept())?.tokens ?? null;
    if (!tokens || sent['authorization'] === undefined) return false;
    // Somebody has renewed it since.
    if (sent['authorization'] !== `Bearer ${tokens.access}`) return true;
    if (problem.code === 'token_expired' || problem.code === 'invalid_token') return (await this.#renew(tokens)) !== null;
    if (problem.ended) await this.#end(problem);
    return false;
  }

  async keep(tokens: Tokens | null, account: string): Promise<void> {
    if (tokens) await write(this.storage, this.key, this.#kept(tokens) satisfies Kept);
    else if ((await this.account()) !== account) await this.forget();
  }

  /** Exchanges the refresh token, unless somebody did since `old` was read. Null when the session is over. */
  #renew(old: KeptTokens): Promise<KeptTokens | null> {
    this.#renewing ??= this.#exclusively(() => this.#exchange(old)).finally(() => (this.#renewing = null));
    return this.#renewing;
  }

  async #exchange(old: KeptTokens): Promise<KeptTokens | null> {
    const backoff = new Backoff(this.env, 500, 8_000);
    for (let attempt = 1; ; attempt += 1) {
      const current = (await this.kept())?.tokens ?? null;
      if (!current || current.access !== old.access) return current;
      try {
        const body = { refresh_token: current.refresh };
        const answer = await this.#http.call<Tokens>('POST', '/v1/auth/refresh', { body, signed: false, isOurs: isTokens });
        const next = this.#kept(answer);
        // Kept before it is used: from the first use on the server forgets the old pair.
        await write(this.storage, this.key, next);
        return next.tokens;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.ended) {
          await this.#end(error);
          return null;
        }
        // The answer may be lost while the server has made the exchange. The same token gives the same successor.
        if (attempt >= TRIES || !error.passing) throw error;
        await this.env.wait(backoff.next((error.retryAfter ?? 0) * 1000));
      }
    }
  }

  /** Across tabs too, where the browser can. Two exchanges side by side do no harm either, for 30 seconds. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const { locks } = this.env;
    return locks ? ((await locks.request(`fairweather|${this.key}|refresh`, work)) as T) : work();
  }

  #kept(tokens: Tokens): { account: string; tokens: KeptTokens } {
    const end = this.env.now() + tokens.expires_in * 1000;
    return { account: tokens.account_id, tokens: { access: tokens.access_token, refresh: tokens.refresh_token, end } };
  }

  async #end(problem: Problem): Promise<void> {
    await this.forget();
    this.events.emit('ended', problem);
  }
}

function keptFrom(value: unknown): Kept | null {
  const kept = value as Kept | undefined;
  return typeof kept === 'object' && kept !== null && typeof kept.account === 'string' ? kept : null;
}
