import { codecs, topics, type Encoding } from '@depthwire/shared';
import type { Chance } from './chance.ts';

/** Values where other ones are expected. */
const oddities: readonly unknown[] = [
  ...[null, true, false, '', 'x', '\u0000', '💥', '../../etc/passwd', "'; DROP TABLE trades; --"],
  ...[-1, 0, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e21],
  ...[[], [1, [2, [3]]], {}, { toString: 1 }, { length: 1e9 }, { __proto__: null, op: 'ping' }],
  ...['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'sim:__proto__', 'x'.repeat(9_000)],
];
const instruments = [
  'sim:BTC-USD',
  'sim:ETH-USD',
  'sim:NO-ONE',
  'kraken:BTC-USD',
  'sim:*',
  '*',
  ' sim:BTC-USD',
];
const ops = ['subscribe', 'unsubscribe', 'snapshot', 'limit', 'ping', 'authenticate'];

/** Heads of MessagePack values that claim to hold more than follows. */
const claims = [
  [0xdd, 0xff, 0xff, 0xff, 0xff],
  [0xdd, 0x02, 0xfa, 0xf0, 0x80],
  [0xdf, 0x7f, 0xff, 0xff, 0xff],
  [0xdb, 0xff, 0xff, 0xff, 0xff],
  [0xc6, 0xff, 0xff, 0xff, 0xff],
  [0xc9, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xdc, 0xff, 0xff],
  [0xde, 0xff, 0xff],
  [0xd4, 0x00, 0x00],
  [0xd6, 0xff, 0x00, 0x00, 0x00, 0x00],
  [0xc1],
];
const hostileJson = [
  '{"__proto__":{"polluted":true},"op":"ping","id":1}',
  '{"constructor":{"prototype":{"polluted":true}},"op":"ping","id":2}',
  '{"op":"ping","op":"subscribe","id":3}',
  '{"op":"ping","id":9007199254740993}',
  '{"op":"ping","id":1e400}',
  '[1,2,3',
  '\ufeff{}',
  `{"op":"ping","id":4,"a":${'['.repeat(2_000)}${']'.repeat(2_000)}}`,
  `"${'\\u0000'.repeat(2_000)}"`,
];

/** Something a client might send, if it meant ill, was broken, or only asked for a lot. */
export function anyMessage(chance: Chance, encoding: Encoding): Uint8Array | string {
  const dice = chance.next();
  if (dice < 0.3) return encode(request(chance, 0), encoding);
  if (dice < 0.7) return encode(request(chance, 0.4), encoding);
  if (dice < 0.8) return broken(chance, encode(request(chance, 0.1), encoding));
  if (dice < 0.85) return encode(chance.of(oddities), encoding);
  if (encoding === 'json')
    return dice < 0.95 ? chance.of(hostileJson) : chance.bytes(chance.below(60)).toString('latin1');
  if (dice < 0.92)
    return Buffer.from([...nesting(chance), ...chance.of(claims), ...chance.bytes(chance.below(9))]);
  return chance.bytes(1 + chance.below(60));
}

function encode(value: unknown, encoding: Encoding): Uint8Array | string {
  return codecs[encoding].encode(value as never) ?? 'null';
}

/** @param wrong how likely each field is what it should not be */
function request(chance: Chance, wrong: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    op: chance.of(ops),
    id: chance.below(2 ** 32),
    topic: chance.of(topics),
    instrument: chance.of(instruments),
    ch: chance.below(40),
    token: `dw_sk_${chance.below(1e9)}`,
  };
  if (fields.topic === 'candles') fields.interval = chance.of(['1s', '1m', '1d']);
  if (fields.topic === 'book' && chance.next() < 0.5) fields.depth = chance.of([0, 1, 20, 1_000_000]);
  if (fields.op === 'limit')
    Object.assign(fields, { bandwidth: 1_000 + chance.below(1e6), rate: 1 + chance.below(1_000) });
  if (chance.next() < 0.3) fields.cadence = chance.of([0, 100, 3_600_000]);
  if (chance.next() < 0.2) {
    const here = { epoch: chance.below(2 ** 48), ch: chance.below(40), seq: chance.below(1e6) };
    const everywhere = { gateway: 'another', sequence: chance.below(1e6), depth: chance.of([0, 10, 50]) };
    fields.resume = chance.next() < 0.5 ? here : { ...here, ...everywhere };
    if (chance.next() < wrong) Object.assign(fields.resume as object, { sequence: chance.of(oddities) });
  }
  for (const name of Object.keys(fields)) if (chance.next() < wrong) fields[name] = chance.of(oddities);
  if (chance.next() >= wrong) return fields;
  const left = chance.of(Object.keys(fields));
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== left));
}

/** Cut short, or with a bit turned. */
function broken(chance: Chance, message: Uint8Array | string): Uint8Array | string {
  const bytes = Buffer.from(message as Uint8Array);
  if (bytes.length === 0) return bytes;
  if (chance.next() < 0.5) return asSent(message, bytes.subarray(0, chance.below(bytes.length)));
  const at = chance.below(bytes.length);
  bytes[at] = bytes[at]! ^ (1 << chance.below(7)); // text stays text
  return asSent(message, bytes);
}

function asSent(message: Uint8Array | string, bytes: Buffer): Uint8Array | string {
  return typeof message === 'string' ? bytes.toString('utf8') : bytes;
}

function nesting(chance: Chance): number[] {
  return Array.from({ length: chance.of([0, 1, 15, 17, 3_000]) }, () => chance.of([0x91, 0x92]));
}
