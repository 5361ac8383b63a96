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
