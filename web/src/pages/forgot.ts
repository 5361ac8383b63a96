import { mount } from 'svelte';

import '../state/preferences.svelte';
import '../styles/page.css';
import PasswordPage from '../ui/account/PasswordPage.svelte';

const target = document.getElementById('answer');
if (!target) throw new Error('the page has no #answer');

mount(PasswordPage, { target, props: { token: null, start: 'forgot' } });
