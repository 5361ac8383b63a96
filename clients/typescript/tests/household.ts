import { type Client, type ClientOptions, createClient, memoryStorage, type Storage } from '../src/index.ts';
import type { Favourite, Mutation } from '../src/types.ts';
import { madeAt } from '../src/uuid.ts';
import { lockManager } from './locks.ts';
import { Manual } from './manual.ts';

interface Body {
  mutations?: Mutation[];
  email?: string;
  refresh_token?: string;
  since?: string | null;
}

type Reply = (() => Response | Promise<Response>) | undefined;

/**
 * A server with a few accounts, and one browser with its cookie: the tabs share cookie, storage, locks and channels.
 * Clients that show no cookie get tokens, which name their account and their number.
 */
export class Household {
  readonly manual = new Manual();
  storage: Storage = memoryStorage();
  readonly locks = lockManager();
  /** Whose session the browser's cookie is. */
  cookie: string | null = null;
  /** Who sent what, by the cookie that the request came with. */
  readonly sent: { as: string; name: unknown }[] = [];
  readonly asked: string[] = [];
  /** The sessions with tokens of these accounts are over. */
  readonly ended = new Set<string>();
  /** Answers in place of the server, or delays it. */
  instead: (path: string) => Reply = () => undefined;
  #accounts = 0;
  #tokens = 0;
  readonly #lists = new Map<string, Favourite[]>();

  tab(options: ClientOptions = {}): Client {
    const environment = this.manual.environment({
      fetch: (input, init) => this.#fetch(new URL(String(input)), init),
      locks: this.locks,
      channel: (name) => new BroadcastChannel(name),
      ...options.environment,
    });
    return createClient({ baseUrl: 'http://household.test', auth: 'cookie', storage: this.storage, live: false, ...options, environment });
  }

  names(account: string): string[] {
    return (this.#lists.get(account) ?? []).map(({ name }) => name);
  }

  /** What the storage has under a key of this server: an account, or `session`. */
  kept(name: string): Promise<unknown> {
    return this.storage.update(`http://household.test|${name}`, (value) => [value, value]);
  }

  async #fetch({ pathname: path, searchParams }: URL, { body, headers, signal }: RequestInit = {}): Promise<Response> {
    signal?.throwIfAborted();
    this.asked.push(path);
    // A request takes the cookie along that the browser has when it is sent.
    const { cookie } = this;
    const reply = this.instead(path);
    if (reply) {
      const calledOff = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
      return Promise.race([reply(), calledOff]);
    }
    const asked = typeof body === 'string' ? (JSON.parse(body) as Body) : {};
    const given = { since: searchParams.get('since'), ...asked };
    const answer = this.#serve(path, new Headers(headers), cookie, given);
    answer.headers.set('date', new Date(this.manual.time).toUTCString());
    return answer;
  }

  #serve(path: string, shown: Headers, cookie: string | null, given: Body): Response {
    if (shown.has('x-fairweather-client')) return this.#answer(path, cookie, given);
    const [account = null] = shown.get('authorization')?.replace('Bearer ', '').split('/') ?? [];
    if (account !== null && this.ended.has(account)) return refusal(401, 'session_ended');
    return this.#answerTokens(path, given) ?? this.#answer(path, account, given);
  }

  #answerTokens(path: string, { email, refresh_token: refresh }: Body): Response | null {
    if (path !== '/v1/auth/login' && path !== '/v1/auth/refresh') return null;
    const [account = ''] = (email ?? refresh ?? '').split('/');
    if (refresh !== undefined && this.ended.has(account)) return refusal(401, 'invalid_refresh_token');
    this.ended.delete(account);
    const token = `${account}/${(this.#tokens += 1)}`;
    return Response.json({ access_token: token, refresh_token: token, token_type: 'Bearer', expires_in: 600, session_id: 's', account_id: account });
  }

  #answer(path: string, as: string | null, body: Body): Response {
    if (path === '/v1/auth/login') {
      if (body.email === 'nobody') return refusal(401, 'wrong_credentials');
      this.cookie = body.email ?? null;
      return new Response(null, { status: 204 });
    }
    if (path === '/v1/auth/anonymous') {
      this.cookie = `guest-${(this.#accounts += 1)}`;
      return new Response(null, { status: 204 });
    }
    if (as === null) return refusal(401, 'credential_required');
    if (path === '/v1/auth/logout') {
      this.cookie = null;
      return new Response(null, { status: 204 });
    }
    if (path === '/v1/me') return Response.json({ account_id: as, kind: as.startsWith('guest') ? 'anonymous' : 'registered', preferences: {} });
    const list = this.#lists.get(as) ?? [];
    this.#lists.set(as, list);
    if (path === '/v1/me/adopt') {
      // What is adopted has another id in its new account.
      for (const [account, items] of this.#lists) {
        if (!account.startsWith('guest')) continue;
        list.push(...items.map((item, index) => ({ ...item, id: `adopted-${item.id}`, rev: list.length + index + 1 })));
        this.#lists.delete(account);
      }
      return Response.json({ added: list.length, skipped: 0 });
    }
    if (path === '/v1/favourites') return Response.json({ items: list, next: null, cursor: `v1.1.${list.length}` });
    if (path === '/v1/changes') return Response.json({ from: body.since, to: `v1.1.${list.length}`, changes: [], has_more: false });
    if (path !== '/v1/sync') return list.some(({ id }) => path === `/v1/favourites/${id}/forecast`) ? Response.json({ now: null }) : refusal(404, 'not_found');
    const results = (body.mutations ?? []).map(({ mid, id, set }) => {
      if (Math.abs(madeAt(mid) - this.manual.time) > OLDEST_MS) return { mid, status: 'rejected', error: 'expired' };
      this.sent.push({ as, name: set?.name });
      list.push({ ...EMPTY, ...set, id, rev: list.length + 1 } as Favourite);
      return { mid, status: 'applied', rev: list.length };
    });
    return Response.json({ results, delta: null, reset: { reason: 'era' } });
  }
}

/** A mutation whose age is not to be believed is not done. */
const OLDEST_MS = 90 * 86_400_000;
const EMPTY = { lat: 0, lon: 0, tz: 'UTC', place_id: null, elevation: null, note: null, position: 'a0', updated_at: '2026-11-21T00:00:00Z' };

export function refusal(status: number, code: string, more: object = {}): Response {
  return Response.json({ status, code, title: code, ...more }, { status, headers: { 'content-type': 'application/problem+json' } });
}
