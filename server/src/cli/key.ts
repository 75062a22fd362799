import type { Command } from 'commander';
import { createKey, hashOf, publishablePrefix, secretPrefix } from '../access/keys.ts';
import { exitCodes, type Done } from './exit-codes.ts';

interface KeyFlags {
  readonly publishable?: boolean;
}

export function addKey(program: Command, done: Done): void {
  program
    .command('key')
    .description('Make a key, and what the configuration needs of it.')
    .argument('[id]', 'its name in logs and metrics', 'desk')
    .option('--publishable', 'for pages, where everybody can see it')
    .action((id: string, { publishable }: KeyFlags) => {
      process.stdout.write(publishable ? forPages(id) : secret(id));
      done(exitCodes.ok);
    });
}

function secret(id: string): string {
  const key = createKey(secretPrefix);
  return `${key}

Keep it: nothing else holds it. In the configuration:

access:
  keys:
    - id: ${id}
      hash: ${hashOf(key)}
`;
}

function forPages(id: string): string {
  return `access:
  publishableKeys:
    - id: ${id}
      key: ${createKey(publishablePrefix)}
      origins: [https://example.com]
      instruments: ['sim:*']
      topics: [ticker, book, trades, candles, status]
`;
}
