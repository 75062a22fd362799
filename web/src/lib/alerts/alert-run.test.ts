import { RECORDING_ENDED, scaleOf, type Instrument, type Trade } from '@depthwire/shared';
import { describe, expect, test } from 'vitest';
import type { Alert, Condition } from './alert-model.ts';
import type { Topic } from './alert-rules.ts';
import { AlertRun, type AlertHost, type AlertSource } from './alert-run.ts';
import { NewTradesReader } from './new-trades.ts';

const instrument = {
  id: 'sim:A-B',
  base: 'A',
  quote: 'B',
  tick: scaleOf('1'),
  lot: scaleOf('1'),
} as Instrument;

const trade = (id: number, price: number, size = 1) =>
  ({ id, price, size, side: 'buy', timeMs: id }) as Trade;

/** Subscriptions as plain data, a clock that is set, and timers that are run by hand. */
class Desk {
  nowMs = 1_000_000;
  isOpen = true;
  readonly fired: string[] = [];
  problem: string | null = null;
  timer: { atMs: number; task: () => void } | null = null;
  readonly followed = new Map<Topic, () => void>();
  readonly status = {
    granted: {} as object | null,
    instrument,
    refusal: null,
    state: 'live',
    sinceMs: null as number | null,
    reason: null as string | null,
  };
  readonly tape = {
    instrument,
    refusal: null as Error | null,
    hasData: true,
    merged: null,
    latest: [] as Trade[],
    trades: [] as Trade[],
  };

  run(condition: Condition, repeatAfter: number | null = null): AlertRun {
    const alert: Alert = {
      id: 'a',
      instrument: instrument.id,
      condition,
      repeatAfter,
      state: 'armed',
      firedAtMs: null,
    };
    const source = {
      instrument,
      book: null,
      trades: this.tape,
      tickerSubscription: null,
      statusSubscription: this.status,
      follow: (topic: Topic, onChange: () => void) => {
        this.followed.set(topic, onChange);
        return () => this.followed.delete(topic);
      },
      deepen: () => {},
    } as unknown as AlertSource;
    const isOpen = () => this.isOpen;
    const host: AlertHost = {
      nowMs: () => this.nowMs,
      timeMs: () => this.nowMs,
      get isOpen() {
        return isOpen();
      },
      after: (ms, task) => {
        this.timer = { atMs: this.nowMs + ms, task };
        return () => (this.timer = null);
      },
      onFire: (_, { value, afterGap }) => void this.fired.push(afterGap ? `${value} after a gap` : value),
      onProblem: (_, problem) => (this.problem = problem),
    };
    return new AlertRun(alert, source, host);
  }

  trade(...latest: Trade[]): void {
    this.tape.latest = latest;
    this.tape.trades = [...this.tape.trades, ...latest];
    this.followed.get('trades')?.();
  }

  tell(state: string, sinceMs: number | null = null, reason: string | null = null): void {
    Object.assign(this.status, { state, sinceMs, reason });
    this.followed.get('status')?.();
  }

  /** Lets the timer run out. */
  wait(): void {
    const { atMs, task } = this.timer!;
    this.nowMs = atMs;
    this.timer = null;
    task();
  }
}

const above: Condition = { kind: 'price', of: 'last', way: 'above', level: '100' };

