import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { codecs, errorCatalogue, closeCodes, type Encoding } from '@depthwire/shared';
import { messageFrames } from '../websocket.ts';
import type { Chance } from './chance.ts';
import { anyMessage } from './messages.ts';

/** What `ws` closes with by itself: protocol, kind of data, text that is none, size. */
const OF_THE_STANDARD = [1000, 1002, 1003, 1005, 1006, 1007, 1009];
const known = new Set<number>([...OF_THE_STANDARD, ...Object.values(closeCodes).map(({ code }) => code)]);
const LAST_ID = 4_294_967_295;
const PATIENCE_MS = 20_000;

export interface Outcome {
  /** Messages that were answered, or that ended the session. */
  messages: number;
  /** Answers by their code, or op where they are no error, and closes by their code. */
  readonly answers: Map<string, number>;
  readonly problems: string[];
}

/** One connection: hostile messages, and at the end a request that a session in its right mind answers. */
export async function attack(port: number, chance: Chance, count: number): Promise<Outcome> {
  const encoding = chance.of<Encoding>(['json', 'msgpack']);
  const outcome: Outcome = { messages: 0, answers: new Map(), problems: [] };
  const socket = await open(port, encoding);
  let sent = 0;
  let answered = 0;
  const note = (what: string) => outcome.answers.set(what, (outcome.answers.get(what) ?? 0) + 1);
  const done = Promise.withResolvers<void>();
  messageFrames(socket, (data) => {
    if (typeof data === 'number') {
      note(`close ${data}`);
      if (!known.has(data)) outcome.problems.push(`closed with ${data}`);
      return;
    }
    const message = codecs[encoding].decode(data) as {
      op?: string;
      id?: number;
      code?: string;
      message?: unknown;
    };
    if (Array.isArray(message) || message.op === 'hello' || message.op === 'instrument') return;
    if (message.op === 'pong' && message.id === LAST_ID) {
      done.resolve();
      return;
    }
    answered += 1;
    note(message.op === 'error' ? String(message.code) : String(message.op));
    if (message.op !== 'error') return;
    const isTyped =
      typeof message.code === 'string' && message.code in errorCatalogue && message.code !== 'internal';
    const isTold =
      typeof message.message === 'string' && message.message.length > 0 && message.message.length < 600;
    if (!isTyped || !isTold) outcome.problems.push(`answered ${JSON.stringify(message)}`);
  });
  let isClosed = false;
  socket.on('close', () => {
    isClosed = true;
    done.resolve();
  });
  socket.on('error', () => undefined);
  for (; sent < count && !isClosed; sent++) {
    if (chance.next() < 0.002) {
      socket.write(violation(chance));
      sent++;
      break;
    }
    if (!socket.write(maskedFrame(anyMessage(chance, encoding)))) await drained(socket);
    if (sent % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
  }
  const isBroken = sent > 0 && isClosed;
  if (!isBroken) socket.write(maskedFrame(codecs[encoding].encode({ op: 'ping', id: LAST_ID })));
  const late = setTimeout(() => {
    outcome.problems.push(`no answer after ${sent} messages, ${answered} of them answered`);
    done.resolve();
  }, PATIENCE_MS);
  await done.promise;
  clearTimeout(late);
  // Each has one answer where the session lives, and what ended it has none.
  if (!isClosed && answered !== sent) outcome.problems.push(`${answered} answers to ${sent} messages`);
  outcome.messages = Math.min(sent, answered + 1);
  // Some say goodbye, others are torn away.
  if (chance.next() < 0.5) socket.destroy();
  else socket.end();
  return outcome;
}

/** Sockets that say nothing more, or too little. */
export function dangling(port: number, chance: Chance): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const head = `GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
  socket.write(head.slice(0, chance.below(head.length)));
  return socket;
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', () => resolve());
  });
}

function open(port: number, encoding: Encoding): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: depthwire.v1.${encoding}\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    let head = Buffer.alloc(0);
    const onData = (data: Buffer) => {
      head = Buffer.concat([head, data]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      socket.off('data', onData);
      socket.off('error', reject);
      socket.pause();
      const status = head.subarray(0, head.indexOf('\r\n')).toString();
      if (!status.includes('101')) reject(new Error(status));
      socket.unshift(head.subarray(end + 4));
      resolve(socket);
    };
    socket.on('data', onData);
  });
}

/** As a client sends it: masked, here by nothing, which saves the work. */
function maskedFrame(
  message: Uint8Array | string,
  first = typeof message === 'string' ? 0x81 : 0x82,
): Buffer {
  const payload = Buffer.from(message as Uint8Array);
  const { length } = payload;
  const head = length < 126 ? [length | 0x80] : [126 | 0x80, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([first, ...head, 0, 0, 0, 0]), payload]);
}

/** Frames that are against RFC 6455, after which a connection ends. */
function violation(chance: Chance): Buffer {
  return chance.of([
    () => maskedFrame('compressed', 0xc1),
    () => maskedFrame('an opcode of nobody', 0x83),
    () => maskedFrame('a continuation of nothing', 0x80),
    () => maskedFrame('x'.repeat(200), 0x89), // a ping that is too long
    () => Buffer.from([0x81, 0x05, 1, 2, 3, 4, 5]), // not masked
    () => Buffer.from([0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]), // 2^63 bytes
    () => maskedFrame(Buffer.from([0xff, 0xfe, 0xfd]), 0x81), // text that is none
    () => maskedFrame(Buffer.from([0x03, 0xe5]), 0x88), // a close code that must not be sent
    () => maskedFrame('x'.repeat(20_000)),
    () =>
      Buffer.concat(
        Array.from({ length: 300 }, (_, i) => maskedFrame('x'.repeat(100), i === 0 ? 0x01 : 0x00)),
      ),
  ])();
}
