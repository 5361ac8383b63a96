// Two devices of one account: what one changes, the other sees at once.
//
//   node examples/two-devices.js http://localhost:8080
//
// In an app of your own import from '@fairweather/client'.
import { createClient, memoryStorage, type Client } from '../src/index.ts';

const baseUrl = process.argv[2] ?? 'http://localhost:8080';

/** Resolves when a favourite looks as wanted on a device. */
function seen(device: Client, wanted: (names: string[]) => boolean): Promise<string[]> {
  return new Promise((resolve) => {
    const look = (): void => {
      const names = device.favourites.list?.map(({ name, note }) => (note === null ? name : `${name} (${note})`)) ?? [];
      if (wanted(names)) resolve((off(), names));
    };
    const off = device.on('favourites', look);
    look();
  });
}

/** Resolves when changes of other devices arrive by themselves. */
function live(device: Client): Promise<void> {
  return new Promise((resolve) => {
    const off = device.on('status', ({ stream }) => {
      if (stream === 'open') resolve(off());
    });
  });
}

// Both devices sign in to one account: here by sharing the storage that holds the tokens, but not the copy.
const tokens = memoryStorage();
const device = (): Client => {
  const copies = memoryStorage();
  return createClient({ baseUrl, storage: { update: (key, step) => (key.endsWith('|session') ? tokens : copies).update(key, step) } });
};
const phone = device();
await phone.start();
await phone.accounts.anonymous();

const laptop = device();
const both = Promise.all([live(phone), live(laptop)]);
await laptop.start();
await both;
console.log('two devices are live');

const [lisbon] = await phone.places.search('Lisb');
if (!lisbon) throw new Error('the gazetteer knows Lisbon');
let begin = performance.now();
const arrival = seen(laptop, (names) => names.length === 1);
const id = await phone.favourites.create({ place: lisbon });
console.log('the phone adds a place, and the laptop shows', await arrival, `after ${Math.round(performance.now() - begin)} ms`);

begin = performance.now();
const note = seen(phone, (names) => names[0]?.includes('window seat') ?? false);
await laptop.favourites.update(id, { note: 'window seat' });
console.log('the laptop writes a note, and the phone shows', await note, `after ${Math.round(performance.now() - begin)} ms`);

await phone.stop();
await laptop.stop();
