import { expect, test } from 'vitest';
import { fuzz } from '../test/fuzz/fuzz.ts';

/** Each kind of refusal. */
const REFUSALS = [
  'malformed_message',
  'invalid_request',
  'unauthenticated',
  'subscribed',
  'pong',
  'close 1002',
  'close 1007',
  'close 1009',
  'close 4400',
  'close 4401',
  'HTTP 400',
  'HTTP 401',
  'HTTP 403',
  'HTTP 404',
  'HTTP 431',
];

// A short run; `npm run fuzz` sends a million.
test('hostile messages and requests are refused with a code, and disturb nobody', async () => {
  const report = await fuzz({ messages: 2_000, seed: 1, answers: REFUSALS });
  expect(report.problems).toEqual([]);
  expect(report.bystander).toMatchObject({ resyncs: 0, losses: 0, isRight: true });
  expect(report.bystander.verified).toBeGreaterThan(0);
  for (const answer of REFUSALS) expect(report.answers, answer).toHaveProperty([answer]);
}, 180_000);
