import type { Daily, Day as FullDay, Hourly } from '@fairweather/client';

import { isDay } from './codes';
import { dateIn } from './format';

/** What a line of the days shows. */
export type Day = Omit<FullDay, 'wind_speed_max' | 'wind_gust_max'>;

/** One slot of a forecast's hours. Missing values are null. */
export interface Hour {
  time: number;
  temperature: number;
  precipitation: number | null;
  chance: number | null;
  code: number | null;
  day: boolean;
  wind: number | null;
  direction: number | null;
}

/** The slots in [start, start + 24 h), without those that have no temperature. */
export function hoursFrom(hourly: Hourly, start: number): Hour[] {
  return pick(hourly, (time, step) => time + step > start && time < start + 86_400);
}

/** The slots of one local day. */
export function hoursOf(hourly: Hourly, date: string, zone: string): Hour[] {
  return pick(hourly, (time) => dateIn(time, zone) === date);
}

function pick(hourly: Hourly, wanted: (time: number, step: number) => boolean): Hour[] {
  return hourly.time.flatMap((time, at) => {
    const temperature = hourly.temperature?.[at];
    if (temperature === null || temperature === undefined || !wanted(time, hourly.step_s[at] ?? 3600)) return [];
    return {
      time,
      temperature,
      precipitation: hourly.precipitation?.[at] ?? null,
      chance: hourly.precipitation_probability?.[at] ?? null,
      code: hourly.weather_code?.[at] ?? null,
      day: isDay(hourly.is_day?.[at]),
      wind: hourly.wind_speed?.[at] ?? null,
      direction: hourly.wind_direction?.[at] ?? null,
    };
  });
}

/** The days of a forecast, one object each. */
export function daysOf(daily: Daily): Day[] {
  return daily.date.map((date, at) => ({
    date,
    temperature_min: daily.temperature_min[at] ?? null,
    temperature_max: daily.temperature_max[at] ?? null,
    precipitation: daily.precipitation?.[at] ?? null,
    precipitation_probability: daily.precipitation_probability?.[at] ?? null,
    weather_code: daily.weather_code?.[at] ?? null,
    sunrise: daily.sunrise?.[at] ?? null,
    sunset: daily.sunset?.[at] ?? null,
  }));
}

/**
 * A smooth line through points (x ascending) that never overshoots them: a drawn temperature must not be colder or
 * warmer than the forecast says. Fritsch and Carlson's monotone cubic, as an SVG path.
 */
export function smooth(points: readonly { x: number; y: number }[]): string {
  const [start] = points;
  if (!start) return '';
  const slopes = points.slice(1).map(({ x, y }, at) => {
    const before = points[at] ?? start;
    return (y - before.y) / (x - before.x || 1);
  });
  const tangents = points.map((_, at) => {
    const left = slopes[at - 1] ?? slopes[at] ?? 0;
    const right = slopes[at] ?? left;
    if (left * right <= 0) return 0;
    return (2 * left * right) / (left + right);
  });
  let path = `M${start.x.toFixed(1)} ${start.y.toFixed(1)}`;
  for (const [at, { x, y }] of points.slice(1).entries()) {
    const before = points[at] ?? start;
    const third = (x - before.x) / 3;
    const leave = before.y + third * (tangents[at] ?? 0);
    const arrive = y - third * (tangents[at + 1] ?? 0);
    path += `C${(before.x + third).toFixed(1)} ${leave.toFixed(1)} ${(x - third).toFixed(1)} ${arrive.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)}`;
  }
  return path;
}
