import { expect, test } from 'vitest';
import { VirtualClock } from '@depthwire/feeds';
import type { EpochMs } from '@depthwire/shared';
import { Lease, LEASE_TICK_MS, LEASE_VALID_MS, type LeaseRecord, type LeaseStore } from './lease.ts';

const free: LeaseRecord = { holder: '', epoch: 0, beat: 0 };

/** What Redis does, in memory; it can stand still, and it can forget. */
class MemoryLeases implements LeaseStore {
  record = free;
  isAway = false;
  /** Calls that wait for it to go on. */
  #held: (() => void)[] | null = null;

  pause(): void {
    this.#held = [];
  }

  goOn(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const call of held) call();
  }

  async renew(_feed: string, holder: string, epoch: number): Promise<LeaseRecord> {
    await this.#turn();
    const { record } = this;
    if (record.holder === holder && record.epoch === epoch)
      this.record = { ...record, beat: record.beat + 1 };
    return this.record;
  }

  async take(_feed: string, holder: string, seen: LeaseRecord, epoch: number): Promise<boolean> {
    await this.#turn();
    if (JSON.stringify(seen) !== JSON.stringify(this.record)) return false;
    this.record = { holder, epoch, beat: 1 };
    return true;
  }

  async give(_feed: string, holder: string): Promise<void> {
    await this.#turn();
    if (this.record.holder === holder) this.record = { ...this.record, holder: '' };
  }

  async #turn(): Promise<void> {
    if (this.isAway) throw new Error('away');
    const held = this.#held;
    if (held) await new Promise<void>((resolve) => held.push(resolve));
  }
}

function start(...names: string[]) {
  const store = new MemoryLeases();
  const clock = new VirtualClock(0);
  const wallClock = { now: () => 1_000_000 as EpochMs, at: clock.at.bind(clock) };
  const log: string[] = [];
  const leases = names.map(
    (holder) =>
      new Lease({
        ...{ feed: 'f', holder, store, timers: clock, wallClock },
        mayLead: () => true,
        onTaken: (epoch) => log.push(`${holder} ${epoch}`),
        onLost: () => log.push(`${holder} lost`),
      }),
  );
  /** Time goes by for these, and for the others it goes by without them. */
  const run = async (ms: number, running = leases) => {
    for (let passedMs = 0; passedMs < ms; passedMs += LEASE_TICK_MS) {
      clock.advanceTo(clock.now() + LEASE_TICK_MS);
      for (const lease of running) void lease.tick().catch(() => undefined);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };
  return { store, clock, log, leases, run };
}

test('one of those who want it has it, and keeps it', async () => {
  const { log, run, leases, store } = start('a', 'b', 'c');
  await run(60_000);
  expect(log).toEqual(['a 1000000']);
  expect(leases.map((lease) => lease.isValid(1_000_000))).toEqual([true, false, false]);
  expect(leases.map(({ holder }) => holder)).toEqual(['a', 'a', 'a']);
  expect(store.record.beat).toBeGreaterThan(200);
});

test('it is taken within 3 s from a holder that is gone, under a higher epoch, and not before the holder knows', async () => {
  const { log, run, leases } = start('a', 'b');
  const [a, b] = leases as [Lease, Lease];
  await run(1_000);
  let msToTake = 0;
  for (; b.epoch === null; msToTake += LEASE_TICK_MS) await run(LEASE_TICK_MS, [b]);
  expect(msToTake).toBeGreaterThan(LEASE_VALID_MS);
  expect(msToTake).toBeLessThan(3_000);
  // The holder goes on where it was stopped: it has to know by itself before it is told.
  expect(a.epoch).toBe(1_000_000);
  expect(a.isValid(1_000_000)).toBe(false);
  await run(LEASE_TICK_MS);
  expect(log).toEqual(['a 1000000', 'b 1000001', 'a lost']);
});

test('a holder that cannot renew leads no more until it has, and nobody takes it who could not look either', async () => {
  const { log, run, leases, store } = start('a', 'b');
  const [a] = leases as [Lease];
  await run(1_000);
  store.pause();
  await run(10_000);
  expect(a.isValid(1_000_000)).toBe(false);
  store.goOn();
  await run(500);
  expect(a.isValid(1_000_000)).toBe(true);
  store.isAway = true;
  await run(10_000);
  expect(a.isValid(1_000_000)).toBe(false);
  store.isAway = false;
  await run(5_000);
  expect(a.isValid(1_000_000)).toBe(true);
  expect(log).toEqual(['a 1000000']);
});

test('where all is forgotten the next epoch is higher all the same', async () => {
  const { log, run, store } = start('a', 'b');
  await run(1_000);
  store.record = free;
  await run(LEASE_TICK_MS);
  expect(log).toHaveLength(3);
  expect(log[2]).toMatch(/^[ab] 1000001$/);
});

test('what is given away is taken at the next look', async () => {
  const { log, run, leases } = start('a', 'b');
  const [a, b] = leases as [Lease, Lease];
  await run(1_000);
  await a.close();
  await b.tick();
  expect(log).toEqual(['a 1000000', 'a lost', 'b 1000001']);
  await run(1_000);
  expect(log).toHaveLength(3);
});

test('one that stood still itself does not take it from a holder that went on', async () => {
  const { log, run, leases, clock } = start('a', 'b');
  const [a] = leases as [Lease];
  await run(1_000);
  await run(10_000, [a]);
  clock.advanceTo(clock.now() + 10_000); // both stood still
  await run(5_000);
  expect(log).toEqual(['a 1000000']);
});
