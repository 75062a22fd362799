import type { Bench, BenchResult, Figures, Goal } from '../harness/bench.ts';
import { isInstalled } from '../harness/peers.ts';
import { figure } from '../harness/report.ts';
import { expectSameChecks, runRounds, type Measured } from '../harness/rounds.ts';
import { selected } from '../harness/selection.ts';
import type { FanOutOptions } from './contenders.ts';
import type { Plan } from './plan.ts';
import { record } from './recording.ts';

/** Names scenarios to run no others: DEPTHWIRE_FANOUT=together,mixed */
const ONLY = 'DEPTHWIRE_FANOUT';

const PEERS = {
  net: 'raw node:net, the same bytes',
  ws: 'ws, a send for each client and topic',
  wsCorked: 'ws, corked for each client and tick',
  socketIo: 'socket.io rooms',
} as const;

interface Size {
  readonly isSmoke: boolean;
  readonly rounds: number;
  readonly warmUp: number;
  progress(text: string): void;
}

type Part = Omit<BenchResult, 'bench' | 'noise'> & { readonly spreads: readonly number[] };

/** Scenarios in which no other code runs than in the rest, only more of it. */
const LONG = ['scaling', 'memory'];

/** Each scenario is measured for itself, its contenders side by side. */
const scenarios: Readonly<Record<string, (size: Size) => Promise<Part>>> = {
  together: measureTogether,
  scaling: measureScaling,
  mixed: measureMixed,
  memory: measureMemory,
};

export const fanout: Bench = {
  name: 'fanout',
  title: 'sending to many clients',
  async run({ size, progress }) {
    const isSmoke = size === 'smoke';
    const isChosen = process.env[ONLY] !== undefined;
    const names = selected(ONLY, Object.keys(scenarios));
    const parts: Part[] = [];
    for (const [name, measure] of Object.entries(scenarios)) {
      if (!names.includes(name) || (isSmoke && !isChosen && LONG.includes(name))) continue;
      parts.push(
        await measure({
          isSmoke,
          rounds: isSmoke ? 1 : 9,
          warmUp: isSmoke ? 1 : 3,
          progress: (text) => progress(text === '' ? '' : `${name}: ${text}`),
        }),
      );
    }
    return {
      bench: 'fanout',
      ours: Object.assign({}, ...parts.map(({ ours }) => ours)) as Figures,
      peers: mergePeers(parts),
      ratios: Object.assign({}, ...parts.map(({ ratios }) => ratios)) as Figures,
      goals: parts.flatMap(({ goals }) => goals),
      tables: parts.flatMap(({ tables }) => tables),
      noise: Math.max(0, ...parts.flatMap(({ spreads }) => spreads)),
    };
  },
};

/** All peers, all clients on the same topics. */
async function measureTogether(size: Size): Promise<Part> {
  const plan = planOf(size.isSmoke ? 20 : 1_000, size.isSmoke ? 10 : 40);
  const options = await withRecording(plan, size, true);
  // Those that take longer for a frame are measured on fewer.
  const few = { ...options, plan: { ...plan, ticks: size.isSmoke ? 2 : 6 } };
  const names = (['net', 'ws', 'wsCorked', 'socketIo'] as const).filter(
    (name) => name !== 'socketIo' || !size.isSmoke || isInstalled('socket.io'),
  );
  const measured = await measure(size, {
    depthwire: { name: 'depthwire', options },
    ...Object.fromEntries(names.map((name) => [name, { name, options: name === 'net' ? options : few }])),
  });
  expectSameChecks(measured);
  const ours = measured.depthwire!;
  const ratio = (name: string) => (measured[name]?.nsPerUnit ?? Number.NaN) / ours.nsPerUnit;
  const ratios = {
    oursToNet: 1 / ratio('net'),
    wsToOurs: ratio('ws'),
    wsCorkedToOurs: ratio('wsCorked'),
    socketIoToOurs: ratio('socketIo'),
  };
  const goals: Goal[] = [
    { name: 'ours / raw node:net', value: ratios.oursToNet, bound: { atMost: 1.3 } },
    { name: 'ws, send per message / ours', value: ratios.wsToOurs, bound: { atLeast: 8 } },
  ];
  if (measured.socketIo)
    goals.push({ name: 'socket.io rooms / ours', value: ratios.socketIoToOurs, bound: { atLeast: 10 } });
  return {
    ours: {
      nsPerFrame: ours.nsPerUnit,
      framesPerCpuSecond: 1e9 / ours.nsPerUnit,
      bytesPerFrame: ours.figures.bytesPerFrame!,
      engineNsPerFrame: ours.figures.feedNsPerFrame!,
    },
    peers: Object.fromEntries(
      names.map((name) => [
        name,
        { nsPerFrame: measured[name]!.nsPerUnit, framesPerCpuSecond: 1e9 / measured[name]!.nsPerUnit },
      ]),
    ),
    ratios,
    goals,
    tables: [
      {
        title: `${figure(plan.clients)} clients × ${plan.topics} topics that tick together, frames of ${figure(ours.figures.bytesPerFrame!)} bytes`,
        rows: [
          ['server', 'ns CPU a frame', 'frames a CPU second', 'times ours', 'spread'],
          ...Object.entries(measured).map(([name, { nsPerUnit, spread }]) => [
            PEERS[name as keyof typeof PEERS] ?? 'Depthwire, the whole server',
            figure(nsPerUnit),
            figure(1e9 / nsPerUnit),
            figure(nsPerUnit / ours.nsPerUnit),
            percent(spread),
          ]),
        ],
      },
    ],
    spreads: spreadsOf(measured),
  };
}

