import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Http } from '../src/http.ts';
import { Problem } from '../src/problem.ts';
import { idle, Manual } from './manual.ts';

type Answer = () => Response | Promise<Response>;

function http(...answers: Answer[]) {
  const manual = new Manual();
  const asked: { method: string; key: string | null }[] = [];
  const fetch = async (_: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    asked.push({ method: init.method ?? '', key: new Headers(init.headers).get('idempotency-key') });
    const answer = answers.shift();
    assert.ok(answer, 'more requests than answers');
    return answer();
  };
  return { manual, asked, http: new Http('http://server.test/', manual.environment({ fetch })) };
}

const down: Answer = () => Promise.reject(new TypeError('fetch failed'));
const fine: Answer = () => Response.json({ fine: true });
const refuse = (status: number, code: string, headers: Record<string, string> = {}): Answer => () =>
  Response.json({ status, code, title: code, errors: [{ pointer: '/lat', code: 'out_of_range', detail: 'too far' }] }, { status, headers: { ...headers, 'content-type': 'application/problem+json' } });

async function finish<T>(call: Promise<T>, manual: Manual): Promise<T> {
  call.catch(() => undefined);
  for (let round = 0; round < 4; round += 1) await idle().then(() => manual.advance(60_000));
  return call;
}

test('reading is tried three times', async () => {
  const { http: one, manual, asked } = http(down, refuse(503, 'store_unavailable'), fine);
  assert.deepEqual(await finish(one.call('GET', '/v1/me'), manual), { fine: true });
  assert.equal(asked.length, 3);
});

test('what could act twice is tried once, unless a key says that it cannot', async () => {
  const once = http(down);
  await assert.rejects(finish(once.http.call('POST', '/v1/favourites', { body: {} }), once.manual), { code: 'unreachable' });
  const keyed = http(down, fine);
  await finish(keyed.http.call('POST', '/v1/favourites', { body: {}, idempotencyKey: 'k' }), keyed.manual);
  assert.deepEqual(keyed.asked.map(({ key }) => key), ['k', 'k']);
});

test('a problem says everything that the server said', async () => {
  const { http: one } = http(refuse(429, 'too_many_attempts', { 'retry-after': '7' }));
  const problem = await one.call('POST', '/v1/auth/login', { body: {} }).catch((error: unknown) => error);
  assert.ok(problem instanceof Problem);
  assert.equal(problem.code, 'too_many_attempts');
  assert.equal(problem.retryAfter, 7);
  assert.deepEqual(problem.fields, [{ pointer: '/lat', code: 'out_of_range', detail: 'too far' }]);
  assert.equal(problem.passing, true);
});

test('a forecast that is on its way is left to the caller', async () => {
  const { http: one, asked } = http(refuse(503, 'forecast_pending', { 'retry-after': '2' }));
  await assert.rejects(one.call('GET', '/v1/favourites/1/forecast'), { code: 'forecast_pending', retryAfter: 2 });
  assert.equal(asked.length, 1);
});

test('a proxy before a server that is away is no answer of the server', async () => {
  const { http: one } = http(() => new Response('<h1>Bad Gateway</h1>', { status: 502 }));
  const reached: boolean[] = [];
  one.events.on('reached', (is) => reached.push(is));
  const problem = await one.call('POST', '/v1/sync', { body: {} }).catch((error: unknown) => error);
  assert.ok(problem instanceof Problem && problem.unreached && problem.status === 502);
  assert.deepEqual(reached, [false]);
});

test('a device without network does not try again', async () => {
  const { http: one, manual, asked } = http(down);
  manual.isOnline = false;
  await assert.rejects(one.call('GET', '/v1/me'), { code: 'unreachable' });
  assert.equal(asked.length, 1);
});

test('calling off is no problem but an abort', async () => {
  const abort = new AbortController();
  const { http: one } = http(() => new Promise((_, reject) => abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error))));
  const call = one.call('GET', '/v1/places', { signal: abort.signal });
  await idle();
  abort.abort();
  await assert.rejects(call, { name: 'AbortError' });
});
