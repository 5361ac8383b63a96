import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { memoryStorage, type Storage } from '../src/index.ts';
import { BINARY, BrokenNetwork, Device, Fairweather } from './server.ts';

const skip = BINARY === undefined ? 'set SERVER_BIN to the server binary' : false;
const PASSWORD = 'seven quiet herons over the lake';
let server: Fairweather;
let open: Device[] = [];

before(async () => {
  if (!skip) server = await Fairweather.begin();
});

after(async () => {
  await Promise.all(open.map(({ client }) => client.stop()));
  if (!skip) await server.end();
});

/** Several devices that are signed in to one new anonymous account, and live. */
async function devices(...urls: string[]): Promise<Device[]> {
  const tokens = memoryStorage();
  const made: Device[] = [];
  for (const url of urls) {
    const copies = memoryStorage();
    const storage: Storage = { update: (key, step) => (key.endsWith('|session') ? tokens : copies).update(`${key.split('|').at(-1)}`, step) };
    const device = new Device(url, { storage });
    open.push(device);
    made.push(device);
    await device.client.start();
    if (made.length === 1) await device.client.accounts.anonymous();
  }
  await Promise.all(made.map((device) => device.untilLive()));
  return made;
}

async function stop(...done: Device[]): Promise<void> {
  await Promise.all(done.map(({ client }) => client.stop()));
  open = open.filter((device) => !done.includes(device));
}

const bare = ({ list }: Device) => list.map(({ unsent: _, ...favourite }) => favourite);

test('a change on one device is seen on the other at once', { skip }, async () => {
  const [phone, laptop] = await devices(server.url, server.url);
  assert.ok(phone && laptop);
  const [lisbon] = await phone.client.places.search('Lisb');
  assert.ok(lisbon);
  const begin = performance.now();
  const id = await phone.client.favourites.create({ place: lisbon });
  assert.deepEqual(phone.names, ['Lisbon'], 'one sees it before the server does');
  await laptop.until('Lisbon arrives', ({ names }) => names.includes('Lisbon'));
  const took = performance.now() - begin;
  // Half a minute is what a device that hears nothing waits until it looks by itself.
  assert.ok(took < 10_000, `${took} ms`);

  await laptop.client.favourites.update(id, { note: 'window seat' });
  await phone.until('the note arrives', ({ list }) => list[0]?.note === 'window seat');
  await phone.client.favourites.create({ name: 'Cabin', lat: 60.1, lon: 9.2 });
  await laptop.until('Cabin arrives', ({ names }) => names.length === 2);
  await laptop.client.favourites.move(laptop.list[1]?.id ?? '', 0);
  await phone.until('the order arrives', ({ names }) => names[0] === 'Cabin');
  await phone.client.favourites.remove(id);
  await laptop.until('Lisbon goes', ({ names }) => names.length === 1);
  assert.deepEqual(bare(phone), bare(laptop));
  assert.deepEqual(phone.edits, []);
  assert.deepEqual(laptop.edits.map(({ type, item }) => [type, item?.name, item?.note]), [['removed', 'Lisbon', 'window seat']], 'its note went too');
  await stop(phone, laptop);
});

test('what two devices change offline is joined, and both hear of the field that met', { skip }, async () => {
  const networks = [await BrokenNetwork.before(server), await BrokenNetwork.before(server)] as const;
  const [phone, laptop] = await devices(networks[0].url, networks[1].url);
  assert.ok(phone && laptop);
  const id = await phone.client.favourites.create({ name: 'Oslo', lat: 59.91, lon: 10.75 });
  await laptop.until('Oslo arrives', ({ names }) => names.length === 1);
  await phone.untilSent();
  for (const device of [phone, laptop]) device.link.online = false;
  for (const network of networks) network.cutStreams();

  await phone.client.favourites.update(id, { note: 'third floor' });
  await phone.client.favourites.update(id, { name: 'Grandmother' });
  await phone.client.favourites.create({ name: 'Cabin', lat: 60.1, lon: 9.2 });
  await laptop.client.favourites.update(id, { note: 'ring twice' });
  const doomed = await laptop.client.favourites.create({ name: 'Mistake', lat: 1, lon: 1 });
  await laptop.client.favourites.remove(doomed);
  assert.equal(phone.client.status.unsent, 2, 'two edits of one place are one');
  assert.equal(laptop.client.status.unsent, 1, 'what came and went is nothing');

  phone.link.online = true;
  await phone.client.sync();
  await phone.untilSent();
  laptop.link.online = true;
  await laptop.client.sync();
  await laptop.untilSent();
  assert.deepEqual(laptop.edits.map(({ type, field, was, yours }) => ({ type, field, was, yours })), [
    { type: 'overwrote', field: 'note', was: 'third floor', yours: 'ring twice' },
  ]);
  await phone.until('the phone hears of it', ({ edits }) => edits.length === 1);
  assert.deepEqual(phone.edits, [{ type: 'replaced', id, field: 'note', yours: 'third floor', theirs: 'ring twice' }]);
  assert.deepEqual(laptop.names, ['Grandmother', 'Cabin']);
  assert.deepEqual(bare(phone), bare(laptop));
  await stop(phone, laptop);
  for (const network of networks) await network.end();
});

