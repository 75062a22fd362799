import { en, type Word, type Words } from './words/en.ts';

/** Languages that are complete, beside English. */
const others: Readonly<Record<string, () => Promise<Words>>> = {
  de: async () => (await import('./words/de.ts')).de,
};

const loaded = new Map<string, Words>([['en', en]]);

/** Fills in `{name}`. */
export type Say = (word: Word, values?: Readonly<Record<string, string | number>>) => string;

/** The words of a language, in English until they are there. */
export function sayIn(locale: string): Say {
  const words = loaded.get(languageOf(locale)) ?? en;
  return (word, values) =>
    values === undefined
      ? words[word]
      : words[word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));
}

/** @returns whether there are words to be drawn that were not there before */
export async function loadWords(locale: string): Promise<boolean> {
  const language = languageOf(locale);
  const load = others[language];
  if (!load || loaded.has(language)) return false;
  try {
    loaded.set(language, await load());
    return true;
  } catch {
    return false; // it goes on in English
  }
}

function languageOf(locale: string): string {
  return locale.split('-', 1)[0]!.toLowerCase();
}
