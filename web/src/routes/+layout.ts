import { language } from '../lib/state/language.svelte.ts';

// The page is made of live data alone: nothing of it could be rendered ahead.
export const ssr = false;
export const prerender = true;

/** A page that speaks another language than the first begins with its words. */
export const load = () => language.ready;