test('answers that are lost change nothing twice', { skip }, async () => {
  const network = await BrokenNetwork.before(server);
  const [phone, laptop] = await devices(network.url, server.url);
  assert.ok(phone && laptop);
  let lose = 0;
  network.fate = (_, path) => {
    if (path !== '/v1/sync') return 'pass';
    lose += 1;
    return lose % 3 === 0 ? 'pass' : lose % 3 === 1 ? 'lose the answer' : 'lose the request';
  };
  for (let round = 0; round < 3; round += 1) {
    const id = await phone.client.favourites.create({ name: `Place ${round}`, lat: round, lon: round });
    while (phone.client.status.unsent > 0) await phone.client.sync();
    await phone.client.favourites.update(id, { note: 'n' });
    while (phone.client.status.unsent > 0) await phone.client.sync();
  }
  await laptop.until('all arrive', ({ list }) => list.length === 3 && list.every(({ note }) => note === 'n'));
  // Every change took one revision, however often it was sent.
  assert.deepEqual(laptop.list.map(({ rev }) => rev), [2, 4, 6]);
  assert.deepEqual(bare(phone), bare(laptop));
  assert.deepEqual(phone.edits, []);
  await stop(phone, laptop);
  await network.end();
});

test('a stream that is cut comes back from where it was', { skip }, async () => {
  const network = await BrokenNetwork.before(server);
  const [phone, laptop] = await devices(server.url, network.url);
  assert.ok(phone && laptop);
  for (let round = 0; round < 3; round += 1) {
    assert.equal(network.cutStreams(), 1);
    await laptop.until('the cut is noticed', ({ client }) => client.status.stream !== 'open');
    await phone.client.favourites.create({ name: `Place ${round}`, lat: round, lon: round });
    await phone.untilSent();
    await laptop.untilLive();
    await laptop.until('what was missed arrives', ({ names }) => names.length === round + 1);
  }
  const opened = network.log.filter((line) => line.startsWith('GET /v1/stream'));
  assert.equal(opened.length, 4);
  assert.ok(opened.slice(1).every((line) => /cursor=v1\.\d+\.\d+/.test(line)), opened.join('\n'));
  assert.ok(!network.log.some((line) => line === 'GET /v1/favourites' && network.log.indexOf(line) > 3), 'no snapshot was needed');
  await stop(phone, laptop);
  await network.end();
});

test('a refresh whose answer is lost does not sign anybody out', { skip }, async () => {
  const network = await BrokenNetwork.before(server);
  const clock = { ahead: 0 };
  const device = new Device(network.url, { live: false, environment: { now: () => Date.now() + clock.ahead } });
  open.push(device);
  await device.client.start();
  const { account_id: account } = await device.client.accounts.anonymous();
  let lost = 0;
  network.fate = (_, path) => (path === '/v1/auth/refresh' && (lost += 1) <= 2 ? 'lose the answer' : 'pass');
  for (let round = 1; round <= 3; round += 1) {
    // By the device's clock the token has ended.
    clock.ahead = round * 700_000;
    await device.client.favourites.create({ name: `Round ${round}`, lat: 1, lon: 1 });
    await device.client.sync();
    await device.untilSent();
  }
  assert.equal(lost, 5);
  assert.equal(device.client.accounts.current?.account_id, account);
  assert.equal(device.list.length, 3);
  await stop(device);
  await network.end();
});

