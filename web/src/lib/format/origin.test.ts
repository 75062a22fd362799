import { origins } from '@depthwire/shared';
import { expect, test } from 'vitest';
import { explainOrigin } from './origin.ts';

test('explains every origin but live, by its name', () => {
  expect(explainOrigin('live')).toBeNull();
  for (const origin of origins.filter((word) => word !== 'live'))
    expect(explainOrigin(origin)).toContain(`${origin} data`);
});

test('says of bridged data what was not checked', () => {
  expect(explainOrigin('bridged')).toMatch(/library.*sequence and checksums are not checked/);
});
