import '../styles/page.css';
import { Problem } from '@fairweather/client';

import { words } from '../account/text';
import { fairweather } from '../state/fairweather';
import '../state/preferences.svelte';
import { pendingRegistration, readCode, showCode } from '../state/registration';
import { speech } from '../text/index.svelte';

/**
 * The page that the link in the mail opens. The code is in the fragment, which browsers never send, so it stands in no
 * server's log. It works only together with the secret of the browser that signed up.
 */
const answer = document.getElementById('answer');
answer?.setAttribute('aria-live', 'polite');
// Another link that is opened in this very tab changes nothing but the fragment.
addEventListener('hashchange', () => location.reload());

function show(title: string, body: string, code: string | null, link: boolean): void {
  const heading = Object.assign(document.createElement('h1'), { textContent: title });
  const text = Object.assign(document.createElement('p'), { textContent: body });
  const parts: HTMLElement[] = [heading];
  if (code !== null) parts.push(Object.assign(document.createElement('p'), { className: 'code figures', textContent: code }));
  parts.push(text);
  if (link) {
    parts.push(Object.assign(document.createElement('a'), {
      className: 'button main', href: '/', textContent: words.t.confirm.open,
    }));
  }
  answer?.replaceChildren(...parts);
}

async function confirm(): Promise<void> {
  const texts = words.t.confirm;
  document.title = `${texts.title} · ${speech.t.appName}`;
  const code = readCode(new URLSearchParams(location.hash.slice(1)).get('code') ?? '');
  if (code === null) {
    show(texts.missing, texts.missingBody, null, true);
    return;
  }
  const pending = pendingRegistration.load(Date.now());
  if (!pending) {
    show(texts.elsewhere, texts.elsewhereBody, showCode(code), false);
    return;
  }
  show(texts.working, '', null, false);
  try {
    await fairweather.accounts.confirm(pending.registration, code);
    pendingRegistration.clear();
    // The code has done its work; it need not stay in the history.
    history.replaceState(null, '', location.pathname);
    show(texts.done, texts.doneBody, null, true);
  } catch (error) {
    const { errors } = speech.t;
    const offline = error instanceof Problem && (error.status === 0 || error.status >= 500);
    if (offline) show(navigator.onLine ? errors.awayAction : errors.offlineAction, '', showCode(code), false);
    else show(texts.refused, words.t.errors.code, showCode(code), true);
  }
}

void confirm();
