import assert from 'node:assert/strict';
import { formatUnitsShortest } from '@depthwire/shared';
import { MAX_FRAME_BYTES } from '../../core/connection.ts';
import { sleep } from '../sleep.ts';
import type { SnapshotAnswer } from '../venue-emulator.ts';
import { isNotFooled, PAST, tellsCandles, tellsTrades, waitsItOut } from './past-cards.ts';
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
        bench.withinLimits();
      } finally {
        await bench.close();
      }
    },
  };
}

const withChecksums = { appliesTo: ({ hasChecksums }: ConformanceDriver) => hasChecksums };
const withHttpSnapshots = { appliesTo: ({ hasHttpSnapshots }: ConformanceDriver) => hasHttpSnapshots };
const forAdapters = { appliesTo: (driver: ConformanceDriver) => 'adapter' in driver };
const withTickers = {
  appliesTo: (driver: ConformanceDriver) => driver.hasTickers ?? 'adapter' in driver,
};

/** Of venues that tell the past: at a pace at which the time that a call may take is real enough. */
const withPast = {
  appliesTo: (driver: ConformanceDriver) => 'adapter' in driver && driver.adapter.past !== undefined,
  past: PAST,
  speed: 5,
};
const withPastTrades = {
  ...withPast,
  appliesTo: (driver: ConformanceDriver) => 'adapter' in driver && driver.adapter.past?.trades !== undefined,
};

/** How often each socket of a venue that is down for two minutes is tried, at most. */
const MAX_ATTEMPTS = 10;
/** How often a snapshot that never comes is asked for, at most, in the first half of five minutes. */
const MAX_REQUESTS = 20;
/** So many in the second half are not too many, however few there were before. */
const FEW_REQUESTS = 5;
/** Longest wait for a snapshot that was refused twice, or for a venue that was down. */
const REFUSED_S = 90;
/** Longest silence of a socket that is taken for a quiet one, or wait for two answers that do not come. */
const SILENCE_S = 150;
/** Longest wait for a book that could not be had for five minutes. */
const SLOW_RECOVERY_S = 360;
/** A book may be silent for so long before nobody should trust it. */
const STALE_AFTER_MS = { least: 1_000, most: 900_000 };

/** Trouble with one book that must be found, and cured without touching the others. */
function trouble(makeIt: (bench: Bench) => void | Promise<void>, withinS?: number): Test {
  return async (bench) => {
    await makeIt(bench);
    await bench.flow(3);
    await bench.state(bench.victim, 'recovering');
    await bench.settled(withinS);
    bench.undisturbed(bench.bystanders);
  };
}

/** Snapshots that cannot be had for a while: the book comes back once they can. */
function refusal(answer: number | 'garbage' | 'timeout', withinS = REFUSED_S): Test {
  return async (bench) => {
    await trouble(({ emulator }) => {
      emulator.refuseSnapshots(answer, 2);
      bench.lose();
    }, withinS)(bench);
    assert.equal(refusals(bench).length, 2, 'both refusals were met');
  };
}

/** A venue that asks to be left alone means all of the address: no book is asked for before. */
function ban(status: number, retryAfterS: number): Test {
  return async (bench) => {
    bench.emulator.refuseSnapshots(status, 2, retryAfterS);
    bench.lose();
    await bench.flow(3);
    await bench.until('a snapshot is refused', () => refusals(bench).length > 0);
    for (const symbol of bench.bystanders) bench.resync(symbol);
    await bench.settled(REFUSED_S);
    assert.equal(refusals(bench).length, 2, 'both refusals were met');
    for (const { timeMs } of refusals(bench)) {
      const waits = bench.emulator.requestsAtMs
        .filter((at) => at > timeMs)
        .map((at) => (at - timeMs) / 1_000);
      assert.ok(Math.min(...waits) >= retryAfterS, `asked again after ${Math.min(...waits)} s`);
    }
  };
}

function refusals({ emulator }: Bench): SnapshotAnswer[] {
  return emulator.snapshotAnswers.filter(({ outcome }) => outcome === 'refused');
}

