import { expect, mailTo, newEmail, openAccount, openSignIn, PASSWORD, signIn, signUp, test } from './app.ts';

const NEXT = 'nine slow barges under the bridge';

test('a forgotten password is replaced by the mailed link, which works once and ends all sessions', async ({ app, browser, context, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);

  const phone = await device();
  await phone.open();
  const dialog = await openSignIn(phone);
  await dialog.getByRole('button', { name: 'Forgot your password?' }).click();
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByRole('button', { name: 'Send the link' }).click();
  await expect(dialog).toContainText(`If there is an account for ${email}`);
  const [, token] = await mailTo(browser, email, /\/reset#token=(\S+)/);
  const link = `/reset#token=${token}`;

  const page = await context.newPage();
  await page.goto(link);
  await page.getByLabel('New password').fill('too short');
  await page.getByRole('button', { name: 'Save the new password' }).click();
  await expect(page.getByRole('alert')).toContainText('at least 15 characters');
  await page.getByLabel('New password').fill('passwordpassword');
  await page.getByRole('button', { name: 'Save the new password' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByLabel('New password').fill(NEXT);
  await page.getByRole('button', { name: 'Save the new password' }).click();
  await expect(page.getByRole('heading', { name: 'Your password is changed' })).toBeVisible();
  expect(page.url()).not.toContain('token');
  await expect(app.page.getByText('Your session has ended.').first()).toBeVisible();

  const again = await context.newPage();
  await again.goto(link);
  await again.getByLabel('New password').fill(NEXT);
  await again.getByRole('button', { name: 'Save the new password' }).click();
  await expect(again.getByRole('heading', { name: 'This link does not work any more' })).toBeVisible();

  await page.getByRole('link', { name: 'Sign in' }).click();
  const form = page.getByRole('dialog');
  await form.getByLabel('E-mail').fill(email);
  await form.getByLabel('Password', { exact: true }).fill(NEXT);
  await form.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByText(`Welcome back, ${email}`)).toBeVisible();
});

test('a second link that is opened in the same tab is heard', async ({ app }) => {
  const { page } = app;
  await page.goto('/reset');
  await expect(page.getByRole('heading', { name: 'This link does not work any more' })).toBeVisible();
  await page.goto('/reset#token=another');
  await expect(page.getByLabel('New password')).toBeVisible();
  await page.goto('/confirm');
  await expect(page.getByRole('heading', { name: 'This link has no code' })).toBeVisible();
  await page.goto('/confirm#code=ABCD1234');
  await expect(page.getByText('ABCD-1234')).toBeVisible();
});

test('an address without an account gets the same answer on the page', async ({ app }) => {
  const email = newEmail();
  await app.page.goto('/forgot');
  await app.page.getByLabel('E-mail').fill('nobody');
  await app.page.getByRole('button', { name: 'Send the link' }).click();
  await expect(app.page.getByRole('alert')).toContainText('complete e-mail address');
  await app.page.getByLabel('E-mail').fill(email);
  await app.page.getByRole('button', { name: 'Send the link' }).click();
  await expect(app.page.getByText(`If there is an account for ${email}`)).toBeVisible();
});

test('changing the password ends the other session, and asks for the present one once', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  const phone = await device();
  await phone.open();
  await signIn(phone, email, PASSWORD);
  await expect(phone.row('Lisbon')).toBeVisible();
  await expect(phone.page.getByText('Live', { exact: true })).toBeVisible();

  await openAccount(app);
  const { page } = app;
  await page.getByRole('button', { name: 'Change: Password' }).click();
  await page.getByLabel('Current password').fill('not the password of anybody');
  await page.getByLabel('New password').fill(NEXT);
  await page.getByRole('button', { name: 'Save the password' }).click();
  await expect(page.getByRole('alert')).toContainText('This is not the password');
  await page.getByLabel('Current password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Save the password' }).click();
  await expect(page.getByText('Your password is changed.')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(phone.page.getByText('Your session has ended.').first()).toBeVisible();
});
