import { subscribeBook, type BookOptions, type BookView, type InstrumentId } from '@depthwire/shared';
import type { WidgetClient } from './wire.ts';

/** A book: what it takes to have one comes with the first widget that shows one. */
export function bookOf(client: WidgetClient, instrument: InstrumentId, options: BookOptions): BookView {
  return 'book' in client ? client.book(instrument, options) : subscribeBook(client, instrument, options);
}
