import { expect, test } from './app.ts';

test('a newcomer types "Lisb", picks Lisbon and sees its forecast', async ({ app }) => {
  await app.open();
  await app.search.pressSequentially('Lisb');
  const options = app.page.getByRole('option');
  await expect(options.first()).toContainText('Lisbon');
  await expect(options.first()).toContainText('Portugal');
  await expect(app.search).toHaveAttribute('aria-expanded', 'true');

  await app.search.press('Enter');
  const lisbon = app.detail('Lisbon');
  await expect(lisbon.getByRole('heading', { name: 'Lisbon' })).toBeVisible();
  await expect(lisbon.getByRole('slider')).toHaveAttribute('aria-valuetext', /\d+°/);
  // The last local day counts only when most of it is known, so a fortnight may end a day early.
  await expect(lisbon.getByRole('heading', { name: /^Next 1[345] days$/ })).toBeVisible();
  expect(await lisbon.getByRole('listitem').count()).toBeGreaterThanOrEqual(13);
  await expect(lisbon.getByText('Source:')).toBeVisible();
  await expect(app.row('Lisbon')).toContainText(/-?\d+°/);
});

test('looking around makes no account; the first pick makes one', async ({ app, context }) => {
  const posts: string[] = [];
  app.page.on('request', (request) => {
    if (request.method() !== 'GET') posts.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  await app.open();
  await app.search.fill('Oslo');
  await expect(app.page.getByRole('option').first()).toContainText('Oslo');
  expect(posts).toEqual([]);
  expect(await context.cookies()).toEqual([]);

  await app.add('Oslo', 'Oslo');
  expect(posts).toEqual(['POST /v1/auth/anonymous', 'POST /v1/sync']);
  const [cookie] = await context.cookies();
  expect(cookie?.httpOnly).toBe(true);
  expect(cookie?.sameSite).toBe('Strict');
});

test('the arrow keys walk the answers and Escape closes them', async ({ app }) => {
  await app.open();
  await app.search.fill('San');
  const options = app.page.getByRole('option');
  await expect(options.nth(1)).toBeVisible();
  await expect(options.first()).toHaveAttribute('aria-selected', 'true');
  await app.search.press('ArrowDown');
  await expect(options.nth(1)).toHaveAttribute('aria-selected', 'true');
  await expect(app.search).toHaveAttribute('aria-activedescendant', (await options.nth(1).getAttribute('id')) ?? '');
  await app.search.press('ArrowUp');
  await app.search.press('ArrowUp');
  await expect(options.last()).toHaveAttribute('aria-selected', 'true');
  await app.search.press('Escape');
  await expect(options).toHaveCount(0);
  await app.search.press('Escape');
  await expect(app.search).toHaveValue('');
});

test('a name that does not exist is answered kindly', async ({ app }) => {
  await app.open();
  await app.search.fill('Qxzvwkj');
  await expect(app.page.getByText(/No place found for/).first()).toBeVisible();
});

test('my location finds the nearest place', async ({ app, context }) => {
  await context.grantPermissions(['geolocation']);
  await context.setGeolocation({ latitude: 52.520008, longitude: 13.404954 });
  await app.open();
  const asked = app.page.waitForRequest('**/v1/places/nearest');
  await app.page.getByRole('button', { name: 'Use my location' }).click();
  expect((await asked).postDataJSON()).toEqual({ lat: 52.52, lon: 13.4 });
  await expect(app.rows).toHaveCount(1);
});

test('the same place is not added twice', async ({ app }) => {
  await app.open();
  await app.add('Oslo', 'Oslo');
  await app.search.fill('Oslo');
  await app.page.getByRole('option').first().click();
  await expect(app.page.getByText('Oslo is already in your list')).toBeVisible();
  await expect(app.rows).toHaveCount(1);
});

test('a reload keeps the places and paints them before the network answers', async ({ app }) => {
  await app.open();
  await app.add('Lisb', 'Lisbon');
  await app.page.reload();
  await expect(app.row('Lisbon')).toBeVisible();
  await expect(app.detail('Lisbon').getByRole('slider')).toBeVisible();

  // No request is answered at all: what is on the page then can only be the copy.
  let held = 0;
  await app.page.route('**/v1/**', () => {
    held += 1;
  });
  await app.page.reload();
  await expect(app.row('Lisbon')).toContainText(/\d+°/);
  await expect(app.detail('Lisbon').getByRole('slider')).toHaveAttribute('aria-valuetext', /\d+°/);
  expect(held).toBeGreaterThan(0);
});