/** How the cost of a frame grows with the clients, beside that of plain sockets. */
async function measureScaling(size: Size): Promise<Part> {
  const sizes = size.isSmoke ? [10, 20] : [100, 1_000, 5_000];
  const contenders: Parameters<typeof measure>[1] = {};
  for (const clients of sizes) {
    // so many ticks that a round is long enough to be measured
    const options = await withRecording(
      planOf(clients, clients < 1_000 ? 100 : clients > 1_000 ? 10 : 20),
      size,
    );
    for (const name of ['net', 'depthwire']) contenders[`${name} ${clients}`] = { name, options };
  }
  const measured = await measure(size, contenders);
  for (const clients of sizes)
    expectSameChecks({ net: measured[`net ${clients}`]!, depthwire: measured[`depthwire ${clients}`]! });
  const [least, most] = [sizes[0]!, sizes.at(-1)!];
  const net = (clients: number) => measured[`net ${clients}`]!.nsPerUnit;
  // What the engine does once a tick, for however many clients, would hide how the gateway grows.
  const gateway = (clients: number) => gatewayNs(measured[`depthwire ${clients}`]!);
  const growth = gateway(most) / gateway(least) / (net(most) / net(least));
  return {
    ours: Object.fromEntries(
      sizes.map((clients) => [`nsPerFrameOf${clients}`, measured[`depthwire ${clients}`]!.nsPerUnit]),
    ),
    peers: { net: Object.fromEntries(sizes.map((clients) => [`nsPerFrameOf${clients}`, net(clients)])) },
    ratios: { growthToNet: growth },
    goals: [
      {
        name: `growth of the gateway from ${figure(least)} to ${figure(most)} clients / raw node:net's`,
        value: growth,
        bound: { atMost: 1.15 },
      },
    ],
    tables: [
      {
        title: 'How the cost grows with the clients, 10 topics each, ns CPU a frame',
        rows: [
          ['clients', 'raw node:net', 'ours', 'of it engine and bus', 'ours / net'],
          ...sizes.map((clients) => {
            const { nsPerUnit, figures } = measured[`depthwire ${clients}`]!;
            return [
              figure(clients),
              figure(net(clients)),
              figure(nsPerUnit),
              figure(figures.feedNsPerFrame!),
              figure(nsPerUnit / net(clients)),
            ];
          }),
        ],
      },
    ],
    spreads: spreadsOf(measured),
  };
}

