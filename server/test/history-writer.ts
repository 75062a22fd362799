import { createHistoryStore } from '../src/history/stores/create-store.ts';
import { DepthwireError } from '@depthwire/shared';
import { batchOf, trade } from './history-batches.ts';

/**
 * A process of its own that writes a batch of trades to a file of SQLite each time it is told to, and says how many are stored
 * by now, or the reason why not. It goes on from the count that it is started with.
 */
const [path, first = '0'] = process.argv.slice(2);
const BATCH = 50;
const START_MS = 1_700_006_400_000;

process.on('SIGXFSZ', () => undefined); // past a limit of the size of files it shall get an error, as of a full disk

const store = createHistoryStore({ store: 'sqlite', path: path! });
let next = Number(first);

async function write(): Promise<string> {
  try {
    await store.open();
    const trades = Array.from({ length: BATCH }, (_, i) =>
      trade(`trade-${next + i}`, START_MS + (next + i) * 1_000),
    );
    await store.write([batchOf(trades)]);
    next += trades.length;
    return String(next);
  } catch (error) {
    return error instanceof DepthwireError ? String(error.details.reason) : String(error);
  }
}

process.stdin.on('data', () => void write().then((said) => process.stdout.write(`${said}\n`)));
