import { expect, sent, test } from './app.ts';

test('a place is renamed in the list and stays renamed', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await app.act('Lisbon', 'Rename');
  const field = app.page.getByRole('textbox', { name: 'New name for Lisbon' });
  await expect(field).toBeFocused();
  const saved = sent(app.page);
  await field.fill('Grandmother');
  await field.press('Enter');
  expect(await saved).toMatchObject([{ op: 'update', set: { name: 'Grandmother' } }]);
  await expect(app.row('Grandmother')).toBeVisible();
  await expect(app.page.getByRole('link', { name: 'Grandmother' })).toBeFocused();
  await app.page.reload();
  await expect(app.row('Grandmother')).toBeVisible();
});

test('Escape leaves a name as it was', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await app.act('Lisbon', 'Rename');
  const field = app.page.getByRole('textbox', { name: 'New name for Lisbon' });
  await field.fill('Nonsense');
  await field.press('Escape');
  await expect(app.row('Lisbon')).toBeVisible();
  await expect(app.row('Nonsense')).toHaveCount(0);
});

test('places are reordered by keyboard, one small change each', async ({ app }) => {
  await app.open();
  for (const name of ['Lisbon', 'Oslo', 'Tokyo']) await app.add(name, name);
  const handle = app.page.getByRole('button', { name: 'Reorder Tokyo' });
  await handle.focus();
  await handle.press('Space');
  await handle.press('ArrowUp');
  await handle.press('ArrowUp');
  await expect.poll(() => app.names()).toEqual(['Tokyo', 'Lisbon', 'Oslo']);
  await expect(handle).toBeFocused();
  const saved = sent(app.page);
  await handle.press('Space');
  const [change, ...others] = await saved;
  expect(change?.set).toEqual({ position: expect.stringMatching(/^[0-9A-Za-z]{1,64}$/) });
  expect(others).toEqual([]);
  await app.page.reload();
  await expect.poll(() => app.names()).toEqual(['Tokyo', 'Lisbon', 'Oslo']);
});

test('Escape puts a lifted place back', async ({ app }) => {
  await app.open();
  for (const name of ['Lisbon', 'Oslo']) await app.add(name, name);
  const handle = app.page.getByRole('button', { name: 'Reorder Oslo' });
  await handle.focus();
  await handle.press('Space');
  await handle.press('ArrowUp');
  await expect.poll(() => app.names()).toEqual(['Oslo', 'Lisbon']);
  await handle.press('Escape');
  await expect.poll(() => app.names()).toEqual(['Lisbon', 'Oslo']);
});

test('places are reordered by the menu and by dragging', async ({ app }) => {
  await app.open();
  for (const name of ['Lisbon', 'Oslo', 'Tokyo']) await app.add(name, name);
  let saved = sent(app.page);
  await app.act('Oslo', 'Move up');
  await saved;
  await expect.poll(() => app.names()).toEqual(['Oslo', 'Lisbon', 'Tokyo']);

  const from = await app.page.getByRole('button', { name: 'Reorder Tokyo' }).boundingBox();
  const to = await app.row('Oslo').boundingBox();
  if (!from || !to) throw new Error('the rows are not on the page');
  saved = sent(app.page);
  await app.page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
  await app.page.mouse.down();
  await app.page.mouse.move(from.x + from.width / 2, to.y + to.height, { steps: 8 });
  await app.page.mouse.move(from.x + from.width / 2, to.y + 10, { steps: 4 });
  await app.page.mouse.up();
  await saved;
  await expect.poll(() => app.names()).toEqual(['Tokyo', 'Oslo', 'Lisbon']);
});

test('a removed place comes back with undo, name and order kept', async ({ app }) => {
  await app.open();
  for (const name of ['Lisbon', 'Oslo']) await app.add(name, name);
  await app.act('Lisbon', 'Rename');
  await app.page.getByRole('textbox').fill('Summer');
  const renamed = sent(app.page);
  await app.page.getByRole('textbox').press('Enter');
  await renamed;

  await app.act('Summer', 'Remove');
  await expect.poll(() => app.names()).toEqual(['Oslo']);
  await expect(app.page.getByText('Summer removed')).toBeVisible();
  await app.page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => app.names()).toEqual(['Summer', 'Oslo']);
  await app.page.reload();
  await expect.poll(() => app.names()).toEqual(['Summer', 'Oslo']);
});

