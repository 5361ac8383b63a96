import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The Meteocons that the app shows; the names on the left of `src/weather/codes.ts` point here. */
const NAMES = [
  'clear-day', 'clear-night', 'mostly-clear-day', 'mostly-clear-night',
  'partly-cloudy-day', 'partly-cloudy-night', 'overcast',
  'fog', 'haze', 'smoke', 'dust', 'drizzle', 'rain', 'extreme-rain', 'sleet', 'hail', 'snow', 'extreme-snow',
  'partly-cloudy-day-rain', 'partly-cloudy-night-rain',
  'partly-cloudy-day-snow', 'partly-cloudy-night-snow', 'partly-cloudy-day-sleet', 'partly-cloudy-night-sleet',
  'tornado', 'thunderstorms-rain', 'thunderstorms-hail', 'not-available',
];

/**
 * Meteocons are drawn for one background. Their palest clouds vanish on white and their deepest rain vanishes on a
 * coloured sky, so each icon is written twice with those few colours moved.
 */
const PALETTES: Record<string, [from: string, to: string][]> = {
  light: [
    ['#F3F7FE', '#DCE6F4'],
    ['#E6EFFC', '#B9C9E1'],
    ['#E2E8F0', '#AEBBCD'],
    ['#86C3DB', '#5FA9C6'],
    ['#202939', '#42526B'],
  ],
  sky: [
    ['#0A5AD4', '#8FCBFF'],
    ['#86C3DB', '#C9EAF8'],
    ['#202939', '#E6EFFC'],
  ],
};

/** Writes the icons used into `src/weather/icons/<palette>/`, where the app's glob import finds them. */
export function writeWeatherIcons(): void {
  const from = dirname(createRequire(import.meta.url).resolve('@meteocons/svg-static/manifest.json'));
  for (const [palette, moves] of Object.entries(PALETTES)) {
    const to = join(import.meta.dirname, '../src/weather/icons', palette);
    mkdirSync(to, { recursive: true });
    for (const name of NAMES) {
      let drawing = readFileSync(join(from, 'fill', `${name}.svg`), 'utf8');
      for (const [before, after] of moves) drawing = drawing.replaceAll(before, after);
      // The drawings keep a wide margin, which would make small icons tiny.
      drawing = drawing.replace('viewBox="0 0 128 128"', 'viewBox="14 14 100 100"');
      writeFileSync(join(to, `${name}.svg`), drawing.replaceAll(/>\s+</g, '><'));
    }
  }
}
