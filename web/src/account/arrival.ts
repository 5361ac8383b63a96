import type { SecondFactor } from '@fairweather/client';

import { toasts } from '../state/toasts.svelte';
import { api } from './api';
import { ofCode } from './explain';
import { leftBehind } from './left-behind';
import { words } from './text';

/** What a dialog goes on with: the second step that the sign-in wants, or the places that it has left behind. */
export type Arrival = { page: 'second'; step: SecondFactor } | { page: 'adopt'; left: number };

/**
 * Says how a round trip to a provider ended: the server has put that behind the address of the page, where it is in no
 * server's log, and where it need not stay. Gives what there is to ask now.
 */
export async function greetArrival(): Promise<Arrival | null> {
  const told = new URLSearchParams(location.hash.slice(1));
  const name = told.get('provider');
  if (name === null) return null;
  history.replaceState(null, '', location.pathname);
  const error = told.get('error');
  if (error !== null) {
    toasts.warn(ofCode(error) ?? words.t.errors.denied);
    return null;
  }
  const [outcome, challenge] = [told.get('outcome'), told.get('challenge')];
  if (outcome === 'second_factor' && challenge !== null) {
    return { page: 'second', step: { mfa_required: true, challenge, factors: (told.get('factors') ?? '').split(',') } };
  }
  const providers = await api.providers().catch(() => []);
  const label = providers.find((provider) => provider.name === name)?.label ?? name;
  const { providers: texts, signIn } = words.t;
  if (outcome === 'linked') toasts.show(texts.nowLinked(label));
  else if (outcome === 'stepped_up') toasts.show(texts.steppedUp);
  else {
    toasts.show(signIn.cameBack(label));
    const left = await leftBehind.take();
    if (left > 0) return { page: 'adopt', left };
  }
  return null;
}