describe('an alert that runs', () => {
  test('looks at each trade, and not at what was traded before', () => {
    const desk = new Desk();
    desk.trade(trade(1, 90), trade(2, 110), trade(3, 90));
    desk.run(above, 1);
    expect(desk.fired).toEqual([]);
    desk.trade(trade(4, 95), trade(5, 104), trade(6, 96));
    expect(desk.fired).toEqual(['104']);
  });

  test('does not go off on stale data, and says that it crossed in a gap', () => {
    const desk = new Desk();
    desk.trade(trade(1, 90));
    desk.run(above);
    desk.tell('stale', 5, 'silent');
    desk.trade(trade(2, 110));
    expect(desk.fired).toEqual([]);
    desk.tell('live');
    expect(desk.fired).toEqual(['110 after a gap']);
  });

  test('does not go off without a connection, nor for a jump that crosses nothing', () => {
    const desk = new Desk();
    desk.trade(trade(1, 90));
    const run = desk.run(above);
    desk.isOpen = false;
    run.look();
    desk.tape.trades = [];
    desk.isOpen = true;
    desk.trade(trade(70, 99));
    expect(desk.fired).toEqual([]);
    desk.trade(trade(71, 100));
    expect(desk.fired).toEqual(['100']);
  });

  test('of stale data goes off when its time has come, by a timer of its own, once for each time', () => {
    const desk = new Desk();
    desk.run({ kind: 'stale', seconds: 10 }, 1);
    expect(desk.timer).toBeNull();
    desk.tell('stale', desk.nowMs - 4000, 'no update for over 4 s');
    expect(desk.timer!.atMs).toBe(desk.nowMs + 6001);
    desk.wait();
    expect(desk.fired).toEqual(['not live for 10 s: no update for over 4 s']);
    desk.tell('recovering', desk.nowMs);
    desk.tell('live');
    desk.tell('recovering', desk.nowMs);
    desk.wait();
    expect(desk.fired).toHaveLength(2);
  });

  test('of stale data counts a lost connection, and not the end of a recording', () => {
    const desk = new Desk();
    const run = desk.run({ kind: 'stale', seconds: 2 });
    desk.tell('stale', desk.nowMs - 90_000, RECORDING_ENDED);
    expect([desk.fired, desk.timer]).toEqual([[], null]);
    desk.isOpen = false;
    run.look();
    desk.wait();
    expect(desk.fired).toEqual(['not live for 2 s: connection lost']);
  });

  test('of stale data does not take the time since when it was live for that of a loss', () => {
    const desk = new Desk();
    desk.run({ kind: 'stale', seconds: 2 });
    desk.tell('live', desk.nowMs - 90_000);
    // A client tells its subscriptions before it says itself that the connection is lost.
    desk.status.granted = null;
    desk.tell('recovering', desk.nowMs - 90_000);
    expect(desk.fired).toEqual([]);
    expect(desk.timer!.atMs).toBe(desk.nowMs + 2001);
  });

  test('stops', () => {
    const desk = new Desk();
    const run = desk.run({ kind: 'stale', seconds: 2 });
    desk.tell('stale', desk.nowMs);
    run.stop();
    expect([desk.followed.size, desk.timer]).toEqual([0, null]);
  });

  test('says where the server refuses it, and where the tick does not fit any more', () => {
    const desk = new Desk();
    desk.trade(trade(1, 90));
    const run = desk.run(above);
    expect(desk.problem).toBeNull();
    desk.tape.refusal = new Error('too many subscriptions');
    run.look();
    expect(desk.problem).toBe('the server refused it: too many subscriptions');
    desk.tape.refusal = null;
    Object.assign(desk.tape, { instrument: { ...instrument, tick: scaleOf('3') } });
    desk.trade(trade(2, 40));
    expect(desk.problem).toBe('100 is not a multiple of 3');
    expect(desk.fired).toEqual([]);
  });
});

describe('new trades', () => {
  const [a, b, c, d] = [1, 2, 3, 4].map((id) => trade(id, id));
  const tape = (trades: (Trade | undefined)[], latest = trades, hasData = true) =>
    ({ trades, latest, merged: null, hasData }) as Parameters<NewTradesReader['read']>[0];

  test('are those after the last one seen, also where the list was taken anew', () => {
    const reader = new NewTradesReader();
    expect(reader.read(tape([], [], false)).fresh).toEqual([]);
    expect(reader.read(tape([a, b])).fresh).toEqual([]);
    expect(reader.read(tape([a, b, c], [c])).fresh).toEqual([c]);
    expect(reader.read(tape([a, b, c], [c])).fresh).toEqual([]);
    expect(reader.read(tape([{ ...b! }, { ...c! }, d])).fresh).toEqual([d]);
  });

  test('are all where there was none; none where the last one is in the list no more', () => {
    const empty = new NewTradesReader();
    empty.read(tape([]));
    expect(empty.read(tape([a], [a])).fresh).toEqual([a]);
    const restarted = new NewTradesReader();
    restarted.read(tape([d]));
    expect(restarted.read(tape([a, b]))).toMatchObject({ fresh: [], newest: b });
    expect(restarted.read(tape([a, b, c], [c])).fresh).toEqual([c]);
  });
});
