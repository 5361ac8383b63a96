import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { type Client, type Environment, Problem, UnsentEdits } from '../src/index.ts';
import { Household, refusal } from './household.ts';
import { idle } from './manual.ts';

const open: Client[] = [];
const place = (name: string) => ({ name, lat: 1, lon: 1 });
const failure = (promise: Promise<unknown>) => promise.then(() => null, (error: unknown) => error);

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.stop()));
});

/** A tab that is started, in a household where `cookie` is signed in. */
async function tabOf(household: Household, cookie: string | null = household.cookie, environment: Partial<Environment> = {}, live = false): Promise<Client> {
  household.cookie = cookie;
  const client = household.tab({ environment, live });
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

/** Answers that wait until they are let go. */
function hold(household: Household, held: string, answer = () => refusal(503, 'store_unavailable')): () => void {
  let free = (): void => undefined;
  const freed = new Promise<void>((resolve) => (free = resolve));
  household.instead = (path) => (path === held ? () => freed.then(answer) : undefined);
  return () => {
    household.instead = () => undefined;
    free();
  };
}

/** Tells at any moment what has become of a promise. */
function watched(promise: Promise<unknown>): () => unknown {
  let became: unknown = 'waits';
  promise.then(
    () => (became = 'done'),
    (error: unknown) => (became = error instanceof Problem ? error.code : error),
  );
  return () => became;
}

for (const where of ['the same tab', 'another tab']) {
  test(`a sign-in in ${where} calls off an exchange that hangs, and none of its edits reaches the other account`, async () => {
    const household = new Household();
    const client = await tabOf(household, 'ann');
    const other = where === 'another tab' ? await tabOf(household) : client;
    const free = hold(household, '/v1/sync');
    await client.favourites.create(place('Of Ann'));
    await idle();
    const signIn = watched(other.accounts.login('ben', 'secret', true));
    await settle(household, 5);
    assert.deepEqual([signIn(), other.accountId], ['done', 'ben'], 'nobody waits for what hangs');
    free();
    await settle(household, 120);
    await client.sync();
    await settle(household, 120);
    assert.deepEqual(household.sent.filter(({ as }) => as !== 'ann'), []);
    assert.deepEqual(household.names('ben'), []);
  });
}

test('a tab that hears nothing keeps others from signing in while it sends', async () => {
  const household = new Household();
  const deaf = await tabOf(household, 'ann', { channel: null });
  const other = await tabOf(household);
  const free = hold(household, '/v1/sync');
  await deaf.favourites.create(place('Of Ann'));
  await idle();
  const signIn = watched(other.accounts.login('ben', 'secret', true));
  await settle(household, 5);
  assert.deepEqual([signIn(), household.cookie], ['waits', 'ann']);
  await settle(household, 10);
  assert.deepEqual([signIn(), household.cookie], ['busy', 'ann']);
  free();
  await settle(household, 120);
  assert.deepEqual(household.names('ann'), ['Of Ann']);
});

test('a tab that hears nothing sends nothing while nobody knows whose the session is', async () => {
  const household = new Household();
  const deaf = await tabOf(household, 'ann', { channel: null });
  const other = await tabOf(household);
  household.instead = (path) => (path === '/v1/me' ? () => refusal(503, 'store_unavailable') : undefined);
  const signIn = watched(other.accounts.login('ben', 'secret', true));
  await settle(household, 30);
  assert.deepEqual([signIn(), household.cookie], ['store_unavailable', 'ben'], 'signed in, but as whom has not been said');
  await deaf.favourites.create(place('Of Ann'));
  await settle(household, 30);
  const { queue } = (await household.kept('ann')) as { queue: { sent: boolean }[] };
  assert.deepEqual([household.sent, queue.map(({ sent }) => sent)], [[], [false]], 'nothing is sent, nor tried');
  household.instead = () => undefined;
  await settle(household, 120);
  assert.deepEqual([deaf.accountId, household.sent], ['ben', []]);
});

for (const auth of ['cookie', 'bearer'] as const) {
  test(`a session that changes between the decision to send and the request stops the request (${auth})`, async () => {
    const household = new Household();
    const { storage } = household;
    const tokens = auth === 'cookie' ? null : { access: 'ben/1', refresh: 'ben/1', end: household.manual.time + 600_000 };
    let armed = false;
    household.storage = {
      update: async (key, step, strict) => {
        const result = await storage.update(key, step, strict);
        const copy = (await storage.update('http://household.test|ann', (value) => [value, value])) as { queue: { sent: boolean }[] } | undefined;
        if (!armed || !copy?.queue.some(({ sent }) => sent)) return result;
        armed = false;
        await storage.update('http://household.test|session', () => [{ account: 'ben', tokens }, undefined]);
        household.cookie = 'ben';
        return result;
      },
    };
    const client = household.tab({ auth });
    open.push(client);
    await client.start();
    await client.accounts.login('ann', 'secret');
    await client.sync();
    armed = true;
    await client.favourites.create(place('Of Ann'));
    await settle(household, 60);
    assert.deepEqual([armed, household.sent, client.accountId], [false, [], 'ben']);
  });
}

test('an answer that arrives when the session is another one is not believed', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  let asked = false;
  const page = { items: [{ id: 'x', rev: 9, name: 'Of Ben', position: 'a0' }], next: null, cursor: 'v1.1.9' };
  const shown: string[] = [];
  client.on('favourites', () => shown.push(`${client.accountId}: ${client.favourites.list?.map(({ name }) => name).join()}`));
  household.instead = (path) => {
    if (path === '/v1/changes') return () => refusal(410, 'cursor_expired');
    if (path !== '/v1/favourites' || asked) return undefined;
    asked = true;
    return async () => {
      await household.storage.update('http://household.test|session', () => [{ account: 'ben', tokens: null }, undefined]);
      household.cookie = 'ben';
      return Response.json(page);
    };
  };
  await client.sync();
  household.instead = () => undefined;
  await settle(household, 60);
  assert.deepEqual([asked, client.accountId, shown.filter((line) => line.startsWith('ann'))], [true, 'ben', []]);
});

