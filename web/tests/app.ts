import { createHmac } from 'node:crypto';

import { test as base, expect, type Browser, type BrowserContext, type Locator, type Page } from '@playwright/test';

export { expect };

/** The app on one page, in the words of its users. */
export class App {
  constructor(readonly page: Page) {}

  get search(): Locator {
    return this.page.getByRole('combobox');
  }

  /** The rows of the list, in order. */
  get rows(): Locator {
    return this.page.getByRole('article');
  }

  row(name: string): Locator {
    return this.rows.filter({ has: this.page.getByRole('link', { name, exact: true }) });
  }

  /** The names of the list, in order. */
  names(): Promise<string[]> {
    return this.rows.getByRole('link').allInnerTexts();
  }

  /** The open place, once its own forecast is there. */
  detail(name: string): Locator {
    return this.page.getByRole('region', { name, exact: true });
  }

  async open(): Promise<void> {
    await this.page.goto('/');
    await expect(this.search).toBeVisible();
  }

  /** Types, waits for the name among the answers and picks it. */
  async add(typed: string, name: string): Promise<void> {
    await this.search.fill(typed);
    await this.page.getByRole('option').filter({ hasText: name }).first().click();
    await expect(this.detail(name).getByRole('slider')).toBeVisible();
  }

  async act(name: string, action: string): Promise<void> {
    await this.row(name).getByRole('button', { name: `Actions for ${name}` }).click();
    await this.row(name).getByRole('button', { name: action, exact: true }).click();
  }

  async menu(name: 'Account' | 'Settings'): Promise<Locator> {
    await this.page.getByRole('button', { name, exact: true }).click();
    return this.page.getByRole('group', { name, exact: true });
  }
}

interface Sent {
  op: string;
  set: Record<string, unknown>;
}

/** What the next batch of changes asks for, once the server has answered it with success. */
export async function sent(page: Page): Promise<Sent[]> {
  const answer = await page.waitForResponse((one) => one.url().endsWith('/v1/sync'));
  expect(answer.status()).toBe(200);
  const { mutations } = answer.request().postDataJSON() as { mutations: Sent[] };
  const { results } = (await answer.json()) as { results: { status: string }[] };
  expect(results.map(({ status }) => status)).toEqual(mutations.map(() => 'applied'));
  return mutations;
}

/**
 * Watches a context: nothing may leave our origin, break the content security policy or throw. The one page elsewhere
 * that a browser may be sent to is the provider's.
 */
function watch(context: BrowserContext, origin: string, wrongs: string[]): void {
  const provider = process.env['PROVIDER_URL'];
  context.on('request', (request) => {
    const url = request.url();
    if (request.isNavigationRequest() && provider !== undefined && url.startsWith(provider)) return;
    if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:')) wrongs.push(`request to ${url}`);
  });
  context.on('console', (message) => {
    // The browser itself reports every answer that is not a success; the first /v1/me of a visitor is one.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrongs.push(message.text());
  });
  context.on('weberror', (error) => wrongs.push(String(error.error())));
}

interface Fixtures {
  app: App;
  /** Another person's browser, or the same person's other device. */
  device: () => Promise<App>;
}

export const test = base.extend<Fixtures & { watched: string[] }>({
  watched: async ({}, use) => {
    const wrongs: string[] = [];
    await use(wrongs);
    expect(wrongs).toEqual([]);
  },

  app: async ({ context, page, baseURL, watched }, use) => {
    watch(context, originOf(baseURL), watched);
    await use(new App(page));
  },

  device: async ({ browser, baseURL, watched, locale, timezoneId }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext({
        baseURL: originOf(baseURL),
        ...(locale === undefined ? {} : { locale }),
        ...(timezoneId === undefined ? {} : { timezoneId }),
        reducedMotion: 'reduce',
        viewport: { width: 1440, height: 900 },
      });
      watch(context, originOf(baseURL), watched);
      contexts.push(context);
      return new App(await context.newPage());
    });
    for (const context of contexts) await context.close();
  },
});

function originOf(baseURL: string | undefined): string {
  return new URL(baseURL ?? 'http://127.0.0.1:8080').origin;
}

/** The newest mail to an address in the mailbox of the development server, once one is there that says `what`. */
export async function mailTo(browser: Browser, email: string, what: RegExp): Promise<RegExpExecArray> {
  const mailbox = process.env['MAILBOX_URL'];
  if (mailbox === undefined) throw new Error('MAILBOX_URL must name the mailbox page of the development server');
  const page = await browser.newPage();
  try {
    let found: RegExpExecArray | null = null;
    await expect
      .poll(async () => {
        await page.goto(mailbox);
        const mails = await page.getByRole('article').allInnerTexts();
        found = mails.filter((mail) => mail.includes(`to ${email}`)).map((mail) => what.exec(mail)).find((hit) => hit !== null) ?? null;
        return found;
      }, `a mail to ${email} that says ${what}`)
      .not.toBeNull();
    return found as unknown as RegExpExecArray;
  } finally {
    await page.close();
  }
}

