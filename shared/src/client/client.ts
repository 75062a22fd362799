import type { InstrumentId } from '../model/instrument.ts';
import { subscribeBook, type BookOptions, type BookSubscription } from './book-subscription.ts';
import { StreamClient } from './stream-client.ts';

export type { ClientEvents, ClientOptions, ConnectionState } from './stream-client.ts';

/** Connects, subscribes, replicates, verifies and recovers; in a browser and in Node. */
export class DepthwireClient extends StreamClient {
  book(instrument: InstrumentId, options: BookOptions = {}): BookSubscription {
    return subscribeBook(this, instrument, options);
  }
}
