import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { parseConfig } from '../../src/config/config.ts';
import { createDepthwire } from '../../src/depthwire.ts';
import { createFeeds } from '../../src/feed-factory.ts';

// The server that is attacked, in a process of its own, with the defaults of a start from the README. Its parent
// asks it for its memory.
const config = parseConfig({ port: 0, feeds: [{ feed: 'sim', historyDays: 1 }], history: { store: 'none' } });
const faults: string[] = [];
const logger = pino({ level: 'error' }, { write: (line: string) => faults.push(line.slice(0, 500)) });
const depthwire = await createDepthwire({ config, logger, feeds: createFeeds(config.feeds) });
const url = await depthwire.listen();
process.send!({ url });
process.on('message', (message) => {
  if (message === 'state') void tellState();
  else void depthwire.close().then(() => process.disconnect());
});

async function tellState(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await delay(50);
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  process.send!({ bytes: heapUsed + external + arrayBuffers, faults });
}
