import assert from 'node:assert/strict';
import { formatUnitsShortest } from '@depthwire/shared';
import { MAX_FRAME_BYTES } from '../../core/connection.ts';
import { sleep } from '../sleep.ts';
import { Bench, type BenchOptions, type ConformanceDriver } from './bench.ts';

/** One behaviour that every adapter has to show. */
export interface ConformanceCard {
  /** Stable: drivers name known gaps by it. */
  readonly id: string;
  readonly behaviour: string;
  /** Default: every venue. */
  appliesTo?(driver: ConformanceDriver): boolean;
  run(driver: ConformanceDriver): Promise<void>;
}

type Test = (bench: Bench) => Promise<void>;

/** A card that begins with a feed whose books are all live and right. */
function card(
  id: string,
  behaviour: string,
  test: Test,
  { appliesTo, ...options }: BenchOptions & Pick<ConformanceCard, 'appliesTo'> = {},
): ConformanceCard {
  return {
    id,
    behaviour,
    appliesTo,
    async run(driver) {
      const bench = await Bench.openLive(driver, options);
      try {
        await test(bench);
        bench.rightSoFar();
      } finally {
        await bench.close();
      }
    },
  };
}

const withChecksums = { appliesTo: ({ hasChecksums }: ConformanceDriver) => hasChecksums };
const withHttpSnapshots = { appliesTo: ({ hasHttpSnapshots }: ConformanceDriver) => hasHttpSnapshots };

/** Trouble with one book that must be found, and cured without touching the others. */
function trouble(makeIt: (bench: Bench) => void | Promise<void>): Test {
  return async (bench) => {
    await makeIt(bench);
    await bench.flow(3);
    await bench.state(bench.victim, 'recovering');
    await bench.settled();
    bench.undisturbed(bench.bystanders);
  };
}

/** Snapshots that cannot be had for a while: the book comes back once they can. */
function refusal(answer: number | 'garbage' | 'timeout', retryAfterS: number | null = null): Test {
  return trouble((bench) => {
    bench.emulator.refuseSnapshots(answer, 2, retryAfterS);
    bench.lose();
  });
}

