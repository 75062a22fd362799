// The real server in a process of its own, whose market runs many times as fast as it should: simulated hours pass in minutes.
import path from 'node:path';
import { createSimulatorFeed, systemClock } from '@depthwire/feeds';
import type { Clock, EpochMs } from '@depthwire/shared';
import { createLogger } from '../../../server/src/cli/logger.ts';
import { parseConfig } from '../../../server/src/config/config.ts';
import { createDepthwire } from '../../../server/src/depthwire.ts';
import { answerParent } from '../harness/worker.ts';

export interface DayOptions {
  /** Times the usual pace. */
  readonly speed: number;
  readonly instruments: readonly string[];
}

const web = path.resolve(import.meta.dirname, '../../../web/build');

function hurried(speed: number): Clock {
  const startMs = systemClock.now();
  const now = () => (startMs + (systemClock.now() - startMs) * speed) as EpochMs;
  return {
    now,
    at: (timeMs, task) => systemClock.at(systemClock.now() + Math.max(0, timeMs - now()) / speed, task),
  };
}

let clock: Clock | null = null;

const methods = {
  async start({ speed, instruments }: DayOptions): Promise<string> {
    clock = hurried(speed);
    const depthwire = await createDepthwire({
      config: parseConfig({ port: 0, web, history: { store: 'none' } }),
      logger: createLogger('silent'),
      feeds: [createSimulatorFeed({ instruments })],
      marketClock: clock,
    });
    return depthwire.listen();
  },
  /** The market's time, unix milliseconds. */
  marketMs: (): number => clock!.now(),
  /** Heap and buffers in use, bytes. */
  memory(): number {
    globalThis.gc!();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  },
};

export type DayServer = typeof methods;

answerParent(methods);
