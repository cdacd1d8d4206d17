/** Starts the page. */
import { mount } from 'svelte';
import App from './app.svelte';
import 'uplot/dist/uPlot.min.css';
import './page.css';
import { applyTheme } from './theme.ts';

applyTheme();
const target = document.querySelector('#app');
if (target !== null) mount(App, { target });
