import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { type Client, memoryStorage, Problem, type Storage } from '../src/index.ts';
import { read } from '../src/store/storage.ts';
import { Household, refusal } from './household.ts';

const open: Client[] = [];
const DAY_MS = 86_400_000;
const place = (name: string) => ({ name, lat: 1, lon: 1 });

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.stop()));
});

/** A device of Ann's, whose clock may be wrong. */
function deviceOf(household: Household, daysAhead = 0, storage: Storage = memoryStorage()): Client {
  household.cookie = 'ann';
  const environment = { now: () => household.manual.time + daysAhead * DAY_MS };
  const client = household.tab({ environment, storage });
  open.push(client);
  return client;
}

async function settle(household: Household, seconds = 0): Promise<void> {
  for (let round = 0; round < 10; round += 1) await household.manual.advance((seconds * 1000) / 10);
}

for (const days of [100, -100, 3650, -3650]) {
  test(`a device whose clock is ${days} days ahead saves, also what it was told before it knew`, async () => {
    const household = new Household();
    const storage = memoryStorage();
    const first = deviceOf(household, days, storage);
    const told: unknown[] = [];
    first.on('edit', (event) => told.push(event));
    await first.start();
    await first.accounts.ask();
    await first.favourites.create(place('One'));
    await settle(household);
    assert.deepEqual([household.names('ann'), first.status.unsent, told], [['One'], 0, []]);
    await first.stop();

    household.manual.isOnline = false;
    household.instead = () => () => Promise.reject(new TypeError('no network'));
    const second = deviceOf(household, days, storage);
    second.on('edit', (event) => told.push(event));
    await second.start();
    await second.favourites.create(place('Two'));
    await settle(household, 60);
    assert.equal(second.status.unsent, 1);
    household.manual.isOnline = true;
    household.instead = () => undefined;
    await settle(household, 120);
    assert.deepEqual([household.names('ann'), second.status.unsent, told], [['One', 'Two'], 0, []]);
  });
}

test('a repeat keeps its mid, whatever clock said when it was made', async () => {
  const household = new Household();
  const storage = memoryStorage();
  const client = deviceOf(household, 0, storage);
  await client.start();
  await client.accounts.ask();
  await settle(household);
  const mids: unknown[] = [];
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  await client.favourites.create(place('One'));
  for (const days of [0, 2, 2]) {
    household.manual.time += days * DAY_MS;
    await client.sync();
    const { queue } = (await read(storage, 'http://household.test|ann')) as { queue: { mutation: { mid: string } }[] };
    mids.push(queue[0]?.mutation.mid);
  }
  assert.equal(new Set(mids).size, 1, 'the server may have it already');
});

test('the forecast of a favourite that was just made waits until the server has it', async () => {
  const household = new Household();
  const client = deviceOf(household);
  await client.start();
  await client.accounts.ask();
  const id = await client.favourites.create(place('One'));
  assert.deepEqual(await client.forecasts.favourite(id), { now: null });
  assert.deepEqual(household.names('ann'), ['One']);
});

test('where it cannot be sent, its forecast says why, and nothing was asked', async () => {
  const household = new Household();
  const client = deviceOf(household);
  await client.start();
  await client.accounts.ask();
  await settle(household);
  household.manual.isOnline = false;
  const id = await client.favourites.create(place('One'));
  const before = household.asked.length;
  const code = (promise: Promise<unknown>) => promise.then(() => 'done', (error: unknown) => (error instanceof Problem ? error.code : error));
  assert.equal(await code(client.forecasts.favourite(id)), 'unreachable');
  assert.equal(household.asked.length, before);
  household.manual.isOnline = true;
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  assert.equal(await code(client.forecasts.favourite(id)), 'store_unavailable');
  household.instead = () => undefined;
  assert.deepEqual(await client.forecasts.favourite(id), { now: null });
});
