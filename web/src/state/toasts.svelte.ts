import { Problem } from '@fairweather/client';

import { speech } from '../text/index.svelte';
import { connection } from './connection.svelte';

export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'error';
  action: { label: string; run: () => void } | null;
}

/** Long enough to read and to reach Undo with the keyboard; pointing at a toast or focusing it keeps it. */
const PLAIN_MS = 5_000;
const ACTION_MS = 12_000;

let next = 1;
let list = $state<Toast[]>([]);
let spoken = $state('');
const timers = new Map<number, ReturnType<typeof setTimeout>>();

function start(toast: Toast): void {
  const ms = toast.action || toast.tone === 'error' ? ACTION_MS : PLAIN_MS;
  timers.set(toast.id, setTimeout(() => toasts.dismiss(toast.id), ms));
}

/** Short messages at the edge of the screen, and the live region that reads changes aloud. */
export const toasts = {
  get list(): readonly Toast[] {
    return list;
  },

  show(text: string, action: Toast['action'] = null): void {
    this.add({ id: next, text, tone: 'plain', action });
  },

  fail(error: unknown): void {
    this.warn(explain(error));
  },

  /** Something did not work out, and nobody has to do anything about it. */
  warn(text: string): void {
    this.add({ id: next, text, tone: 'error', action: null });
  },

  add(toast: Toast): void {
    next += 1;
    for (const old of list.slice(0, -2)) this.dismiss(old.id);
    list.push(toast);
    start(toast);
  },

  dismiss(id: number): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
    list = list.filter((toast) => toast.id !== id);
  },

  hold(id: number): void {
    clearTimeout(timers.get(id));
  },

  release(id: number): void {
    const toast = list.find((one) => one.id === id);
    if (toast) start(toast);
  },

  /** What the live region says now. */
  get spoken(): string {
    return spoken;
  },

  /** Says something that is only visible as a change on the page. */
  say(text: string): void {
    spoken = text;
  },
};

/** What a person can do about a failed request. */
export function explain(error: unknown): string {
  const { errors } = speech.t;
  if (!(error instanceof Problem)) return errors.unexpected;
  if (error.status === 0) return connection.online ? errors.awayAction : errors.offlineAction;
  if (error.code === 'unexpected') return errors.between;
  if (error.status === 429) return errors.rate;
  if (error.code.includes('quota')) return errors.quota;
  if (error.status === 404) return errors.gone;
  if (error.status === 401) return speech.t.account.ended;
  if (error.status >= 500) return errors.unexpected;
  return error.fields[0]?.detail ?? error.message;
}