test('what a stream says when the session is another one is not believed', async () => {
  const household = new Household();
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  household.instead = (path) => {
    if (path !== '/v1/stream' || stream) return undefined;
    return () => new Response(new ReadableStream({ start: (controller) => void (stream = controller) }), { headers: { 'content-type': 'text/event-stream' } });
  };
  const say = (event: string, data: unknown): void => stream?.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  const change = (seq: number, name: string) => {
    const item = { id: name, rev: seq, name, position: 'a0' };
    return { from: `v1.1.${seq - 1}`, to: `v1.1.${seq}`, changes: [{ kind: 'favourite', id: name, rev: seq, deleted: false, item }], has_more: false };
  };
  const client = await tabOf(household, 'ann', {}, true);
  const shown: string[] = [];
  client.on('favourites', () => shown.push(`${client.accountId}: ${client.favourites.list?.map(({ name }) => name).join()}`));
  await settle(household);
  say('hello', { cursor: 'v1.1.0', heartbeat_s: 20 });
  say('changes', change(1, 'Of Ann'));
  await settle(household);
  assert.deepEqual(shown, ['ann: Of Ann']);
  await household.storage.update('http://household.test|session', () => [{ account: 'ben', tokens: null }, undefined]);
  household.cookie = 'ben';
  say('changes', change(2, 'Of Ben'));
  await settle(household);
  assert.deepEqual(shown.filter((line) => line.includes('Of Ben')), []);
});

