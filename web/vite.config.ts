import { paraglideVitePlugin } from '@inlang/paraglide-js';
import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig, type Plugin } from 'vite';
import { options } from './paraglide.mjs';
import settings from './project.inlang/settings.json' with { type: 'json' };

/** Where `npm run dev` has the server listen. */
const server = `http://127.0.0.1:${process.env.PORT ?? 8080}`;

/**
 * The messages that the compiler writes import the words of all languages, and a page would load them all. Those of
 * others than the first are taken from state/words.ts, which loads the ones that are wanted.
 */
function wordsApart(): Plugin {
  return {
    name: 'words-apart',
    transform: {
      filter: { id: /\/paraglide\/messages\/_index\.js$/ },
      handler(code) {
        let apart = code;
        for (const locale of settings.locales) {
          if (locale === settings.baseLocale) continue;
          const words = `import * as __${locale} from "./${locale}.js"`;
          if (!apart.includes(words)) this.error(`expected ${words} in what the compiler of messages wrote`);
          apart = apart.replace(words, '').replaceAll(`__${locale}.`, `late.${locale}.`);
        }
        return { code: `import { late } from '../../state/words.ts';\n${apart}`, map: null };
      },
    },
  };
}

export default defineConfig({
  plugins: [
    // The service worker fetches all files: state/app.svelte.ts registers it when the page is drawn.
    sveltekit({
      adapter: adapter({ pages: 'build', fallback: '404.html', precompress: true }),
      serviceWorker: { register: false },
    }),
    paraglideVitePlugin(options),
    wordsApart(),
  ],
  build: {
    target: 'es2023',
  },
  environments: {
    client: {
      build: {
        rolldownOptions: {
          output: {
            // Without these a first visit asks for 66 files, most of them tiny, instead of 26.
            codeSplitting: {
              groups: [
                // All that SvelteKit's entry imports before it is told what its other modules read as they are loaded.
                {
                  name: 'entry',
                  test: /vite\/preload-helper|@sveltejs\/kit\/src\/runtime\/client\/payload\.js/,
                  priority: 4,
                },
                { name: 'svelte', test: /node_modules\/(svelte|esm-env|clsx)\//, priority: 3 },
                {
                  name: 'menus',
                  test: /node_modules\/(bits-ui|@floating-ui|svelte-toolbelt|runed|tabbable|style-to-object|inline-style-parser)\//,
                  priority: 2,
                },
                { name: 'parts', minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 40_000 },
              ],
            },
          },
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server, ws: true },
      // Of widgets; `/widgets` itself is a page.
      '^/(widgets\\.js$|widgets/|embed/)': server,
    },
  },
});
