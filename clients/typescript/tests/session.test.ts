import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Http } from '../src/http.ts';
import { Problem } from '../src/problem.ts';
import { BearerSession } from '../src/session.ts';
import { memoryStorage } from '../src/store/memory.ts';
import type { Storage } from '../src/store/storage.ts';
import type { Tokens } from '../src/types.ts';
import { idle, Manual } from './manual.ts';

/** A server that exchanges refresh tokens as the real one does while nothing is confirmed. */
class TokenServer {
  generation = 1;
  /** What happens to the next answers. */
  readonly fates: ('lost' | 'down')[] = [];
  readonly refreshed: string[] = [];
  readonly asked: string[] = [];
  ended = false;

  tokens(generation = this.generation): Tokens {
    return {
      access_token: `access-${generation}`,
      refresh_token: `refresh-${generation}`,
      token_type: 'Bearer',
      expires_in: 600,
      session_id: 's',
      account_id: 'a',
    };
  }

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const { pathname } = new URL(String(input));
    const headers = new Headers(init.headers);
    if (pathname === '/v1/auth/refresh') {
      const { refresh_token: token } = JSON.parse(String(init.body)) as { refresh_token: string };
      this.refreshed.push(token);
      if (this.ended) return problem(401, 'session_ended');
      const fate = this.fates.shift();
      if (fate === 'down') throw new TypeError('fetch failed');
      const from = Number(token.split('-')[1]);
      assert.ok(from >= this.generation - 1, 'the successor of an older token is lost');
      this.generation = from + 1;
      if (fate === 'lost') throw new TypeError('terminated');
      return Response.json(this.tokens());
    }
    const bearer = headers.get('authorization') ?? '';
    this.asked.push(bearer);
    if (this.ended) return problem(401, 'session_ended');
    if (bearer !== `Bearer access-${this.generation}`) return problem(401, 'token_expired');
    return Response.json({ ok: true });
  };
}

function problem(status: number, code: string): Response {
  return Response.json({ status, code, title: code }, { status, headers: { 'content-type': 'application/problem+json' } });
}

async function signedIn(storage: Storage = memoryStorage()) {
  const manual = new Manual();
  const server = new TokenServer();
  const env = manual.environment({ fetch: server.fetch });
  const http = new Http('http://tokens.test', env);
  const session = new BearerSession('http://tokens.test', env, storage, http);
  http.signAs(session);
  await session.keep(server.tokens(), 'a');
  return { manual, server, http, session, storage, env };
}

test('a token is renewed before its end, once for all that wait', async () => {
  const { manual, server, http } = await signedIn();
  await manual.advance(545_000);
  await Promise.all([http.call('GET', '/v1/me'), http.call('GET', '/v1/me'), http.call('GET', '/v1/me')]);
  assert.deepEqual(server.refreshed, ['refresh-1']);
  assert.deepEqual(server.asked, ['Bearer access-2', 'Bearer access-2', 'Bearer access-2']);
});

test('a lost answer is asked for again with the same refresh token', async () => {
  const { manual, server, http } = await signedIn();
  server.fates.push('lost', 'down', 'lost');
  await manual.advance(700_000);
  const call = http.call('GET', '/v1/me');
  for (let round = 0; round < 5; round += 1) await idle().then(() => manual.advance(10_000));
  assert.deepEqual(await call, { ok: true });
  assert.deepEqual(server.refreshed, ['refresh-1', 'refresh-1', 'refresh-1', 'refresh-1']);
});

test('a clock that is wrong costs one more request and nothing else', async () => {
  const { manual, server, http } = await signedIn();
  // The server's token ended early; this device believes that there is time left.
  server.generation = 2;
  assert.deepEqual(await http.call('GET', '/v1/me'), { ok: true });
  assert.deepEqual(server.refreshed, ['refresh-1']);
  // The device's clock jumps by a day.
  manual.time += 86_400_000;
  assert.deepEqual(await http.call('GET', '/v1/me'), { ok: true });
});

test('the next pair is kept before it is used', async () => {
  const order: string[] = [];
  const inner = memoryStorage();
  const storage: Storage = {
    update: (key, step) =>
      inner.update(key, (value) => {
        const stepped = step(value);
        if (stepped[0] !== value) order.push('kept');
        return stepped;
      }),
  };
  const { manual, server, http } = await signedIn(storage);
  await manual.advance(700_000);
  order.length = 0;
  await http.call('GET', '/v1/me');
  assert.deepEqual(order, ['kept']);
  assert.deepEqual(server.asked, ['Bearer access-2']);
});

test('a failing storage keeps the new token from being used', async () => {
  const inner = memoryStorage();
  let full = false;
  const storage: Storage = {
    update: async (key, step) =>
      inner.update(key, (value) => {
        const stepped = step(value);
        if (full && stepped[0] !== value) throw new Error('the disk is full');
        return stepped;
      }),
  };
  const { manual, server, http } = await signedIn(storage);
  await manual.advance(700_000);
  full = true;
  await assert.rejects(http.call('GET', '/v1/me'), /disk is full/);
  assert.deepEqual(server.asked, []);
});

test('only a refusal ends the session; everything else keeps the tokens', async () => {
  const { manual, server, http, session } = await signedIn();
  server.fates.push('down', 'down', 'down', 'down');
  await manual.advance(700_000);
  const call = http.call('GET', '/v1/me', { tries: 1 }).catch((error: unknown) => error);
  for (let round = 0; round < 6; round += 1) await idle().then(() => manual.advance(10_000));
  const failed = await call;
  assert.ok(failed instanceof Problem && failed.code === 'unreachable');
  assert.equal(await session.account(), 'a');

  let told = 0;
  session.events.on('ended', () => (told += 1));
  server.ended = true;
  await assert.rejects(http.call('GET', '/v1/me'), Problem);
  assert.equal(await session.account(), null);
  assert.equal(told, 1);
});

test('a pair that another tab has exchanged is taken over', async () => {
  const { server, http, storage, env } = await signedIn();
  const elsewhere = new BearerSession('http://tokens.test', env, storage, http);
  server.generation = 2;
  await elsewhere.keep(server.tokens(), 'a');
  assert.deepEqual(await http.call('GET', '/v1/me'), { ok: true });
  assert.deepEqual(server.refreshed, []);
});

test('an answer that is not the server’s own ends nothing, whatever its status', async () => {
  const { manual, http, session, env } = await signedIn();
  let told = 0;
  session.events.on('ended', () => (told += 1));
  const portal = () => Promise.resolve(new Response('<html>Sign in to the hotel</html>', { status: 401, headers: { 'content-type': 'text/html' } }));
  const real = env.fetch;
  env.fetch = portal;
  await manual.advance(700_000);
  const call = http.call('GET', '/v1/me', { tries: 1 }).catch((error: unknown) => error);
  for (let round = 0; round < 6; round += 1) await idle().then(() => manual.advance(10_000));
  const failed = await call;
  assert.ok(failed instanceof Problem && failed.passing && !failed.ended);
  env.fetch = () => Promise.resolve(Response.json({ code: 'session_ended', status: 401 }, { status: 401 }));
  const imitated = await http.call('GET', '/v1/me', { tries: 1, signed: false }).catch((error: unknown) => error);
  assert.ok(imitated instanceof Problem && !imitated.ended, 'JSON that is no problem document');
  assert.deepEqual([await session.account(), told], ['a', 0]);
  env.fetch = real;
  assert.deepEqual(await http.call('GET', '/v1/me'), { ok: true });
});
