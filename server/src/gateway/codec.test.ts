import { codecs, DepthwireError, type ClientRequest, type Message } from '@depthwire/shared';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { serverCodecs } from './codec.ts';

const text = fc.string({ unit: 'binary', maxLength: 60 });
const number = fc.oneof(fc.integer(), fc.maxSafeInteger()).map((value) => value + 0);
const field = fc.oneof(number, text, fc.boolean(), fc.constant(null), fc.array(number, { maxLength: 20 }));
const map = fc.dictionary(
  text.filter((key) => key !== '__proto__'),
  field,
  { noNullPrototype: true },
);
const message = fc.oneof(map, fc.array(field)) as unknown as fc.Arbitrary<Message>;

test('a server and a client write the same bytes and read each other', () => {
  fc.assert(
    fc.property(message, (value) => {
      for (const encoding of ['msgpack', 'json'] as const) {
        const ours = serverCodecs[encoding].encode(value);
        const theirs = codecs[encoding].encode(value);
        expect(Buffer.from(ours as string)).toEqual(Buffer.from(theirs as string));
        expect(codecs[encoding].decode(ours)).toStrictEqual(value);
        expect(serverCodecs[encoding].decode(theirs)).toStrictEqual(value);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('what a client sends is a value or malformed, and changes no prototype', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        serverCodecs.msgpack.decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(DepthwireError);
        expect((error as DepthwireError).code).toBe('malformed_message');
      }
    }),
    { numRuns: 2_000 },
  );
  const hostile = Buffer.from('82a95f5f70726f746f5f5f81a769734164' + '6d696ec3a2696401', 'hex');
  const value = serverCodecs.msgpack.decode(hostile) as ClientRequest & { isAdmin?: boolean };
  expect([value.id, value.isAdmin]).toEqual([1, undefined]);
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
});

test('keys and forms of other libraries are read', () => {
  // {"op": "ping", "id": uint 64 5}
  const ping = Buffer.from('82a26f70a470696e67a26964cf0000000000000005', 'hex');
  expect(serverCodecs.msgpack.decode(ping)).toEqual({ op: 'ping', id: 5 });
});
