import type { Browser } from '@playwright/test';
import { App, expect, kept, PASSWORD, signIn, signUp, test } from './app.ts';

async function rename(app: App, from: string, to: string): Promise<void> {
  await app.act(from, 'Rename');
  await app.page.getByRole('textbox', { name: `New name for ${from}` }).fill(to);
  await app.page.getByRole('textbox', { name: `New name for ${from}` }).press('Enter');
  await expect(app.row(to)).toBeVisible();
}

async function signOut(app: App): Promise<void> {
  await (await app.menu('Account')).getByRole('button', { name: 'Sign out' }).click();
}

/** What the server has, asked with the page's own cookie. */
async function onServer(app: App): Promise<string[]> {
  const answer = await app.page.request.get('/v1/favourites', { headers: { 'x-fairweather-client': 'web' } });
  const { items } = (await answer.json()) as { items: { name: string }[] };
  return items.map(({ name }) => name);
}

const left = (app: App) => expect(app.page.getByRole('heading', { name: 'Where does your weather matter?' })).toBeVisible();

test('signing out asks before it loses what is not sent, and the answer counts', async ({ app, browser, context }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await context.setOffline(true);
  await rename(app, 'Lisbon', 'Grandmother');

  await signOut(app);
  const dialog = page.getByRole('dialog', { name: 'Some changes are not sent yet' });
  await expect(dialog).toContainText('One change is only on this device.');
  await dialog.getByRole('button', { name: 'Keep and wait' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Account', exact: true })).toBeFocused();
  await expect(app.row('Grandmother')).toBeVisible();
  await expect(await app.menu('Account')).toContainText(email);
  await page.keyboard.press('Escape');

  // Nobody is signed out without the server, so without a network nothing is lost either.
  await signOut(app);
  await dialog.getByRole('button', { name: 'Sign out anyway' }).click();
  await expect(dialog.getByRole('alert')).toContainText('needs a connection');
  await expect(dialog).toContainText('One change is only on this device.');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(app.row('Grandmother')).toBeVisible();

  await page.route('**/v1/sync', (route) => route.fulfill({ status: 503, contentType: 'text/html', body: 'no' }));
  await context.setOffline(false);
  await signOut(app);
  await dialog.getByRole('button', { name: 'Sign out anyway' }).click();
  await left(app);
  await expect(page.getByRole('dialog')).toHaveCount(0);
  for (const name of ['Grandmother', 'Lisbon']) expect(await kept(page)).not.toContain(name);

  await page.unroute('**/v1/sync');
  await signIn(app, email, PASSWORD);
  await expect(app.row('Lisbon')).toBeVisible();
  expect(await onServer(app)).toEqual(['Lisbon']);
});

test('what was changed offline is sent when the network is back, and signing out then asks nothing', async ({ app, browser, context }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await context.setOffline(true);
  await rename(app, 'Lisbon', 'Grandmother');
  await context.setOffline(false);
  await expect.poll(() => onServer(app)).toEqual(['Grandmother']);
  await expect(app.page.getByText('Live', { exact: true })).toBeVisible();
  await signOut(app);
  await left(app);
  await expect(app.page.getByRole('dialog')).toHaveCount(0);
  await signIn(app, email, PASSWORD);
  await expect(app.row('Grandmother')).toBeVisible();
});

test('a dialog that is open when everything gets sent says so, and then nothing is lost', async ({ app, browser, context }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await signUp(app, browser);
  await context.setOffline(true);
  await rename(app, 'Lisbon', 'Grandmother');
  await signOut(app);
  const dialog = app.page.getByRole('dialog');
  await expect(dialog).toContainText('One change is only on this device.');
  await context.setOffline(false);
  await expect(dialog.getByRole('heading', { name: 'Everything is sent' })).toBeVisible();
  expect(await onServer(app)).toEqual(['Grandmother']);
  await dialog.getByRole('button', { name: 'Sign out', exact: true }).click();
  await left(app);
  await expect(dialog).toHaveCount(0);
});

test('a place that another device removed is told to whoever changed it here, and can be added again', async ({ app, browser, context, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await app.add('Oslo', 'Oslo');
  const email = await signUp(app, browser);
  const phone = await device();
  await phone.open();
  await signIn(phone, email, PASSWORD);
  await expect(phone.rows).toHaveCount(2);
  await context.setOffline(true);
  await rename(app, 'Lisbon', 'Grandmother');
  await phone.act('Lisbon', 'Remove');
  await expect.poll(() => onServer(phone)).toEqual(['Oslo']);
  await context.setOffline(false);
  await expect(app.page.getByText('Another device removed Grandmother, which you changed here.')).toHaveCount(1);
  await expect(app.row('Grandmother')).toHaveCount(0);
  await app.page.getByRole('button', { name: 'Add again' }).click();
  await expect(phone.row('Grandmother')).toBeVisible();
  await expect(app.row('Grandmother')).toBeVisible();
});

test('browser data that is cleared under an open page costs no unsent change, and is told', async ({ app, context }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await expect(page.getByText('Live', { exact: true })).toBeVisible();
  await context.setOffline(true);
  await rename(app, 'Lisbon', 'Grandmother');
  // What "Clear site data" of the developer tools does to it, without the cookies.
  const session = await context.newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: new URL(page.url()).origin, storageTypes: 'indexeddb' });
  await expect(page.getByText('Your unsent change was saved.')).toBeVisible();
  await expect(app.row('Grandmother')).toBeVisible();
  await context.setOffline(false);
  await expect.poll(() => onServer(app)).toEqual(['Grandmother']);
  await page.reload();
  await expect(app.row('Grandmother')).toBeVisible();
  await rename(app, 'Grandmother', 'Cabin');
  await expect.poll(() => onServer(app)).toEqual(['Cabin']);
});

test('the sign-in page of a network in place of the server costs no change', async ({ app, watched }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await page.route('**/v1/**', (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<html>Sign in to the hotel</html>' }));
  await rename(app, 'Lisbon', 'Grandmother');
  await expect(page.getByText('Fairweather does not answer. Your change is kept')).toBeVisible();
  await page.unroute('**/v1/**');
  await expect.poll(() => onServer(app)).toEqual(['Grandmother']);
  // A stream that is opened meanwhile gets that page too, which the browser itself reports.
  const others = watched.filter((wrong) => !wrong.startsWith("EventSource's response has a MIME type"));
  watched.splice(0, watched.length, ...others);
});

/** An account that another device has made, with one place; its address. */
async function accountWithOslo(device: () => Promise<App>, browser: Browser): Promise<string> {
  const phone = await device();
  await phone.open();
  await phone.add('Oslo', 'Oslo');
  return signUp(phone, browser);
}

test('signing in to another account asks as well, and goes on by itself with what was typed', async ({ app, browser, device }) => {
  const email = await accountWithOslo(device, browser);

  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await page.route('**/v1/sync', (route) => route.fulfill({ status: 503, contentType: 'text/html', body: 'no' }));
  await rename(app, 'Lisbon', 'Grandmother');
  await signIn(app, email, PASSWORD);
  const dialog = page.getByRole('dialog');
  await expect(dialog).toContainText('One change is only on this device.');
  await page.unroute('**/v1/sync');
  await expect(dialog.getByRole('heading', { name: 'Everything is sent' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await dialog.getByRole('button', { name: 'Keep them' }).click();
  await expect.poll(async () => (await app.names()).toSorted()).toEqual(['Grandmother', 'Oslo']);
});

test('what another tab changes while a sign-out is slow is told, and sent after the next sign-in', async ({ app, browser, context }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  const tab = new App(await context.newPage());
  await tab.open();
  await expect(tab.row('Lisbon')).toBeVisible();
  let answer = (): void => undefined;
  const late = new Promise<void>((resolve) => (answer = resolve));
  const asked = page.waitForRequest('**/v1/auth/logout');
  await page.route('**/v1/auth/logout', async (route) => (await late, route.continue()));
  await signOut(app);
  await asked;
  await rename(tab, 'Lisbon', 'Grandmother');
  answer();
  await left(app);
  await left(tab);
  await expect(page.getByText('Not every change was sent.')).toBeVisible();
  await signIn(app, email, PASSWORD);
  await expect(app.row('Grandmother')).toBeVisible();
  await expect.poll(() => onServer(app)).toEqual(['Grandmother']);
});

test('what another tab changes while a visitor signs in comes along with the places', async ({ app, browser, context, device }) => {
  const email = await accountWithOslo(device, browser);

  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const tab = new App(await context.newPage());
  await tab.open();
  await expect(tab.row('Lisbon')).toBeVisible();
  let answer = (): void => undefined;
  const late = new Promise<void>((resolve) => (answer = resolve));
  const asked = page.waitForRequest('**/v1/auth/login');
  await page.route('**/v1/auth/login', async (route) => (await late, route.continue()));
  await signIn(app, email, PASSWORD);
  await asked;
  await rename(tab, 'Lisbon', 'Grandmother');
  answer();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep them' }).click();
  await expect.poll(async () => (await onServer(app)).toSorted()).toEqual(['Grandmother', 'Oslo']);
});
