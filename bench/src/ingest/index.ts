import type { Bench } from '../harness/bench.ts';
import { findCaptures } from '../harness/captures.ts';
import { isInstalled } from '../harness/peers.ts';
import { figure } from '../harness/report.ts';
import { expectSameChecks, runRounds, type Measured } from '../harness/rounds.ts';
import type { IngestOptions } from './contenders.ts';
import type { Streams } from './recordings.ts';

const TITLES = {
  depthwire: 'depthwire: session, guard, engine, bus',
  ccxt: 'ccxt.pro binanceusdm',
  tardis: 'tardis-dev mapper and OrderBook',
  json: 'JSON.parse alone',
} as const;
type Name = keyof typeof TITLES;

const PACKAGES: Partial<Record<Name, string>> = { ccxt: 'ccxt', tardis: 'tardis-dev' };

/** Times through all files in a round, so that each takes a second or so. */
const PASSES: Record<Streams, Record<Name, number>> = {
  books: { depthwire: 6, ccxt: 1, tardis: 1, json: 5 },
  'books and trades': { depthwire: 5, ccxt: 1, tardis: 1, json: 4 },
};
/** What is generated where there are no recorded files. */
const GENERATED = { frames: 18_000, seed: 11 };
const GENERATED_SMOKE = { frames: 300, seed: 11 };

export const ingest: Bench = {
  name: 'ingest',
  title: 'frames of Binance USD-M, from text to books and to the bus',
  async run({ size, progress }) {
    const isSmoke = size === 'smoke';
    const files = isSmoke ? [] : findCaptures('binance-usdm-');
    const source = files.length > 0 ? { files } : isSmoke ? GENERATED_SMOKE : GENERATED;
    const names = (Object.keys(TITLES) as Name[]).filter(
      (name) => !isSmoke || PACKAGES[name] === undefined || isInstalled(PACKAGES[name]),
    );
    const measure = async (streams: Streams) => {
      const optionsOf = (name: Name): IngestOptions => ({
        source,
        streams,
        passes: isSmoke ? 1 : PASSES[streams][name],
      });
      const measured = await runRounds({
        module: import.meta.resolve('./contenders.ts'),
        contenders: Object.fromEntries(names.map((name) => [name, { name, options: optionsOf(name) }])),
        rounds: isSmoke ? 1 : 5,
        warmUp: 1,
        progress: (text) => progress(text === '' ? '' : `${streams}: ${text}`),
      });
      const { json: _, ...withBooks } = measured;
      expectSameChecks(withBooks);
      return measured;
    };
    const books = await measure('books');
    // What is generated has no trades.
    const both = files.length > 0 ? await measure('books and trades') : null;

    const ns = (measured: Record<string, Measured>, name: Name) => measured[name]?.nsPerUnit ?? Number.NaN;
    const times = (measured: Record<string, Measured>, name: Name) =>
      ns(measured, name) / ns(measured, 'depthwire');
    const figuresOf = (name: Name) => ({
      nsPerLevel: ns(books, name),
      ...(both && { nsPerLevelWithTrades: ns(both, name) }),
    });
    const ratios = {
      ccxt: times(books, 'ccxt'),
      tardis: times(books, 'tardis'),
      json: times(books, 'json'),
      ...(both && {
        ccxtWithTrades: times(both, 'ccxt'),
        tardisWithTrades: times(both, 'tardis'),
        jsonWithTrades: times(both, 'json'),
      }),
    };
    const what = files.length > 0 ? `${files.length} recorded files` : 'generated frames, no recorded ones';
    const table = (streams: Streams, measured: Record<string, Measured>) => ({
      title: `Level updates of ${streams}, ${what}; CPU time`,
      rows: [
        ['', 'ns for a level', 'million levels a second', 'times ours', 'spread'],
        ...names.map((name) => [
          TITLES[name],
          figure(ns(measured, name)),
          figure(1_000 / ns(measured, name)),
          figure(times(measured, name)),
          `${(measured[name]!.spread * 100).toFixed(1)} %`,
        ]),
      ],
    });
    return {
      bench: 'ingest',
      ours: figuresOf('depthwire'),
      peers: Object.fromEntries(
        names.filter((name) => name !== 'depthwire').map((name) => [name, figuresOf(name)]),
      ),
      ratios,
      goals: [
        { name: 'levels a second / ccxt, books', value: ratios.ccxt, bound: { atLeast: 4 } },
        { name: 'levels a second / JSON.parse alone, books', value: ratios.json, bound: { atLeast: 0.4 } },
        ...(both
          ? [
              {
                name: 'levels a second / ccxt, with trades',
                value: times(both, 'ccxt'),
                bound: { atLeast: 4 },
              },
              {
                name: 'levels a second / JSON.parse alone, with trades',
                value: times(both, 'json'),
                bound: { atLeast: 0.4 },
              },
            ]
          : []),
      ],
      tables: [table('books', books), ...(both ? [table('books and trades', both)] : [])],
      noise: Math.max(
        ...[books, both ?? {}].flatMap((all) => Object.values(all).map(({ spread }) => spread)),
      ),
    };
  },
};
