import type { Clock, EpochMs } from '@depthwire/shared';
import { describe, expect, it } from 'vitest';
import { PacedSender } from './paced-sender.ts';
import { VirtualClock } from './virtual-clock.ts';

function start(spacingMs: number) {
  const clock = new VirtualClock(1_000);
  const sent: [atMs: number, text: string][] = [];
  const sender = new PacedSender(clock, spacingMs, (text) => sent.push([clock.now() - 1_000, text]));
  return { clock, sent, sender };
}

describe('PacedSender', () => {
  it('sends at once where it may, and in order with the space the venue wants', () => {
    const { clock, sent, sender } = start(300);
    for (const text of ['a', 'b', 'c']) sender.send(text);
    clock.advanceTo(1_599);
    expect(sent).toEqual([
      [0, 'a'],
      [300, 'b'],
    ]);
    clock.advanceTo(5_000);
    sender.send('d');
    expect(sent.slice(2)).toEqual([
      [600, 'c'],
      [4_000, 'd'],
    ]);
  });

  it('sends everything at once where no space is wanted', () => {
    const { sent, sender } = start(0);
    for (const text of ['a', 'b', 'c']) sender.send(text);
    expect(sent.map(([, text]) => text)).toEqual(['a', 'b', 'c']);
  });

  it('drops what waits, and keeps the space to what it sent before', () => {
    const { clock, sent, sender } = start(300);
    sender.send('a');
    sender.send('b');
    sender.clear();
    sender.send('c');
    clock.advanceTo(9_000);
    expect(sent).toEqual([
      [0, 'a'],
      [300, 'c'],
    ]);
  });

  it('does not wait out a clock that is set back', () => {
    const { clock, sent } = start(300);
    let backMs = 0;
    const set: Clock = {
      now: () => (clock.now() - backMs) as EpochMs,
      at: (timeMs, task) => clock.at(timeMs + backMs, task),
    };
    const paced = new PacedSender(set, 300, (text) => sent.push([clock.now() - 1_000, text]));
    paced.send('a');
    backMs = 3_600_000;
    paced.send('b');
    clock.advanceTo(2_000);
    expect(sent).toEqual([
      [0, 'a'],
      [300, 'b'],
    ]);
  });

  it('holds a bounded number', () => {
    const { sender } = start(300);
    for (let i = 0; i <= 10_000; i++) sender.send('x');
    expect(() => sender.send('x')).toThrow(expect.objectContaining({ code: 'venue_rejected' }));
  });
});
