import { speech, type Language } from '../../text/index.svelte';
import { de } from './de';
import { en, type AccountTexts } from './en';

const TEXTS: Record<Language, AccountTexts> = { en, de };

/** Texts that only account pages and dialogs need, which the first visit therefore does not download. */
export const words = {
  get t(): AccountTexts {
    return TEXTS[speech.language];
  },
};

/** The name of a button that stands beside what it is about: what is seen comes first, then what it does that to. */
export function named(button: string, about: string): string {
  return `${button}: ${about}`;
}
