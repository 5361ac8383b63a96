import type { Page } from '@playwright/test';

import { expect, forgetProof, newEmail, openAccount, openSignIn, signUp, test, totp } from './app.ts';
import { fits, violations } from './looks.ts';

async function isFine(page: Page): Promise<void> {
  await fits(page);
  expect(await violations(page)).toEqual([]);
}

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [360, 768, 1280]) {
    test(`${colorScheme} at ${width} px: account pages fit and are accessible`, async ({ app, browser }) => {
      const { page } = app;
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      // Not /reset and then its link: only the fragment would differ, and the page loads itself anew then.
      for (const path of ['/reset', '/forgot', '/reset#token=x', '/account']) {
        await page.goto(path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await isFine(page);
      }

      await app.open();
      await expect(await openSignIn(app)).toBeVisible();
      await isFine(page);
      await page.getByRole('button', { name: 'Forgot your password?' }).click();
      await isFine(page);
      await page.keyboard.press('Escape');

      await app.add('Lisb', 'Lisbon');
      await openAccount(app);
      await isFine(page);
      await page.goto('/');
      await signUp(app, browser);
      await openAccount(app);
      for (const name of ['Change: E-mail', 'Change: Password']) await page.getByRole('button', { name }).click();
      await isFine(page);
      await page.getByRole('button', { name: 'Set up: Authenticator app' }).click();
      await expect(page.getByRole('img', { name: 'QR code' })).toBeVisible();
      await isFine(page);
      await page.getByLabel('Code from the app').fill(totp(await page.getByRole('dialog').locator('code').innerText()));
      await page.getByRole('button', { name: 'Turn on' }).click();
      await expect(page.getByRole('dialog', { name: 'Your recovery codes' })).toBeVisible();
      await isFine(page);
      await page.getByRole('button', { name: 'I have saved them' }).click();
      await page.getByLabel('New address').fill(newEmail());
      await page.getByRole('button', { name: 'Send codes' }).click();
      await expect(page.getByLabel('Code from the mail')).toBeVisible();
      await isFine(page);
      await forgetProof(page, ['password', 'totp', 'passkey']);
      await page.getByRole('button', { name: 'Replace: Authenticator app' }).click();
      await expect(page.getByRole('dialog', { name: 'Confirm that it is you' })).toBeVisible();
      await isFine(page);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Delete…: Delete the account' }).click();
      await isFine(page);

      await page.goto('/#provider=google&outcome=second_factor&challenge=c&factors=totp,recovery_code');
      await expect(page.getByRole('dialog', { name: 'One more step' })).toBeVisible();
      await isFine(page);
    });
  }
}

test('the account page speaks German', async ({ app, browser }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await signUp(app, browser);
  await openAccount(app);
  await (await app.menu('Settings')).getByRole('radio', { name: 'Deutsch' }).check();
  await expect(page.getByRole('region', { name: 'Wo du angemeldet bist' })).toBeVisible();
  await page.setViewportSize({ width: 375, height: 800 });
  await fits(page);
});

test('every part of the account page is reached and worked with the keyboard alone', async ({ app, browser }) => {
  const { page } = app;
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await signUp(app, browser);
  await openAccount(app);
  const change = page.getByRole('button', { name: 'Change: Password' });
  await change.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Current password')).toBeFocused();
  const remove = page.getByRole('button', { name: 'Delete…: Delete the account' });
  await remove.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(remove).toBeFocused();
});
