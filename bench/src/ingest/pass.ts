import type { BooksHash } from './books.ts';
import type { Recording } from './recordings.ts';

/** Takes a recording from its frames to books. @returns what tells those of them; null where there are none */
export type Pass = (recording: Recording) => TellBooks | null | Promise<TellBooks>;
export type TellBooks = (hash: BooksHash) => void;
