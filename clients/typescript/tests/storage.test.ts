import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import 'fake-indexeddb/auto';

import { browserStorage, memoryStorage, type Storage } from '../src/index.ts';
import { fileStorage } from '../src/node.ts';
import { read, write } from '../src/store/storage.ts';

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'fairweather-client-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function once<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function contract(make: () => Storage): Promise<void> {
  const storage = make();
  assert.equal(await read(storage, 'k'), undefined);
  await write(storage, 'k', { n: 1 });
  assert.deepEqual(await read(storage, 'k'), { n: 1 });
  assert.equal(await read(storage, 'other account'), undefined);

  const count = () => storage.update('k', (value) => [{ n: (value as { n: number }).n + 1 }, undefined]);
  await Promise.all(Array.from({ length: 20 }, count));
  assert.deepEqual(await read(storage, 'k'), { n: 21 }, 'steps do not come between each other');

  await assert.rejects(storage.update('k', () => { throw new Error('no'); }), /no/);
  assert.deepEqual(await read(storage, 'k'), { n: 21 }, 'a step that fails changes nothing');
  await count();

  await write(storage, 'k', undefined);
  assert.equal(await read(storage, 'k'), undefined);
}

test('memory', () => contract(memoryStorage));

test('IndexedDB', () => contract(() => browserStorage('contract')));

test('IndexedDB: two tabs see the same', async () => {
  await write(browserStorage('tabs'), 'k', 1);
  assert.equal(await read(browserStorage('tabs'), 'k'), 1);
});

test('IndexedDB: whoever deletes it under an open page is noticed before anything is read, and nothing breaks', async () => {
  const storage = browserStorage('deleted');
  await write(storage, 'k', 1);
  const order: string[] = [];
  storage.onCleared?.(() => order.push('cleared'));
  const pending = storage.update('k', (value) => [value, order.push(`read ${String(value)}`)]);
  const deleted = once(indexedDB.deleteDatabase('deleted'));
  await pending;
  await deleted;
  await storage.update('k', (value) => [2, order.push(`read ${String(value)}`)]);
  assert.deepEqual(order, ['read 1', 'cleared', 'read undefined']);
  assert.equal(await read(storage, 'k'), 2);
});

test('IndexedDB: a newer version in another tab takes nothing away', async () => {
  const storage = browserStorage('upgraded');
  await write(storage, 'k', 1);
  let cleared = 0;
  storage.onCleared?.(() => (cleared += 1));
  await once(indexedDB.open('upgraded', 2)).then((db) => (db as IDBDatabase).close());
  await read(storage, 'k').catch(() => undefined);
  assert.equal(cleared, 0);
});

test('files', () => inFolder((folder) => contract(() => fileStorage(join(folder, 'new')))));

test('files are for this user only, and a damaged one is nothing', () =>
  inFolder(async (folder) => {
    await write(fileStorage(folder), 'k', { secret: true });
    const [name = ''] = await readdir(folder);
    assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);
    assert.deepEqual(await read(fileStorage(folder), 'k'), { secret: true });
    await writeFile(join(folder, name), '{"sec');
    assert.equal(await read(fileStorage(folder), 'k'), undefined);
  }));
