import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createReplayFeed, firstTimeMs, inspectCaptures, VirtualClock } from '@depthwire/feeds';
import { DepthwireError, type DepthwireError as ReplayError, type SubscribeRequest } from '@depthwire/shared';
import type { Command } from 'commander';
import { createMemoryBus } from '../bus/bus.ts';
import { Engine } from '../engine/engine.ts';
import type { Subscriber } from '../gateway/audience.ts';
import { serverCodecs } from '../gateway/codec.ts';
import { CADENCES_MS, Hub } from '../gateway/hub.ts';
import { exitCodes, type Done } from './exit-codes.ts';
import { createLogger } from './logger.ts';
import { Progress } from './progress.ts';
import { addReplayOptions, addServeOptions, pacemaker, serve, type ServeFlags } from './serve.ts';

interface ReplayFlags extends ServeFlags {
  readonly frames?: string;
}

export function addReplay(program: Command, done: Done): void {
  const command = program
    .command('replay')
    .description('Serve recorded markets, or write the frames that a client would get.')
    .argument('<files...>', 'captures, merged by their recorded times');
  addReplayOptions(addServeOptions(command))
    .option(
      '--frames <file>',
      'serve nobody: run at full speed and write every outgoing frame to the file, each with its length before it (u32, big-endian); - for none',
    )
    .action(async (files: string[], flags: ReplayFlags) => {
      done(
        flags.frames === undefined
          ? await serve({ ...flags, replay: files })
          : await writeFrames(files, flags, flags.frames),
      );
    });
}

/**
 * The frames of a client that subscribes to every topic of every instrument before the first
 * record: equal for equal captures, whatever the machine does.
 */
async function writeFrames(files: readonly string[], flags: ReplayFlags, out: string): Promise<number> {
  const progress = new Progress('replaying', true);
  const captures = await inspectCaptures(files, flags);
  const clock = new VirtualClock(firstTimeMs(captures));
  const bus = createMemoryBus();
  const log = createLogger(flags.logLevel ?? 'silent');
  const engine = new Engine({ clock, bus, log });
  const hub = new Hub({ clock, bus, markets: engine.markets, checksumIntervalMs: 0 });
  const begin = Promise.withResolvers<void>();
  const end = Promise.withResolvers<ReplayError | null>();
  const feed = createReplayFeed({
    captures,
    clock,
    speed: Infinity,
    afterEnd: 'stop',
    pacemaker,
    begin: begin.promise,
    onProgress: progress.update,
    onEnd: end.resolve,
  });
  await engine.addFeed(feed);

  const file = out === '-' ? null : createWriteStream(out);
  const failed = Promise.withResolvers<never>();
  file?.on('error', (error) =>
    failed.reject(new DepthwireError('invalid_argument', `--frames ${out}: ${error.message}`, {}, error)),
  );
  const hash = createHash('sha256');
  let frames = 0;
  let bytes = 0;
  const length = Buffer.alloc(4);
  const write = (frame: Uint8Array): void => {
    length.writeUInt32BE(frame.length);
    hash.update(length).update(frame);
    file?.write(Buffer.concat([length, frame]));
    frames += 1;
    bytes += frame.length;
  };
  const subscriber: Subscriber = {
    encoding: 'msgpack',
    deliver({ frames }) {
      for (const frame of frames) write(frame.encode('msgpack') as Uint8Array);
    },
    onInstrument: (instrument, epoch) =>
      write(serverCodecs.msgpack.encode({ op: 'instrument', instrument, epoch }) as Uint8Array),
  };
  for (const instrument of engine.markets.keys()) {
    for (const request of everyTopic(instrument)) {
      const channel = hub.open(request);
      write(hub.snapshot(channel).encode('msgpack') as Uint8Array);
      hub.join(channel, subscriber);
    }
  }
  begin.resolve();
  const error = await Promise.race([end.promise, failed.promise]);
  progress.stop();
  clock.advanceTo(clock.now() + Math.max(...CADENCES_MS)); // what waits for its cadence goes out too
  await engine.stop();
  hub.close();
  if (file) {
    file.end();
    await Promise.race([finished(file), failed.promise]);
  }
  if (error) throw error;
  process.stdout.write(`${frames} frames, ${bytes} bytes, sha256 ${hash.digest('hex')}\n`);
  return exitCodes.ok;
}

function everyTopic(instrument: string): SubscribeRequest[] {
  return [
    { op: 'subscribe', id: 0, topic: 'book', instrument, depth: 0, cadence: 0 },
    { op: 'subscribe', id: 0, topic: 'book', instrument, depth: 50, cadence: 100 },
    { op: 'subscribe', id: 0, topic: 'trades', instrument },
    { op: 'subscribe', id: 0, topic: 'ticker', instrument },
    { op: 'subscribe', id: 0, topic: 'candles', instrument, interval: '1m' },
    { op: 'subscribe', id: 0, topic: 'status', instrument },
  ];
}