export const conformanceCards: readonly ConformanceCard[] = [
  card('FOLLOW-1', 'has the instruments, books and trades of the venue', async (bench) => {
    await bench.flow(30);
    await bench.settled();
    for (const symbol of bench.symbols) {
      const { instrument, trades } = bench.market(symbol);
      assert.match(instrument.id, /^[a-z0-9-]+:\S+-\S+$/);
      assert.equal(instrument.origin, bench.origin);
      assert.ok(trades.length > 5, `${symbol}: trades arrive`);
      assert.equal(new Set(trades.map(({ id }) => id)).size, trades.length, `${symbol}: no trade twice`);
      assert.ok(trades.every(({ price, size }) => price > 0 && size > 0));
    }
    bench.undisturbed(bench.symbols);
  }),
  card('FOLLOW-2', 'tells the side of the taker, and the venue’s time', async (bench) => {
    await bench.until('trades of both sides', async () => {
      await bench.flow(1);
      const sides = new Set(bench.market(bench.victim).trades.map(({ side }) => side));
      return sides.size === 2;
    });
    const { trades, instrument } = bench.market(bench.victim);
    const told = new Map(bench.emulator.trades(bench.victim).map((trade) => [trade.id, trade]));
    for (const { id, side, price, venueTimeMs, receiveTimeMs } of trades) {
      const truth = told.get(Number(id));
      assert.ok(truth, `trade ${id} is one of the venue's`);
      assert.equal(side, truth.side);
      assert.equal(formatUnitsShortest(price, instrument.tick), truth.price);
      assert.ok(venueTimeMs === null || Math.abs(venueTimeMs - receiveTimeMs) < 60_000, 'unix milliseconds');
    }
  }),
  card('FOLLOW-3', 'takes a finer grid when a level lies between its ticks', async (bench) => {
    const [price] = bench.emulator.truth(bench.victim).bids[3]!;
    bench.setLevel(bench.victim, 'bid', price.includes('.') ? `${price}5` : `${price}.5`, '1');
    await bench.flow(2);
    await bench.settled();
    bench.undisturbed(bench.bystanders);
  }),
  card('DUPLICATE', 'is not disturbed by an update that comes twice', async (bench) => {
    bench.emulator.duplicateNext(bench.victim, 2);
    await bench.flow(10);
    await bench.settled();
    bench.undisturbed(bench.bystanders);
  }),
  card(
    'DROP',
    'finds a lost update, and takes that book alone anew',
    trouble((bench) => bench.emulator.dropNext(bench.victim)),
  ),
  card('REORDER', 'finds an update that comes after the one that follows it', async (bench) => {
    bench.emulator.reorderNext(bench.victim);
    await bench.flow(4);
    await bench.settled();
    bench.undisturbed(bench.bystanders);
  }),
  card(
    'TRUNCATED',
    'does not trust a book whose update arrived cut off',
    trouble((bench) => bench.emulator.truncateNext(bench.victim)),
  ),
  card(
    'CORRUPT-SIZE',
    'finds a wrong size by the checksum',
    trouble((bench) => bench.emulator.corruptSizeNext(bench.victim)),
    withChecksums,
  ),
  card(
    'WRONG-CHECKSUM',
    'does not trust a book whose checksum is wrong',
    trouble((bench) => bench.emulator.breakChecksumNext(bench.victim)),
    withChecksums,
  ),
  card('RESYNC', 'takes one book anew when it is asked to', async (bench) => {
    bench.feed.resync!(bench.market(bench.victim).instrument.id, 'the book was crossed for over a second');
    assert.deepEqual(bench.states(bench.victim), ['recovering']);
    await bench.settled();
    bench.undisturbed(bench.bystanders);
  }),
  card(
    'STALL',
    'finds what it missed after data stopped for a while with heartbeats going on',
    async (bench) => {
      bench.emulator.stall(bench.victim);
      await bench.flow(5);
      bench.emulator.stall(bench.victim, false);
      await bench.flow(2);
      await bench.settled();
      bench.undisturbed(bench.bystanders);
    },
  ),
  card(
    'HALF-OPEN',
    'finds a socket that is silent for good, and opens another',
    async (bench) => {
      bench.emulator.freeze();
      await bench.state(bench.victim, 'recovering');
      await bench.settled();
      assert.ok(bench.emulator.connectionCount >= 2);
    },
    { speed: 60 },
  ),
  card('DISCONNECT', 'comes back by itself after every cut', async (bench) => {
    for (let i = 0; i < 3; i++) {
      bench.emulator.disconnectAll();
      for (const symbol of bench.symbols) await bench.state(symbol, 'recovering');
      await bench.settled();
      for (const symbol of bench.symbols) bench.states(symbol);
    }
    assert.equal(bench.feed.reconnects(), 3 * bench.connections);
  }),
  card(
    'DISCONNECT-MID-SNAPSHOT',
    'takes no snapshot that was meant for the connection before',
    async (bench) => {
      const release = bench.emulator.holdSnapshots();
      bench.lose();
      await bench.flow(3);
      bench.emulator.disconnectAll();
      await bench.flow(2);
      release();
      await bench.settled();
    },
  ),
  card('RESTART', 'has the right books after a restart of the venue, whose ids begin anew', async (bench) => {
    bench.emulator.restart();
    for (const symbol of bench.symbols) await bench.state(symbol, 'recovering');
    await bench.settled();
  }),
  card('GARBAGE', 'is not harmed by frames that make no sense', async (bench) => {
    for (const text of ['', '{', 'null', '[]', '{}', '"x"', '[1]', '0', '{"data":null}', '\u0000', '[[]]'])
      bench.emulator.sendToAll(text);
    bench.emulator.sendToAll(`{"x":"${'y'.repeat(2 ** 22)}`);
    await bench.flow(5);
    await bench.settled();
  }),
  card(
    'OVERSIZED',
    'drops a connection that sends a frame past all measure, and opens another',
    async (bench) => {
      const { connectionCount } = bench.emulator;
      bench.emulator.sendToAll('x'.repeat(MAX_FRAME_BYTES + 1));
      for (const symbol of bench.symbols) await bench.state(symbol, 'recovering');
      await bench.settled();
      assert.ok(bench.emulator.connectionCount > connectionCount);
    },
  ),
  card('CLOCK', 'is not harmed by a clock that is set on by an hour', async (bench) => {
    bench.clock.jump(3_600_000);
    await bench.flow(10);
    await bench.settled();
  }),
  card(
    'PLANNED-END',
    'replaces a connection whose end is announced, and no book is without data meanwhile',
    async (bench) => {
      bench.emulator.announceEnd();
      await bench.flowFor(40_000);
      await bench.settled();
      bench.undisturbed(bench.symbols);
      assert.ok(bench.emulator.connectionCount >= 2, 'another connection was opened');
      assert.equal(bench.feed.reconnects(), 0, 'none was lost');
    },
    { appliesTo: ({ announcesEnds }) => announcesEnds },
  ),
  card(
    'MAX-AGE',
    'replaces a connection before the venue would end it for its age',
    async (bench) => {
      await bench.flowFor(50_000);
      await bench.settled();
      bench.undisturbed(bench.symbols);
      assert.ok(bench.emulator.connectionCount >= 2, 'another connection was opened');
      assert.equal(bench.feed.reconnects(), 0, 'none was lost');
    },
    { maxAgeMs: 20_000, appliesTo: (driver) => 'adapter' in driver },
  ),
  card(
    'HALT',
    'tells that trading was halted, and that it goes on',
    async (bench) => {
      bench.emulator.halt(bench.victim);
      await bench.untilListed(
        'it is told to be halted',
        () => bench.market(bench.victim).instrument.status === 'halted',
      );
      bench.emulator.resume(bench.victim);
      await bench.untilListed(
        'it is told to trade',
        () => bench.market(bench.victim).instrument.status === 'trading',
      );
      await bench.settled();
    },
    { speed: 200 },
  ),
  card(
    'DELIST',
    'tells that the venue does not list an instrument any more',
    async (bench) => {
      bench.emulator.delist(bench.victim);
      await bench.untilListed(
        'it is told to be closed',
        () => bench.market(bench.victim).instrument.status === 'closed',
      );
    },
    { speed: 200 },
  ),
  card(
    'TICK-SIZE',
    'takes one book anew when the venue changes its tick size',
    async (bench) => {
      const { tick } = bench.market(bench.victim).instrument;
      const text = formatUnitsShortest(1, tick);
      const finer = text.includes('.') ? text.replace(/\d$/, '01') : `${text}.1`;
      bench.emulator.changeTick(bench.victim, finer);
      await bench.untilListed('the new tick size is told', () => {
        const told = bench.market(bench.victim).instrument.tick;
        return told.decimals > tick.decimals;
      });
      await bench.flow(5);
      await bench.settled();
    },
    { speed: 200 },
  ),
  card('STOP', 'tells nothing more once it is stopped', async (bench) => {
    bench.tick();
    await bench.feed.stop();
    const before = bench.observer.text(bench.victim);
    await bench.flow(5);
    await sleep(20);
    bench.undisturbed(bench.symbols);
    assert.deepEqual(bench.observer.text(bench.victim), before);
    await bench.feed.stop();
  }),
  card(
    'SNAPSHOT-OLD',
    'does not go live with a snapshot that lags behind the stream',
    async (bench) => {
      bench.emulator.staleSnapshot(bench.victim, 2, 3);
      bench.lose();
      await bench.flow(5);
      await bench.settled();
      bench.undisturbed(bench.bystanders);
    },
    withHttpSnapshots,
  ),
  card('HTTP-429', 'waits as long as a 429 asks for', refusal(429, 5), withHttpSnapshots),
  card('HTTP-418', 'waits as long as a 418 asks for', refusal(418, 8), withHttpSnapshots),
  card('HTTP-503', 'asks again after a server error', refusal(503), withHttpSnapshots),
  card('HTTP-TIMEOUT', 'asks again where an answer does not come', refusal('timeout'), withHttpSnapshots),
  card(
    'HTTP-GARBAGE',
    'asks again after an answer that makes no sense',
    refusal('garbage'),
    withHttpSnapshots,
  ),
  card('CHAOS', 'has the right books after trouble of every kind at once', async (bench) => {
    const { emulator, victim } = bench;
    for (let round = 0; round < 6; round++) {
      emulator.dropNext(victim);
      for (const symbol of bench.bystanders) emulator.duplicateNext(symbol);
      await bench.flow(3);
      emulator.truncateNext(bench.bystanders[0]!);
      emulator.reorderNext(victim);
      if (round % 3 === 1) emulator.disconnectAll();
      if (round % 3 === 2) emulator.sendToAll('{"');
      await bench.flow(3);
    }
    await bench.subscribed();
    await bench.settled();
  }),
];
