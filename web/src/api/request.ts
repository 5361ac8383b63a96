import type { ProblemBody } from './types';

/**
 * An answer that is not a success, or no answer at all. `code` is the server's stable code, or `offline` when the
 * request did not reach it, or `unexpected` when the answer was not one of ours.
 */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: { pointer: string; code: string; detail: string }[];
  readonly retryAfter: number | null;

  constructor(body: Partial<ProblemBody> & { code: string }, retryAfter: number | null = null) {
    super(body.detail ?? body.title ?? body.code);
    this.name = 'Problem';
    this.status = body.status ?? 0;
    this.code = body.code;
    this.fields = body.errors ?? [];
    this.retryAfter = retryAfter;
  }
}

/** True when a newer request replaced this one. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/**
 * What requests learn about the server beside their answer: `reached` and `unreached` after each of them, and `ended`
 * when it no longer knows the session of this browser.
 */
export const serverWatch = new EventTarget();

/** What a proxy says for a server that is not there. */
const GATEWAY = new Set([502, 503, 504]);

interface Options {
  body?: unknown;
  signal?: AbortSignal;
  contentType?: string;
}

/**
 * Sends one request to our own origin. The session is the cookie, so every unsafe request carries the header that a
 * form of another site cannot set. Answers without content are null.
 */
export async function send<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers = new Headers({ accept: 'application/json' });
  if (method !== 'GET') headers.set('x-fairweather-client', 'web');
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (options.body !== undefined) {
    headers.set('content-type', options.contentType ?? 'application/json');
    init.body = JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;

  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (error) {
    if (isAbort(error)) throw error;
    serverWatch.dispatchEvent(new Event('unreached'));
    throw new Problem({ code: 'offline' });
  }
  const problem = answer.ok ? null : await problemOf(answer);
  // Our own 503 is an answer; one that is not ours comes from a proxy in front of a server that is away.
  const away = problem?.code === 'unexpected' && GATEWAY.has(problem.status);
  serverWatch.dispatchEvent(new Event(away ? 'unreached' : 'reached'));
  if (answer.status === 401 && path !== '/v1/me' && !path.startsWith('/v1/auth/')) {
    serverWatch.dispatchEvent(new Event('ended'));
  }
  if (problem) throw problem;
  if (answer.status === 204) return null as T;
  const text = await answer.text();
  if (text === '') return null as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Problem({ code: 'unexpected', status: answer.status });
  }
}

async function problemOf(answer: Response): Promise<Problem> {
  const wait = Number(answer.headers.get('retry-after'));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? wait : null;
  try {
    const body = (await answer.json()) as Partial<ProblemBody> | null;
    if (body && typeof body.code === 'string') {
      return new Problem({ ...body, code: body.code, status: answer.status }, retryAfter);
    }
  } catch {
    // A proxy in between answered with something of its own; the status is all there is.
  }
  return new Problem({ code: 'unexpected', status: answer.status }, retryAfter);
}
