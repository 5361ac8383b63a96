import { recallJson, remember } from './storage';

/** A registration that waits for the code from the mail. Only this browser holds its secret. */
export interface Pending {
  version: number;
  registration: string;
  email: string;
  expires_at: number;
}

const KEY = 'fairweather.registration';
const VERSION = 1;

/** Kept where other tabs see it, because the link in the mail opens a new one. */
export const pendingRegistration = {
  key: KEY,

  load(now: number): Pending | null {
    const pending = recallJson<Pending>(KEY, VERSION);
    return pending && pending.expires_at > now ? pending : null;
  },

  save(registration: string, email: string, expiresAt: number): void {
    const pending: Pending = { version: VERSION, registration, email, expires_at: expiresAt };
    remember(KEY, JSON.stringify(pending));
  },

  clear(): void {
    remember(KEY, null);
  },
};

/** The 8 characters of a code, Crockford's base 32; people may type O for 0, I or L for 1, spaces and dashes. */
export function readCode(text: string): string | null {
  const plain = text.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(plain) ? plain : null;
}

/** As it stands in the mail: two groups of four. */
export function showCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
