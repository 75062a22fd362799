import { MediaQuery } from 'svelte/reactivity';

/** Narrow, or a phone that lies on its side. Style sheets ask the very same. */
export const phone = new MediaQuery('(max-width: 719px), (max-height: 479px) and (pointer: coarse)');