test('progress says when an exchange is under way: until it is done, has failed, or was called off', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  const moods: string[] = [];
  client.on('status', ({ busy, unsent }) => {
    const mood = `${busy ? 'busy' : 'idle'} ${unsent}`;
    if (moods.at(-1) !== mood) moods.push(mood);
  });
  await client.favourites.create(place('One'));
  await settle(household);
  assert.deepEqual(moods, ['idle 1', 'busy 1', 'busy 0', 'idle 0']);

  const free = hold(household, '/v1/sync');
  await client.favourites.create(place('Two'));
  await settle(household);
  assert.deepEqual([client.status.busy, client.status.unsent, client.status.problem], [true, 1, null]);
  free();
  await settle(household);
  assert.deepEqual([client.status.busy, client.status.unsent, client.status.problem?.code], [false, 1, 'store_unavailable']);

  const freeAgain = hold(household, '/v1/sync');
  void client.sync();
  await settle(household);
  assert.equal(client.status.busy, true);
  const signOut = watched(client.accounts.logout(true));
  await settle(household);
  assert.deepEqual([signOut(), client.status.busy, client.status.problem], ['done', false, null]);
  freeAgain();
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

test('after a refused sign-in a tab that hears nothing may go on', async () => {
  const household = new Household();
  const deaf = await tabOf(household, 'ann', { channel: null });
  const other = await tabOf(household);
  household.instead = (path) => (path === '/v1/me' ? () => refusal(503, 'store_unavailable') : undefined);
  assert.equal(((await failure(other.accounts.login('nobody', 'x'))) as Problem).code, 'wrong_credentials');
  await deaf.favourites.create(place('Oslo'));
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

for (const leave of ['login', 'logout'] as const) {
  for (const discard of [false, true]) {
    test(`what another tab changes during a slow ${leave} ${discard ? 'goes with the rest where that was said' : 'stays for the next sign-in, and is told'}`, async () => {
      const household = new Household();
      const client = await tabOf(household, 'ann');
      const other = await tabOf(household);
      const told: unknown[] = [];
      client.on('left', (event) => told.push(event));
      await client.favourites.create(place('Sent'));
      await client.sync();
      const next = leave === 'login' ? 'ben' : null;
      const free = hold(household, `/v1/auth/${leave}`, () => ((household.cookie = next), new Response(null, { status: 204 })));
      const left = watched(leave === 'login' ? client.accounts.login('ben', 'secret', discard) : client.accounts.logout(discard));
      await settle(household);
      await other.favourites.create(place('Meanwhile'));
      assert.deepEqual([left(), household.cookie], ['waits', 'ann']);
      free();
      await settle(household);
      assert.deepEqual([left(), client.accountId, other.accountId], ['done', next, next]);
      const kept = JSON.stringify(await household.kept('ann')) ?? '';
      assert.deepEqual([kept.includes('"Meanwhile"'), kept.includes('"Sent"'), told], discard ? [false, false, []] : [true, false, [{ unsent: 1 }]]);
      assert.deepEqual(household.names('ben'), []);

      await client.accounts.login('ann', 'secret');
      await settle(household);
      assert.deepEqual(household.names('ann'), discard ? ['Sent'] : ['Sent', 'Meanwhile']);
    });
  }
}

test('what another tab changes while an anonymous account is left comes along with the rest', async () => {
  const household = new Household();
  const client = await tabOf(household);
  await client.accounts.anonymous();
  const other = await tabOf(household);
  const told: unknown[] = [];
  for (const tab of [client, other]) tab.on('left', (event) => told.push(event));
  const id = await client.favourites.create({ name: 'Oslo', lat: 59.91, lon: 10.75 });
  await settle(household);
  await client.sync();
  await other.sync();
  const free = hold(household, '/v1/auth/login', () => ((household.cookie = 'ben'), new Response(null, { status: 204 })));
  const signIn = watched(client.accounts.login('ben', 'secret'));
  await settle(household);
  await other.favourites.update(id, { name: 'Grandmother' });
  await other.favourites.create(place('Meanwhile'));
  free();
  await settle(household);
  assert.equal(signIn(), 'done');
  household.sent.length = 0;
  household.instead = (path) => (path === '/v1/changes' ? () => refusal(410, 'cursor_expired') : undefined);
  assert.equal(await client.accounts.adopt(), true);
  await settle(household);
  assert.deepEqual([household.sent, told], [[{ as: 'ben', name: 'Grandmother' }, { as: 'ben', name: 'Meanwhile' }], []]);
});

test('a sign-out counts what other tabs have not sent, heard or not', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann', { channel: null });
  const other = await tabOf(household);
  household.manual.isOnline = false;
  await other.favourites.create(place('Unsent'));
  const left = failure(client.accounts.logout());
  await settle(household, 5);
  assert.deepEqual([((await left) as { count?: number } | null)?.count, household.cookie], [1, 'ann']);
});

test('a second try to sign out, right after the first, sends what waits before it asks again', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  await client.favourites.create(place('Unsent'));
  const again = failure(client.accounts.logout()).then((refused) => {
    assert.equal((refused as Error).name, 'UnsentEdits');
    household.instead = () => undefined;
    return failure(client.accounts.logout());
  });
  await settle(household, 10);
  assert.deepEqual([await again, household.names('ann'), household.cookie], [null, ['Unsent'], null]);
});

test('with tokens, a refresh that is refused for good ends the session: told once, and only what is unsent stays', async () => {
  const household = new Household();
  const client = household.tab({ auth: 'bearer' });
  open.push(client);
  let told = 0;
  const accounts: unknown[] = [];
  client.on('ended', () => (told += 1));
  client.on('account', (account) => accounts.push(account?.account_id ?? account));
  await client.start();
  await client.accounts.login('ann', 'secret');
  await client.favourites.create(place('Sent'));
  await client.sync();
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  await client.favourites.create(place('Unsent'));
  await settle(household);
  household.ended.add('ann');
  household.instead = () => undefined;
  // The access token is over, so the next request has to renew it.
  await settle(household, 700);
  await client.sync();
  await settle(household, 5);
  assert.deepEqual([told, client.accountId, client.favourites.list, accounts], [1, null, null, [null, 'ann', null]]);
  assert.equal(await household.kept('session'), undefined, 'no token stays');
  const kept = JSON.stringify(await household.kept('ann'));
  assert.ok(kept.includes('"Unsent"') && !kept.includes('"Sent"'), kept);

  await client.accounts.login('ben', 'secret');
  await settle(household);
  assert.deepEqual(household.names('ben'), []);
  await client.accounts.logout();
  await client.accounts.login('ann', 'secret');
  await settle(household);
  assert.deepEqual([household.names('ann'), household.names('ben'), told], [['Sent', 'Unsent'], [], 1]);
});

test('a confirmed sign-out leaves nothing on the device', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  household.instead = (path) => (path === '/v1/sync' ? () => refusal(503, 'store_unavailable') : undefined);
  await client.favourites.create(place('Unsent'));
  await client.accounts.logout(true);
  await settle(household);
  assert.equal(await household.kept('ann'), undefined);
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
  const kept = JSON.stringify(await household.kept('ann'));
  assert.ok(kept.includes('"Unsent"') && !kept.includes('"Sent"'), kept);

  await client.accounts.login('ben', 'secret');
  await client.accounts.logout();
  await client.accounts.login('ann', 'secret');
  await settle(household);
  assert.deepEqual(household.names('ann'), ['Sent', 'Unsent']);
  assert.deepEqual(household.names('ben'), []);
});

