import type { Handle } from '@sveltejs/kit/hooks';

/** Runs at build time alone, for the prerendered page: its text must not wait for the style sheet to name the font. */
export const handle: Handle = ({ event, resolve }) =>
  resolve(event, {
    preload: ({ type, path }) =>
      type === 'js' || type === 'css' || (type === 'font' && path.includes('inter-latin-wght')),
  });
