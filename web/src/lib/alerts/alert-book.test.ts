import { describe, expect, onTestFinished, test } from 'vitest';
import {
  alertRows,
  withAlert,
  withAlertBack,
  withAllSeen,
  withFired,
  withoutAlert,
  withState,
} from './alert-book.ts';
import { absoluteLevel, distanceOf, fieldsOf, levelReading, rewriteNumbers, specOf } from './alert-form.ts';
import {
  MAX_ALERT_INSTRUMENTS,
  MAX_ALERTS,
  MAX_LOG,
  readStored,
  writeStored,
  type Alert,
  type AlertSpec,
  type Condition,
  type LogEntry,
} from './alert-model.ts';
import { scaleOf, type Instrument } from '@depthwire/shared';
import { alertName, conditionText } from './alert-text.ts';
import { numberStyle } from '../format/locale.ts';
import { overwriteGetLocale } from '../paraglide/runtime.js';

const nothing = readStored(null).stored;
const condition: Condition = { kind: 'price', of: 'last', way: 'above', level: '64000.5' };
const spec: AlertSpec = { instrument: 'sim:BTC-USD', condition, repeatAfter: null };
const entry = (id: string): LogEntry => ({
  id,
  timeMs: 5,
  instrument: 'sim:BTC-USD',
  condition: 'last price crosses above 64,000.5',
  value: '64,001.0',
  afterGap: false,
  isSeen: false,
});

const conditions: readonly Condition[] = [
  condition,
  { kind: 'price', of: 'mid', way: 'either', level: '-0.25' },
  { kind: 'spread', unit: 'ticks', above: 3 },
  { kind: 'spread', unit: 'bps', above: '2.5' },
  { kind: 'imbalance', way: 'below', share: '30', unit: 'levels', reach: 10 },
  { kind: 'imbalance', way: 'above', share: '70.25', unit: 'bps', reach: 500 },
  { kind: 'trade', unit: 'base', atLeast: '2.5' },
  { kind: 'trade', unit: 'quote', atLeast: '100000' },
  { kind: 'stale', seconds: 10 },
  { kind: 'move', way: 'up', percent: '1.5', minutes: 5 },
];

describe('what is saved', () => {
  test('is read again as it was, of every kind', () => {
    let stored = { ...nothing, isMuted: true, notifies: true };
    for (const [i, one] of conditions.entries())
      stored = {
        ...stored,
        ...withAlert(stored, `a${i}`, { ...spec, condition: one, repeatAfter: i || null }),
      };
    const fired = withFired(withState(stored, 'a1', 'paused'), 'a0', entry('e'), 9);
    expect(readStored(writeStored(fired))).toEqual({ stored: fired, problem: null });
  });

  test.each([
    ['no JSON', '{', /cannot be read/],
    ['another version', '{"version":2,"alerts":[],"log":[]}', /another version/],
    ['something else', '[1,2]', /another version/],
  ])('and is %s is left out whole, and told', (_, text, problem) => {
    expect(readStored(text)).toEqual({ stored: nothing, problem: expect.stringMatching(problem) as string });
  });

  test.each([
    ['a kind that there is not', { condition: { kind: 'oracle' } }],
    ['a level that is no number', { condition: { ...condition, level: '1e9' } }],
    ['a state that there is not', { state: 'asleep' }],
    ['an id that is markup', { id: '<b>' }],
    ['a pause of nothing', { repeatAfter: 0 }],
    ['levels that no book has', { condition: { ...conditions[4], reach: 201 } }],
  ])('and is wrong in one alert costs that one: %s', (_, change) => {
    const stored = withAlert(withAlert(nothing, 'good', spec), 'bad', spec);
    const alerts = stored.alerts.map((one) => (one.id === 'bad' ? { ...one, ...change } : one));
    const { stored: kept, problem } = readStored(
      JSON.stringify({ version: 1, alerts, log: [entry('e'), 7] }),
    );
    expect(kept.alerts.map(({ id }) => id)).toEqual(['good']);
    expect(kept.log).toEqual([entry('e')]);
    expect(problem).toBe('1 saved alert and 1 entry of the log cannot be read, and are left out');
  });

  test('is bounded, and an id is there once', () => {
    const alerts = Array.from({ length: MAX_ALERTS + 5 }, (_, i) => ({
      ...withAlert(nothing, `a${i}`, spec).alerts[0]!,
    }));
    const text = JSON.stringify({ version: 1, alerts: [alerts[0], ...alerts], log: [] });
    const { stored, problem } = readStored(text);
    expect(stored.alerts).toHaveLength(MAX_ALERTS - 1);
    expect(problem).toMatch(/^7 saved alerts/);
  });
});

