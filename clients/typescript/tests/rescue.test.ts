import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import 'fake-indexeddb/auto';

import { browserStorage, type Client, type ClientOptions, type Storage } from '../src/index.ts';
import { read } from '../src/store/storage.ts';
import { Household } from './household.ts';
import { idle } from './manual.ts';

const open: Client[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.stop()));
});

/** A tab with an IndexedDB, and the network switched off once it is signed in. */
async function tabOf(household: Household, name: string, options: ClientOptions = {}): Promise<Client> {
  const client = household.tab({ storage: browserStorage(name), ...options });
  open.push(client);
  await client.start();
  await client.accounts.ask();
  await client.sync();
  return client;
}

async function clear(name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

/** IndexedDB answers in its own time, which no clock of the test moves. */
async function until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 500; round += 1) {
    if (await reached()) return;
    await idle();
  }
  assert.fail(what);
}

const place = (name: string) => ({ name, lat: 1, lon: 1 });
const names = ({ favourites }: Client) => favourites.list?.map(({ name }) => name);

test('an emptied storage loses neither the list nor what is unsent, and the app is told', async () => {
  const household = new Household();
  household.cookie = 'ann';
  const client = await tabOf(household, 'one');
  await client.favourites.create(place('Sent'));
  await client.sync();
  const told: unknown[] = [];
  client.on('rescued', (event) => told.push(event));
  client.on('ended', () => told.push('ended'));
  household.manual.isOnline = false;
  await client.favourites.create(place('Unsent'));
  await clear('one');
  await until('it is told', () => told.length > 0);
  assert.deepEqual([told, names(client), client.status.unsent], [[{ unsent: 1 }], ['Sent', 'Unsent'], 1]);
  await client.favourites.create(place('Later'));
  // All of it is on the device again: for an app that is opened anew, and does not reach the server.
  const again = household.tab({ storage: browserStorage('one') });
  open.push(again);
  await again.start();
  assert.deepEqual([names(again), again.status.unsent], [['Sent', 'Unsent', 'Later'], 2]);

  household.manual.isOnline = true;
  await client.accounts.ask();
  await client.sync();
  await until('all is sent', () => client.status.unsent === 0);
  assert.deepEqual([household.names('ann').toSorted(), told.length], [['Later', 'Sent', 'Unsent'], 1]);
});

test('two tabs bring back what each of them knows', async () => {
  const household = new Household();
  household.cookie = 'ann';
  const tabs = [await tabOf(household, 'two'), await tabOf(household, 'two', { environment: { channel: null } })] as const;
  household.manual.isOnline = false;
  await tabs[0].favourites.create(place('First'));
  await tabs[1].favourites.create(place('Second'));
  await clear('two');
  await until('both are kept', async () => {
    const kept = (await read(browserStorage('two'), 'http://household.test|ann')) as { queue?: unknown[] } | undefined;
    return kept?.queue?.length === 2;
  });
});

test('where the session is gone with the storage, that is told, and what is unsent stays for the next sign-in', async () => {
  const household = new Household();
  const client = await tabOf(household, 'tokens', { auth: 'bearer' });
  await client.accounts.login('ann', 'secret');
  household.manual.isOnline = false;
  await client.favourites.create(place('Unsent'));
  let ended = 0;
  client.on('ended', () => (ended += 1));
  await clear('tokens');
  household.manual.isOnline = true;
  await until('the end is told', () => ended > 0);
  assert.equal(client.favourites.list, null);
  await client.accounts.login('ann', 'secret');
  await until('it is sent', () => household.names('ann').length > 0);
  assert.deepEqual(household.names('ann'), ['Unsent']);
});

test('what cannot be kept again at first is kept as soon as that is possible', async () => {
  const household = new Household();
  household.cookie = 'ann';
  const inner = browserStorage('full');
  let full = false;
  let failures = 0;
  const update: Storage['update'] = (key, step, strict) =>
    inner.update(key, (value) => {
      const stepped = step(value);
      if (full && value === undefined && key.endsWith('|ann')) failures += 1;
      if (full) throw new Error('the disk is full');
      return stepped;
    }, strict);
  const client = await tabOf(household, 'full', { storage: { ...inner, update } });
  let told = 0;
  client.on('rescued', () => (told += 1));
  household.instead = (path) => (path === '/v1/sync' ? () => new Response('', { status: 503 }) : undefined);
  await client.favourites.create(place('Unsent'));
  full = true;
  await clear('full');
  await until('the failure shows', () => failures > 0 && client.status.problem?.code === 'storage');
  assert.deepEqual([told, names(client)], [0, ['Unsent']]);
  full = false;
  household.instead = () => undefined;
  await household.manual.advance(120_000);
  await until('it is sent', () => household.names('ann').length > 0);
  assert.deepEqual([told, household.names('ann')], [1, ['Unsent']]);
});

test('a sign-out after a rescue leaves nothing on the device', async () => {
  const household = new Household();
  household.cookie = 'ann';
  const client = await tabOf(household, 'left');
  let told = 0;
  client.on('rescued', () => (told += 1));
  household.instead = (path) => (path === '/v1/sync' ? () => new Response('', { status: 503 }) : undefined);
  await client.favourites.create(place('Unsent'));
  await clear('left');
  await until('it is told', () => told > 0);
  await client.accounts.logout(true);
  for (const key of ['ann', 'session']) assert.equal(await read(browserStorage('left'), `http://household.test|${key}`), undefined);
});
