import { styleText } from 'node:util';
import {
  formatUnits,
  type BookSubscription,
  type DepthwireClient,
  type DepthwireError,
  type TradesSubscription,
} from '@depthwire/shared';
import type { Command } from 'commander';
import { createLogUpdate } from 'log-update';
import { commandClient } from './connection.ts';
import { exitCodes, type Done } from './exit-codes.ts';
import { integer, streamUrl } from './options.ts';
import { report } from './report.ts';

const DRAW_PERIOD_MS = 100;
const LINE_PERIOD_MS = 1_000;
const BAR_WIDTH = 20;

interface TailFlags {
  readonly url: string;
  readonly depth: number;
  readonly once?: boolean;
}

export function addTail(program: Command, done: Done): void {
  program
    .command('tail')
    .description('Show the live ladder of an instrument in the terminal.')
    .argument('<instrument>', 'an id such as sim:BTC-USD')
    .option('--url <url>', 'the server', streamUrl, 'ws://127.0.0.1:8080/ws')
    .option('--depth <levels>', 'levels a side', integer(1, 100), 10)
    .option('--once', 'print one ladder and end')
    .action(async (instrument: string, flags: TailFlags) => done(await tail(instrument, flags)));
}

async function tail(instrument: string, { url, depth, once }: TailFlags): Promise<number> {
  const { client, explain } = commandClient({ url }, '--url');
  const book = client.book(instrument, { depth, cadenceMs: 100 });
  const trades = client.trades(instrument);
  const isLive = process.stdout.isTTY && !once;
  const view = createLogUpdate(process.stdout);
  const end = Promise.withResolvers<number>();
  let lastError: DepthwireError | null = null;

  const fail = (error: DepthwireError): void => {
    report(error);
    end.resolve(exitCodes.failed);
  };
  client.on('state', (state) => {
    if (state === 'open') lastError = null;
  });
  client.on('error', (error) => {
    const told = lastError?.message;
    lastError = explain(error);
    if (once || client.state === 'closed') fail(lastError);
    else if (!isLive && lastError.message !== told) report(lastError); // a screen shows it itself
  });
  book.on('error', (error) => {
    if (!error.retry) fail(error);
  });
  if (once) {
    let hasTrades = false;
    trades.on('change', () => {
      hasTrades = true;
      show();
    });
    book.on('change', show);
    function show(): void {
      if (book.state !== 'live' || !hasTrades) return;
      process.stdout.write(`${ladder(client, book, trades, depth, lastError)}\n`);
      end.resolve(exitCodes.ok);
    }
  }
  const timer = once
    ? null
    : setInterval(
        () => {
          if (isLive) view(ladder(client, book, trades, depth, lastError));
          else process.stdout.write(`${line(book)}\n`);
        },
        isLive ? DRAW_PERIOD_MS : LINE_PERIOD_MS,
      );
  process.once('SIGINT', () => end.resolve(exitCodes.ok));
  process.once('SIGTERM', () => end.resolve(exitCodes.ok));
  process.stdout.on('error', () => end.resolve(exitCodes.ok)); // the reader of a pipe went away
  client.connect();
  const code = await end.promise;
  if (timer) clearInterval(timer);
  if (isLive) view.done();
  client.close();
  return code;
}

function ladder(
  client: DepthwireClient,
  subscription: BookSubscription,
  trades: TradesSubscription,
  depth: number,
  lastError: DepthwireError | null,
): string {
  const { book, instrument, state, reason, replica } = subscription;
  const problem = lastError ? `  ${lastError.message}` : '';
  if (!instrument) return `${subscription.instrumentId}: ${client.state}${problem}`;
  const { tick, lot } = instrument;
  const sides = [book.asks, book.bids] as const;
  const sizes = sides.flatMap((side) =>
    Array.from({ length: Math.min(depth, side.count) }, (_, rank) => side.lotsAt(rank)),
  );
  const largest = Math.max(1, ...sizes);
  const sizeWidth = Math.max(6, ...sizes.map((lots) => formatUnits(lots, lot).length));
  const prices = sides.flatMap((side) =>
    side.count > 0 ? [side.ticksAt(0), side.ticksAt(Math.min(depth, side.count) - 1)] : [],
  );
  const priceWidth = Math.max(6, ...prices.map((ticks) => formatUnits(ticks, tick).length));
  const row = (side: (typeof sides)[number], rank: number, colour: 'red' | 'green'): string => {
    if (rank >= side.count) return '';
    const lots = side.lotsAt(rank);
    const bar = '█'.repeat(Math.ceil((lots / largest) * BAR_WIDTH));
    return `${styleText(colour, formatUnits(side.ticksAt(rank), tick).padStart(priceWidth))}  ${formatUnits(lots, lot).padStart(sizeWidth)}  ${styleText([colour, 'dim'], bar)}`;
  };
  const last = trades.trades.at(-1);
  const spread =
    book.bestAsk === null || book.bestBid === null ? '–' : formatUnits(book.bestAsk - book.bestBid, tick);
  const colour = state === 'live' ? 'green' : 'yellow';
  const origin = instrument.origin === 'live' ? '' : ` · ${instrument.origin}`;
  const asks = Array.from({ length: depth }, (_, i) => row(book.asks, depth - 1 - i, 'red'));
  const bids = Array.from({ length: depth }, (_, rank) => row(book.bids, rank, 'green'));
  return [
    `${styleText('bold', instrument.id)}  ${styleText(colour, state)}${styleText('dim', origin)}${reason ? `  ${reason}` : ''}${problem}`,
    ...asks,
    styleText(
      'dim',
      `spread ${spread}  last ${last ? `${formatUnits(last.price, tick)} ${last.side}` : '–'}`,
    ),
    ...bids,
    styleText(
      'dim',
      `sequence ${book.sequence} · ${replica.verified} checksums right · ${subscription.resyncs} resyncs`,
    ),
  ].join('\n');
}

function line({ book, instrument, instrumentId, state }: BookSubscription): string {
  if (!instrument || book.bestBid === null || book.bestAsk === null) return `${instrumentId} ${state}`;
  const { tick, lot } = instrument;
  const bid = `${formatUnits(book.bestBid, tick)} × ${formatUnits(book.bids.lotsAt(0), lot)}`;
  const ask = `${formatUnits(book.bestAsk, tick)} × ${formatUnits(book.asks.lotsAt(0), lot)}`;
  return `${instrument.id} ${state} ${book.sequence} ${bid} | ${ask}`;
}
