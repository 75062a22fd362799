import { simulatorInstruments } from '../../../feeds/src/simulator/index.ts';
import { missingEngines } from '../cluster/engines.ts';
import type { Bench, BenchOptions, BenchResult, Goal, Table } from '../harness/bench.ts';
import { figure } from '../harness/report.ts';
import { Town, type Stretch } from './stretch.ts';

const SIZES = {
  full: {
    ...{ seconds: 10, warmUpMs: 3_000 },
    ...{ gateways: [1, 2, 3], clients: [0, 500, 1_500], instruments: [5, 10, 20, 35] },
  },
  smoke: { seconds: 1, warmUpMs: 0, gateways: [1, 2], clients: [0, 20], instruments: [2, 4] },
};
/** Of the tables by clients and by instruments. */
const GATEWAYS = 2;
/** Bytes on the bus with the most clients, beside those without any. */
const FLAT = 1.15;

interface Measured extends Stretch {
  readonly gateways: number;
  readonly clients: number;
  readonly instruments: number;
}

export const scale: Bench = {
  name: 'scale',
  title: 'what gateways, clients and instruments cost on the bus and on the processor',
  async run({ size, progress }: BenchOptions): Promise<BenchResult> {
    if (missingEngines.length > 0) throw new Error(`not installed here: ${missingEngines.join(', ')}`);
    const { seconds, warmUpMs, gateways, clients, instruments } = SIZES[size];
    const all = simulatorInstruments.map(({ id }) => id);
    const measure = async (gatewayCount: number, count: number, steps: readonly number[]) => {
      const town = await Town.start(gatewayCount, all.slice(0, count));
      const stretches: Measured[] = [];
      try {
        for (const step of steps) {
          progress(`gateways: ${gatewayCount}, instruments: ${count}, clients: ${step}`);
          await town.grow(step);
          stretches.push({
            ...(await town.measure(seconds, warmUpMs)),
            ...{ gateways: gatewayCount, clients: step, instruments: count },
          });
        }
      } finally {
        await town.stop();
      }
      return stretches;
    };
    const most = instruments.at(-1)!;
    const some = clients.at(-2) || clients.at(-1)!;
    const byClients = await measure(GATEWAYS, most, clients);
    // What the tables have in common is measured once.
    const byGateways: Measured[] = [];
    for (const count of gateways)
      byGateways.push(
        ...(count === GATEWAYS
          ? byClients.filter((each) => each.clients === some)
          : await measure(count, most, [some])),
      );
    const byInstruments: Measured[] = [];
    for (const count of instruments)
      byInstruments.push(
        ...(count === most
          ? byClients.filter((each) => each.clients === 0)
          : await measure(GATEWAYS, count, [0])),
      );
    return resultOf(byGateways, byClients, byInstruments);
  },
};

const busBytes = ({ published, received, gateways }: Measured): number => published + gateways * received;

function resultOf(
  byGateways: readonly Measured[],
  byClients: readonly Measured[],
  byInstruments: readonly Measured[],
): BenchResult {
  const flat = busBytes(byClients.at(-1)!) / busBytes(byClients[0]!);
  const grown = busBytes(byInstruments.at(-1)!) / busBytes(byInstruments[0]!);
  const instruments = byInstruments.at(-1)!.instruments / byInstruments[0]!.instruments;
  const goals: Goal[] = [
    { name: 'bus bytes with the most clients / with none', value: flat, bound: { atMost: FLAT } },
  ];
  return {
    bench: 'scale',
    ours: {
      busBytesPerSecond: busBytes(byClients.at(-1)!),
      framesPerSecond: byClients.at(-1)!.frames,
      ...Object.fromEntries(
        byGateways.flatMap((each) => [
          [`gatewayCpu${each.gateways}`, each.gatewayCpu],
          [`frames${each.gateways}`, each.frames],
        ]),
      ),
    },
    peers: {},
    ratios: { busByClients: flat, busByInstruments: grown, instruments },
    goals,
    tables: [
      tableOf('gateways', 'By gateways', byGateways),
      tableOf('clients', `By clients, ${GATEWAYS} gateways`, byClients),
      tableOf('instruments', `By instruments, ${GATEWAYS} gateways, no clients`, byInstruments),
    ],
    noise: 0,
  };
}

/** Each row beside the first of its table, too. */
function tableOf(
  what: 'gateways' | 'clients' | 'instruments',
  title: string,
  measured: readonly Measured[],
): Table {
  const [first] = measured;
  const percent = (part: number) => figure(part * 100);
  const kB = (bytes: number) => figure(bytes / 1000);
  return {
    title: `${title}: frames to clients a second, processor in % of a core, kB a second on the bus`,
    rows: [
      [
        what,
        'frames',
        'ingest',
        'gateways',
        'µs a frame',
        'Redis',
        'published',
        'to each gateway',
        'bus',
        'times',
      ],
      ...measured.map((each) => [
        figure(each[what]),
        figure(each.frames),
        percent(each.ingestCpu),
        percent(each.gatewayCpu),
        each.clients === 0 ? '–' : figure((each.gatewayCpu / each.frames) * 1e6),
        percent(each.redisCpu),
        kB(each.published),
        kB(each.received),
        kB(busBytes(each)),
        figure(busBytes(each) / busBytes(first!)),
      ]),
    ],
  };
}
