import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';

import { codeFor, expect, forgetProof, kept, newEmail, openAccount, PASSWORD, signIn, signUp, test } from './app.ts';

test('all devices are listed; one is signed out, then all others', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  const others = [await device(), await device()];
  for (const other of others) {
    await other.open();
    await signIn(other, email, PASSWORD);
    await expect(other.row('Lisbon')).toBeVisible();
    await expect(other.page.getByText('Live', { exact: true })).toBeVisible();
  }
  await openAccount(app);
  const list = app.page.getByRole('region', { name: 'Where you are signed in' });
  await expect(list.getByRole('listitem')).toHaveCount(3);
  await expect(list.getByRole('listitem').first()).toContainText('This device');
  await list.getByRole('button', { name: /^Sign out (?!all)/ }).first().click();
  await expect(list.getByRole('listitem')).toHaveCount(2);
  await list.getByRole('button', { name: 'Sign out all others' }).click();
  await expect(list.getByRole('listitem')).toHaveCount(1);
  await expect(list).toContainText('No other device is signed in.');
  for (const other of others) await expect(other.page.getByText('Your session has ended.').first()).toBeVisible();
  await expect(app.page.getByRole('heading', { name: email })).toBeVisible();
});

test('an address changes with the codes of both mailboxes, in either order', async ({ app, browser }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const old = await signUp(app, browser);
  await openAccount(app);
  const { page } = app;
  const next = newEmail();
  await page.getByRole('button', { name: 'Change: E-mail' }).click();
  await page.getByLabel('New address').fill(next);
  await page.getByRole('button', { name: 'Send codes' }).click();
  await expect(page.getByText(`${next} is waiting to be confirmed`)).toBeVisible();
  await page.reload();
  for (const [address, sign] of [[next, 'Half done.'], [old, `Your address is ${next} now`]] as const) {
    await page.getByLabel('Code from the mail').fill(await codeFor(browser, address));
    await page.getByRole('button', { name: 'Confirm' }).click();
    await expect(page.getByText(sign)).toBeVisible();
  }
  await expect(page.getByRole('heading', { name: next })).toBeVisible();
});

test('a change of the address is called off', async ({ app, browser }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await openAccount(app);
  const { page } = app;
  await page.getByRole('button', { name: 'Change: E-mail' }).click();
  await page.getByLabel('New address').fill(newEmail());
  await page.getByRole('button', { name: 'Send codes' }).click();
  await page.getByLabel('Code from the mail').fill('0000-0000');
  await page.getByRole('button', { name: 'Confirm' }).click();
  await expect(page.getByRole('alert')).toContainText('not right');
  await page.getByRole('button', { name: 'Keep the current address' }).click();
  await expect(page.getByRole('button', { name: 'Change: E-mail' })).toBeVisible();
  await expect(page.getByRole('heading', { name: email })).toBeVisible();
});

/** The files of a ZIP archive, by the entries of its directory. */
function unzip(archive: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  const end = archive.lastIndexOf('PK\x05\x06');
  let at = archive.readUInt32LE(end + 16);
  for (let count = archive.readUInt16LE(end + 10); count > 0; count -= 1) {
    const [packing, size, start] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20), archive.readUInt32LE(at + 42)];
    const [name, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset)) as [number, number, number];
    const data = start + 30 + archive.readUInt16LE(start + 26) + archive.readUInt16LE(start + 28);
    const packed = archive.subarray(data, data + size);
    files.set(archive.toString('utf8', at + 46, at + 46 + name), (packing === 0 ? packed : inflateRawSync(packed)).toString());
    at += 46 + name + extra + comment;
  }
  return files;
}

test('everything that is kept can be taken along', async ({ app, browser }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await openAccount(app);
  const download = app.page.waitForEvent('download');
  await app.page.getByRole('button', { name: 'Download: Download your data' }).click();
  expect((await download).suggestedFilename()).toMatch(/\.zip$/);
  const files = unzip(await readFile(await (await download).path()));
  expect([...files.keys()].toSorted()).toEqual(['account.json', 'favourites.geojson', 'favourites.json']);
  expect(files.get('account.json')).toContain(email);
  for (const name of ['favourites.json', 'favourites.geojson']) expect(files.get(name)).toContain('Lisbon');
  await expect(app.page.getByText('Your data is downloaded')).toBeVisible();
});

test('deleting the account asks for a word and a fresh proof, then leaves nothing here or elsewhere', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  const phone = await device();
  await phone.open();
  await signIn(phone, email, PASSWORD);
  await expect(phone.page.getByText('Live', { exact: true })).toBeVisible();

  await openAccount(app);
  const { page } = app;
  await page.getByRole('button', { name: 'Delete…: Delete the account' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete this account?' });
  await expect(dialog).toContainText('One place with its note');
  await expect(dialog.getByRole('button', { name: 'Delete for good' })).toBeDisabled();
  await expect(dialog.getByLabel('Type delete to go on')).toBeFocused();
  await dialog.getByLabel('Type delete to go on').fill('delete');
  const proofs = await forgetProof(page, ['password']);
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  const asked = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await expect(asked.getByLabel('Your password')).toBeFocused();
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Your account is deleted' })).toBeVisible();
  expect(await proofs()).toBe(1);
  expect(await kept(page)).not.toContain('Lisbon');
  await expect(phone.page.getByText('Your session has ended.').first()).toBeVisible();

  const other = await device();
  await other.open();
  await signIn(other, email, PASSWORD);
  await expect(other.page.getByRole('alert')).toContainText('E-mail and password do not match');
});

test('without an account the page says how to get one', async ({ app }) => {
  await app.page.goto('/account');
  await expect(app.page.getByRole('heading', { name: 'You are not signed in' })).toBeVisible();
  await app.page.getByRole('button', { name: 'Sign in' }).click();
  await expect(app.page.getByRole('dialog', { name: 'Sign in' })).toBeVisible();
});