for (const status of [400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503]) {
  test(`a firewall that answers ${status} loses no edit`, async () => {
    const household = new Household();
    const client = await tabOf(household, 'ann');
    const told: unknown[] = [];
    client.on('edit', (event) => told.push(event));
    client.on('ended', () => told.push('ended'));
    household.instead = () => () => new Response('<html>no</html>', { status, headers: { 'content-type': 'text/html' } });
    await client.favourites.create(place('One'));
    await client.favourites.create(place('Two'));
    await client.accounts.ask();
    await settle(household, 5);
    assert.deepEqual([client.status.unsent, client.status.problem?.code, client.status.reached], [2, 'unexpected', false]);
    household.instead = () => undefined;
    await settle(household, 120);
    assert.deepEqual([household.names('ann'), told, client.status.reached], [['One', 'Two'], [], true]);
  });
}

/** What a network's sign-in page, or a proxy with a cache of its own, may answer in place of the server. */
const FOREIGN = ['', '<html>', 'null', '[]', '{}', '{"results":null}', '{"results":[{}],"delta":{}}', '{"items":[{}],"next":null,"cursor":"c"}', '{"account_id":1}'];

for (const body of FOREIGN) {
  test(`success that is not the server’s own is a problem of its kind, and changes nothing: ${body || 'nothing'}`, async () => {
    const household = new Household();
    const client = await tabOf(household, 'ann');
    await client.favourites.create(place('One'));
    await client.sync();
    const told: unknown[] = [];
    for (const name of ['edit', 'ended'] as const) client.on(name, (event) => told.push([name, event]));
    household.instead = () => () => new Response(body, { status: 200, headers: { 'content-type': 'application/json' } });
    await client.sync();
    assert.equal(client.status.problem?.code, 'unexpected', 'as changes');
    await client.favourites.create(place('Two'));
    await settle(household, 5);
    assert.equal(client.status.problem?.code, 'unexpected', 'as the answer to a batch');
    await client.accounts.ask();
    assert.deepEqual([client.accountId, client.favourites.list?.length, client.status.unsent], ['ann', 2, 1], 'as the account');
    assert.equal(((await failure(client.accounts.login('ben', 'secret', true))) as Problem).code, 'unexpected', 'as a sign-in');
    household.instead = (path) => {
      if (path === '/v1/changes') return () => refusal(410, 'cursor_expired');
      return path === '/v1/favourites' ? () => new Response(body, { status: 200 }) : undefined;
    };
    await client.accounts.ask();
    await settle(household, 120);
    await client.sync();
    assert.equal(client.status.problem?.code, 'unexpected', 'as a snapshot');
    household.instead = () => undefined;
    await settle(household, 120);
    assert.deepEqual([household.names('ann'), client.favourites.list?.length, told], [['One', 'Two'], 2, []]);
    assert.equal(client.status.problem, null);
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

test('a second factor completes what the password began; a wrong one leaves the account of the device as it was', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  let right = false;
  household.instead = (path) => {
    if (path === '/v1/auth/login') return async () => Response.json({ mfa_required: true, challenge: 'c', factors: ['totp'], public_key: null });
    if (path !== '/v1/auth/mfa') return undefined;
    return async () => {
      if (!right) return refusal(401, 'wrong_factor');
      household.cookie = 'ben';
      return new Response(null, { status: 204 });
    };
  };
  const step = await client.accounts.login('ben', 'secret');
  assert.ok('mfa_required' in step);
  assert.equal(((await failure(client.accounts.secondFactor(step.challenge, { code: '000000' }))) as Problem).code, 'wrong_factor');
  assert.equal(client.accountId, 'ann');
  right = true;
  await client.accounts.secondFactor(step.challenge, { code: '287082' });
  assert.equal(client.accountId, 'ben');
});

test('a passkey signs in as a password does, and asks before unsent changes are lost', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  household.instead = (path) => {
    if (path === '/v1/sync') return async () => refusal(503, 'store_unavailable');
    if (path !== '/v1/auth/passkeys/finish') return undefined;
    return async () => ((household.cookie = 'ben'), new Response(null, { status: 204 }));
  };
  await client.favourites.create(place('Of Ann'));
  const lost = watched(client.accounts.passkey({}));
  await settle(household, 10);
  assert.ok(lost() instanceof UnsentEdits);
  await client.accounts.passkey({}, true);
  assert.equal(client.accountId, 'ben');
});

test('an account that is removed leaves nothing on the device', async () => {
  const household = new Household();
  const client = await tabOf(household, 'ann');
  await client.favourites.create(place('Of Ann'));
  await client.accounts.remove();
  assert.deepEqual([client.accountId, client.accounts.current, await household.kept('ann')], [null, null, undefined]);
});
