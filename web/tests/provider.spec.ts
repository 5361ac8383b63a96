import { bePerson, expect, forgetProof, leave, NAMED, newEmail, openAccount, openSignIn, signUp, test, type App } from './app.ts';

// The provider is a certified one that scripts/test starts, known to the server as Example.
test.use({ baseURL: NAMED });

/** Somebody at the provider whom no earlier run of the tests has been. */
function newPerson(): string {
  return newEmail().replace(/@.*/, '');
}

/** Keeps the places of this device by somebody's account at the provider. */
async function keepBy(app: App, person: string): Promise<void> {
  await bePerson(app.page, person);
  await (await app.menu('Account')).getByRole('button', { name: 'Keep my places' }).click();
  await app.page.getByRole('dialog').getByRole('button', { name: 'Continue with Example' }).click();
  await expect(app.page.getByText('Signed in with Example')).toBeVisible();
}

test('an anonymous account is kept by a provider alone, which leads back into it from anywhere', async ({ app, device }) => {
  const person = newPerson();
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await keepBy(app, person);
  expect(app.page.url()).not.toContain('provider');
  await expect(app.row('Lisbon')).toBeVisible();
  await openAccount(app);
  await expect(app.page.getByRole('heading', { name: 'Your account' })).toBeVisible();
  await expect(app.page.getByText(`${person}@example.org`)).toBeVisible();
  await leave(app);

  for (const visitor of [app, await device()]) {
    await bePerson(visitor.page, person);
    await visitor.open();
    await (await openSignIn(visitor)).getByRole('button', { name: 'Continue with Example' }).click();
    await expect(visitor.row('Lisbon')).toBeVisible();
  }
});

test('the places of a device come along into the account that a provider leads to, when asked', async ({ app, device }) => {
  const person = newPerson();
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await keepBy(app, person);

  const phone = await device();
  await bePerson(phone.page, person);
  await phone.open();
  await phone.add('Oslo', 'Oslo');
  await (await openSignIn(phone)).getByRole('button', { name: 'Continue with Example' }).click();
  const dialog = phone.page.getByRole('dialog', { name: 'Keep the places of this device too?' });
  await expect(dialog).toContainText('There is one place on this device');
  await dialog.getByRole('button', { name: 'Keep them' }).click();
  await expect.poll(async () => (await phone.names()).toSorted()).toEqual(['Lisbon', 'Oslo']);
  await phone.page.reload();
  await expect(phone.row('Lisbon')).toBeVisible();
  await expect(phone.page.getByRole('dialog')).toHaveCount(0);
});

test('a provider is connected to an account and disconnected, unless it is the only way in', async ({ app, browser }) => {
  const { page } = app;
  await bePerson(page, newPerson());
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await openAccount(app);
  await page.getByRole('button', { name: 'Connect Example' }).click();
  await expect(page.getByText('Example is connected')).toBeVisible();
  expect(page.url()).not.toContain('provider');
  await expect(page.getByRole('heading', { name: email })).toBeVisible();
  await page.getByRole('button', { name: 'Disconnect Example' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect', exact: true }).click();
  await expect(page.getByText('Example is disconnected')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Connect Example' })).toBeVisible();
});

test('the provider as the only way in stays, proves who is there, and goes with the account', async ({ app }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await keepBy(app, newPerson());
  await openAccount(app);
  await page.getByRole('button', { name: 'Disconnect Example' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect', exact: true }).click();
  await expect(page.getByRole('alert')).toContainText('the only way into your account');
  await page.keyboard.press('Escape');

  const proofs = await forgetProof(page, ['provider']);
  const remove = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Delete…: Delete the account' }).click();
    await page.getByLabel('Type delete to go on').fill('delete');
    await page.getByRole('button', { name: 'Delete for good' }).click();
  };
  await remove();
  await page.getByRole('dialog', { name: 'Confirm that it is you' }).getByRole('button', { name: 'Continue with Example' }).click();
  await expect(page.getByText('Thank you, it is you.')).toBeVisible();
  expect(await proofs()).toBe(1);
  await remove();
  await expect(page.getByRole('heading', { name: 'Your account is deleted' })).toBeVisible();
});

test('somebody whom the provider does not let in is told, and nothing has changed', async ({ app }) => {
  await bePerson(app.page, null);
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await (await openSignIn(app)).getByRole('button', { name: 'Continue with Example' }).click();
  await expect(app.page.getByText('The provider did not let you in.').first()).toBeVisible();
  await expect(app.row('Lisbon')).toBeVisible();
});

test('a person at the provider leads to one account only', async ({ app, browser, device }) => {
  const person = newPerson();
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await keepBy(app, person);

  const other = await device();
  await bePerson(other.page, person);
  await other.open();
  await other.add('Oslo', 'Oslo');
  const email = await signUp(other, browser);
  await openAccount(other);
  await other.page.getByRole('button', { name: 'Connect Example' }).click();
  await expect(other.page.getByText('leads to another account here already').first()).toBeVisible();
  await expect(other.page.getByRole('heading', { name: email })).toBeVisible();
});
