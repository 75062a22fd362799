// Loaded into the server before its own code: tells its delay and its use of the processor.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Usage } from './usage.ts';
import { answerParent } from './worker.ts';

/**
 * A timer is set to this, milliseconds, and the histogram has the times between its calls. What is above
 * is the delay; half a millisecond of it is how finely the loop's timers are kept.
 */
const RESOLUTION_MS = 1;

export interface LoopDelay {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface ServerUse {
  readonly delay: LoopDelay;
  readonly cpu: number;
  /** MiB. */
  readonly rss: number;
}

/** MiB. */
export interface ServerMemory {
  readonly rss: number;
  readonly heap: number;
  /** Of buffers, which are not in the heap. */
  readonly external: number;
}

const usage = new Usage();
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

const methods = {
  begin(): void {
    histogram.enable();
    histogram.reset();
    usage.begin();
  },

  end(): ServerUse {
    histogram.disable();
    const delayMs = (ns: number) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    return {
      delay: {
        p50: delayMs(histogram.percentile(50)),
        p99: delayMs(histogram.percentile(99)),
        max: delayMs(histogram.max),
      },
      cpu: usage.end(),
      rss: process.memoryUsage.rss() / 2 ** 20,
    };
  },

  /** After a collection, for which Node needs `--expose-gc`. */
  async memory(): Promise<ServerMemory> {
    await globalThis.gc!({ type: 'major', execution: 'async' });
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss: rss / 2 ** 20, heap: heapUsed / 2 ** 20, external: external / 2 ** 20 };
  },
};

export type Probe = typeof methods;

answerParent(methods);
// The server decides by itself when it ends.
process.channel?.unref();
