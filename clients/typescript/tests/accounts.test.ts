import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { type Client, Problem } from '../src/index.ts';
import { Household, refusal } from './household.ts';
import { idle } from './manual.ts';

const open: Client[] = [];
const place = (name: string) => ({ name, lat: 1, lon: 1 });
const failure = (promise: Promise<unknown>) => promise.then(() => null, (error: unknown) => error);

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.stop()));
});

/** A tab that is started, in a household where `cookie` is signed in. */
async function tabOf(household: Household, cookie: string | null = household.cookie): Promise<Client> {
  household.cookie = cookie;
  const client = household.tab();
  open.push(client);
  await client.start();
  await client.accounts.ask();
  await client.sync();
  return client;
}

/** Lets everything happen that can: promises, messages between tabs, and pauses of so many seconds. */
async function settle(household: Household, seconds = 0): Promise<void> {
  for (let round = 0; round < 10; round += 1) await household.manual.advance((seconds * 1000) / 10);
}

test('no edit reaches another account, however slow the exchange is that a sign-in meets', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  const other = await tabOf(household);
  let free = (): void => undefined;
  const held = new Promise<void>((resolve) => (free = resolve));
  household.instead = (path) => (path === '/v1/sync' ? () => held.then(() => refusal(503, 'store_unavailable')) : undefined);
  await client.favourites.create(place('Of Ann'));
  await idle();
  const signIn = failure(other.accounts.login('ben', 'secret', true));
  await settle(household, 15);
  free();
  household.instead = () => undefined;
  await settle(household, 120);
  await signIn;
  await client.sync();
  await settle(household, 120);
  assert.deepEqual(household.sent.filter(({ as }) => as !== 'ann'), []);
  assert.deepEqual(household.names('ben'), []);
});

test('nothing is sent between a sign-in and the word who it is', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  household.instead = (path) => (path === '/v1/me' ? () => refusal(503, 'store_unavailable') : undefined);
  const signIn = failure(client.accounts.login('ben', 'secret'));
  await settle(household, 30);
  await client.favourites.create(place('Of Ann'));
  await client.sync();
  await settle(household, 120);
  assert.deepEqual(household.sent, []);
  household.instead = () => undefined;
  await settle(household, 120);
  await signIn;
  assert.equal(client.accountId, 'ben');
  assert.deepEqual(household.sent, []);
});

test('a cookie that changed without a word is noticed, and nothing of the other account is believed', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  // A tab of another version of the app, say: the storage says so, but no message came.
  await household.storage.update('http://household.test|session', () => [{ account: 'ben', tokens: null }, undefined]);
  household.cookie = 'ben';
  await client.favourites.create(place('Of Ann'));
  await client.sync();
  await settle(household, 60);
  assert.deepEqual(household.sent, []);
  assert.equal(client.accountId, 'ben');
});

test('a refused sign-in changes nothing, and sending goes on', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  assert.equal(((await failure(client.accounts.login('nobody', 'x'))) as Problem).code, 'wrong_credentials');
  await settle(household);
  await client.favourites.create(place('Oslo'));
  await settle(household);
  assert.deepEqual(household.sent, [{ as: 'ann', name: 'Oslo' }]);
});

test('a tab that hangs makes a sign-in fail with a reason, not go ahead', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  let free = (): void => undefined;
  const hanging = new Promise<void>((resolve) => (free = resolve));
  void household.locks.request('fairweather|http://household.test|session', { mode: 'shared' }, () => hanging);
  const signIn = failure(client.accounts.login('ben', 'secret'));
  await settle(household, 15);
  const failed = await signIn;
  assert.ok(failed instanceof Problem && failed.code === 'busy', String(failed));
  assert.equal(household.cookie, 'ann');
  free();
});

test('two first picks make one account, in one tab and in two', async () => {
  const household = new Household();
  const tabs = [await tabOf(household), await tabOf(household)] as const;
  const made = await Promise.all([tabs[0].accounts.anonymous(), tabs[0].accounts.anonymous(), tabs[1].accounts.anonymous()]);
  assert.deepEqual(made.map(({ account_id: id }) => id), ['guest-1', 'guest-1', 'guest-1']);
  assert.equal(household.asked.filter((path) => path === '/v1/auth/anonymous').length, 1);
});

test('what cannot be sent is not thrown away by a sign-out or a sign-in that nobody confirmed', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  await client.favourites.create(place('Unsent'));
  for (const leave of [() => client.accounts.logout(), () => client.accounts.login('ben', 'secret')]) {
    const left = failure(leave());
    await settle(household, 5);
    const refused = await left;
    assert.equal((refused as Error).name, 'UnsentEdits');
    assert.equal((refused as { count?: number }).count, 1);
  }
  await settle(household);
  assert.equal(client.accountId, 'ann');
  assert.equal(household.cookie, 'ann');
  household.instead = () => undefined;
  await client.sync();
  await settle(household, 120);
  assert.deepEqual(household.names('ann'), ['Unsent']);
});

test('a confirmed sign-out leaves nothing on the device', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  await client.favourites.create(place('Unsent'));
  await client.accounts.logout(true);
  await settle(household);
  assert.equal(await household.storage.update('http://household.test|ann', (value) => [value, value]), undefined);
  assert.equal(client.favourites.list, null);
});

test('a session that ended elsewhere keeps what is unsent for the next sign-in to the account, and nothing else', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  const other = await tabOf(household);
  let told = 0;
  for (const tab of [client, other]) tab.on('ended', () => (told += 1));
  await client.favourites.create(place('Sent'));
  await client.sync();
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  await client.favourites.create(place('Unsent'));
  await settle(household);
  household.cookie = null;
  household.instead = () => undefined;
  await client.sync();
  await settle(household, 5);
  assert.deepEqual([client.favourites.list, other.favourites.list, told], [null, null, 2]);
  const kept = JSON.stringify(await household.storage.update('http://household.test|ann', (value) => [value, value]));
  assert.ok(kept.includes('"Unsent"') && !kept.includes('"Sent"'), kept);

  await client.accounts.login('ben', 'secret');
  await client.accounts.logout();
  await client.accounts.login('ann', 'secret');
  await settle(household);
  assert.deepEqual(household.names('ann'), ['Sent', 'Unsent']);
  assert.deepEqual(household.names('ben'), []);
});

for (const status of [400, 401, 403, 404, 413, 422]) {
  test(`a firewall that answers ${status} loses no edit`, async () => {
    const household = new Household();
    const client = await tabOf(household, 'ann');
    const edits: unknown[] = [];
    client.on('edit', (event) => edits.push(event));
    household.instead = (path) => (path === '/v1/sync' ? () => new Response('<html>no</html>', { status, headers: { 'content-type': 'text/html' } }) : undefined);
    await client.favourites.create(place('One'));
    await client.favourites.create(place('Two'));
    await settle(household, 5);
    household.instead = () => undefined;
    await settle(household, 120);
    assert.deepEqual([household.names('ann'), edits], [['One', 'Two'], []]);
  });
}

test('a mutation that the server finds at fault is refused alone', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  const edits: string[] = [];
  client.on('edit', (event) => edits.push(event.type));
  const errors = [{ pointer: '/mutations/0/set/name', code: 'too_long', detail: 'too long' }];
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(422, 'invalid', { errors }) : undefined);
  await client.favourites.create(place('At fault'));
  await settle(household);
  assert.deepEqual([client.status.unsent, edits], [0, ['refused']]);
});
