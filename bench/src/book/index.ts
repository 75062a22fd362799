import type { Bench } from '../harness/bench.ts';
import { isInstalled } from '../harness/peers.ts';
import { figure } from '../harness/report.ts';
import { expectSameChecks, runRounds, type Measured } from '../harness/rounds.ts';
import { ORDINARY, type TraceOptions } from '../harness/trace.ts';
import type { BookOptions } from './contenders.ts';
import { measureMemory, measureReads, measureSnapshots } from './single.ts';

const PEERS = { ccxt: 'ccxt', tardis: 'tardis-dev', btree: 'sorted-btree' } as const;

/** Markets that a book with a bounded range of prices could not hold, or only at a higher cost. */
const ODD: Record<string, Partial<TraceOptions>> = {
  'tick of 1e-8, prices a cent apart': { start: 5e12, stride: 1e6 },
  'tick of 1e-8, prices at odd places': { start: 5e12, stride: 999_983 },
  'a price that doubles': { drift: 2, start: 20_000 },
  'prices of a spread, below zero': { start: -500, far: 0 },
  'a level in twenty far away': { far: 0.05 },
};

export const book: Bench = {
  name: 'book',
  title: 'applying level updates to an order book, and reading its top',
  async run({ size, progress }) {
    const isSmoke = size === 'smoke';
    const updates = isSmoke ? 20_000 : 1_000_000;
    const rounds = {
      module: import.meta.resolve('./contenders.ts'),
      rounds: isSmoke ? 1 : 9,
      warmUp: isSmoke ? 1 : 2,
      progress,
    };
    const peers = Object.entries(PEERS).filter(([, name]) => !isSmoke || isInstalled(name));
    const contendersOf = (isRead: boolean) => ({
      depthwire: { name: 'depthwire', options: { ...ORDINARY, updates, isRead, passes: isSmoke ? 1 : 20 } },
      ...Object.fromEntries(
        peers.map(([name]) => [
          name,
          { name, options: { ...ORDINARY, updates, isRead, passes: 1 } satisfies BookOptions },
        ]),
      ),
    });
    const applied = await runRounds({ ...rounds, contenders: contendersOf(false) });
    expectSameChecks(applied);
    const read = await runRounds({ ...rounds, contenders: contendersOf(true) });
    expectSameChecks({ applied: applied.depthwire!, ...read });
    const odd = await runRounds({
      ...rounds,
      contenders: Object.fromEntries(
        Object.entries({ ordinary: {}, ...ODD }).map(([title, options]) => [
          title,
          {
            name: 'depthwire',
            options: { ...ORDINARY, updates, isRead: true, passes: isSmoke ? 1 : 10, ...options },
          },
        ]),
      ),
    });
    progress('memory, snapshots, reads');
    const memory = await measureMemory();
    const snapshots = measureSnapshots(isSmoke);
    const reads = measureReads();

    const ns = (measured: Record<string, Measured>, name: string) => measured[name]?.nsPerUnit ?? Number.NaN;
    const times = (measured: Record<string, Measured>, name: string) =>
      ns(measured, name) / ns(measured, 'depthwire');
    const oddest = Math.max(...Object.keys(ODD).map((title) => ns(odd, title) / ns(odd, 'ordinary')));
    const ratios = {
      ccxtApply: times(applied, 'ccxt'),
      ccxtApplyAndRead: times(read, 'ccxt'),
      tardisApply: times(applied, 'tardis'),
      tardisApplyAndRead: times(read, 'tardis'),
      btreeApply: times(applied, 'btree'),
      btreeApplyAndRead: times(read, 'btree'),
      oddMarkets: oddest,
      snapshotGrowth: snapshots.growth,
    };
    return {
      bench: 'book',
      ours: {
        applyNs: ns(applied, 'depthwire'),
        applyAndReadNs: ns(read, 'depthwire'),
        kibOf1500Levels: memory.kib,
        bytesAllocatedPerRead: reads.bytes,
        snapshotNsPerLevel: snapshots.nsPerLevel,
      },
      peers: Object.fromEntries(
        peers.map(([name]) => [name, { applyNs: ns(applied, name), applyAndReadNs: ns(read, name) }]),
      ),
      ratios,
      goals: [
        { name: 'ccxt / ours, applying', value: ratios.ccxtApply, bound: { atLeast: 80 } },
        { name: 'ccxt / ours, with the top 20 read', value: ratios.ccxtApplyAndRead, bound: { atLeast: 40 } },
        { name: 'tardis-dev / ours, applying', value: ratios.tardisApply, bound: { atLeast: 25 } },
        { name: 'dearest odd market / ordinary one', value: oddest, bound: { atMost: 2 } },
        { name: 'KiB of 1,500 levels', value: memory.kib, bound: { atMost: 150 } },
        { name: 'bytes allocated by a read', value: reads.bytes, bound: { atMost: 0.1 } },
        {
          name: 'snapshot of 20,000 levels / 2,000, each level',
          value: snapshots.growth,
          bound: { atMost: 2 },
        },
      ],
      tables: [
        {
          title: 'CPU time for a level update, nanoseconds; the top 20 read after each batch of 12',
          rows: [
            ['order book', 'apply', 'times ours', 'apply and read', 'times ours', 'spread'],
            ...Object.keys(applied).map((name) => [
              PEERS[name as keyof typeof PEERS] ?? name,
              figure(ns(applied, name)),
              figure(times(applied, name)),
              figure(ns(read, name)),
              figure(times(read, name)),
              `${(Math.max(applied[name]!.spread, read[name]!.spread) * 100).toFixed(1)} %`,
            ]),
          ],
        },
        {
          title: 'Ours in other markets, apply and read, nanoseconds for a level update',
          rows: [
            ['market', 'ns', 'times the ordinary'],
            ...Object.keys(odd).map((title) => [
              title,
              figure(ns(odd, title)),
              figure(ns(odd, title) / ns(odd, 'ordinary')),
            ]),
          ],
        },
        {
          title: 'A snapshot, nanoseconds for a level',
          rows: [['levels', 'ns'], ...snapshots.rows.map(({ levels, ns }) => [figure(levels), figure(ns)])],
        },
      ],
      noise: Math.max(
        ...[applied, read, odd].flatMap((all) => Object.values(all).map(({ spread }) => spread)),
      ),
    };
  },
};
