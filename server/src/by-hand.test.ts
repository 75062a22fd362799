import { readFileSync } from 'node:fs';
import { closeCodes, topics } from '@depthwire/shared';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventReader } from '../test/event-reader.ts';
import { RawClient } from '../test/raw-client.ts';
import { parseConfig } from './config/config.ts';
import { createDepthwire, type Depthwire } from './depthwire.ts';
import { createFeeds } from './feed-factory.ts';
import { parseStreamQuery } from './http/stream-query.ts';

// What docs/protocol.md has a person type, typed at a server.

const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');

function section(heading: string): string {
  const [, text] = page.split(`\n## ${heading}\n`);
  if (text === undefined) throw new Error(`no section ${heading}`);
  return text.split(/\n## /)[0]!;
}

/** Cells of the n-th table of a section, without their code marks. */
function table(heading: string, n: number): string[][] {
  const tables = section(heading)
    .split('\n\n')
    .filter((block) => block.startsWith('|'));
  const rows = tables[n]!.trim().split('\n').slice(2);
  return rows.map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim().replace(/^`|`$/g, ''))
      .slice(1, -1),
  );
}

let depthwire: Depthwire;
let origin: string;
beforeAll(async () => {
  const config = parseConfig({
    history: { store: 'none' },
    port: 0,
    feeds: [{ feed: 'sim', instruments: ['sim:BTC-USD'], historyDays: 1 }],
  });
  const logger = pino({ level: 'silent' });
  depthwire = await createDepthwire({ config, logger, feeds: createFeeds(config.feeds) });
  origin = await depthwire.listen();
});
afterAll(() => depthwire.close());

const here = (url: string) => url.replace('http://127.0.0.1:8080', origin);

describe('by hand', () => {
  test('a WebSocket tool does all of it by lines of text', async () => {
    const tools = [...section('Try it by hand').matchAll(/^(?:npx )?\w+ --\w+ (\S+) .*(ws:\S+)$/gm)];
    expect(tools.map(([, subprotocol, url]) => [subprotocol, url])).toEqual(
      Array(2).fill(['depthwire.v1.json', 'ws://127.0.0.1:8080/ws']),
    );
    const client = new RawClient(`${origin.replace('http', 'ws')}/ws`, 'json');
    await client.open();
    const transcript = /```text\n([\s\S]*?)```/.exec(section('Try it by hand'))![1]!.trim().split('\n');
    expect(transcript.length).toBeGreaterThan(10);
    for (const line of transcript) {
      const text = line.slice(2);
      if (line.startsWith('> ')) {
        client.socket.send(text);
        continue;
      }
      const got = await client.next((message) => JSON.stringify(message).startsWith(text));
      expect(got, line).toBeDefined();
    }
    expect(client.frames.every((frame) => typeof frame === 'string')).toBe(true);
    client.socket.close();
  });

  test('curl gets decimal prices by REST, and events', async () => {
    const book = /curl '(\S+\/book\?\S+)'/.exec(section('Try it by hand'))![1]!;
    expect(await (await fetch(here(book))).json()).toMatchObject({ instrument: 'sim:BTC-USD' });
    const stream = /curl -N '(\S+)'/.exec(section('Server-sent events'))![1]!;
    const reader = await EventReader.open(here(stream));
    await reader.next((_, event) => event === 'book');
    await reader.next((data) => (data[0] as number) === 4 || (data[0] as number) === 5);
    reader.destroy();
  });
});

describe('the document’s tables of event streams', () => {
  test('have every parameter', () => {
    const names = table('Server-sent events', 0).map(([name]) => name!);
    expect(names).toEqual([...topics, 'bandwidth', 'rate', 'lastEventId']);
    const values: Record<string, string> = { bandwidth: '20000', rate: '4', lastEventId: '1.2' };
    for (const name of names) {
      const value = values[name] ?? `sim:BTC-USD${name === 'candles' ? ',interval=1m' : ''},cadence=100`;
      expect(() => parseStreamQuery(`status=sim:BTC-USD&${name}=${value}`), name).not.toThrow();
    }
    expect(() => parseStreamQuery('dept=1')).toThrow(names.slice(0, -1).join(', '));
  });

  test('have every event that a stream has sent', async () => {
    const names = table('Server-sent events', 1).map(([name]) => name!);
    const query =
      'book=sim:BTC-USD&trades=sim:BTC-USD&ticker=sim:BTC-USD&candles=sim:BTC-USD,interval=1m&status=sim:BTC-USD';
    const reader = await EventReader.open(`${origin}/api/v1/stream?${query}&rate=10`);
    while (!reader.events.some(({ event }) => event === 'position')) await reader.activity();
    await depthwire.close();
    await reader.end();
    const sent = new Set(reader.events.map(({ event }) => event!));
    expect([...sent, 'instrument'].sort()).toEqual([...names].sort()); // no instrument has changed
    expect(JSON.parse(reader.events.at(-1)!.data)).toMatchObject({ code: closeCodes.goingAway.code });
  });
});
