import type { Texts } from '../text/index.svelte';

type Name = keyof Texts['codes'];

/** How a weather code looks: its text, its icon by day and by night, and the sky that it paints. */
interface Look {
  name: Name;
  day: string;
  night: string;
  sky: 'clear' | 'cloudy' | 'overcast' | 'rain' | 'snow' | 'storm' | 'fog';
}

const always = (name: Name, icon: string, sky: Look['sky']): Look => ({ name, day: icon, night: icon, sky });
const either = (name: Name, icon: string, sky: Look['sky']): Look => {
  const [day, night] = icon.includes('*') ? [icon.replace('*', 'day'), icon.replace('*', 'night')] : [icon, icon];
  return { name, day, night, sky };
};

/** WMO code table 4677, as far as weather services use it. */
const LOOKS: Record<number, Look> = {
  0: either('clear', 'clear-*', 'clear'),
  1: either('mostlyClear', 'mostly-clear-*', 'clear'),
  2: either('partlyCloudy', 'partly-cloudy-*', 'cloudy'),
  3: always('overcast', 'overcast', 'overcast'),
  4: always('smoke', 'smoke', 'fog'),
  5: always('haze', 'haze', 'fog'),
  6: always('dust', 'dust', 'fog'),
  19: always('funnelCloud', 'tornado', 'storm'),
  45: always('fog', 'fog', 'fog'),
  48: always('rimeFog', 'fog', 'fog'),
  51: always('drizzle', 'drizzle', 'rain'),
  53: always('drizzle', 'drizzle', 'rain'),
  55: always('drizzle', 'drizzle', 'rain'),
  56: always('freezingDrizzle', 'sleet', 'rain'),
  57: always('freezingDrizzle', 'sleet', 'rain'),
  61: either('lightRain', 'partly-cloudy-*-rain', 'rain'),
  63: always('rain', 'rain', 'rain'),
  65: always('heavyRain', 'extreme-rain', 'rain'),
  66: always('freezingRain', 'sleet', 'rain'),
  67: always('freezingRain', 'sleet', 'rain'),
  68: always('sleet', 'sleet', 'snow'),
  69: always('sleet', 'sleet', 'snow'),
  71: either('lightSnow', 'partly-cloudy-*-snow', 'snow'),
  73: always('snow', 'snow', 'snow'),
  75: always('heavySnow', 'extreme-snow', 'snow'),
  77: always('snowGrains', 'snow', 'snow'),
  79: always('icePellets', 'hail', 'snow'),
  80: either('showers', 'partly-cloudy-*-rain', 'rain'),
  81: either('showers', 'partly-cloudy-*-rain', 'rain'),
  82: always('heavyShowers', 'extreme-rain', 'rain'),
  83: either('sleet', 'partly-cloudy-*-sleet', 'snow'),
  84: either('sleet', 'partly-cloudy-*-sleet', 'snow'),
  85: either('snowShowers', 'partly-cloudy-*-snow', 'snow'),
  86: always('snowShowers', 'extreme-snow', 'snow'),
  95: always('thunderstorm', 'thunderstorms-rain', 'storm'),
  96: always('thunderstormHail', 'thunderstorms-hail', 'storm'),
  99: always('thunderstormHail', 'thunderstorms-hail', 'storm'),
};
const UNKNOWN = always('unknown', 'not-available', 'cloudy');

export function lookOf(code: number | null | undefined): Look {
  return (code === null || code === undefined ? undefined : LOOKS[code]) ?? UNKNOWN;
}

/** Unknown day or night counts as day. */
export function isDay(value: boolean | number | null | undefined): boolean {
  return value !== false && value !== 0;
}

/** The name of the sky behind a place's weather; `styles/sky.css` paints it. */
export function skyOf(code: number | null | undefined, day: boolean): string {
  return `${lookOf(code).sky}-${day ? 'day' : 'night'}`;
}

export function iconOf(code: number | null | undefined, day: boolean): string {
  const look = lookOf(code);
  return day ? look.day : look.night;
}
