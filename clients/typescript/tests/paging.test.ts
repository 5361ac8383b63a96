import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Favourites } from '../src/favourites.ts';
import { Http } from '../src/http.ts';
import type { Session } from '../src/session.ts';
import { memoryStorage } from '../src/store/memory.ts';
import type { Storage } from '../src/store/storage.ts';
import { Sync } from '../src/sync.ts';
import type { Delta, Mutation } from '../src/types.ts';
import { idle, Manual } from './manual.ts';
import { Model } from './model.ts';

/**
 * Between two pages of changes a device has a state that never was. In each of these stories the next page does not
 * come, and the database is then put back to a copy in which the page's cursor is still good: whoever goes on from it
 * never hears of A, which has left its place in the log.
 */
let model: Model;
let manual: Manual;
let storage: Storage;
/** The paths of all requests, and which of them do not get through. */
let asked: string[];
let isLost: (path: string) => boolean;

beforeEach(() => {
  model = new Model();
  model.pageSize = 2;
  manual = new Manual();
  storage = memoryStorage();
  asked = [];
  isLost = () => false;
});

function write(op: Mutation['op'], id: string, name?: string): void {
  const mutation = { mid: `${op}-${id}-${name}`, kind: 'favourite', op, id, base_rev: null, ...(name && { set: { name } }) };
  model.answer('POST', new URL('http://model.test/v1/sync'), { device: 'other', since: null, mutations: [mutation] });
}

/** The device with this storage; a second one stands for the app that was opened again. */
function device(): { sync: Sync; favourites: Favourites } {
  const fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    asked.push(url.pathname);
    if (isLost(url.pathname)) {
      manual.isOnline = false;
      throw new TypeError('the network is gone');
    }
    init.signal?.throwIfAborted();
    const answer = model.answer(init.method ?? 'GET', url, typeof init.body === 'string' ? JSON.parse(init.body) : undefined);
    assert.ok(answer);
    const type = answer.status < 400 ? 'application/json' : 'application/problem+json';
    return new Response(JSON.stringify(answer.body), { status: answer.status, headers: { 'content-type': type } });
  };
  const env = manual.environment({ fetch });
  const http = new Http('http://model.test', env);
  const session = { holds: async () => true, headers: async () => ({}), steady: (work: () => Promise<unknown>) => work() } as unknown as Session;
  http.signAs(session);
  const sync = new Sync({ http, session, storage, env, key: 'copy', account: 'a' });
  return { sync, favourites: new Favourites(() => sync, env) };
}

const names = ({ sync }: { sync: Sync }) => (sync.list ?? []).map(({ name }) => name).toSorted();

/** Four places and a copy of the database; then A is renamed, so that it is told last. */
function happen(): ReturnType<Model['backup']> {
  for (const name of ['A', 'B', 'C', 'D']) write('create', name, name);
  const backup = model.backup();
  write('update', 'A', 'A2');
  return backup;
}

function heal(): void {
  manual.isOnline = true;
  isLost = () => false;
}

/** Loses all questions for changes but the first so many. */
function losePages(after: number): void {
  isLost = (path) => path === '/v1/changes' && asked.filter((one) => one === path).length > after;
}

/** Runs what takes a first page and no other, and puts the database back. */
async function breakOff(begin: (one: ReturnType<typeof device>) => Promise<unknown>): Promise<ReturnType<typeof device>> {
  const one = device();
  await one.sync.begin();
  const backup = happen();
  await begin(one);
  await idle();
  assert.deepEqual(names(one).filter((name) => name !== 'Own'), ['B', 'C'], 'the first page was taken, and no other');
  model.restore(backup);
  asked = [];
  heal();
  return one;
}

/** Asks for changes, and the second page does not come. */
async function loseTheSecond({ sync }: ReturnType<typeof device>): Promise<void> {
  losePages(1);
  await sync.exchange({ pull: true });
}

const ALL = ['A', 'B', 'C', 'D'];

test('pages that all come are taken without a snapshot', async () => {
  const one = device();
  await one.sync.begin();
  happen();
  asked = [];
  await one.sync.exchange({ pull: true });
  assert.deepEqual(names(one), ['A2', 'B', 'C', 'D']);
  assert.deepEqual(asked, ['/v1/changes', '/v1/changes']);
});

test('after a page that did not come the next exchange takes the snapshot', async () => {
  const one = await breakOff(loseTheSecond);
  await one.sync.exchange({ pull: false });
  assert.deepEqual([names(one), asked], [ALL, ['/v1/favourites']]);
});

test('so does the one that a pause tries again', async () => {
  const one = await breakOff(loseTheSecond);
  await manual.advance(120_000);
  assert.deepEqual(names(one), ALL);
});

test('so does an app that is closed between two pages and opened again', async () => {
  const one = await breakOff(loseTheSecond);
  one.sync.stop();
  const again = device();
  await again.sync.load();
  assert.deepEqual(names(again), ['B', 'C']);
  await again.sync.begin();
  assert.deepEqual(names(again), ALL);
});

test('so does a device that was told to pause between two pages', async () => {
  const one = await breakOff(async ({ sync }) => {
    isLost = (path) => {
      if (path === '/v1/changes' && asked.filter((before) => before === path).length === 2) sync.pause();
      return false;
    };
    await sync.exchange({ pull: true });
  });
  await one.sync.begin();
  assert.deepEqual(names(one), ALL);
});

test('so does a device whose first page came with the answer to a batch', async () => {
  const one = await breakOff(async ({ favourites }) => {
    losePages(0);
    await favourites.create({ name: 'Own', lat: 1, lon: 2 });
  });
  await one.sync.exchange({ pull: false });
  assert.deepEqual(names(one), ALL);
});

test('the answer to a batch does not stand in for the snapshot, even if that fails and the app is opened again', async () => {
  const one = await breakOff(loseTheSecond);
  isLost = (path) => path === '/v1/favourites';
  await one.favourites.create({ name: 'Own', lat: 1, lon: 2 });
  await idle();
  assert.equal(one.sync.progress.unsent, 0, 'the edit is sent all the same');
  one.sync.stop();
  heal();
  const again = device();
  await again.sync.begin();
  assert.deepEqual(names(again), [...ALL, 'Own']);
});

test('a page of a stream is asked for, and what a stream says between two pages ends nothing', async () => {
  const one = device();
  await one.sync.begin();
  const backup = happen();
  const page = model.changes(one.sync.cursor ?? '') as Delta;
  assert.equal(page.has_more, true);
  losePages(1);
  await one.sync.take(page);
  assert.deepEqual(names(one), ['B', 'C']);
  assert.equal(asked.filter((path) => path === '/v1/changes').length, 2);
  isLost = () => true;
  // It was sent before A was renamed, so it does not know that A has left its place.
  const cursor = one.sync.cursor ?? '';
  await one.sync.take({ from: cursor, to: cursor.replace(/\d+$/, '4'), changes: [], has_more: false });
  await one.sync.take({ from: cursor.replace(/\d+$/, '1'), to: cursor, changes: [], has_more: false });
  assert.equal(one.sync.cursor, cursor);
  one.sync.stop();
  model.restore(backup);
  heal();
  const again = device();
  await again.sync.begin();
  assert.deepEqual(names(again), ALL);
});
