import { paraglideVitePlugin } from '@inlang/paraglide-js';
import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vite';
import { options } from './paraglide.mjs';

/** Where `npm run dev` has the server listen. */
const server = `http://127.0.0.1:${process.env.PORT ?? 8080}`;

export default defineConfig({
  plugins: [
    // The service worker fetches all files: state/app.svelte.ts registers it when the page is drawn.
    sveltekit({ adapter: adapter({ pages: 'build', fallback: '404.html' }), serviceWorker: { register: false } }),
    paraglideVitePlugin(options),
  ],
  build: { target: 'es2023' },
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server, ws: true },
    },
  },
});
