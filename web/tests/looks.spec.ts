import { readFileSync } from 'node:fs';

import { expect, test } from './app.ts';
import { fits, violations } from './looks.ts';

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [390, 820, 1440]) {
    test(`${colorScheme} at ${width} px: fits and is accessible`, async ({ app }) => {
      const { page } = app;
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 900 });
      await app.open();
      await fits(page);
      expect(await violations(page)).toEqual([]);

      await app.search.fill('San');
      await expect(page.getByRole('option').first()).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await app.search.press('Escape');

      await app.add('Lisb', 'Lisbon');
      await fits(page);
      expect(await violations(page)).toEqual([]);

      await page.getByRole('button', { name: 'Add a note' }).click();
      await page.getByRole('textbox', { name: 'Note on Lisbon' }).fill('Third floor, with a view of the river and of all that the weather does over it');
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Save' }).click();
      await fits(page);
      expect(await violations(page)).toEqual([]);

      if (width < 768) await page.getByRole('button', { name: 'All places' }).click();
      await app.add('Oslo', 'Oslo');
      if (width < 768) await page.getByRole('button', { name: 'All places' }).click();
      await expect(app.rows).toHaveCount(2);
      await expect(app.rows.first()).toContainText(/-?\d+°/);
      await fits(page);
      expect(await violations(page)).toEqual([]);

      await app.menu('Settings');
      expect(await violations(page)).toEqual([]);
      await fits(page);
      await page.keyboard.press('Escape');

      await (await app.menu('Account')).getByRole('button', { name: 'Keep my places' }).click();
      await expect(page.getByRole('dialog')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await fits(page);
      await page.keyboard.press('Escape');

      await page.route('**/v1/**', (route) => route.abort('connectionrefused'));
      await page.reload();
      await expect(page.getByText('Fairweather does not answer.')).toBeVisible();
      expect(await violations(page)).toEqual([]);
      await fits(page);
    });
  }
}

test('the narrowest screens need no sideways scrolling', async ({ app }) => {
  await app.page.setViewportSize({ width: 320, height: 640 });
  await app.open();
  await fits(app.page);
  await app.add('Oslo', 'Oslo');
  await fits(app.page);
  await app.page.getByRole('button', { name: 'All places' }).click();
  await expect(app.rows.first()).toContainText(/-?\d+°/);
  await fits(app.page);
});

test('white text is readable on every sky', () => {
  const css = readFileSync(new URL('../src/styles/sky.css', import.meta.url), 'utf8');
  const skies = [...css.matchAll(/--(?:from|to): #([0-9a-f]{6})/g)].map(([, hex = '']) => hex);
  expect(skies.length).toBeGreaterThan(20);
  for (const hex of skies) {
    const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
      const share = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    expect(1.05 / (luminance + 0.05), `white on #${hex}`).toBeGreaterThanOrEqual(4.5);
  }
});

test('the theme follows the system until it is chosen by hand, and the choice stays', async ({ app }) => {
  const { page } = app;
  const ground = (): Promise<string> => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  await app.open();
  const light = await ground();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await ground();
  expect(dark).not.toBe(light);

  await (await app.menu('Settings')).getByRole('radio', { name: 'Light' }).check();
  expect(await ground()).toBe(light);
  await page.reload();
  await expect(app.search).toBeVisible();
  expect(await ground()).toBe(light);
});

test('the app speaks German', async ({ app }) => {
  await app.open();
  await (await app.menu('Settings')).getByRole('radio', { name: 'Deutsch' }).check();
  await expect(app.page.getByRole('heading', { name: 'Wo kommt es dir aufs Wetter an?' })).toBeVisible();
  await app.page.reload();
  await expect(app.page.getByRole('combobox', { name: 'Ort suchen' })).toBeVisible();
  await expect(app.page.locator('html')).toHaveAttribute('lang', 'de');
});

test('the page of data and licences names every source', async ({ app }) => {
  await app.page.goto('/about/data');
  for (const name of ['GeoNames', 'OpenStreetMap contributors', 'Open-Meteo', 'Meteocons', 'Figtree']) {
    await expect(app.page.getByRole('link', { name })).toBeVisible();
  }
  await expect(app.page.getByText('modified')).toBeVisible();
  expect(await violations(app.page)).toEqual([]);
  await app.page.setViewportSize({ width: 390, height: 844 });
  await fits(app.page);
});

test('the API reference opens from our own files and tries a request with a bearer token', async ({ app, request }) => {
  const { page } = app;
  const { access_token: token } = await (await request.post('/v1/auth/anonymous')).json();
  await page.goto('/docs');
  await page.locator('.scheme-container').getByRole('button', { name: 'Authorize' }).click();
  const dialog = page.locator('.modal-ux');
  await dialog.getByRole('textbox').first().fill(token);
  await dialog.locator('form').first().getByRole('button', { name: 'Apply credentials' }).click();
  await dialog.getByRole('button', { name: 'Close' }).first().click();

  const create = page.locator('.opblock-post', { has: page.locator('[data-path="/v1/favourites"]') });
  await create.locator('.opblock-summary-control').click();
  await create.getByRole('button', { name: 'Try it out' }).click();
  await create.locator('textarea.body-param__text').fill('{"place_id": 2267057}');
  await create.getByRole('button', { name: 'Execute' }).click();
  const answer = create.locator('.live-responses-table');
  await expect(answer.getByRole('cell', { name: '201', exact: true })).toBeVisible();
  await expect(answer).toContainText('Europe/Lisbon');
});

test('confirmation without a code says what to do', async ({ app }) => {
  await app.page.goto('/confirm');
  await expect(app.page.getByRole('heading', { name: 'This link has no code' })).toBeVisible();
  expect(await violations(app.page)).toEqual([]);
});