test('on a phone a place opens at its top and closes to its row', async ({ app }) => {
  await app.page.setViewportSize({ width: 390, height: 700 });
  await app.open();
  const back = app.page.getByRole('button', { name: 'All places' });
  for (const name of ['Lisbon', 'Oslo', 'Tokyo', 'Nairobi', 'Lima']) {
    await app.add(name, name);
    await back.click();
  }
  await app.row('Lima').scrollIntoViewIfNeeded();
  const before = await app.page.evaluate(() => scrollY);
  expect(before).toBeGreaterThan(0);
  await app.page.getByRole('link', { name: 'Lima', exact: true }).click();
  await expect(app.detail('Lima').getByRole('slider')).toBeVisible();
  expect(await app.page.evaluate(() => scrollY)).toBe(0);
  await app.page.goBack();
  await expect(app.page.getByRole('link', { name: 'Lima', exact: true })).toBeFocused();
  expect(await app.page.evaluate(() => scrollY)).toBe(before);
});

test('units change every number and are the same on the next device', async ({ app, context, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await expect(app.detail('Lisbon')).toContainText('km/h');
  const kept = app.page.waitForResponse((answer) => answer.url().endsWith('/v1/me/preferences'));
  const answered = app.page.waitForResponse((answer) => answer.url().includes('units=imperial'));
  await (await app.menu('Settings')).getByRole('radio', { name: '°F, mph' }).check();
  expect((await kept).status()).toBe(204);
  expect((await kept).request().postDataJSON()).toEqual({ units: 'imperial' });
  expect((await answered).status()).toBe(200);
  await expect(app.detail('Lisbon')).toContainText('mph');
  await app.page.reload();
  await expect(app.detail('Lisbon')).toContainText('mph');

  const phone = await device();
  await phone.page.context().addCookies(await context.cookies());
  await phone.page.goto('/');
  await expect(phone.detail('Lisbon')).toContainText('mph');
  await phone.menu('Settings');
  await expect(phone.page.getByRole('radio', { name: '°F, mph' })).toBeChecked();
});

test('units chosen before the first place become the new account’s', async ({ app }) => {
  await app.open();
  await (await app.menu('Settings')).getByRole('radio', { name: '°C, m/s' }).check();
  await app.page.keyboard.press('Escape');
  const kept = app.page.waitForResponse((answer) => answer.url().endsWith('/v1/me/preferences'));
  await app.add('Oslo', 'Oslo');
  expect((await kept).request().postDataJSON()).toEqual({ units: 'si' });
  expect((await kept).status()).toBe(204);
  await expect(app.detail('Oslo')).toContainText('m/s');
});

test('a choice of units that did not get through is sent at the next start', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await app.page.route('**/v1/me/preferences', (route) => route.abort('connectionrefused'));
  await (await app.menu('Settings')).getByRole('radio', { name: '°F, mph' }).check();
  await expect(app.detail('Lisbon')).toContainText('mph');
  await app.page.unroute('**/v1/me/preferences');
  const kept = app.page.waitForResponse((answer) => answer.url().endsWith('/v1/me/preferences'));
  await app.page.reload();
  expect((await kept).request().postDataJSON()).toEqual({ units: 'imperial' });
  await expect(app.detail('Lisbon')).toContainText('mph');
});

test('the chart is read hour by hour with the arrow keys, and a day opens its hours', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const chart = app.detail('Lisbon').getByRole('slider');
  await chart.focus();
  const first = await chart.getAttribute('aria-valuetext');
  await chart.press('ArrowRight');
  await expect(chart).toHaveAttribute('aria-valuenow', '1');
  expect(await chart.getAttribute('aria-valuetext')).not.toBe(first);

  await app.detail('Lisbon').getByRole('listitem').nth(2).getByRole('button').click();
  await expect(app.detail('Lisbon').getByRole('heading', { name: /^Hours of/ })).toBeVisible();
  await expect(chart).toHaveAttribute('aria-valuemax', /^2[234]$/);
});

test('a forecast that is on its way shows a skeleton and then arrives by itself', async ({ app }) => {
  await app.open();
  let asked = 0;
  await app.page.route('**/v1/favourites/*/forecast?*', async (route) => {
    asked += 1;
    if (asked > 1) return route.fallback();
    return route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'about:blank', title: 'Pending', status: 503, code: 'forecast_pending' }),
    });
  });
  await app.add('Lisb', 'Lisbon');
  expect(asked).toBe(2);
});

