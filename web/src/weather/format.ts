import { speech } from '../text/index.svelte';

/**
 * How numbers and times are written. All functions read the current language, so that texts follow it; formatters are
 * kept because making one costs more than using it a thousand times.
 */
const kept = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat | Intl.RelativeTimeFormat>();

function keep<T extends Intl.DateTimeFormat | Intl.NumberFormat | Intl.RelativeTimeFormat>(key: string, make: () => T): T {
  let format = kept.get(key) as T | undefined;
  if (!format) {
    format = make();
    kept.set(key, format);
  }
  return format;
}

function dates(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const { locale } = speech;
  return keep(`${locale} ${JSON.stringify(options)}`, () => {
    try {
      return new Intl.DateTimeFormat(locale, options);
    } catch {
      // A zone that this browser does not know yet: the server's data may be newer than the browser's.
      return new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' });
    }
  });
}

export type Value = number | null | undefined;

const NOTHING = '–';

/** A number with at most `digits` decimals. */
export function number(value: Value, digits = 0): string {
  if (value === null || value === undefined) return NOTHING;
  const { locale } = speech;
  // Adding 0 turns −0 into 0.
  const rounded = Math.round(value * 10 ** digits) / 10 ** digits + 0;
  const format = keep(`${locale} ${digits}`, () => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }));
  // A hyphen is too short and too low beside figures; most locales still give one.
  return format.format(rounded).replace('-', '\u2212');
}

/** A whole degree, "18°", or "291 K" where the unit is no degree. */
export function degrees(value: Value, unit = '°C'): string {
  if (value === null || value === undefined) return NOTHING;
  return unit.startsWith('°') ? `${number(value)}°` : `${number(value)}\u00a0${unit}`;
}

export function percent(value: Value): string {
  return value === null || value === undefined ? NOTHING : `${number(value)}\u00a0%`;
}

/** A value with its unit; small amounts keep a decimal (two for inches). */
export function amount(value: Value, unit: string): string {
  if (value === null || value === undefined) return NOTHING;
  const small = unit === 'in' || unit === 'inch' ? 2 : 1;
  return `${number(value, Math.abs(value) < 10 ? small : 0)}\u00a0${unit}`;
}

export function speed(value: Value, unit: string): string {
  if (value === null || value === undefined) return NOTHING;
  return `${number(value, unit === 'm/s' && value < 10 ? 1 : 0)}\u00a0${unit}`;
}

/** Whether the locale counts hours to twelve. */
const twelve = (): boolean => dates({ hour: 'numeric' }).resolvedOptions().hour12 === true;

/** "05:00" or "5 AM", as the locale counts. */
export function hour(seconds: number, zone: string): string {
  if (twelve()) return dates({ hour: 'numeric', timeZone: zone }).format(seconds * 1000);
  return dates({ hour: '2-digit', minute: '2-digit', timeZone: zone }).format(seconds * 1000);
}

export function clock(seconds: Value, zone: string): string {
  if (seconds === null || seconds === undefined) return NOTHING;
  return dates({ hour: twelve() ? 'numeric' : '2-digit', minute: '2-digit', timeZone: zone }).format(seconds * 1000);
}

/** The date in a zone, as people there would say it: "Saturday, 21 November". */
export function localDay(seconds: number, zone: string): string {
  return dates({ weekday: 'long', day: 'numeric', month: 'long', timeZone: zone }).format(seconds * 1000);
}

/** Noon UTC lies inside the same date everywhere that a formatter in UTC looks. */
function noon(date: string): number {
  return Date.parse(`${date}T12:00:00Z`);
}

export function weekday(date: string): string {
  return dates({ weekday: 'short', timeZone: 'UTC' }).format(noon(date));
}

export function fullDay(date: string): string {
  return dates({ weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' }).format(noon(date));
}

export function shortDay(date: string): string {
  return dates({ day: 'numeric', month: 'short', timeZone: 'UTC' }).format(noon(date));
}

/** The local date "2026-11-21" of an instant in a zone. */
export function dateIn(seconds: number, zone: string): string {
  const parts = new Map(
    keep(`date ${zone}`, () => {
      try {
        return new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: zone });
      } catch {
        return new Intl.DateTimeFormat('en-CA', { year: 'numeric', month: '2-digit', day: '2-digit', timeZone: 'UTC' });
      }
    })
      .formatToParts(seconds * 1000)
      .map(({ type, value }) => [type, value]),
  );
  return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
}

/** "5 minutes ago", from two instants in milliseconds. */
export function age(then: number, now: number): string {
  const { locale } = speech;
  const format = keep(`age ${locale}`, () => new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }));
  const minutes = Math.round((then - now) / 60_000);
  if (minutes >= 0) return format.format(0, 'second');
  if (minutes > -60) return format.format(minutes, 'minute');
  if (minutes > -48 * 60) return format.format(Math.round(minutes / 60), 'hour');
  return format.format(Math.round(minutes / 1440), 'day');
}

/** One of eight directions that a wind comes from. */
export function compass(direction: Value): string {
  if (direction === null || direction === undefined) return '';
  return speech.t.weather.compass[Math.round((((direction % 360) + 360) % 360) / 45) % 8] ?? '';
}
