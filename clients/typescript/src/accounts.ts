import { Backoff } from './backoff.ts';
import type { Environment } from './environment.ts';
import type { Http } from './http.ts';
import { Problem, UnsentEdits } from './problem.ts';
import type { Session } from './session.ts';
import { isAccount, isSignIn } from './shapes.ts';
import { Tabs } from './tabs.ts';
import type { Account, Preferences, Registration, Tokens } from './types.ts';

/** A sign-in that wants a second factor. */
export interface SecondFactor {
  mfa_required: true;
  challenge: string;
  /** Any one of these will do: `totp`, `passkey`, `recovery_code`. */
  factors: string[];
  /** What to hand to the browser where a passkey will do. */
  public_key?: PublicKeyCredentialRequestOptionsJSON | null;
}

/** What answers the challenge of a sign-in: one of these. A credential is what the browser gave, by `toJSON()`. */
export type ShownFactor = { code: string } | { recovery_code: string } | { credential: unknown };

interface Parts {
  http: Http;
  session: Session;
  env: Environment;
  origin: string;
  /** Tries to send what waits, before the account goes. */
  flush: () => Promise<void>;
  /** Sends and hears nothing until an account is entered again. */
  pause: () => void;
  /** How many changes the storage has that have not been sent, those of other tabs included. */
  unsent: () => Promise<number>;
  /** Whose copy is open. */
  open: () => string | null;
  /** Opens the copy of an account in place of the one before, and says what of that stays on the device. */
  enter: (id: string | null, stays: 'unsent' | 'nothing') => Promise<void>;
  changed: (account: Account | null | undefined) => void;
  ended: () => void;
  /** The server has moved what it had of an anonymous account here. */
  adopted: () => Promise<void>;
}

/** What a tab tells the others: that the account is about to change, that it did, or that it may have. */
type Message = 'changing' | 'account' | 'ended';

/** Signing out waits so long for what is unsent. */
const FLUSH_MS = 3_000;