test('a weather service that is down says so and offers another try', async ({ app }) => {
  await app.open();
  await app.page.route('**/v1/favourites/*/forecast?*', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'about:blank', title: 'Down', status: 503, code: 'weather_unavailable' }),
    }),
  );
  await app.search.fill('Lisb');
  await app.page.getByRole('option').first().click();
  const alert = app.detail('Lisbon').getByRole('alert');
  await expect(alert).toContainText('No forecast right now');
  await app.page.unroute('**/v1/favourites/*/forecast?*');
  await alert.getByRole('button', { name: 'Try again' }).click();
  await expect(app.detail('Lisbon').getByRole('slider')).toBeVisible();
});

test('offline is said, and an edit is kept until it can be sent', async ({ app, context }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await context.setOffline(true);
  await expect(app.page.getByText('You are offline.')).toBeVisible();
  await app.act('Lisbon', 'Rename');
  await app.page.getByRole('textbox').fill('Elsewhere');
  await app.page.getByRole('textbox').press('Enter');
  await expect(app.row('Elsewhere')).toContainText('Not sent yet');
  await expect(app.page.getByText('Your change is kept and will be sent by itself.')).toBeVisible();
  await expect(app.page.getByText('1 change to send')).toBeVisible();
  const saved = sent(app.page);
  await context.setOffline(false);
  expect(await saved).toMatchObject([{ op: 'update', set: { name: 'Elsewhere' } }]);
  await expect(app.page.getByText('You are offline.')).toHaveCount(0);
  await expect(app.row('Elsewhere')).not.toContainText('Not sent yet');
});

test('a note is written, seen by a second device, changed and cleared', async ({ app, context, device }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const lisbon = app.detail('Lisbon');
  await lisbon.getByRole('button', { name: 'Add a note' }).click();
  const field = lisbon.getByRole('textbox', { name: 'Note on Lisbon' });
  await expect(field).toBeFocused();
  await field.fill('Aunt Rosa\nthird floor');
  const written = sent(app.page);
  await lisbon.getByRole('button', { name: 'Save' }).click();
  expect(await written).toMatchObject([{ op: 'update', set: { note: 'Aunt Rosa\nthird floor' } }]);

  const phone = await device();
  await phone.page.context().addCookies(await context.cookies());
  await phone.page.goto('/');
  await expect(phone.detail('Lisbon').getByText('third floor')).toBeVisible();

  await lisbon.getByRole('button', { name: 'Edit the note on Lisbon' }).click();
  await field.fill('Nonsense');
  await field.press('Escape');
  await expect(lisbon.getByText('third floor')).toBeVisible();

  await lisbon.getByRole('button', { name: 'Edit the note on Lisbon' }).click();
  await field.fill('');
  const cleared = sent(app.page);
  await field.press('Control+Enter');
  expect(await cleared).toMatchObject([{ op: 'update', set: { note: null } }]);
  await expect(lisbon.getByRole('button', { name: 'Add a note' })).toBeFocused();
});

test('a note that cannot be sent survives a reload and is sent later', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  const lisbon = app.detail('Lisbon');
  await app.page.route('**/v1/sync', (route) => route.abort('connectionrefused'));
  await lisbon.getByRole('button', { name: 'Add a note' }).click();
  await lisbon.getByRole('textbox').fill('Spare key under the blue pot');
  await lisbon.getByRole('button', { name: 'Save' }).click();
  const note = lisbon.getByRole('paragraph').filter({ hasText: 'blue pot' });
  await expect(note).toBeVisible();
  await expect(app.page.getByText('1 change to send')).toBeVisible();
  await app.page.reload();
  await expect(note).toBeVisible();

  const saved = sent(app.page);
  await app.page.unroute('**/v1/sync');
  expect(await saved).toMatchObject([{ set: { note: 'Spare key under the blue pot' } }]);
  await expect(app.page.getByText('1 change to send')).toHaveCount(0);
});

test('a server that is away is said, and what was missed arrives when it is back', async ({ app, baseURL }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await app.page.route('**/v1/**', (route) => route.abort('connectionrefused'));
  await app.page.reload();
  await expect(app.page.getByText('Fairweather does not answer.')).toBeVisible();
  await expect(app.row('Lisbon')).toContainText(/\d+°/);

  // Requests of the test itself are not those of the page: this is the other device.
  const added = await app.page.request.post('/v1/favourites', {
    headers: { origin: new URL(baseURL ?? '').origin, 'x-fairweather-client': 'web' },
    data: { name: 'Cabin', lat: 60.1, lon: 9.2 },
  });
  expect(added.status()).toBe(201);
  await expect(app.row('Cabin')).toHaveCount(0);

  await app.page.unroute('**/v1/**');
  await expect(app.row('Cabin')).toContainText(/\d+°/);
  await expect(app.page.getByText('Fairweather does not answer.')).toHaveCount(0);
});
