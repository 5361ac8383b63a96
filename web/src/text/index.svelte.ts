import { de } from './de';
import { en, type Texts } from './en';

export type { Texts };

/** The languages of the app, each under its own name. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

const TEXTS: Record<Language, Texts> = { en, de };

/** The first of the browser's languages that the app speaks. */
export function preferredLanguage(): Language {
  for (const tag of navigator.languages) {
    const language = tag.slice(0, 2).toLowerCase();
    if (language === 'en' || language === 'de') return language;
  }
  return 'en';
}

let language = $state<Language>('en');

/** The current language; `t` follows it. */
export const speech = {
  get language(): Language {
    return language;
  },

  /** For dates and numbers: the browser's own variant of the language (en-GB counts to 24, en-US to 12). */
  get locale(): string {
    return navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;
  },

  get t(): Texts {
    return TEXTS[language];
  },

  speak(next: Language): void {
    language = next;
    document.documentElement.lang = next;
  },
};
