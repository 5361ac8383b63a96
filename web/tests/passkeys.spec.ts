import { addAuthenticator, expect, forgetProof, leave, NAMED, openAccount, openSignIn, PASSWORD, signIn, signUp, test, type App } from './app.ts';

test.use({ baseURL: NAMED });

async function add(app: App, name: string): Promise<void> {
  const dialog = app.page.getByRole('dialog', { name: 'Add a passkey' });
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Create the passkey' }).click();
  await expect(app.page.getByText(`${name} was added`)).toBeVisible();
}

test('an anonymous account is kept by a passkey alone, signs in with it alone, and steps up with it', async ({ app }) => {
  const { page } = app;
  await addAuthenticator(page);
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await openAccount(app);
  await expect(page.getByRole('heading', { name: 'This account is only on this device' })).toBeVisible();
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await add(app, 'Blue phone');
  await expect(page.getByRole('heading', { name: 'Your account' })).toBeVisible();
  await expect(page.getByText('Blue phone', { exact: true })).toBeVisible();
  await leave(app);

  const dialog = await openSignIn(app);
  await dialog.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(app.row('Lisbon')).toBeVisible();

  await openAccount(app);
  const proofs = await forgetProof(page, ['passkey']);
  await page.getByRole('button', { name: 'Set up: Authenticator app' }).click();
  await page.getByRole('dialog', { name: 'Confirm that it is you' }).getByRole('button', { name: 'Use a passkey' }).click();
  await expect(page.getByRole('dialog', { name: 'Set up the authenticator app' })).toBeVisible();
  expect(await proofs()).toBe(1);
});

test('the field for the e-mail offers the passkeys of the device, and the one that is taken signs in', async ({ app }) => {
  const { page } = app;
  await addAuthenticator(page, { offers: true });
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await openAccount(app);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await add(app, 'Blue phone');
  await leave(app);

  const asked = page.waitForRequest((request) => request.url().endsWith('/v1/auth/passkeys/finish'));
  await (await app.menu('Account')).getByRole('button', { name: 'Sign in' }).click();
  await asked;
  await expect(app.row('Lisbon')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a passkey beside a password is added, renamed, asked for as a second step, and removed', async ({ app, browser }) => {
  const { page } = app;
  await addAuthenticator(page);
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await openAccount(app);
  await page.getByRole('button', { name: 'Add: Passkeys' }).click();
  await add(app, 'Blue phone');
  await page.getByRole('dialog', { name: 'Your recovery codes' }).getByRole('button', { name: 'I have saved them' }).click();
  await page.getByRole('button', { name: 'Rename Blue phone' }).click();
  await page.getByLabel('Rename Blue phone').last().fill('Red phone');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await expect(page.getByText('Red phone', { exact: true })).toBeVisible();

  await leave(app);
  await signIn(app, email, PASSWORD);
  await page.getByRole('dialog', { name: 'One more step' }).getByRole('button', { name: 'Use a passkey' }).click();
  await expect(app.row('Lisbon')).toBeVisible();

  await openAccount(app);
  await page.getByRole('button', { name: 'Remove Red phone' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(page.getByText('Red phone was removed')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove Red phone' })).toHaveCount(0);
});

test('the only way in cannot be removed, and the page says why', async ({ app }) => {
  const { page } = app;
  await addAuthenticator(page);
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await openAccount(app);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await add(app, 'Blue phone');
  await page.getByRole('button', { name: 'Remove Blue phone' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('the only way into your account');
});

test('a passkey that is called off leaves the sign-in as it was', async ({ app }) => {
  const { page } = app;
  await app.open();
  const dialog = await openSignIn(app);
  await page.evaluate(() => {
    navigator.credentials.get = () => Promise.reject(new DOMException('called off', 'NotAllowedError'));
  });
  await dialog.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await expect(dialog.getByRole('alert')).toContainText('No passkey was used');
  await expect(dialog.getByRole('button', { name: 'Sign in', exact: true })).toBeEnabled();
});
