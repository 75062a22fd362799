import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { codecs, type ClientRequest, type Message } from '@depthwire/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';

const bin = fileURLToPath(new URL('../../bin/depthwire.js', import.meta.url));
const sim = { feed: 'sim', instruments: ['sim:BTC-USD', 'sim:ETH-USD'], historyDays: 1 };
const environment = {
  ...process.env,
  PORT: '',
  HOST: '',
  NO_COLOR: '1',
  DEPTHWIRE_FEEDS: JSON.stringify([sim]),
};
let server: ChildProcess;
let url: string;

beforeAll(async () => {
  server = spawn(process.execPath, [bin, 'serve', '--port', '0'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(server.stdout!)) {
    const entry = JSON.parse(line) as { msg: string; url: string };
    if (entry.msg !== 'listening') continue;
    url = `${entry.url.replace('http', 'ws')}/ws`;
    return;
  }
  throw new Error('the server ended before it listened');
});
afterAll(() => server.kill('SIGKILL'));

function inspect(...args: string[]): Promise<{ code: number; lines: string[]; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, 'inspect', ...args], { env: environment }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, lines: stdout.split('\n').slice(0, -1), stderr });
    });
  });
}

interface Line {
  readonly direction: string;
  readonly bytes: number;
  readonly kind: string;
  readonly ch: number | null;
  readonly seq: number | null;
  readonly topic: string | null;
  readonly instrument: string | null;
  readonly bids?: [string, string | null][];
  readonly fields?: Record<string, unknown>;
  readonly hex?: string;
}

describe.concurrent.each(['msgpack', 'json'] as const)('depthwire inspect --encoding %s', (encoding) => {
  test('shows all messages of a connection, with what each is about, and adds them up', async () => {
    const { code, lines, stderr } = await inspect(
      ...[url, '--for', '2', '--json', '--full', '--hex', '--encoding', encoding],
      ...['--instrument', 'sim:BTC-USD,sim:ETH-USD', '--topic', 'book,ticker', '--depth', '5'],
    );
    expect(code).toBe(0);
    const frames = lines.map((line) => JSON.parse(line) as Line);
    expect(frames[0]).toMatchObject({ kind: 'hello', direction: 'in', fields: { op: 'hello', protocol: 1 } });
    const asked = frames.filter(({ kind }) => kind === 'subscribe');
    expect(asked.map(({ direction, topic, instrument }) => [direction, topic, instrument])).toEqual([
      ['out', 'book', 'sim:BTC-USD'],
      ['out', 'ticker', 'sim:BTC-USD'],
      ['out', 'book', 'sim:ETH-USD'],
      ['out', 'ticker', 'sim:ETH-USD'],
    ]);
    for (const { bytes, hex } of frames) expect(hex!.length).toBe(2 * bytes);
    for (const instrument of ['sim:BTC-USD', 'sim:ETH-USD']) {
      const book = frames.filter((frame) => frame.topic === 'book' && frame.instrument === instrument);
      const [snapshot, ...deltas] = book.filter(({ kind }) => kind.startsWith('book'));
      expect(snapshot).toMatchObject({ kind: 'bookSnapshot', fields: { code: 1, ch: snapshot!.ch } });
      expect(snapshot!.bids!.length).toBe(5);
      expect(snapshot!.bids![0]![0]).toMatch(/^\d+\.\d\d$/);
      expect(deltas.length).toBeGreaterThan(3);
      expect(deltas.map(({ seq }) => seq)).toEqual(deltas.map((_, i) => snapshot!.seq! + i + 1));
    }
    const sum = frames.reduce((total, { bytes }) => total + bytes, 0);
    expect(stderr).toContain(`${frames.length} frames, ${sum} bytes in`);
    expect(stderr).toContain('0 gaps, 0 malformed');
  });
});

test.concurrent(
  'shows the kinds, the direction and the names that are asked for, and still counts all',
  async () => {
    const { code, lines, stderr } = await inspect(
      ...[url, '--for', '1', '--type', 'bookDelta,ticker,subscribe', '--direction', 'in', '--grep', 'TICK'],
      ...['--instrument', 'sim:BTC-USD', '--topic', 'book,ticker'],
    );
    expect(code).toBe(0);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines)
      expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} ← +\d+ B ticker +ch \d+ +seq \d+ +ticker sim:BTC-USD/);
    expect(stderr).toMatch(/^bookSnapshot +1 /m);
  },
);

test.concurrent('takes the first instrument of the server where none is named', async () => {
  const { code, lines } = await inspect(
    url,
    '--for',
    '1',
    '--topic',
    'status',
    '--type',
    'subscribed',
    '--json',
  );
  expect(code).toBe(0);
  expect(lines.map((line) => JSON.parse(line) as Line)).toMatchObject([
    { topic: 'status', instrument: 'sim:BTC-USD' },
  ]);
});

test.concurrent('ends with 1 where a frame is missing, and says which', async () => {
  const tell = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(tell, 'listening');
  tell.on('connection', (socket) => {
    const send = (message: unknown) => socket.send(codecs.msgpack.encode(message as Message));
    send({ op: 'hello', protocol: 1, server: 'test', epoch: 1, time: 0, heartbeatMs: 60_000 });
    socket.on('message', (data) => {
      const request = codecs.msgpack.decode(data as Buffer) as ClientRequest;
      if (request.op !== 'subscribe') return;
      const instrument = { id: 'a:B-C', tick: { units: 1, decimals: 0 }, lot: { units: 1, decimals: 0 } };
      send({ op: 'subscribed', id: request.id, ch: 3, topic: 'trades', instrument, cadence: 0 });
      send([4, 3, 1, 0, []]);
      for (const seq of [2, 5]) send([5, 3, seq, 0, [['x', 7, 8, 0, 9]]]);
    });
  });
  const { port } = tell.address() as AddressInfo;
  const { code, lines, stderr } = await inspect(
    `ws://127.0.0.1:${port}/ws`,
    '--for',
    '1',
    '--instrument',
    'a:B-C',
    '--topic',
    'trades',
  );
  tell.close();
  expect(code).toBe(1);
  expect(stderr).toContain('; 1 gap, 0 malformed');
  expect(lines.filter((line) => line.includes('GAP'))).toEqual([
    expect.stringMatching(/seq 5 .*GAP: expected 3, got 5; 1 trade, buy 8 at 7$/),
  ]);
});

test.concurrent.each([
  [['--topic', 'books'], 'expected book, trades, ticker, candles, status, got books', 2],
  [['--encoding', 'xml'], 'Allowed choices are msgpack, json', 2],
  [['--for', '0'], 'expected an integer from 1 to', 2],
  [['--interval', '7m'], 'expected an interval such as 1m', 2],
  [['--instrument', 'sim:MOON-USD'], 'unknown_instrument', 1],
])('%j ends with what is wrong', async (args, message, expected) => {
  const { code, stderr } = await inspect(url, ...args);
  expect(stderr).toContain(message);
  expect(code).toBe(expected);
});

test.concurrent('ends with 1 where no server answers, and says what to do', async () => {
  const gone = createServer().listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  gone.close();
  const nowhere = `ws://127.0.0.1:${port}/ws`;
  const listed = await inspect(nowhere);
  expect(listed.code).toBe(1);
  expect(listed.stderr).toContain(
    `the instruments of http://127.0.0.1:${port} cannot be listed: connect ECONNREFUSED`,
  );
  const named = await inspect(nowhere, '--instrument', 'sim:BTC-USD');
  expect(named.code).toBe(1);
  expect(named.stderr).toContain(`no server answers at ${nowhere}: connect ECONNREFUSED`);
});