test('accounts on one device never mix', { skip }, async () => {
  const device = new Device(server.url);
  open.push(device);
  const { client } = device;
  await client.start();
  const email = `traveller-${Date.now().toString(36)}@example.org`;
  await client.accounts.anonymous();
  await client.favourites.create({ name: 'Of Ann', lat: 1, lon: 1 });
  const { registration } = await client.accounts.register(email, PASSWORD);
  const ann = await client.accounts.confirm(registration, await server.codeFor(email));
  assert.equal(ann.kind, 'registered');
  await device.untilLive();
  await client.accounts.logout();
  assert.equal(client.favourites.list, null);

  const guest = await client.accounts.anonymous();
  assert.notEqual(guest.account_id, ann.account_id);
  await client.favourites.create({ name: 'Of a guest', lat: 2, lon: 2 });
  await device.untilLive();
  await device.untilSent();
  assert.deepEqual(device.names, ['Of a guest']);

  const back = await client.accounts.login(email, PASSWORD);
  assert.ok('account_id' in back && back.account_id === ann.account_id);
  await device.until('the list of Ann', ({ names }) => names.length > 0);
  assert.deepEqual(device.names, ['Of Ann']);
  assert.equal(await client.accounts.adopt(), true);
  await device.until('the guest’s place joins', ({ names }) => names.length === 2);
  assert.deepEqual(device.names.toSorted(), ['Of Ann', 'Of a guest']);
  await stop(device);
});

test('a batch that cannot be taken as a whole loses only what is at fault', { skip }, async () => {
  const [device] = await devices(server.url);
  assert.ok(device);
  device.link.online = false;
  for (let n = 0; n < 5; n += 1) await device.client.favourites.create({ name: n === 2 ? 'too north' : `Place ${n}`, lat: n === 2 ? 91 : n, lon: n });
  device.link.online = true;
  await device.client.sync();
  await device.untilSent();
  assert.deepEqual(device.names, ['Place 0', 'Place 1', 'Place 3', 'Place 4']);
  assert.deepEqual(device.edits.map(({ type, error }) => [type, error]), [['refused', 'invalid']]);
  await stop(device);
});

for (const days of [100, -100]) {
  test(`a device whose clock is ${days} days ahead saves what it makes`, { skip }, async () => {
    const device = new Device(server.url, { environment: { now: () => Date.now() + days * 86_400_000 } });
    open.push(device);
    await device.client.start();
    await device.client.accounts.anonymous();
    const id = await device.client.favourites.create({ name: 'Oslo', lat: 59.91, lon: 10.75 });
    await device.untilSent();
    await device.client.favourites.update(id, { note: 'third floor' });
    await device.untilSent();
    assert.deepEqual([device.edits, device.list.map(({ rev, note }) => [rev, note])], [[], [[2, 'third floor']]]);
    await stop(device);
  });
}

test('the quick start of the README works as it stands', { skip }, async () => {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
  const [, code = ''] = /## Quick start\n+```ts\n(.*?)```/s.exec(readme) ?? [];
  const library = pathToFileURL(join(import.meta.dirname, '../src/index.js')).href;
  const here = code.replace("'@fairweather/client'", `'${library}'`).replace('https://weather.example.com', server.url);
  assert.ok(here.includes(library) && here.includes(server.url), 'it names the package and a server');
  // The snippet paints, and goes on to listen; a test has to look at the result and end it.
  const program = `globalThis.paint = () => {};\n${here}\nconsole.log(client.favourites.get(id).name, typeof now.temperature);\nawait client.stop();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { timeout: 20_000 });
  assert.equal(stdout, 'Lisbon number\n');
});

test('a restart keeps every cursor; a database that was rewound does not', { skip }, async () => {
  const network = await BrokenNetwork.before(server);
  const [phone, laptop] = await devices(network.url, network.url);
  assert.ok(phone && laptop);
  await phone.client.favourites.create({ name: 'Before', lat: 1, lon: 1 });
  await laptop.until('it arrives', ({ names }) => names.length === 1);

  await server.stop();
  await server.backup();
  await server.start();
  network.log.length = 0;
  await phone.client.favourites.create({ name: 'After the restart', lat: 2, lon: 2 });
  await phone.client.sync();
  await laptop.until('it arrives', ({ names }) => names.length === 2, 30_000);
  await phone.untilSent();
  assert.deepEqual(network.log.filter((line) => line === 'GET /v1/favourites'), [], 'a new era alone costs no snapshot');

  await server.stop();
  await server.restore();
  await server.start();
  // Both devices hold a cursor of the future that was lost. What the phone does now lands in another history.
  await phone.client.favourites.create({ name: 'In another history', lat: 3, lon: 3 });
  await phone.client.sync();
  await laptop.client.sync();
  for (const device of [phone, laptop]) {
    await device.until('the other history', ({ names }) => names.join() === 'Before,In another history', 30_000);
  }
  assert.deepEqual(bare(phone), bare(laptop));
  await stop(phone, laptop);
  await network.end();
});
