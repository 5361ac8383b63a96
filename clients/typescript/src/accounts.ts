import { Backoff } from './backoff.ts';
import type { Environment } from './environment.ts';
import type { Http } from './http.ts';
import { Problem } from './problem.ts';
import type { Session } from './session.ts';
import { Tabs } from './tabs.ts';
import type { Account, Preferences, Registration, Tokens } from './types.ts';

/** A sign-in that wants a second factor. */
export interface SecondFactor {
  mfa_required: true;
  challenge: string;
  factors: string[];
}

interface Parts {
  http: Http;
  session: Session;
  env: Environment;
  origin: string;
  /** Tries to send what waits, before the account goes. */
  flush: () => Promise<void>;
  /** Opens the copy of an account in place of the one before. */
  enter: (id: string | null, confirmed: boolean) => Promise<void>;
  changed: (account: Account | null | undefined) => void;
  ended: () => void;
}

/** Signing out waits so long for what is unsent. */
const FLUSH_MS = 3_000;

/** Who uses the app on this device. All tabs follow when one signs in or out. */
export class Accounts {
  readonly #parts: Parts;
  readonly #tabs: Tabs<'account'>;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  #account: Account | null | undefined;
  #asking: Promise<void> | null = null;
  #pause: AbortController | null = null;
  /** Counts sign-ins and sign-outs, so that an answer from before one of them is not believed after it. */
  #turn = 0;
  #changing: Promise<unknown> = Promise.resolve();
  /** What shows that an anonymous account was this device's, for the account that takes over its favourites. */
  #left: string | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.env, 2_000, 60_000);
    this.#tabs = new Tabs(parts.env, `${parts.origin}|accounts`);
    // An answer that is on its way may be from before the other tab's change.
    this.#tabs.events.on('message', () => void (this.#asking ?? Promise.resolve()).then(() => this.ask()));
    parts.session.events.on('ended', () => void this.ask());
  }

  /** Null where there is no account, undefined while the server has not said. */
  get current(): Account | null | undefined {
    return this.#account;
  }

  /** Asks the server who is here unless that is known, until it answers. */
  begin(): void {
    if (this.#account === undefined) void this.ask();
  }

  /** Asks the server who is here. When it does not answer, it is asked again later. */
  ask(): Promise<void> {
    this.#pause?.abort();
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  stop(): void {
    this.#stopping.abort();
    this.#pause?.abort();
    this.#tabs.close();
  }

  /** A real account without personal data. Make it at the first thing that the user wants to keep. */
  anonymous(): Promise<Account> {
    return this.#signIn(() => this.#parts.http.call('POST', '/v1/auth/anonymous', { body: {} }));
  }

  /** Sends a code by mail. From an anonymous account the registration keeps its favourites. */
  register(email: string, password: string): Promise<Registration> {
    return this.#parts.http.call('POST', '/v1/auth/register', { body: { email, password } });
  }

  /** Completes a registration with the mailed code. */
  confirm(registration: string, code: string): Promise<Account> {
    const body = { registration, code };
    return this.#signIn(() => this.#parts.http.call('POST', '/v1/auth/register/confirm', { body }));
  }

  async login(email: string, password: string): Promise<Account | SecondFactor> {
    const { http, session } = this.#parts;
    await this.#flush();
    const headers = this.#account?.kind === 'anonymous' ? await session.headers() : {};
    let second: SecondFactor | null = null;
    const account = await this.#signIn(async () => {
      const answer = await http.call<Tokens | SecondFactor | null>('POST', '/v1/auth/login', { body: { email, password } });
      if (answer && 'mfa_required' in answer) {
        second = answer;
        throw SECOND_FACTOR;
      }
      return answer;
    }).catch((error: unknown) => {
      if (error === SECOND_FACTOR && second) return second;
      throw error;
    });
    if (!second) this.#left = headers['authorization']?.replace('Bearer ', '') ?? null;
    return account;
  }

  /**
   * Takes over the favourites of the anonymous account that a sign-in on this device has just replaced. False when
   * there is none.
   */
  async adopt(): Promise<boolean> {
    const body = this.#left === null ? {} : { access_token: this.#left };
    try {
      await this.#parts.http.call('POST', '/v1/me/adopt', { body });
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return false;
      throw error;
    }
    this.#left = null;
    return true;
  }

  /**
   * Ends the session and removes the account's copy from this device. An anonymous account has no other way in: the
   * server refuses (`discard_required`) unless `discard` says that it shall be deleted.
   */
  async logout(discard = false): Promise<void> {
    const { http, session } = this.#parts;
    if (!discard) await this.#flush();
    const leave = async (): Promise<void> => {
      await http.call('POST', '/v1/auth/logout', { body: discard ? { discard: true } : {} });
      await this.#become(null);
    };
    await session.changing(() => this.#inTurn(leave));
    this.#tabs.say('account');
  }

  async setPreferences(preferences: Preferences): Promise<void> {
    await this.#parts.http.call('PUT', '/v1/me/preferences', { body: preferences });
    if (this.#account) this.#tell({ ...this.#account, preferences });
  }

  /** What waits belongs to the account that is about to go. */
  async #flush(): Promise<void> {
    const late = new AbortController();
    await Promise.race([this.#parts.flush(), this.#parts.env.wait(FLUSH_MS, late.signal)]);
    late.abort();
  }

  async #signIn(call: () => Promise<Tokens | null>): Promise<Account> {
    const { http, session } = this.#parts;
    const enter = async (): Promise<Account> => {
      const tokens = await call();
      if (tokens) await session.keep(tokens, tokens.account_id);
      const me = await http.call<Account>('GET', '/v1/me').catch((error: unknown) => {
        // Signed in, but as whom is not known yet: nothing may be sent until it is.
        this.#turn += 1;
        this.#tell(undefined);
        void this.ask();
        throw error;
      });
      await session.keep(null, me.account_id);
      await this.#become(me);
      return me;
    };
    const account = await session.changing(() => this.#inTurn(enter));
    this.#tabs.say('account');
    return account;
  }

  async #ask(): Promise<void> {
    const { session, env } = this.#parts;
    const turn = this.#turn;
    try {
      // No other tab signs in between the answer and what follows from it.
      await session.steady(async () => {
        const before = await session.account();
        const me = await this.#me();
        await this.#inTurn(async () => {
          if (this.#stopping.signal.aborted || turn !== this.#turn) return;
          if (me) await session.keep(null, me.account_id);
          await this.#become(me);
          if (me !== null || before === null) return;
          this.#parts.ended();
          this.#tabs.say('account');
        });
      });
      this.#backoff.reset();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const pause = new AbortController();
      this.#pause = pause;
      const ms = this.#backoff.next((error.retryAfter ?? 0) * 1000);
      void env.wait(ms, pause.signal).then(() => {
        if (!pause.signal.aborted) void this.ask();
      });
    }
  }

  async #me(): Promise<Account | null> {
    const { http, session } = this.#parts;
    // Without a token there is nobody to ask for. Whether there is a cookie no script can see.
    if (session.credentials === 'omit' && (await session.account()) === null) return null;
    try {
      return await http.call<Account>('GET', '/v1/me', { tries: 1 });
    } catch (error) {
      if (error instanceof Problem && error.ended) return null;
      throw error;
    }
  }

  /** What changes the account does so one after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#changing.then(work);
    this.#changing = turn.catch(() => undefined);
    return turn;
  }

  async #become(account: Account | null): Promise<void> {
    this.#turn += 1;
    if (account === null) await this.#parts.session.forget();
    await this.#parts.enter(account?.account_id ?? null, true);
    this.#tell(account);
  }

  #tell(account: Account | null | undefined): void {
    this.#account = account;
    this.#parts.changed(account);
  }
}

const SECOND_FACTOR = Symbol('a second factor is wanted');
