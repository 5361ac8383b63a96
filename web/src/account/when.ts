import { speech } from '../text/index.svelte';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A day, as people write it. */
export function onDay(time: string): string {
  return new Intl.DateTimeFormat(speech.locale, { dateStyle: 'long' }).format(Date.parse(time));
}

/** The same where there is little room. */
export function onShortDay(time: string): string {
  return new Intl.DateTimeFormat(speech.locale, { dateStyle: 'medium' }).format(Date.parse(time));
}

/** How long ago, as people say it; what is further away than a month is a day of the calendar. */
export function ago(time: string, now = Date.now()): string {
  const ms = Math.max(0, now - Date.parse(time));
  if (ms > 30 * DAY_MS) return onShortDay(time);
  const say = new Intl.RelativeTimeFormat(speech.locale, { numeric: 'auto' });
  if (ms < HOUR_MS) return say.format(-Math.floor(ms / MINUTE_MS), 'minute');
  if (ms < DAY_MS) return say.format(-Math.floor(ms / HOUR_MS), 'hour');
  return say.format(-Math.floor(ms / DAY_MS), 'day');
}

/** A span of waiting, rounded up so that nobody comes too early. */
export function span(seconds: number): string {
  const [count, unit] = seconds < 90 ? [Math.ceil(seconds), 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return new Intl.NumberFormat(speech.locale, { style: 'unit', unit: String(unit), unitDisplay: 'long' }).format(Number(count));
}
