import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCatalogue } from './error-catalogue.ts';
import { DepthwireError, isErrorCode, toDepthwireError } from './errors.ts';

/** The rows of the tables in `docs/errors.md`: code, retry, meaning. */
function documented(): string[][] {
  const text = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => /^\| `/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test('docs/errors.md lists every error of the catalogue and no other, word for word', () => {
  const catalogue = Object.entries(errorCatalogue).map(([code, { retry, meaning }]) => [
    `\`${code}\``,
    retry ? 'yes' : 'no',
    meaning,
  ]);
  expect(documented().toSorted()).toEqual(catalogue.toSorted());
});

test('an error says whether a retry can help', () => {
  expect(new DepthwireError('connection_lost', 'gone').retry).toBe(true);
  expect(new DepthwireError('unknown_instrument', 'never heard of it').retry).toBe(false);
});

test('an error with a code that nobody knows is not worth a retry, and does not throw when asked', () => {
  for (const code of ['my_code', 'toString', 10n, null] as never[])
    expect(new DepthwireError(code, 'text').retry).toBe(false);
});

test('an error carries its code, details and cause', () => {
  const cause = new Error('below');
  const error = new DepthwireError('off_grid', 'text', { value: '1' }, cause);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: 'DepthwireError',
    code: 'off_grid',
    message: 'text',
    details: { value: '1' },
    cause,
  });
  expect('cause' in new DepthwireError('off_grid', 'text')).toBe(false);
});

test('isErrorCode knows the codes of the catalogue only', () => {
  expect(Object.keys(errorCatalogue).every(isErrorCode)).toBe(true);
  expect(['toString', '__proto__', 'nonsense', '', 7, null, undefined, {}].some(isErrorCode)).toBe(false);
});

test('toDepthwireError leaves typed errors alone and makes the rest internal', () => {
  const typed = new DepthwireError('port_in_use', 'text');
  expect(toDepthwireError(typed)).toBe(typed);
  const cause = new TypeError('x is not a function');
  expect(toDepthwireError(cause)).toMatchObject({ code: 'internal', message: 'x is not a function', cause });
  expect(toDepthwireError('text')).toMatchObject({ code: 'internal', message: 'text', cause: 'text' });
});
