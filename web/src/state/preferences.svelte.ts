import type { Units } from '@fairweather/client';

import { LANGUAGES, preferredLanguage, speech, type Language } from '../text/index.svelte';
import { recall, remember } from './storage';

export type Theme = 'system' | 'light' | 'dark';

/** `public/theme.js` reads the theme under this name before the first paint. */
const THEME = 'fairweather.theme';
const UNITS = 'fairweather.units';
const LANGUAGE = 'fairweather.language';
/** Whose choice of units the server has not heard yet: an account's id, or a visitor's. */
const UNSENT = 'fairweather.units.unsent';
const VISITOR = 'visitor';

/** Countries whose people read the weather in °F and mph. */
const IMPERIAL = new Set(['US', 'LR', 'BS', 'BZ', 'KY', 'PW', 'FM', 'MH']);

function unitsOfLocale(): Units {
  const region = new Intl.Locale(navigator.language).maximize().region;
  return region !== undefined && IMPERIAL.has(region) ? 'imperial' : 'metric';
}

function oneOf<T extends string>(known: readonly T[], value: string | null, otherwise: T): T {
  return known.find((one) => one === value) ?? otherwise;
}

let units = $state<Units>(oneOf(['metric', 'imperial', 'si'], recall(UNITS), unitsOfLocale()));
let theme = $state<Theme>(oneOf(['system', 'light', 'dark'], recall(THEME), 'system'));

const systemDark = matchMedia('(prefers-color-scheme: dark)');
let systemIsDark = $state(systemDark.matches);
systemDark.addEventListener('change', (event) => (systemIsDark = event.matches));

speech.speak(oneOf(Object.keys(LANGUAGES) as Language[], recall(LANGUAGE), preferredLanguage()));

/** What the user chose: units for the account, the rest for this device. */
export const preferences = {
  get units(): Units {
    return units;
  },

  /** The user chose units here. They are the account's once `unitsSent` says so. */
  chooseUnits(next: Units, account: string | null): void {
    units = next;
    remember(UNITS, next);
    remember(UNSENT, account ?? VISITOR);
  },

  unitsSent(): void {
    remember(UNSENT, null);
  },

  /**
   * Whether an account must still hear what was chosen here: its own choice that did not get through, or what a visitor
   * chose before the account was. Otherwise the account's choice is taken over.
   */
  agreeOnUnits(account: string, theirs: Units | null): boolean {
    const unsent = recall(UNSENT);
    if (unsent === account || (unsent === VISITOR && theirs === null)) return true;
    this.unitsSent();
    if (theirs !== null) {
      units = theirs;
      remember(UNITS, theirs);
    }
    return false;
  },

  get theme(): Theme {
    return theme;
  },
  set theme(next: Theme) {
    theme = next;
    remember(THEME, next);
    if (next === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = next;
  },

  /** Whether the page is dark now, by choice or by the system. */
  get dark(): boolean {
    return theme === 'system' ? systemIsDark : theme === 'dark';
  },

  get language(): Language {
    return speech.language;
  },
  set language(next: Language) {
    speech.speak(next);
    remember(LANGUAGE, next);
  },
};
