import type { EditEvent } from '@fairweather/client';

import { speech } from '../text/index.svelte';
import { fairweather } from './fairweather';
import { places } from './places.svelte';
import { toasts } from './toasts.svelte';

/** Edits of two devices that met, while nobody looked at this page. */
const unseen: EditEvent[] = [];

fairweather.on('rescued', ({ unsent }) => toasts.show(speech.t.together.rescued(unsent)));
fairweather.on('left', () => toasts.warn(speech.t.together.left));
fairweather.on('edit', (event) => {
  if (document.visibilityState === 'visible') tell(event);
  else unseen.push(event);
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') for (const event of unseen.splice(0).slice(-3)) tell(event);
});

/**
 * Tells about edits of the same place on two devices, and offers what was lost. An order that changed on both is
 * settled without a word.
 */
function tell(event: EditEvent): void {
  const texts = speech.t.together;
  if (event.type === 'refused') {
    const { errors } = speech.t;
    toasts.warn({ gone: errors.gone, quota: errors.quota }[event.error as string] ?? errors.refused);
    return;
  }
  if (event.type === 'removed') {
    const { item } = event;
    toasts.show(texts.removed(item.name), { label: texts.addAgain, run: () => void places.restore(item) });
    return;
  }
  const { id, field } = event;
  const place = places.find(id);
  if (!place || (field !== 'name' && field !== 'note')) return;
  const lost = event.type === 'replaced' ? event.yours : event.was;
  const text = event.type === 'replaced' ? texts.replaced[field](place.name) : texts.overwrote[field](place.name);
  toasts.show(text, {
    label: event.type === 'replaced' ? texts.useMine : texts.useTheirs,
    run: () => void places.change(id, { [field]: lost }),
  });
}