export const conformanceCards: readonly ConformanceCard[] = [
  card('FOLLOW-1', 'has the instruments and books of the venue, and every trade', async (bench) => {
    await bench.until('trades of every symbol', async () => {
      await bench.flow(1);
      return bench.symbols.every((symbol) => bench.market(symbol).trades.length > 0);
    });
    const before = new Map(bench.symbols.map((symbol) => [symbol, bench.emulator.trades(symbol).length]));
    await bench.flow(30);
    await bench.settled();
    for (const symbol of bench.symbols) {
      const { instrument, trades } = bench.market(symbol);
      assert.match(instrument.id, /^[a-z0-9-]+:\S+-\S+$/);
      assert.deepEqual(bench.told(symbol), bench.listed(symbol));
      const missing = () => {
        const ids = new Set(trades.map(({ id }) => Number(id)));
        return bench.emulator
          .trades(symbol)
          .slice(before.get(symbol))
          .filter(({ id }) => !ids.has(id));
      };
      await bench.until(`${symbol}: no trade is missing`, () => missing().length === 0);
      assert.ok(trades.length > 5, `${symbol}: trades arrive`);
      assert.equal(new Set(trades.map(({ id }) => id)).size, trades.length, `${symbol}: no trade twice`);
    }
    bench.undisturbed(bench.symbols);
  }),
  card('FOLLOW-2', 'tells the side of the taker, price and size, and the venue’s times', async (bench) => {
    await bench.until('trades of both sides', async () => {
      await bench.flow(1);
      const sides = new Set(bench.market(bench.victim).trades.map(({ side }) => side));
      return sides.size === 2;
    });
    const { trades, instrument } = bench.market(bench.victim);
    const told = new Map(bench.emulator.trades(bench.victim).map((trade) => [trade.id, trade]));
    for (const { id, side, price, size } of trades) {
      const truth = told.get(Number(id));
      assert.ok(truth, `trade ${id} is one of the venue's`);
      assert.equal(side, truth.side);
      assert.equal(formatUnitsShortest(price, instrument.tick), truth.price);
      assert.equal(formatUnitsShortest(size, instrument.lot), truth.size);
    }
    bench.timesAreRight();
  }),
  card('FOLLOW-3', 'takes a finer grid when a level lies between its ticks', async (bench) => {
    const [price] = bench.emulator.truth(bench.victim).bids[3]!;
    bench.setLevel(bench.victim, 'bid', price.includes('.') ? `${price}5` : `${price}.5`, '1');
    await bench.flow(2);
    await bench.settled();
    bench.undisturbed(bench.bystanders);
  }),
  card(
    'FOLLOW-4',
    'has the 24 h figures of the venue',
    async (bench) => {
      for (const symbol of bench.symbols) {
        await bench.until(`${symbol} has figures`, async () => {
          await bench.flow(1);
          return bench.market(symbol).ticker !== null;
        });
        const { ticker, book } = bench.market(symbol);
        const { last } = ticker!;
        const best = book.bids.ticksAt(0);
        assert.ok(
          last !== null && Math.abs(last / best - 1) < 0.1,
          `${symbol}: ${last} ticks, where the best bid is ${best}`,
        );
      }
      bench.timesAreRight();
      bench.undisturbed(bench.symbols);
    },
    withTickers,
  ),
  card('SIMULATED', 'follows books as deep and as busy as those of the simulator', async (bench) => {
    const { deltas } = bench.market(bench.victim);
    await bench.simulate(20);
    await bench.settled();
    assert.ok(bench.market(bench.victim).deltas > deltas + 50, 'updates arrive');
    bench.undisturbed(bench.symbols);
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
  card('TRUNCATED', 'does not trust a book whose update arrived cut off, and counts it', async (bench) => {
    const before = bench.feed.stats().malformed;
    await trouble(({ emulator, victim }) => emulator.truncateNext(victim))(bench);
    if (bench.countsFrames)
      assert.equal(bench.feed.stats().malformed, before + 1, 'one frame could not be read');
  }),
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
    bench.resync(bench.victim);
    assert.deepEqual(bench.states(bench.victim), ['recovering']);
    await bench.settled();
    bench.undisturbed(bench.bystanders);
  }),
  card(
    'STALL',
    'finds what it missed after data stopped for a while with heartbeats going on',
    trouble(async (bench) => {
      bench.emulator.stall(bench.victim);
      await bench.flow(5);
      bench.emulator.stall(bench.victim, false);
    }),
  ),
  card(
    'STALE',
    'keeps books that do not change, and says after which silence they are stale',
    async (bench) => {
      const { clock, bystanders, symbols } = bench;
      for (const endMs = clock.now() + 30_000; clock.now() < endMs; await bench.pause(100))
        for (const symbol of bystanders) bench.update(symbol);
      await bench.pause(70_000);
      await bench.settled();
      bench.undisturbed(symbols);
      assert.equal(bench.feed.reconnects(), 0, 'no connection was lost');
      for (const symbol of symbols) {
        const { staleAfterMs } = bench.market(symbol).instrument;
        const { least, most } = STALE_AFTER_MS;
        assert.ok(staleAfterMs >= least && staleAfterMs <= most, `${symbol}: ${staleAfterMs} ms`);
      }
    },
    { speed: 100 },
  ),
  card(
    'HALF-OPEN',
    'finds a socket that is silent for good, and opens another',
    async (bench) => {
      bench.emulator.freeze();
      await bench.state(bench.victim, 'recovering', SILENCE_S);
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
    'BACK-OFF',
    'tries a venue that is down less and less often',
    async (bench) => {
      const { emulator, sockets } = bench;
      const before = emulator.attemptsAtMs.length;
      emulator.turnAway('at-handshake');
      emulator.disconnectAll();
      await bench.flowFor(60_000);
      emulator.turnAway('once-open');
      await bench.flowFor(60_000);
      emulator.turnAway(null);
      const attempts = (emulator.attemptsAtMs.length - before) / sockets;
      assert.ok(attempts >= 2, `${attempts} attempts in two minutes`);
      assert.ok(attempts <= MAX_ATTEMPTS, `${attempts} attempts in two minutes`);
      await bench.settled(REFUSED_S);
    },
    { speed: 60, chance: 0.5 },
  ),
  card(
    'NO-SNAPSHOT',
    'asks for a snapshot that never comes less and less often, and disturbs others once',
    async (bench) => {
      const { emulator, victim, bystanders } = bench;
      emulator.withholdSnapshots(victim);
      bench.resync(victim);
      await bench.state(victim, 'recovering');
      const halfwayMs = bench.clock.now() + 150_000;
      for (; bench.clock.now() < halfwayMs + 150_000; await bench.flow(1))
        assert.ok(!bench.states(victim).includes('live'), 'its snapshot was withheld, but it is live');
      const asked = bench.answers(victim).filter(({ outcome }) => outcome === 'withheld');
      const early = asked.filter(({ timeMs }) => timeMs < halfwayMs).length;
      const late = asked.length - early;
      const times = `asked for ${early} times at first, and ${late} times later`;
      assert.ok(early + late >= 3 && early <= MAX_REQUESTS, times);
      assert.ok(late <= Math.max(early - 1, FEW_REQUESTS), times);
      if (bench.connections === 1)
        assert.ok(bench.feed.reconnects() <= 1, `${bench.feed.reconnects()} connections for one book`);
      for (const symbol of bystanders) {
        const returns = bench.states(symbol).filter((state) => state === 'live').length;
        assert.ok(returns <= 1, `${symbol} was disturbed ${returns} times`);
      }
      emulator.withholdSnapshots(victim, false);
      await bench.settled(SLOW_RECOVERY_S);
      for (const symbol of bystanders) assert.deepEqual(bench.states(symbol), []);
    },
    { speed: 100, chance: 0.5 },
  ),
  card(
    'DISCONNECT-MID-SNAPSHOT',
    'takes no snapshot that was meant for the connection before',
    async (bench) => {
      const { emulator, victim } = bench;
      const asked = emulator.snapshotAnswers.length;
      const releaseFormer = emulator.holdSnapshots();
      bench.resync(victim);
      await bench.flow(3);
      if (bench.hasHttpSnapshots)
        await bench.until('a snapshot is on its way', () => bench.answers(victim, asked).length > 0);
      for (const symbol of bench.symbols) bench.states(symbol);
      emulator.disconnectAll();
      const release = emulator.holdSnapshots();
      for (let i = 0; i < 3; i++) bench.tick(); // nobody hears of these
      for (const symbol of bench.bystanders) await bench.state(symbol, 'recovering');
      await bench.subscribed();
      const { snapshots } = bench.market(victim);
      releaseFormer();
      if (bench.hasHttpSnapshots) {
        await bench.pause(6_000); // long enough for a book to be taken for quiet
        assert.equal(bench.market(victim).snapshots, snapshots, 'a snapshot from before was taken');
        assert.notEqual(bench.market(victim).state, 'live');
      }
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
      await bench.flowFor(60_000);
      await bench.settled();
      bench.undisturbed(bench.symbols);
      assert.ok(bench.emulator.connectionCount >= 3, 'other connections were opened');
      assert.equal(bench.feed.reconnects(), 0, 'none was lost');
      bench.replacesInTime();
    },
    { ages: { replacedMs: 20_000, endedMs: 45_000 }, ...forAdapters },
  ),
  card(
    'LIMITS',
    'keeps to the symbols and frames that the venue takes on a connection',
    async (bench) => {
      const { emulator, symbols } = bench;
      assert.ok(emulator.connectionCount >= symbols.length, 'each symbol has a connection');
      bench.sendsSlowly();
    },
    { symbolsPerConnection: 1, ...forAdapters },
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
    { speed: 100 },
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
    { speed: 100 },
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
    { speed: 100 },
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
      const { emulator, victim } = bench;
      emulator.stickSnapshots(victim, 3);
      await bench.flow(2); // of which the snapshots know nothing
      const asked = emulator.snapshotAnswers.length;
      const { snapshots } = bench.market(victim);
      bench.lose();
      await bench.flow(3);
      await bench.state(victim, 'recovering');
      await bench.settled();
      const outcomes = bench.answers(victim, asked).map(({ outcome }) => outcome);
      assert.deepEqual(outcomes.slice(0, 4), ['old', 'old', 'old', 'whole'], 'asks again after an old one');
      const whole = outcomes.filter((outcome) => outcome === 'whole').length;
      assert.ok(bench.market(victim).snapshots - snapshots <= whole, 'no old snapshot was taken');
      bench.undisturbed(bench.bystanders);
    },
    withHttpSnapshots,
  ),
  card('HTTP-429', 'waits as long as a 429 asks for', ban(429, 5), withHttpSnapshots),
  card('HTTP-418', 'waits as long as a 418 asks for', ban(418, 8), withHttpSnapshots),
  card('HTTP-503', 'asks again after a server error', refusal(503), withHttpSnapshots),
  card(
    'HTTP-TIMEOUT',
    'asks again where an answer does not come',
    refusal('timeout', SILENCE_S),
    withHttpSnapshots,
  ),
  card(
    'HTTP-GARBAGE',
    'asks again after an answer that makes no sense',
    refusal('garbage'),
    withHttpSnapshots,
  ),
  card(
    'PAST-CANDLES',
    'tells candles of the past that are what the trades add up to',
    tellsCandles,
    withPast,
  ),
  card('PAST-TRADES', 'tells trades of the past once each, as the stream does', tellsTrades, withPastTrades),
  card('PAST-429', 'waits as long as a 429 asks for before it asks for the past again', waitsItOut, withPast),
  card('PAST-FAULTS', 'tells no candles that make no sense', isNotFooled, withPast),
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
