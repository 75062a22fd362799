import { describe, expect, test } from 'vitest';
import { VirtualClock } from '@depthwire/feeds';
import { createFeedLog } from './feed-log.ts';

function open() {
  const lines: [level: string, details: object, message: string][] = [];
  const line = (level: string) => (details: object, message: string) => {
    JSON.stringify(details); // as a logger does
    lines.push([level, details, message]);
  };
  const own = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const clock = new VirtualClock(0);
  return { log: createFeedLog(own, 'mine', clock), own, clock, lines };
}

describe('the log of a feed', () => {
  test('is bound to its name, and hands on plain data', () => {
    const { log, lines } = open();
    log.warn({ feed: 'other', level: 60, reason: 'so', list: [1, { a: null }] }, 'text');
    expect(lines).toEqual([['warn', { feed: 'mine', reason: 'so', list: [1, { a: null }] }, 'text']]);
  });

  test('cannot be changed, and nothing else of the logger can be reached', () => {
    const { log } = open();
    expect(Object.isFrozen(log)).toBe(true);
    expect(Object.keys(log)).toEqual(['debug', 'info', 'warn', 'error']);
  });

  const throwing = () => {
    throw new Error('gotcha');
  };
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  test.each<[string, unknown, unknown]>([
    ['a getter', Object.defineProperty({}, 'x', { enumerable: true, get: throwing }), 'text'],
    ['a proxy', new Proxy({}, { ownKeys: throwing }), 'text'],
    ['toJSON', { toJSON: throwing, x: { toJSON: throwing } }, 'text'],
    ['a big integer', { x: 10n, y: Symbol('s') }, 'text'],
    ['a circle', circular, 'text'],
    ['no object', 5, 'text'],
    ['nothing', null, undefined],
    ['an error that throws', Object.defineProperty(new Error('x'), 'stack', { get: throwing }), 'text'],
    ['a message that throws', {}, { toString: throwing }],
  ])('is not harmed by %s', (_name, details, message) => {
    const { log, lines } = open();
    (log.error as (details: unknown, message: unknown) => void)(details, message);
    expect(lines).toMatchObject([['error', { feed: 'mine' }, expect.any(String)]]);
  });

  test('is bounded in what one line holds', () => {
    const { log, lines } = open();
    const wide = Array.from({ length: 10_000 }, () => ({ text: 'x'.repeat(1_000) }));
    log.info({ wide, long: 'y'.repeat(1e6) }, 'z'.repeat(1e6));
    expect(JSON.stringify(lines).length).toBeLessThan(10_000);
  });

  test('leaves out the lines of a flood, and says so', () => {
    const { log, lines, clock } = open();
    for (let i = 0; i < 5_000; i++) log.error({ i }, 'flood');
    expect(lines).toHaveLength(1_001);
    expect(lines.at(-1)).toMatchObject(['warn', { feed: 'mine' }, expect.stringMatching(/logs too much/)]);
    log.info({}, 'another level');
    expect(lines).toHaveLength(1_002);
    clock.advanceTo(10_000);
    log.error({}, 'again');
    expect(lines.slice(-2)).toMatchObject([
      ['warn', { of: 'error', leftOut: 4_000 }, expect.any(String)],
      ['error', {}, 'again'],
    ]);
  });
});
