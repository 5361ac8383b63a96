import { mount } from 'svelte';

import '../styles/base.css';
import { session } from '../state/session.svelte';
import AccountPage from '../ui/account/AccountPage.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');

await session.start();
mount(AccountPage, { target });
