import { connect } from 'node:net';
import { isErrorCode } from '@depthwire/shared';
import type { Chance } from './chance.ts';

/** Longer than the server waits for the rest of a request. */
const PATIENCE_MS = 30_000;
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PATCH', 'BREW'];
const paths = [
  ...[
    '/',
    '/api/v1/',
    '/api/v1/health',
    '/api/v1/feeds',
    '/api/v1/instruments',
    '/api/v1/tickets',
    '/ws',
    '/api/v1/nothing',
  ],
  ...['book', 'trades', 'candles', 'depth-history', '..%2f..%2fpackage.json'].map(
    (end) => `/api/v1/instruments/sim:BTC-USD/${end}`,
  ),
  ...[
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/%00',
    '/%',
    `/${'a'.repeat(5_000)}`,
    '//evil.example',
    '/%ff%fe',
    '*',
  ],
];
const queries = [
  ...[
    '',
    '?depth=1',
    '?depth=-1',
    '?depth=1e9',
    '?depth[]=1',
    '?depth=1&depth=2',
    '?interval=1m&before=99999999999999999',
  ],
  ...[
    '?__proto__[x]=1',
    '?key=dw_pk_x',
    '?ticket=x&ticket=y',
    '?limit=%00',
    `?q=${'x'.repeat(9_000)}`,
    '?%',
    '?limit=0x10',
    '?book=sim:BTC-USD,depth=5',
    '?book=sim:BTC-USD,depth=x',
    '?trades=no:ONE&rate=0',
    '?lastEventId=1.2&status=sim:BTC-USD',
    '?cursor=W10',
    '?cursor=bnVsbA',
  ],
];
const headers = [
  ...[
    'Authorization: Bearer x',
    'Authorization: Basic eDp4',
    `Authorization: Bearer ${'x'.repeat(9_000)}`,
    'Authorization:',
  ],
  ...[
    'Origin: null',
    'Origin: https://evil.example',
    'X-Forwarded-For: 127.0.0.1',
    'Content-Encoding: gzip',
    'Expect: 100-continue',
  ],
  ...[
    'Content-Type: application/json',
    'Content-Type: text/plain',
    'If-None-Match: *',
    'Range: bytes=0-',
    'Upgrade: websocket',
  ],
  ...[
    `X-Long: ${'x'.repeat(20_000)}`,
    'Bad Header: x',
    'X-Null: \u0000',
    'Transfer-Encoding: chunked',
    'Host: twice',
  ],
];
const bodies = ['', '{}', '{"__proto__":{"polluted":true}}', '['.repeat(5_000), 'x'.repeat(20_000)];

/**
 * One request, from a socket of its own.
 * @returns its status line, and what is wrong with the answer
 */
export async function request(
  port: number,
  chance: Chance,
): Promise<{ status: string; problem: string | null }> {
  const body = chance.next() < 0.2 ? chance.of(bodies) : '';
  const lines = [
    `${chance.of(methods)} ${chance.of(paths)}${chance.of(queries)} HTTP/1.1`,
    ...(chance.next() < 0.97 ? ['Host: localhost'] : []),
    ...Array.from({ length: chance.below(3) }, () => chance.of(headers)),
    ...(body === '' ? [] : [`Content-Length: ${chance.next() < 0.9 ? body.length : chance.below(99)}`]),
    'Connection: close',
  ];
  const text = `${lines.join('\r\n')}\r\n\r\n${body}`;
  const answer = (await exchange(port, text)).replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  const [, status = 'none'] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? [];
  // Whoever sends what is no request, or breaks it off, may be cut off.
  if (status === 'none') return { status, problem: null };
  if (status.startsWith('5'))
    return { status, problem: `${status} to ${lines[0]!.slice(0, 100)}: ${rest.join().slice(0, 200)}` };
  const isJson = /^content-type: application\/json/im.test(head);
  if (!status.startsWith('4') || !isJson) return { status, problem: null };
  const code = /"code":"(\w+)"/.exec(rest.join())?.[1];
  const isRight = rest.join() === '' || isErrorCode(code);
  return {
    status,
    problem: isRight ? null : `${status} without a typed error: ${rest.join().slice(0, 200)}`,
  };
}

function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setTimeout(PATIENCE_MS, () => {
      socket.destroy();
      reject(new Error(`no answer to ${text.slice(0, 200)}`));
    });
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      // What succeeds there goes on for ever.
      if (answer.startsWith('HTTP/1.1 101') || answer.includes('text/event-stream')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}
