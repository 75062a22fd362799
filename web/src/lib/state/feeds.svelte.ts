import { RECORDING_ENDED, type BookState } from '@depthwire/shared';
import { reasonText, stateWord } from '../format/codes.ts';
import { m } from '../paraglide/messages.js';
import { fetchFeeds, type FeedReport } from './rest.ts';

const PERIOD_MS = 2_000;

/** How each feed of the server is, asked for again and again while somebody looks. */
export class Feeds {
  reports = $state.raw<readonly FeedReport[] | null>(null);
  /** Why the last request failed; null while the server answers. */
  error = $state<string | null>(null);
  /** When it answered last, by this machine's clock. */
  answeredAtMs = $state<number | null>(null);

  /** @returns what ends it */
  start(): () => void {
    let isStopped = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        this.reports = await fetchFeeds();
        this.answeredAtMs = Date.now();
        this.error = null;
      } catch (error) {
        this.error = (error as Error).message;
      }
      if (!isStopped) timer = setTimeout(() => void ask(), PERIOD_MS);
    };
    void ask();
    return () => {
      isStopped = true;
      clearTimeout(timer);
    };
  }
}

/** What is said of a feed in one word, and how bad it is. */
export function verdictOf({ state, books, problems, troubles }: FeedReport): {
  word: string;
  level: 'good' | 'warning' | 'bad';
} {
  if (state === 'failed') return { word: m.verdict_failed(), level: 'bad' };
  if (state === 'starting') return { word: m.verdict_starting(), level: 'warning' };
  const total = Object.values(books).reduce((sum, count) => sum + count, 0);
  if (total === 0) return { word: m.verdict_no_books(), level: 'warning' };
  if (books.live === total)
    return { word: stateWord('live'), level: problems.length > 0 ? 'warning' : 'good' };
  if (troubles.length > 0 && troubles.every(({ reason }) => reason === RECORDING_ENDED))
    return { word: reasonText(RECORDING_ENDED), level: 'warning' };
  if (books.live === 0) return { word: stateWord(worst(books)), level: 'bad' };
  return { word: m.verdict_some_live({ live: books.live, total }), level: 'warning' };
}

function worst(books: Readonly<Record<BookState, number>>): BookState {
  return (['recovering', 'stale', 'syncing'] as const).find((state) => books[state] > 0) ?? 'live';
}
