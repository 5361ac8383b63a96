import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Http } from '../src/http.ts';
import { serverEvents } from '../src/sse.ts';
import { type Carrier, Stream } from '../src/stream.ts';
import { idle, Manual } from './manual.ts';

/** An EventSource whose connection the test holds. */
class FakeEventSource extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static made: FakeEventSource[] = [];
  readyState = FakeEventSource.CONNECTING;
  onerror: (() => void) | null = null;

  constructor(readonly url: string) {
    super();
    FakeEventSource.made.push(this);
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
  }

  say(name: string, data: unknown): void {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }

  /** As after 401, 429 or 502: the browser does not try again. */
  fail(): void {
    this.readyState = FakeEventSource.CLOSED;
    this.onerror?.();
  }

  /** As after a cut: the browser tries again by itself. */
  cut(): void {
    this.readyState = FakeEventSource.CONNECTING;
    this.onerror?.();
  }
}

function eventStream(carrier: Carrier, answer: (path: string) => Response = () => Response.json({ account_id: 'a' })) {
  FakeEventSource.made = [];
  const manual = new Manual();
  const asked: string[] = [];
  const fetch = async (input: RequestInfo | URL): Promise<Response> => {
    const path = new URL(String(input)).pathname;
    asked.push(path);
    return answer(path);
  };
  const env = manual.environment({ fetch, EventSource: FakeEventSource as unknown as typeof EventSource });
  const local = { cursor: 'v1.1.5' as string | null };
  const stream = new Stream({ http: new Http('http://server.test', env), env, carrier, cursor: () => local.cursor });
  return { manual, stream, asked, local, made: () => FakeEventSource.made };
}

const hello = { cursor: 'v1.1.5', heartbeat_s: 20 };

test('a stream that is closed for good is opened again from the local cursor, after /v1/me', async () => {
  const { manual, stream, asked, local, made } = eventStream('cookie');
  stream.start();
  await idle();
  made()[0]?.say('hello', hello);
  assert.equal(stream.state, 'open');
  local.cursor = 'v1.1.9';
  made()[0]?.fail();
  assert.equal(stream.state, 'waiting');
  await manual.advance(2_000);
  assert.deepEqual(asked, ['/v1/me']);
  assert.deepEqual(made().map(({ url }) => url), [
    'http://server.test/v1/stream?cursor=v1.1.5',
    'http://server.test/v1/stream?cursor=v1.1.9',
  ]);
});

test('pauses grow while the server is away, and shrink when it is back', async () => {
  const { manual, stream, made } = eventStream('cookie');
  stream.start();
  await idle();
  const pauses: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    made().at(-1)?.fail();
    await idle();
    pauses.push(manual.nextIn ?? 0);
    await manual.advance(manual.nextIn ?? 0);
  }
  assert.ok(pauses.every((pause, n) => pause >= 2 ** n * 500 && pause <= 2 ** n * 1000), String(pauses));
  made().at(-1)?.say('hello', hello);
  made().at(-1)?.fail();
  await idle();
  assert.ok((manual.nextIn ?? 0) <= 1_000);
});

test('a cut is left to the browser, which knows the pause that the server asked for', async () => {
  const { manual, stream, made } = eventStream('cookie');
  stream.start();
  await idle();
  made()[0]?.say('hello', hello);
  made()[0]?.cut();
  assert.equal(stream.state, 'opening');
  await manual.advance(60_000);
  assert.equal(made().length, 1);
  made()[0]?.say('hello', hello);
  assert.equal(stream.state, 'open');
});

test('an ended session is found out and not knocked at again', async () => {
  const ended = { status: 401, code: 'credential_required', title: 'no' };
  const { manual, stream, made } = eventStream('cookie', () => Response.json(ended, { status: 401, headers: { 'content-type': 'application/problem+json' } }));
  const told: string[] = [];
  stream.events.on('session', ({ state }) => told.push(state));
  stream.start();
  await idle();
  made()[0]?.fail();
  await manual.advance(2_000);
  assert.deepEqual(told, ['revoked']);
  assert.equal(stream.state, 'closed');
  await manual.advance(600_000);
  assert.equal(made().length, 1);
});

