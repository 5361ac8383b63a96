import type { FieldProblem, ProblemBody } from './types.ts';

/** What the server says of a session that is over, and of a request that shows none. */
const ENDS = ['session_ended', 'session_expired', 'invalid_refresh_token', 'credential_required'];

/**
 * An answer that is not a success, or no answer at all. Programs look at `code`: the server's stable one, or
 * `unreachable` when no answer came, `timeout` when none came in time, `unexpected` when the answer was not one of the
 * server's.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  /** The HTTP status, 0 without an answer. */
  readonly status: number;
  readonly code: string;
  readonly title: string;
  /** The request's id, for a report to the operator. */
  readonly instance: string | null;
  /** Each wrong field: a JSON pointer into the body, `?name` of the query, or a header's name. */
  readonly fields: readonly FieldProblem[];
  /** Seconds that the server asks to wait. */
  readonly retryAfter: number | null;
  /** Everything the server said. */
  readonly body: Readonly<Partial<ProblemBody> & Record<string, unknown>>;

  constructor(body: Partial<ProblemBody> & { code: string }, retryAfter: number | null = null, cause?: unknown) {
    super(body.detail ?? body.title ?? body.code, cause === undefined ? undefined : { cause });
    this.status = body.status ?? 0;
    this.code = body.code;
    this.title = body.title ?? body.code;
    this.instance = body.instance ?? null;
    this.fields = body.errors ?? [];
    this.retryAfter = retryAfter;
    this.body = body;
  }

  /** Reads the answer's body, which may be a proxy's own. */
  static async of(answer: Response): Promise<Problem> {
    const isOurs = answer.headers.get('content-type')?.includes('problem+json') ?? false;
    const wait = Number(answer.headers.get('retry-after'));
    const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : null;
    try {
      const body = (await answer.json()) as Partial<ProblemBody> | null;
      if (isOurs && body && typeof body.code === 'string') {
        return new Problem({ ...body, code: body.code, status: answer.status }, retryAfter);
      }
    } catch {
      // The status is all there is.
    }
    return new Problem({ code: 'unexpected', status: answer.status }, retryAfter);
  }

  /** No answer of the server's came: the network, a proxy in front of it, or the time. */
  get unreached(): boolean {
    if (this.status === 0) return this.code === 'unreachable' || this.code === 'timeout';
    return this.code === 'unexpected' && [502, 503, 504].includes(this.status);
  }

  /** The same request may succeed later. */
  get passing(): boolean {
    return this.unreached || this.code === 'unexpected' || this.status === 429 || this.status >= 500;
  }

  /** The session is over: the user has to sign in again. Only the server's own words say so, never a proxy's 401. */
  get ended(): boolean {
    return this.status === 401 && ENDS.includes(this.code);
  }
}

/** Signing out or in as somebody else would throw away changes that could not be sent. Nothing has happened yet. */
export class UnsentEdits extends Error {
  override readonly name = 'UnsentEdits';
  /** How many. */
  readonly count: number;

  constructor(count: number) {
    super(`${count} changes of this account have not been sent`);
    this.count = count;
  }
}

/** The device is about to have another account, or has one already. */
export function accountChanged(): Problem {
  return new Problem({ code: 'account_changed', title: 'another account is signed in' });
}

/** True when the app itself called a request off. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