/** Who uses the app on this device. All tabs follow when one signs in or out. */
export class Accounts {
  readonly #parts: Parts;
  readonly #tabs: Tabs<Message>;
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
  #making: Promise<Account> | null = null;
  /** The session ended by itself, so the app shall hear of it. */
  #over = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.env, 2_000, 60_000);
    this.#tabs = new Tabs(parts.env, `${parts.origin}|accounts`);
    this.#tabs.events.on('message', (message) => {
      if (message === 'changing') this.#parts.pause();
      this.#over ||= message === 'ended';
      this.#askAnew();
    });
    parts.session.events.on('ended', () => {
      this.#over = true;
      void this.ask();
    });
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

  /** The storage was emptied from outside, and a session with it perhaps: asks, and tells where it is over. */
  rescue(): void {
    this.#over = true;
    this.#askAnew();
  }

  stop(): void {
    this.#stopping.abort();
    this.#pause?.abort();
    this.#tabs.close();
  }

  /**
   * A real account without personal data, unless this device has an account. Make it at the first thing that the user
   * wants to keep; however many ask at once, it is one.
   */
  anonymous(): Promise<Account> {
    const { http } = this.#parts;
    const make = (): Promise<Tokens | null> => http.call('POST', '/v1/auth/anonymous', { body: {}, isOurs: isSignIn });
    this.#making ??= this.#signIn(make, { unlessHere: true }).finally(() => (this.#making = null));
    return this.#making;
  }

  /** Sends a code by mail. From an anonymous account the registration keeps its favourites. */
  register(email: string, password: string): Promise<Registration> {
    return this.#parts.http.call('POST', '/v1/auth/register', { body: { email, password } });
  }

  /** Completes a registration with the mailed code. */
  confirm(registration: string, code: string): Promise<Account> {
    const body = { registration, code };
    return this.#signIn(() => this.#parts.http.call('POST', '/v1/auth/register/confirm', { body, isOurs: isSignIn }));
  }

  /** Fails with `UnsentEdits` where that would throw changes of another account away, unless `discard` says so. */
  login(email: string, password: string, discard = false): Promise<Account | SecondFactor> {
    return this.#show('/v1/auth/login', { email, password }, discard);
  }

  /** Answers the challenge of a sign-in; a wrong answer (`wrong_factor`) may be followed by another. */
  secondFactor(challenge: string, factor: ShownFactor, discard = false): Promise<Account | SecondFactor> {
    return this.#show('/v1/auth/mfa', { challenge, ...factor }, discard);
  }

  /** Signs in with what the browser gave for `/v1/auth/passkeys/start`, by `toJSON()`. Loses nothing unsaid, as `login`. */
  passkey(credential: unknown, discard = false): Promise<Account | SecondFactor> {
    return this.#show('/v1/auth/passkeys/finish', { credential }, discard);
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
    await this.#parts.adopted();
    return true;
  }

  /**
   * Ends the session and removes the account's copy from this device. Fails with `UnsentEdits` when that has changes
   * that could not be sent, unless `discard` says that they may go. An anonymous account has no other way in: the
   * server refuses (`discard_required`) unless `discard` says that it shall be deleted.
   */
  async logout(discard = false): Promise<void> {
    const { http } = this.#parts;
    if (!discard) await this.#flush();
    await this.#change(discard, async () => {
      await this.#certain(() => http.call('POST', '/v1/auth/logout', { body: discard ? { discard: true } : {} }));
      await this.#become(null, discard);
    });
  }

  /** Removes the account with all that it has, at once and for good. The server wants a fresh proof of identity first. */
  remove(): Promise<void> {
    return this.#change(true, async () => {
      await this.#certain(() => this.#parts.http.call('DELETE', '/v1/me'));
      await this.#become(null, true);
    });
  }

  async setPreferences(preferences: Preferences): Promise<void> {
    await this.#parts.http.call('PUT', '/v1/me/preferences', { body: preferences });
    if (this.#account) this.#tell({ ...this.#account, preferences });
  }

  /** Signs in with what somebody shows. */
  async #show(path: string, body: object, discard: boolean): Promise<Account | SecondFactor> {
    const { http, session } = this.#parts;
    if (!discard) await this.#flush();
    const headers = this.#account?.kind === 'anonymous' ? await session.headers() : {};
    let second: SecondFactor | null = null;
    const account = await this.#signIn(async () => {
      const answer = await http.call<Tokens | SecondFactor | null>('POST', path, { body, isOurs: isSignIn });
      if (answer && 'mfa_required' in answer) {
        second = answer;
        throw SECOND_FACTOR;
      }
      return answer;
    }, { discard }).catch((error: unknown) => {
      if (error === SECOND_FACTOR && second) return second;
      throw error;
    });
    if (!second) this.#left = headers['authorization']?.replace('Bearer ', '') ?? null;
    return account;
  }

  /** What waits belongs to the account that is about to go. */
  async #flush(): Promise<void> {
    const late = new AbortController();
    // After a sign-in or sign-out that failed, nothing is sent before the server has said who is here.
    const sent = Promise.resolve(this.#asking).then(() => this.#parts.flush());
    await Promise.race([sent, this.#parts.env.wait(FLUSH_MS, late.signal)]);
    late.abort();
  }

  /**
   * `discard` throws away what is unsent of the account before; false asks first. Left out, nobody is asked and nothing
   * is thrown away.
   */
  async #signIn(call: () => Promise<Tokens | null>, { discard, unlessHere }: { discard?: boolean; unlessHere?: boolean } = {}): Promise<Account> {
    const { http, session } = this.#parts;
    return this.#change(discard ?? true, async () => {
      // Another tab may have been faster.
      const here = unlessHere && (await session.account()) !== null ? await this.#me() : null;
      if (here) {
        await session.keep(null, here.account_id);
        await this.#become(here);
        return here;
      }
      const tokens = await this.#certain(call);
      if (tokens) await session.keep(tokens, tokens.account_id);
      const me = await http.call<Account>('GET', '/v1/me', { isOurs: isAccount }).catch((error: unknown) => {
        // Signed in, but as whom is not known yet: nothing may be sent until it is.
        this.#turn += 1;
        this.#tell(undefined);
        void this.ask();
        throw error;
      });
      await session.keep(null, me.account_id);
      await this.#become(me, discard);
      return me;
    });
  }

  /**
   * Runs what changes the account of this device: with nothing on its way from any tab, and nothing sent before it is
   * known again whose the requests are.
   */
  async #change<T>(discard: boolean, work: () => Promise<T>): Promise<T> {
    const { session, pause, unsent } = this.#parts;
    // An exchange that goes on would keep the lock.
    pause();
    try {
      const changed = session.changing(() =>
        this.#inTurn(async () => {
          this.#turn += 1;
          pause();
          const left = discard ? 0 : await unsent();
          if (left > 0) throw new UnsentEdits(left);
          await session.doubt();
          return work();
        }),
      );
      this.#tabs.say('changing');
      return await changed;
    } catch (error) {
      this.#askAnew();
      throw error;
    } finally {
      this.#tabs.say('account');
    }
  }

  /** Runs a call that may change whose the requests are. When the server itself refused it, they are whose they were. */
  async #certain<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error === SECOND_FACTOR || (error instanceof Problem && !error.passing)) await this.#parts.session.trust();
      throw error;
    }
  }

  /** Asks once more, since an answer that is on its way may be from before a change. */
  #askAnew(): void {
    void (this.#asking ?? Promise.resolve()).then(() => this.ask());
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
          // The session of this device was known, or shown: with tokens it is forgotten at the answer that ended it.
          const ended = me === null && this.#parts.open() !== null && (before !== null || this.#over);
          await this.#become(me);
          if (!ended) return;
          this.#parts.ended();
          this.#tabs.say('ended');
        });
      });
      this.#backoff.reset();
    } catch (error) {
      // The server did not answer, or the storage is full or being emptied: both may pass.
      if (this.#stopping.signal.aborted) return;
      const pause = new AbortController();
      this.#pause = pause;
      const named = error instanceof Problem ? error.retryAfter : null;
      const ms = this.#backoff.next((named ?? 0) * 1000);
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
      return await http.call<Account>('GET', '/v1/me', { tries: 1, isOurs: isAccount });
    } catch (error) {
      // A token that is still kept was not refused: a proxy has taken the header away.
      const over = session.credentials !== 'omit' || (await session.account()) === null;
      if (error instanceof Problem && error.ended && over) return null;
      throw error;
    }
  }

  /** What changes the account does so one after the other. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#changing.then(work);
    this.#changing = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Only `discard` throws away what is unsent of the account before: another tab may have changed something since
   * anybody looked, while the server was slow.
   */
  async #become(account: Account | null, discard = false): Promise<void> {
    this.#turn += 1;
    this.#over = false;
    if (account === null) await this.#parts.session.forget();
    await this.#parts.enter(account?.account_id ?? null, discard ? 'nothing' : 'unsent');
    this.#tell(account);
  }

  #tell(account: Account | null | undefined): void {
    this.#account = account;
    this.#parts.changed(account);
  }
}

const SECOND_FACTOR = Symbol('a second factor is wanted');
