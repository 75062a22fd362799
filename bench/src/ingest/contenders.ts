import type { CreateContender } from '../harness/contender.ts';
import { BooksHash } from './books.ts';
import { createCcxt } from './ccxt.ts';
import { ingest } from './depthwire.ts';
import {
  generateRecording,
  readRecording,
  type GeneratedSize,
  type Recording,
  type Streams,
} from './recordings.ts';
import type { Pass, TellBooks } from './pass.ts';
import { createTardis } from './tardis.ts';

export interface IngestOptions {
  /** Recorded files, or what to generate where there are none. */
  readonly source: { readonly files: readonly string[] } | GeneratedSize;
  readonly streams: Streams;
  /** How often a round goes through all of it, with new sessions and books each time. */
  readonly passes: number;
}

function contender(create: () => Pass | Promise<Pass>): CreateContender {
  return async (given) => {
    const { source, streams, passes } = given as IngestOptions;
    const recordings =
      'files' in source
        ? await Promise.all(source.files.map((file) => readRecording(file, streams)))
        : [generateRecording(source)];
    const levels = recordings.reduce((sum, recording) => sum + recording.levels, 0);
    const pass = await create();
    return {
      async round() {
        let cpuUs = 0;
        const told: (TellBooks | null)[] = [];
        for (let i = 0; i < passes; i++) {
          told.length = 0;
          const before = process.cpuUsage();
          for (const recording of recordings) told.push(await pass(recording));
          const { user, system } = process.cpuUsage(before);
          cpuUs += user + system;
        }
        const hash = new BooksHash();
        for (const tell of told) tell?.(hash);
        return { units: levels * passes, cpuUs, check: hash.digest() };
      },
    };
  };
}

/** What the frames cost before anything is made of them. */
function parseAlone({ arrivals }: Recording): null {
  for (const arrival of arrivals) JSON.parse(arrival.kind === 'frame' ? arrival.text : arrival.body);
  return null;
}

export const contenders: Record<string, CreateContender> = {
  depthwire: contender(() => ingest),
  ccxt: contender(createCcxt),
  tardis: contender(createTardis),
  json: contender(() => parseAlone),
};
