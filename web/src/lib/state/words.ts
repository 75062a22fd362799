import { baseLocale, type Locale } from '../paraglide/runtime.js';

type Words = Readonly<Record<string, (inputs: object) => string>>;

// All but the first one's, written out as the bundler wants it.
const files = import.meta.glob<Words>(['../paraglide/messages/*.js', '!**/_index.js', '!**/en.js']);

/**
 * The words of languages other than the first, of those that have come. Messages take them from here
 * (`wordsApart` in vite.config.ts): the language of a page is one whose words are there.
 * @public
 */
export const late: Partial<Record<string, Words>> = {};

/** @throws where they do not come */
export async function loadWords(locale: Locale): Promise<void> {
  if (locale === baseLocale) return;
  late[locale] ??= await files[`../paraglide/messages/${locale}.js`]!();
}