/** Each client its own random topics and cadence. */
async function measureMixed(size: Size): Promise<Part> {
  const plan: Plan = {
    ...planOf(size.isSmoke ? 20 : 1_000, size.isSmoke ? 10 : 30),
    topics: size.isSmoke ? 20 : 200,
    cadencesMs: [50, 100, 250],
  };
  // Rounds are short here, and the machine's speed changes from one to the next.
  const rounds = size.isSmoke ? 1 : 15;
  const options = await withRecording(plan, { ...size, rounds });
  const measured = await measure(
    { ...size, rounds },
    { net: { name: 'net', options }, depthwire: { name: 'depthwire', options } },
  );
  expectSameChecks(measured);
  const ours = measured.depthwire!;
  const net = measured.net!;
  // Engine and bus apply 45 levels to each of 200 books at a tick, of which plain sockets have no counterpart.
  const gateway = gatewayNs(ours);
  return {
    ours: { mixedNsPerFrame: ours.nsPerUnit, mixedGatewayNsPerFrame: gateway },
    peers: { net: { mixedNsPerFrame: net.nsPerUnit } },
    ratios: {
      mixedOursToNet: ours.nsPerUnit / net.nsPerUnit,
      mixedGatewayToNet: gateway / net.nsPerUnit,
    },
    goals: [
      {
        name: 'mixed subscriptions, gateway / raw node:net',
        value: gateway / net.nsPerUnit,
        bound: { atMost: 2.5 },
      },
    ],
    tables: [
      {
        title: `${figure(plan.clients)} clients, each its own ${plan.topicsEach} of ${plan.topics} topics at 50, 100 or 250 ms, frames of ${figure(ours.figures.bytesPerFrame!)} bytes`,
        rows: [
          ['server', 'ns CPU a frame', 'times net', 'spread'],
          ...(
            [
              ['raw node:net, as many writes of as many bytes', net.nsPerUnit, net.spread],
              ['Depthwire, the gateway', gateway, ours.spread],
              ['Depthwire, the whole server, engine and bus too', ours.nsPerUnit, ours.spread],
            ] as const
          ).map(([name, ns, spread]) => [name, figure(ns), figure(ns / net.nsPerUnit), percent(spread)]),
        ],
      },
    ],
    spreads: spreadsOf(measured),
  };
}

/** As many connections as the defaults allow, all of them served. */
async function measureMemory(size: Size): Promise<Part> {
  const plan = planOf(size.isSmoke ? 50 : 10_000, size.isSmoke ? 1 : 5);
  const short: Size = { ...size, rounds: size.isSmoke ? 1 : 3, warmUp: 0 };
  const options = await withRecording(plan, short);
  const { depthwire } = await measure(short, { depthwire: { name: 'depthwire', options } });
  const { clients, rssPerClient } = depthwire!.figures;
  const kib = rssPerClient! / 1024;
  return {
    ours: { kibPerClient: kib, clientsHeld: clients! },
    peers: {},
    ratios: {},
    goals: [
      { name: 'KiB a connected client', value: kib, bound: { atMost: 20 } },
      { name: 'connections held, each served', value: clients!, bound: { atLeast: plan.clients } },
    ],
    tables: [
      {
        title: 'Resident memory with 10 subscriptions each',
        rows: [
          ['connections held', 'KiB a client'],
          [figure(clients!), figure(kib)],
        ],
      },
    ],
    spreads: [],
  };
}

function planOf(clients: number, ticks: number): Plan {
  return { clients, topics: 10, topicsEach: 10, cadencesMs: [50], ticks };
}

async function withRecording(plan: Plan, size: Size, hasMessages = false): Promise<FanOutOptions> {
  size.progress('recording what the gateway sends');
  const recording = await record(plan, plan.ticks * (size.rounds + size.warmUp));
  return { plan, recording: hasMessages ? recording : { ...recording, messages: [] } };
}

function measure(
  { rounds, warmUp, progress }: Size,
  contenders: Record<string, { readonly name: string; readonly options: FanOutOptions }>,
): Promise<Record<string, Measured>> {
  return runRounds({ module: import.meta.resolve('./contenders.ts'), contenders, rounds, warmUp, progress });
}

/** Without engine and bus, nanoseconds a frame. */
function gatewayNs({ nsPerUnit, figures }: Measured): number {
  return nsPerUnit - figures.feedNsPerFrame!;
}

function mergePeers(parts: readonly Part[]): Record<string, Figures> {
  const merged: Record<string, Figures> = {};
  for (const { peers } of parts)
    for (const [name, figures] of Object.entries(peers)) merged[name] = { ...merged[name], ...figures };
  return merged;
}

function spreadsOf(measured: Readonly<Record<string, Measured>>): number[] {
  return Object.values(measured).map(({ spread }) => spread);
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
