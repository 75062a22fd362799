import { isInstrumentId } from '@depthwire/shared';
import { oneOf, someOf, wholeNumber, wordsIn, type Option } from './options.ts';

// Of the kinds that show many markets: a ticker does not carry them.

const MOST_INSTRUMENTS = 100;

export const tableColumns = [
  'instrument',
  'last',
  'change',
  'bid',
  'ask',
  'spread',
  'high',
  'low',
  'volume',
  'turnover',
] as const;
export type TableColumn = (typeof tableColumns)[number];

export const instruments: Option<readonly string[]> = {
  fallback: [],
  expected: `1 to ${MOST_INSTRUMENTS} instruments with spaces between them, such as sim:BTC-USD sim:ETH-USD`,
  read(value) {
    const ids = [...new Set(wordsIn(value))];
    return ids.length > 0 && ids.length <= MOST_INSTRUMENTS && ids.every(isInstrumentId) ? ids : undefined;
  },
};
export const columns = someOf(tableColumns, ['instrument', 'last', 'change', 'turnover']);
export const sort: Option<{ readonly column: TableColumn; readonly isDescending: boolean } | null> = {
  fallback: null,
  expected: `a column, or one with - before it for the largest first: ${tableColumns.join(', ')}`,
  read(value) {
    const column = tableColumns.find((one) => one === value.replace(/^-/, ''));
    return column && { column, isDescending: value.startsWith('-') };
  },
};
export const sizeBy = oneOf(['equal', 'volume'], 'volume');
export const speed = wholeNumber(0, 400, 40);
