import { baseLocale, isLocale, locales, overwriteGetLocale, type Locale } from '../paraglide/runtime.js';
import { storage } from './storage.svelte.ts';

/** Of its own, for pages that have no other preferences. */
const KEY = 'depthwire.language';

export { locales, type Locale };
export type LanguageChoice = Locale | 'auto';

/** The language of the page: what was chosen in this browser, else the first that both it and the page have. */
class Language {
  #choice = $state<LanguageChoice>(read());
  #preferred = $state(preferred());
  readonly #locale = $derived(this.#choice === 'auto' ? this.#preferred : this.#choice);

  constructor() {
    addEventListener('languagechange', () => (this.#preferred = preferred()));
    addEventListener('storage', ({ key }) => {
      if (key === KEY || key === null) this.#choice = read();
    });
  }

  get choice(): LanguageChoice {
    return this.#choice;
  }

  set choice(choice: LanguageChoice) {
    this.#choice = choice;
    storage.write(KEY, choice === 'auto' ? null : choice);
  }

  get locale(): Locale {
    return this.#locale;
  }
}

export const language = new Language();

// Messages read the signal: what shows them follows it, without a reload.
overwriteGetLocale(() => language.locale);

/** What a language calls itself: `Deutsch`. */
export function languageName(locale: Locale): string {
  return new Intl.DisplayNames(locale, { type: 'language' }).of(locale) ?? locale;
}

function preferred(): Locale {
  for (const tag of navigator.languages) {
    const [name] = tag.toLowerCase().split('-');
    if (isLocale(name)) return name;
  }
  return baseLocale;
}

function read(): LanguageChoice {
  const stored = storage.read(KEY);
  return isLocale(stored) ? stored : 'auto';
}