describe('the alerts', () => {
  test('are at most so many, for at most so many instruments', () => {
    let stored = nothing;
    for (let i = 0; i < MAX_ALERTS; i++) {
      const instrument = `sim:X${i % MAX_ALERT_INSTRUMENTS}-USD`;
      stored = withAlert(stored, `a${i}`, { ...spec, instrument });
    }
    expect(() => withAlert(stored, 'more', spec)).toThrow(/100 alerts, and no room/);
    expect(withAlert(stored, 'a3', { ...spec, instrument: 'sim:X4-USD' }).alerts).toHaveLength(MAX_ALERTS);
    const fewer = withoutAlert(stored, 'a99');
    expect(() => withAlert(fewer, 'more', spec)).toThrow(/50 instruments, and no room/);
    expect(withAlert(fewer, 'more', { ...spec, instrument: 'sim:X0-USD' }).alerts).toHaveLength(MAX_ALERTS);
  });

  test('that go off once wait to be armed; those that repeat go on', () => {
    const both = withAlert(withAlert(nothing, 'once', spec), 'often', { ...spec, repeatAfter: 60 });
    const fired = withFired(withFired(both, 'once', entry('1'), 7), 'often', entry('2'), 8);
    expect(fired.alerts.map(({ state, firedAtMs }) => [state, firedAtMs])).toEqual([
      ['triggered', 7],
      ['armed', 8],
    ]);
    expect(fired.log.map(({ id }) => id)).toEqual(['2', '1']);
    expect(withState(fired, 'once', 'armed').alerts[0]).toMatchObject({ state: 'armed', firedAtMs: null });
    expect(withAllSeen(fired).log.every(({ isSeen }) => isSeen)).toBe(true);
  });

  test('keep a bounded log, newest first', () => {
    let stored = withAlert(nothing, 'a', { ...spec, repeatAfter: 1 });
    for (let i = 0; i < MAX_LOG + 3; i++) stored = withFired(stored, 'a', entry(`e${i}`), i);
    expect(stored.log).toHaveLength(MAX_LOG);
    expect(stored.log[0]!.id).toBe(`e${MAX_LOG + 2}`);
    expect(readStored(writeStored(stored)).problem).toBeNull();
  });

  test('an alert that is changed is armed anew, in its place', () => {
    const both = withAlert(withAlert(nothing, 'a', spec), 'b', spec);
    const changed = withAlert(withFired(both, 'a', entry('e'), 7), 'a', { ...spec, repeatAfter: 5 });
    expect(changed.alerts.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(changed.alerts[0]).toMatchObject({ state: 'armed', firedAtMs: null, repeatAfter: 5 });
  });
});

describe('an alert that was deleted', () => {
  const three = ['a', 'b', 'c'].reduce((stored, id) => withAlert(stored, id, spec), nothing);
  const [a, b, c] = three.alerts as [Alert, Alert, Alert];
  const seen = (alerts: readonly Alert[], deleted: Parameters<typeof alertRows>[1]) =>
    alertRows(alerts, deleted).map(({ alert, isDeleted }) => (isDeleted ? `(${alert.id})` : alert.id));

  test('keeps its row, so that no other comes in its place', () => {
    const deleted = [
      { alert: b, row: 1 },
      { alert: a, row: 0 },
    ];
    expect(seen([a, c], deleted.slice(0, 1))).toEqual(['a', '(b)', 'c']);
    expect(seen([c], deleted)).toEqual(['(a)', '(b)', 'c']);
    expect(seen([], [...deleted, { alert: c, row: 2 }])).toEqual(['(a)', '(b)', '(c)']);
    expect(seen([a, b, c], deleted)).toEqual(['a', 'b', 'c']);
  });

  test('comes back as it was and where it was, once, and only where there is room', () => {
    const paused = withState(three, 'b', 'paused');
    const without = withoutAlert(paused, 'b');
    const back = withAlertBack(without, paused.alerts[1]!, 1);
    expect(back).toEqual(paused);
    expect(withAlertBack(back, b, 0)).toBe(back);
    const full = Array.from({ length: MAX_ALERTS }, (_, i) => ({ ...a, id: `x${i}` }));
    expect(() => withAlertBack({ ...nothing, alerts: full }, b, 0)).toThrow(/100 alerts, and no room/);
  });
});

describe('the form', () => {
  const instrument = {
    id: 'sim:BTC-USD',
    base: 'BTC',
    quote: 'USD',
    tick: scaleOf('0.5'),
    lot: scaleOf('0.001'),
  } as Instrument;

  test.each(
    conditions
      .filter((one) => !('of' in one && one.of === 'mid'))
      .map((one) => [conditionText(one, 'BTC', 'USD'), one]),
  )('gives back what it was opened with: %s', (_, one) => {
    const [alert] = withAlert(nothing, 'a', { ...spec, condition: one, repeatAfter: 30 }).alerts;
    expect(specOf(fieldsOf('', alert!), instrument)).toEqual({
      spec: { instrument: 'sim:BTC-USD', condition: one, repeatAfter: 30 },
      problem: null,
    });
  });

  test.each([
    [
      'an empty level',
      { price: { of: 'last', way: 'above', level: '' } },
      /expected a decimal number/,
      'level',
    ],
    [
      'a level between ticks',
      { price: { of: 'last', way: 'above', level: '64000.3' } },
      /not a multiple of 0\.5/,
      'level',
    ],
    [
      'a share of all',
      { kind: 'imbalance', imbalance: { way: 'above', share: '100', unit: 'levels', reach: '1' } },
      /below 100/,
      'share',
    ],
    ['half a second', { kind: 'stale', stale: { seconds: '0.5' } }, /whole number from 1/, 'seconds'],
    ['no seconds', { kind: 'stale', stale: { seconds: ' ' } }, /number/, 'seconds'],
    [
      'no pause',
      { price: { of: 'last', way: 'above', level: '1' }, repeats: true, pause: '0' },
      /whole number from 1/,
      'repeatAfter',
    ],
  ])('refuses %s', (_, change, message, entry) => {
    const fields = { ...fieldsOf('sim:BTC-USD', null), ...change } as ReturnType<typeof fieldsOf>;
    expect(specOf(fields, instrument)).toEqual({
      spec: null,
      problem: expect.stringMatching(message) as string,
      entry,
    });
  });

  test('takes a distance from the last price, as the nearest price on the grid', () => {
    const level = (text: string, last: number | null = 128_000) => absoluteLevel(text, last, instrument);
    expect(level('+0.2%')).toBe('64128.0');
    expect(level(' -1 %')).toBe('63360.0');
    expect(level('\u22120,5%', 128_001)).toBe('63680.5');
    expect(level('64000.5')).toBe('64000.5');
    expect(level('90k')).toBe('90000');
    expect(level('+0.2%', null)).toBe('+0.2%');
    expect(distanceOf('64128', 128_000, instrument)).toBeCloseTo(0.002, 12);
    expect(distanceOf('x', 128_000, instrument)).toBeNull();
    const fields = fieldsOf('sim:BTC-USD', null);
    fields.price.level = '+0.2%';
    expect(specOf(fields, instrument)).toEqual({
      spec: null,
      problem: expect.stringMatching(/no last price/) as string,
      entry: 'level',
    });
  });

  test('says what a level comes to while it is typed, or what is wrong with it', () => {
    const read = (level: string, last: number | null = 128_000) => {
      const fields = fieldsOf('sim:BTC-USD', null);
      fields.price.level = level;
      const { text, isWrong } = levelReading(fields, last, instrument);
      return isWrong ? `wrong: ${text}` : text;
    };
    expect(read('+1%')).toBe('= 64,640.0, 1.00% above the last price');
    expect(read('90k')).toBe('= 90,000.0, 40.63% above the last price');
    expect(read('63,000.5')).toBe('= 63,000.5, 1.56% below the last price');
    expect(read('64000')).toBe('= 64,000.0, the last price');
    expect(read('.09M', null)).toBe('= 90,000.0');
    expect(read('abc')).toBe('wrong: expected a decimal number');
    expect(read('abck')).toBe('wrong: expected a decimal number');
    expect(read('64000.3')).toMatch(/^wrong: .*not a multiple of 0\.5/);
    expect(read('+1%', null)).toMatch(/^wrong: .*no last price/);
    // What is not finished is not wrong.
    expect(['', '-', '+', '+1', '\u22120.5'].map((text) => read(text))).toEqual(['', '', '', '', '']);
  });

  test('has an alert said in one line', () => {
    expect(alertName(spec, instrument)).toBe('BTC-USD, last price crosses above 64,000.5');
  });

  test('keeps its numbers what they are when the language changes', () => {
    onTestFinished(() => overwriteGetLocale(() => 'en'));
    const fields = fieldsOf('sim:BTC-USD', null);
    fields.price.level = '64,000.5';
    fields.spread.above = '1.234';
    fields.move.percent = 'some';
    const english = numberStyle();
    overwriteGetLocale(() => 'de');
    rewriteNumbers(fields, english);
    expect([fields.price.level, fields.spread.above, fields.trade.atLeast]).toEqual([
      '64000,5',
      '1,234',
      '100000',
    ]);
    expect([fields.price.way, fields.move.percent]).toEqual(['either', 'some']);
    fields.price.level = '\u22120,5 %';
    const german = numberStyle();
    overwriteGetLocale(() => 'en');
    rewriteNumbers(fields, german);
    expect([fields.price.level, fields.spread.above]).toEqual(['\u22120.5 %', '1.234']);
  });

  test('takes thousands as they are read elsewhere, and refuses what the server has not', () => {
    const fields = fieldsOf('sim:BTC-USD', null);
    fields.price.level = '64,000.5';
    expect(specOf(fields, instrument).spec?.condition).toMatchObject({ level: '64000.5' });
    expect(specOf(fields, undefined).problem).toBe('No instrument “sim:BTC-USD” on this server');
  });
});
