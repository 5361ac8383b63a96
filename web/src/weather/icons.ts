import { preferences } from '../state/preferences.svelte';

const FILES = import.meta.glob<string>('./icons/*/*.svg', { eager: true, query: '?url', import: 'default' });

/** The address of an icon, in the palette of the surface on which it lies. */
export function iconFile(name: string, onSky: boolean): string {
  const palette = onSky || preferences.dark ? 'sky' : 'light';
  return FILES[`./icons/${palette}/${name}.svg`] ?? FILES[`./icons/${palette}/not-available.svg`] ?? '';
}
