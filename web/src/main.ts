import { mount } from 'svelte';

import './styles/base.css';
import App from './App.svelte';
import { session } from './state/session.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');

// What the device knows is read first, which takes no time that anybody sees: the first paint shows it.
await session.start();
mount(App, { target });