/** The newest code for an address. */
export async function codeFor(browser: Browser, email: string): Promise<string> {
  return (await mailTo(browser, email, /\b[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{4}\b/))[0];
}

/** An address that no earlier run of the tests has used. */
export function newEmail(): string {
  return `traveller-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}@example.org`;
}

/** Has the browser forget the session, and nothing else: its passkeys and what it is at a provider stay. */
export async function leave(app: App): Promise<void> {
  await app.page.goto('/');
  await (await app.menu('Account')).getByRole('button', { name: 'Sign out' }).click();
  await expect(app.page.getByRole('heading', { name: 'Where does your weather matter?' })).toBeVisible();
}

/** A passkey belongs to a name, never to a number, and a provider sends browsers back to a name. */
export const NAMED = (process.env['BASE_URL'] ?? 'http://127.0.0.1:8080').replace('127.0.0.1', 'localhost');

/** Of everybody who signs up in these tests. */
export const PASSWORD = 'seven quiet herons over the lake';

/** Turns the anonymous account of this device into one with e-mail and password. */
export async function signUp(app: App, browser: Browser): Promise<string> {
  const email = newEmail();
  await (await app.menu('Account')).getByRole('button', { name: 'Keep my places' }).click();
  const dialog = app.page.getByRole('dialog');
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Create account' }).click();
  await expect(dialog.getByRole('heading', { name: 'Check your mail' })).toBeVisible();
  await dialog.getByLabel('Code').fill((await codeFor(browser, email)).toLowerCase());
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await expect(app.page.getByText('Done. Your places are kept.')).toBeVisible();
  await expect(dialog).toHaveCount(0);
  return email;
}

/** Sends the form; whether it succeeds is the test's to see. */
export async function signIn(app: App, email: string, password: string): Promise<void> {
  const dialog = await openSignIn(app);
  await dialog.getByLabel('E-mail').fill(email);
  await dialog.getByLabel('Password', { exact: true }).fill(password);
  await dialog.getByRole('button', { name: 'Sign in', exact: true }).click();
}

export async function openSignIn(app: App): Promise<Locator> {
  const menu = await app.menu('Account');
  await menu.getByRole('button', { name: /^(Sign in|I already have an account)$/ }).click();
  return app.page.getByRole('dialog');
}

/** Opens the account page, which is there once the account's devices are. */
export async function openAccount(app: App): Promise<void> {
  await app.page.goto('/account');
  await expect(app.page.getByRole('region', { name: 'Where you are signed in' })).toBeVisible();
}

/** Every call is refused until the account has proved itself again, as five minutes after the last proof. */
export async function forgetProof(page: Page, accepts: string[]): Promise<() => Promise<number>> {
  let proofs = 0;
  await page.route('**/v1/auth/step-up', async (route) => {
    const answer = await route.fetch();
    if (answer.ok()) proofs += 1;
    await route.fulfill({ response: answer });
  });
  page.on('response', (answer) => {
    // The way back from a provider.
    if (/\/v1\/auth\/oauth\/[^/]+\/callback/.test(answer.url()) && answer.status() === 303) proofs += 1;
  });
  await page.route(/\/v1\/me(\/|$)/, async (route) => {
    if (proofs > 0 || route.request().method() === 'GET') return route.fallback();
    const problem = { status: 401, code: 'insufficient_user_authentication', title: 'Show again that it is you', accepts };
    return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify(problem) });
  });
  return async () => proofs;
}

/** Whom the provider lets in from this browser: anybody by name, nobody without one. */
export async function bePerson(page: Page, name: string | null): Promise<void> {
  await page.context().setExtraHTTPHeaders(name === null ? {} : { 'x-test-person': name });
}

/** The code that an authenticator app shows for a secret (RFC 6238), so many steps of 30 seconds from now. */
export function totp(secret: string, steps = 0): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replace(/\s/g, '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = (mac.at(-1) ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

/**
 * Gives the browser a device with passkeys, whose owner always agrees: also to what is only offered beside other ways,
 * which is therefore left out unless a test is about that.
 */
export async function addAuthenticator(page: Page, { offers = false } = {}): Promise<void> {
  if (!offers) {
    await page.addInitScript(() => {
      PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);
    });
  }
  const browser = await page.context().newCDPSession(page);
  await browser.send('WebAuthn.enable');
  await browser.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

/** Everything that the page keeps on the device, as text. */
export function kept(page: Page): Promise<string> {
  return page.evaluate(async () => {
    const values: unknown[] = [{ ...localStorage }];
    for (const { name = '' } of await indexedDB.databases()) {
      const db = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const table of db.objectStoreNames) {
        values.push(
          await new Promise((resolve, reject) => {
            const request = db.transaction(table).objectStore(table).getAll();
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          }),
        );
      }
      db.close();
    }
    return JSON.stringify(values);
  });
}