test('a replaced stream stays closed until the app asks', async () => {
  const { manual, stream, made } = eventStream('cookie');
  stream.start();
  await idle();
  made()[0]?.say('hello', hello);
  made()[0]?.say('session', { state: 'replaced' });
  made()[0]?.fail();
  await manual.advance(600_000);
  assert.equal(stream.state, 'replaced');
  stream.restart();
  assert.equal(made().length, 1);
  stream.start();
  await idle();
  assert.equal(made().length, 2);
});

test('every connection by ticket takes a new ticket', async () => {
  let tickets = 0;
  const { manual, stream, made } = eventStream('ticket', () => Response.json({ ticket: `t${(tickets += 1)}`, expires_in: 30 }));
  stream.start();
  await idle();
  made()[0]?.say('hello', hello);
  made()[0]?.cut();
  await manual.advance(2_000);
  assert.deepEqual(made().map(({ url }) => new URL(url).searchParams.get('ticket')), ['t1', 't3']);
  assert.equal(made()[0]?.readyState, FakeEventSource.CLOSED, 'the browser must not use the first one twice');
});

test('what an old connection still says is not heard', async () => {
  const { stream, made } = eventStream('cookie');
  const heard: unknown[] = [];
  stream.events.on('changes', (delta) => heard.push(delta));
  stream.start();
  await idle();
  made()[0]?.say('hello', hello);
  stream.restart();
  await idle();
  made()[0]?.say('changes', { from: 'v1.1.5', to: 'v1.1.6', changes: [], has_more: false });
  assert.deepEqual(heard, []);
});

/** A body that the test writes. */
function body() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  const encoder = new TextEncoder();
  return { stream, write: (text: string) => controller.enqueue(encoder.encode(text)), end: () => controller.close() };
}

test('events are read as the standard says, wherever the pieces break', async () => {
  const text = ':hb\r\nretry: 4000\r\n\r\nid: v1.1.5\nevent: hello\ndata: {"a":\ndata: 1}\n\ndata:x\r\rid\nevent: none\n\n';
  for (let size = 1; size <= text.length; size += 1) {
    const { stream, write, end } = body();
    for (let at = 0; at < text.length; at += size) write(text.slice(at, at + size));
    end();
    const retries: number[] = [];
    const events = [];
    for await (const event of serverEvents(stream, { retry: (ms) => retries.push(ms), alive: () => undefined })) events.push(event);
    assert.deepEqual(retries, [4000]);
    assert.deepEqual(events, [
      { event: 'hello', data: '{"a":\n1}', id: 'v1.1.5' },
      { event: 'message', data: 'x', id: 'v1.1.5' },
    ]);
  }
});

test('by fetch: a pause that the server names is kept, and silence is a dead connection', async () => {
  const manual = new Manual();
  const bodies: ReturnType<typeof body>[] = [];
  const fetch = async (_: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const made = body();
    bodies.push(made);
    init.signal?.addEventListener('abort', () => made.stream.cancel().catch(() => undefined));
    return new Response(made.stream, { headers: { 'content-type': 'text/event-stream' } });
  };
  const env = manual.environment({ fetch });
  const stream = new Stream({ http: new Http('http://server.test', env), env, carrier: 'fetch', cursor: () => 'v1.1.5' });
  stream.start();
  await idle();
  bodies[0]?.write('event: hello\ndata: {"cursor":"v1.1.5","heartbeat_s":20}\n\nretry: 9000\n\n');
  await idle();
  assert.equal(stream.state, 'open');
  bodies[0]?.end();
  await idle();
  assert.equal(stream.state, 'waiting');
  assert.ok((manual.nextIn ?? 0) >= 9_000, `${manual.nextIn}`);
  await manual.advance(12_000);
  assert.equal(bodies.length, 2);

  bodies[1]?.write('event: hello\ndata: {"cursor":"v1.1.5","heartbeat_s":20}\n\n');
  await idle();
  await manual.advance(45_000);
  bodies[1]?.write(':hb\n\n');
  await idle();
  await manual.advance(45_000);
  assert.equal(stream.state, 'open', 'a heartbeat keeps it');
  await manual.advance(6_000);
  assert.equal(stream.state, 'waiting');
});
