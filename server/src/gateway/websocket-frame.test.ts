import fc from 'fast-check';
import { expect, test } from 'vitest';
import { messagesIn } from '../../test/websocket.ts';
import { webSocketFrame } from './websocket-frame.ts';

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 200_000])('a message of %d bytes is read back', (length) => {
  const payload = Buffer.alloc(length, 'ab');
  expect(messagesIn(webSocketFrame(payload))).toEqual([payload]);
  expect(messagesIn(webSocketFrame(payload.toString()))).toEqual([payload.toString()]);
});

test('messages that are written together are read one by one', () => {
  const payload = fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'grapheme', maxLength: 200 }),
  );
  fc.assert(
    fc.property(fc.array(payload, { minLength: 1, maxLength: 8 }), (payloads) => {
      expect(messagesIn(Buffer.concat(payloads.map(webSocketFrame)))).toEqual(payloads);
    }),
  );
});
