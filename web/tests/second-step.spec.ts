import { expect, forgetProof, openAccount, openSignIn, PASSWORD, signIn, signUp, test, totp, type App } from './app.ts';

/** Sets an authenticator app up, and gives its secret and the recovery codes. */
async function turnOn(app: App): Promise<{ secret: string; spent: string; codes: string[] }> {
  const { page } = app;
  await openAccount(app);
  await page.getByRole('button', { name: 'Set up: Authenticator app' }).click();
  const dialog = page.getByRole('dialog', { name: 'Set up the authenticator app' });
  await expect(dialog.getByRole('img', { name: 'QR code' })).toBeVisible();
  const secret = (await dialog.locator('code').innerText()).replace(/\s/g, '');
  const right = [-1, 0, 1, 2].map((steps) => totp(secret, steps));
  const wrong = ['000000', '000001', '000002', '000003', '000004'].find((code) => !right.includes(code)) ?? '';
  await dialog.getByLabel('Code from the app').fill(wrong);
  await dialog.getByRole('button', { name: 'Turn on' }).click();
  await expect(dialog.getByRole('alert')).toContainText('not right');
  const spent = totp(secret);
  await dialog.getByLabel('Code from the app').fill(spent);
  await dialog.getByRole('button', { name: 'Turn on' }).click();
  const shown = page.getByRole('dialog', { name: 'Your recovery codes' });
  await expect(shown.getByRole('listitem')).toHaveCount(10);
  const codes = await shown.getByRole('listitem').allInnerTexts();
  const download = page.waitForEvent('download');
  await shown.getByRole('button', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('fairweather-recovery-codes.txt');
  await shown.getByRole('button', { name: 'I have saved them' }).click();
  await expect(page.getByText('10 are left')).toBeVisible();
  return { secret, spent, codes };
}

test('an authenticator app is asked for at sign-in, and each of its codes works once', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  const { secret, spent } = await turnOn(app);

  const phone = await device();
  await phone.open();
  await signIn(phone, email, PASSWORD);
  const dialog = phone.page.getByRole('dialog', { name: 'One more step' });
  await expect(dialog.getByLabel('Code from the app')).toBeFocused();
  await dialog.getByLabel('Code from the app').fill(spent);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(dialog.getByRole('alert')).toContainText('used already');
  await dialog.getByLabel('Code from the app').fill(totp(secret, 1));
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(phone.row('Lisbon')).toBeVisible();
});

test('a recovery code stands in for the app, once', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  const { codes } = await turnOn(app);
  const [code = ''] = codes;
  for (const works of [true, false]) {
    const phone = await device();
    await phone.open();
    await signIn(phone, email, PASSWORD);
    const dialog = phone.page.getByRole('dialog', { name: 'One more step' });
    await dialog.getByRole('button', { name: 'Use a recovery code' }).click();
    await dialog.getByLabel('Recovery code').fill(code.toLowerCase());
    await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
    if (works) await expect(phone.row('Lisbon')).toBeVisible();
    else await expect(dialog.getByRole('alert')).toContainText('used already');
  }
  await app.page.reload();
  await expect(app.page.getByText('9 are left')).toBeVisible();
});

test('what is sensitive asks for a fresh proof, goes on after it, and leaves everything when called off', async ({ app, browser }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await signUp(app, browser);
  await openAccount(app);
  const proofs = await forgetProof(app.page, ['password']);
  const { page } = app;
  const setUp = page.getByRole('button', { name: 'Set up: Authenticator app' });

  await setUp.click();
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(setUp).toBeEnabled();
  await expect(page.getByRole('alert')).toHaveCount(0);

  await setUp.click();
  await dialog.getByLabel('Your password').fill('not the password of anybody');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(dialog.getByRole('alert')).toContainText('This is not the password');
  await dialog.getByLabel('Your password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('dialog', { name: 'Set up the authenticator app' })).toBeVisible();
  expect(await proofs()).toBe(1);
});

test('where nothing but the second factor will do, the page says what helps when it is lost', async ({ app, browser }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await signUp(app, browser);
  const { page } = app;
  const { secret } = await turnOn(app);
  const proofs = await forgetProof(page, ['totp']);
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' });

  await page.getByRole('button', { name: 'Replace: Authenticator app' }).click();
  await expect(dialog.getByText('Lost it? Sign out, and in again with one of your recovery codes.')).toBeVisible();
  await expect(dialog.getByLabel('Your password')).toHaveCount(0);
  await dialog.getByLabel('Code from the app').fill(totp(secret, 1));
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('dialog', { name: 'Set up the authenticator app' })).toBeVisible();
  expect(await proofs()).toBe(1);
});

test('going back from the second step begins anew', async ({ app, browser, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const email = await signUp(app, browser);
  await turnOn(app);
  const phone = await device();
  await phone.open();
  await signIn(phone, email, PASSWORD);
  const dialog = phone.page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Back to sign-in' }).click();
  await expect(dialog.getByLabel('Password', { exact: true })).toHaveValue('');
  await phone.page.keyboard.press('Escape');
  await expect(await openSignIn(phone)).toBeVisible();
});

for (const path of ['/', '/account']) {
  test(`a sign-in at a provider goes on with the second step on ${path}, and leaves no trace in the address`, async ({ app }) => {
    await app.page.goto(`${path}#provider=google&outcome=second_factor&challenge=c&factors=totp,passkey,recovery_code`);
    const dialog = app.page.getByRole('dialog', { name: 'One more step' });
    await expect(dialog.getByLabel('Code from the app')).toBeVisible();
    await expect(dialog.getByRole('button', { name: 'Use a recovery code' })).toBeVisible();
    expect(app.page.url()).not.toContain('challenge');
  });
}

test('a provider that lets nobody in is told of', async ({ app }) => {
  await app.page.goto('/#provider=google&error=access_denied');
  await expect(app.page.getByText('The provider did not let you in.').first()).toBeVisible();
});
