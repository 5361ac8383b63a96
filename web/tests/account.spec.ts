import { codeFor, expect, kept, newEmail, PASSWORD, signIn, signUp, test } from './app.ts';

test('an anonymous visitor signs up with the mailed code and keeps the places on every device', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await expect(app.row('Lisbon')).toBeVisible();
  await expect(await app.menu('Account')).toContainText(email);
  await app.page.reload();
  await expect(app.row('Lisbon')).toBeVisible();

  const phone = await device();
  await phone.open();
  await signIn(phone, email, PASSWORD);
  await expect(phone.row('Lisbon')).toBeVisible();
});

test('signing in brings the places of the device along when asked', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);

  const phone = await device();
  await phone.open();
  await phone.add('Oslo', 'Oslo');
  await signIn(phone, email, PASSWORD);
  const dialog = phone.page.getByRole('dialog');
  await expect(dialog.getByRole('heading', { name: 'Keep the places of this device too?' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Keep them' }).click();
  await expect.poll(async () => (await phone.names()).toSorted()).toEqual(['Lisbon', 'Oslo']);
});

test('a short password is refused before it is sent', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await (await app.menu('Account')).getByRole('button', { name: 'Keep my places' }).click();
  const dialog = app.page.getByRole('dialog');
  await dialog.getByLabel('E-mail').fill(newEmail());
  await dialog.getByLabel('Password', { exact: true }).fill('too short');
  let sent = false;
  app.page.on('request', (request) => (sent ||= request.url().includes('/v1/auth/register')));
  await dialog.getByRole('button', { name: 'Create account' }).click();
  await expect(dialog.getByRole('alert')).toContainText('at least 15 characters');
  await expect(dialog.getByLabel('Password', { exact: true })).toHaveAttribute('aria-invalid', 'true');
  expect(sent).toBe(false);
});

test('a wrong password is answered without telling which half was wrong', async ({ app }) => {
  await app.open();
  await signIn(app, newEmail(), 'not the password of anybody');
  await expect(app.page.getByRole('alert')).toContainText('E-mail and password do not match');
});

test('signing out empties the page and this browser', async ({ app, browser }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await signUp(app, browser);
  await (await app.menu('Account')).getByRole('button', { name: 'Sign out' }).click();
  await expect(app.page.getByRole('heading', { name: 'Where does your weather matter?' })).toBeVisible();
  expect(await kept(app.page)).not.toContain('Lisbon');
});

test('leaving an anonymous account warns before it deletes', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await (await app.menu('Account')).getByRole('button', { name: 'Sign out' }).click();
  const dialog = app.page.getByRole('dialog');
  await expect(dialog).toContainText('for good');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(app.row('Lisbon')).toBeVisible();
  await expect(app.page.getByRole('button', { name: 'Account', exact: true })).toBeFocused();

  await (await app.menu('Account')).getByRole('button', { name: 'Sign out' }).click();
  await dialog.getByRole('button', { name: 'Sign out and delete' }).click();
  await expect(app.page.getByRole('heading', { name: 'Where does your weather matter?' })).toBeVisible();
  await app.page.reload();
  await expect(app.page.getByRole('heading', { name: 'Where does your weather matter?' })).toBeVisible();
});

test('the mailed link confirms in the browser that asked, and only shows the code elsewhere', async ({ app, browser, context, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = newEmail();
  await (await app.menu('Account')).getByRole('button', { name: 'Keep my places' }).click();
  const dialog = app.page.getByRole('dialog');
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Create account' }).click();
  await expect(dialog.getByLabel('Code')).toBeVisible();
  const code = (await codeFor(browser, email)).replace('-', '');

  const elsewhere = await device();
  await elsewhere.page.goto(`/confirm#code=${code}`);
  await expect(elsewhere.page.getByText(`${code.slice(0, 4)}-${code.slice(4)}`)).toBeVisible();

  const link = await context.newPage();
  await link.goto(`/confirm#code=${code}`);
  await expect(link.getByRole('heading', { name: 'Your e-mail is confirmed' })).toBeVisible();
  expect(link.url()).not.toContain(code);
  await expect(dialog).toHaveCount(0);
  await expect(await app.menu('Account')).toContainText(email);
});

test('a session that ended elsewhere is noticed at the next step, and nothing of it stays but what is unsent', async ({ app, context }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  // Nothing is on its way that would show it before the next step does.
  await expect(app.page.getByText('Live', { exact: true })).toBeVisible();
  await context.clearCookies();
  await app.act('Lisbon', 'Rename');
  await app.page.getByRole('textbox').fill('Elsewhere');
  await app.page.getByRole('textbox').press('Enter');
  await expect(app.page.getByText('Your session has ended.').first()).toBeVisible();
  await expect(app.page.getByRole('heading', { name: 'Where does your weather matter?' })).toBeVisible();
  expect(await kept(app.page)).not.toContain('Lisbon');
});
