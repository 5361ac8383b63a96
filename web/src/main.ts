import { mount } from 'svelte';

import './styles/base.css';
import App from './App.svelte';
import { session } from './state/session.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');

void session.start();
mount(App, { target });
