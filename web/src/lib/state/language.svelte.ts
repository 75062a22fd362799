import { baseLocale, isLocale, locales, overwriteGetLocale, type Locale } from '../paraglide/runtime.js';
import { storage } from './storage.svelte.ts';
import { loadWords } from './words.ts';

/** Of its own, for pages that have no other preferences. */
const KEY = 'depthwire.language';

export { locales, type Locale };
export type LanguageChoice = Locale | 'auto';

/** The language of the page: what was chosen in this browser, else the first that both it and the page have. */
class Language {
  #choice = $state<LanguageChoice>(read());
  #preferred = $state(preferred());
  #locale = $state<Locale>(baseLocale);
  /** Whether the words of the language that is wanted did not come: the page stays in the one that it has. */
  hasFailed = $state(false);
  /** Once the page has the words that it begins with, or they did not come. */
  readonly ready: Promise<void>;

  constructor() {
    addEventListener('languagechange', () => {
      this.#preferred = preferred();
      void this.#take();
    });
    addEventListener('storage', ({ key }) => {
      if (key !== KEY && key !== null) return;
      this.#choice = read();
      void this.#take();
    });
    this.ready = this.#take();
  }

  get choice(): LanguageChoice {
    return this.#choice;
  }

  set choice(choice: LanguageChoice) {
    this.#choice = choice;
    storage.write(KEY, choice === 'auto' ? null : choice);
    void this.#take();
  }

  get locale(): Locale {
    return this.#locale;
  }

  get #wanted(): Locale {
    return this.#choice === 'auto' ? this.#preferred : this.#choice;
  }

  async #take(): Promise<void> {
    const wanted = this.#wanted;
    this.hasFailed = false;
    try {
      await loadWords(wanted);
      if (wanted === this.#wanted) this.#locale = wanted;
    } catch {
      // Another may be wanted by now.
      this.hasFailed = wanted === this.#wanted;
    }
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
