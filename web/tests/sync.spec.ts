import type { Browser } from '@playwright/test';

import { type App, expect, PASSWORD, signIn, signUp, test } from './app.ts';

/** Less than the half a minute after which a device that hears nothing looks by itself. */
const SOON = { timeout: 10_000, intervals: [50] };

function live(app: App) {
  return expect(app.page.getByText('Live', { exact: true })).toBeVisible();
}

/** Two devices of one registered account with the places that were added on the first. */
async function twoDevices(app: App, device: () => Promise<App>, browser: Browser, ...places: string[]): Promise<[App, App]> {
  await app.open();
  for (const name of places) await app.add(name, name);
  const email = await signUp(app, browser);
  const phone = await device();
  await phone.open();
  await signIn(phone, email, PASSWORD);
  await expect(phone.rows).toHaveCount(places.length);
  await live(app);
  await live(phone);
  return [app, phone];
}

async function rename(app: App, from: string, to: string): Promise<void> {
  await app.act(from, 'Rename');
  await app.page.getByRole('textbox', { name: `New name for ${from}` }).fill(to);
  await app.page.getByRole('textbox', { name: `New name for ${from}` }).press('Enter');
}

async function writeNote(app: App, name: string, note: string): Promise<void> {
  await app.page.getByRole('link', { name, exact: true }).click();
  await app.detail(name).getByRole('button', { name: /Add a note|Edit the note/ }).click();
  await app.detail(name).getByRole('textbox').fill(note);
  await app.detail(name).getByRole('button', { name: 'Save' }).click();
}

test('what one device changes appears on the other well under a second later', async ({ app, browser, device }) => {
  const [laptop, phone] = await twoDevices(app, device, browser, 'Lisbon', 'Oslo');

  await rename(laptop, 'Lisbon', 'Grandmother');
  await expect(phone.row('Grandmother')).toBeVisible(SOON);

  await phone.act('Oslo', 'Move up');
  await expect.poll(() => laptop.names(), SOON).toEqual(['Oslo', 'Grandmother']);

  await writeNote(phone, 'Oslo', 'bring the skis');
  await laptop.page.getByRole('link', { name: 'Oslo', exact: true }).click();
  await expect(laptop.detail('Oslo').getByText('bring the skis')).toBeVisible(SOON);

  await laptop.add('Tokyo', 'Tokyo');
  await expect(phone.row('Tokyo')).toContainText(/-?\d+°/);
  await phone.act('Tokyo', 'Remove');
  await expect(laptop.row('Tokyo')).toHaveCount(0, SOON);
});

test('two devices that were offline meet again, and what was replaced can be brought back', async ({ app, browser, context, device }) => {
  const [laptop, phone] = await twoDevices(app, device, browser, 'Lisbon', 'Oslo');
  await context.setOffline(true);
  await phone.page.context().setOffline(true);

  await rename(laptop, 'Lisbon', 'Grandmother');
  await writeNote(laptop, 'Oslo', 'third floor');
  await writeNote(phone, 'Oslo', 'ring twice');
  await phone.act('Lisbon', 'Move down');
  for (const one of [laptop, phone]) await expect(one.page.getByText('Your 2 changes are kept')).toBeVisible();

  await context.setOffline(false);
  await live(laptop);
  await phone.page.context().setOffline(false);

  // The phone came last, so its note stands; both are told, and both may choose the other one.
  await expect(phone.page.getByText('Your note on Oslo replaced one from another device.')).toBeVisible();
  await expect(laptop.page.getByText('Another device replaced your note on Oslo.')).toBeVisible();
  for (const one of [laptop, phone]) {
    await expect.poll(() => one.names()).toEqual(['Oslo', 'Grandmother']);
    await expect(one.detail('Oslo').getByText('ring twice')).toBeVisible();
  }

  await laptop.page.getByRole('button', { name: 'Undo' }).click();
  for (const one of [laptop, phone]) await expect(one.detail('Oslo').getByText('third floor')).toBeVisible();
});

test('all tabs of a browser share one stream, and the next one takes it over', async ({ app, context }) => {
  const streams: string[] = [];
  context.on('request', (request) => {
    if (request.url().includes('/v1/stream')) streams.push(request.url());
  });
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await live(app);
  const second = await context.newPage();
  await second.goto('/');
  await expect(second.getByText('Live', { exact: true })).toBeVisible();
  expect(streams).toHaveLength(1);

  await rename(app, 'Lisbon', 'Grandmother');
  await expect(second.getByRole('link', { name: 'Grandmother', exact: true })).toBeVisible(SOON);

  await app.page.close();
  await expect.poll(() => streams.length).toBe(2);
  await expect(second.getByText('Live', { exact: true })).toBeVisible();
});

test('a stream that is cut comes back with what was missed', async ({ app, baseURL }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await live(app);
  await app.page.route('**/v1/stream*', (route) => route.fulfill({ status: 502 }));
  await app.page.context().setOffline(true);
  const added = await app.page.request.post('/v1/favourites', {
    headers: { origin: new URL(baseURL ?? '').origin, 'x-fairweather-client': 'web' },
    data: { name: 'Cabin', lat: 60.1, lon: 9.2 },
  });
  expect(added.status()).toBe(201);
  await app.page.context().setOffline(false);
  await expect(app.row('Cabin')).toBeVisible();
  await expect(app.page.getByText('Connecting…')).toBeVisible();
  await app.page.unroute('**/v1/stream*');
  await live(app);
});

test('an account that is left in one tab is left in all', async ({ app, browser, context }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await signUp(app, browser);
  const second = await context.newPage();
  await second.goto('/');
  await expect(second.getByRole('link', { name: 'Lisbon', exact: true })).toBeVisible();
  await (await app.menu('Account')).getByRole('button', { name: 'Sign out' }).click();
  await expect(second.getByRole('heading', { name: 'Where does your weather matter?' })).toBeVisible();
});

test('nothing says that the page is live beside the notice that it is offline', async ({ app, context }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await live(app);
  await page.evaluate(() => {
    const look = (): void => {
      if (document.querySelector('.notice') && document.querySelector('[data-mood="live"]')) document.body.dataset['contradicted'] = 'yes';
    };
    // What a frame is about to show, rather than what one step of several has changed.
    new MutationObserver(() => requestAnimationFrame(look)).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-mood'] });
  });
  await context.setOffline(true);
  await expect(page.getByText('You are offline.')).toBeVisible();
  await expect(page.getByText('Offline', { exact: true })).toBeVisible();
  await context.setOffline(false);
  await live(app);
  await expect(page.getByText('You are offline.')).toHaveCount(0);
  await expect(page.locator('body')).not.toHaveAttribute('data-contradicted');
});
