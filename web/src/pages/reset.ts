import { mount } from 'svelte';

import '../state/preferences.svelte';
import '../styles/page.css';
import PasswordPage from '../ui/account/PasswordPage.svelte';

const target = document.getElementById('answer');
if (!target) throw new Error('the page has no #answer');

// Another link that is opened in this very tab changes nothing but the fragment.
addEventListener('hashchange', () => location.reload());

// In the fragment, which browsers never send: so it stands in no server's log.
const token = new URLSearchParams(location.hash.slice(1)).get('token');
mount(PasswordPage, { target, props: { token, start: 'reset' } });
